"""`marketplace up`: the whole stack under one command."""

import os
import socket
from contextlib import closing
from functools import partial
from pathlib import Path

import click

from marketplace import embedded
from marketplace.cli import announcement, environment
from marketplace.cli.frame import Workspace
from marketplace.cli.parts import Addresses, parts_of, settings_for
from marketplace.cli.runner import StackFailed
from marketplace.cli.supervisor import Supervisor
from marketplace.embedded.ports import free_ports

# What `up` brings itself; a demonstration must never touch a real database or a real account.
BROUGHT = ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL", "STRIPE_SECRET_KEY")
DEMO_BUILT = "demo-built"


@click.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with a demonstration world.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve on.")
@click.option(
    "--port", envvar="PORT", default=8000, show_default=True, type=click.IntRange(1, 65535)
)
@click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Where everything is kept."
)
@click.option("--follow", is_flag=True, help="Print what every part says.")
@click.pass_obj
def up(
    workspace: Workspace, *, demo: bool, host: str, port: int, data_dir: Path | None, follow: bool
) -> None:
    """Run the whole stack until Ctrl-C: databases, web, worker, relay and the sandbox."""
    folder = Path(os.path.abspath(data_dir)) if data_dir else workspace.data_dir
    _refuse_outside_services()
    try:
        with embedded.Lock(folder):
            _run(folder, host, port, demo=demo, follow=follow)
    except embedded.AlreadyRuns as fault:
        where = environment.read(folder).get("PUBLIC_URL", "an address it has not said yet")
        raise click.ClickException(f"{str(fault).rstrip('.')} at {where}.") from fault
    except (embedded.CannotStart, StackFailed) as fault:
        raise click.ClickException(str(fault)) from fault


def _run(folder: Path, host: str, port: int, *, demo: bool, follow: bool) -> None:
    """Prepare everything and run it; the caller holds the folder's lock."""
    check_port(host, port)
    last = environment.read(folder)
    (sandbox_port,) = free_ports(int(last.get("SANDBOX_PORT", port + 1)))
    addresses = Addresses(host, port, sandbox_port)
    announcement.starting(folder, first=not last)
    prepared = embedded.prepare(folder)
    settings = settings_for(prepared, addresses)
    environment.write(folder, settings)
    built = folder / DEMO_BUILT
    parts = parts_of(prepared, settings, addresses, demo=demo and not built.exists())

    def complete() -> None:
        if demo:
            built.touch()
        announcement.running(folder, settings, addresses, demo=built.exists())

    Supervisor(
        parts,
        logs=folder / "logs",
        records=prepared.records,
        say=partial(click.echo, err=True),
        complete=complete,
        echo=click.echo if follow else None,
    ).run()
    click.echo("Stopped.", err=True)


def _refuse_outside_services() -> None:
    given = [name for name in BROUGHT if os.environ.get(name)]
    if given:
        raise click.ClickException(
            f"`marketplace up` brings its own {', '.join(given)}: unset what you set, or run"
            " `marketplace migrate`, `web`, `worker` and `relay` by themselves."
        )


def check_port(host: str, port: int) -> None:
    """Raise CannotStart with one sentence when `port` cannot be served on `host`."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except socket.gaierror as fault:
        raise embedded.CannotStart(f"{host} is no address of this machine.") from fault
    except OSError as fault:
        raise embedded.CannotStart(
            f"Port {port} on {host} cannot be used ({(fault.strerror or '').lower()}):"
            " choose another with PORT=… or --port."
        ) from fault
