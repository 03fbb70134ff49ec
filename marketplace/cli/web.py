"""`marketplace web`: serve the pages and the API."""

import os

import click
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from marketplace.cli.environment import settings_from

BACKLOG = 1024
# Requests wait for the database more than for a core; the pool has twenty connections.
THREADS = min((os.cpu_count() or 1) * 2 + 1, 16)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", envvar="PORT", default=8000, show_default=True, type=int)
@click.option(
    "--workers",
    envvar="WEB_WORKERS",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; each takes about 120 MB.",
)
@click.option(
    "--threads",
    envvar="WEB_THREADS",
    default=THREADS,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Requests that one process answers at a time.",
)
def web(host: str, port: int, workers: int, threads: int) -> None:
    """Serve until SIGTERM, which lets running requests end."""
    settings_from(os.environ)  # Faults are told here, once, and not by each worker.
    Server(
        "marketplace.cli.wsgi:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        backlog=BACKLOG,
        log_level=LogLevels.warning,
        websockets=False,
        workers_kill_timeout=5,
    ).serve()
