"""`marketplace demo-world` and `marketplace demo`: a world to try, and real judgements replayed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from marketplace import embedded
from marketplace.cli import environment
from marketplace.cli.frame import Workspace
from marketplace.cli.parts import answers
from marketplace.cli.product import started
from marketplace.cli.self_check import CHECKS, missing_evidence
from marketplace.db import transaction
from marketplace.demo import people, world
from marketplace.demo.replay import source, story
from marketplace.embedded.ports import free_ports

DOMAIN = "@demo.test"
READY_SECONDS = 120.0


@click.command("demo-world")
@click.pass_obj
def demo_world(workspace: Workspace) -> None:
    """Fill the empty database of an embedded stack with a demonstration."""
    password = _password(workspace)
    with started(workspace) as settings:
        if not settings.stripe_api_base:
            raise click.ClickException("The demonstration pays with Stripe's sandbox only.")
        try:
            world.build(password, say=click.echo)
        except world.NotEmpty as refusal:
            click.echo(str(refusal), err=True)


@click.group()
def demo() -> None:
    """The demonstration: codes for its people, and real judgements replayed."""


@demo.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", default=8090, show_default=True, help="Where the stack serves meanwhile.")
@click.pass_obj
def replay(workspace: Workspace, folder: Path, *, port: int) -> None:
    """Take a FOLDER of recorded judgements through the whole loop, and compare every figure.

    The stack of the data folder is used when it runs, and else started for the while.
    """
    items = _read(folder)
    with _stack(workspace.data_dir, port) as address, started(workspace):
        told = story.Told(click.echo, _overwrite)
        try:
            result = story.replay(address, items, workspace.data_dir / "exports", told)
        finally:
            _overwrite("")
        _self_check()
        click.echo(_loaded(result.pairs))
    click.echo(f"The exports are {result.pairs} and {result.raw}.")
    click.echo(f"All figures are those of {folder}; it took {result.seconds:.0f} seconds.")


def _read(folder: Path) -> list[source.Comparison]:
    try:
        return source.read(folder)
    except source.SourceFaulty as fault:
        raise click.ClickException(str(fault)) from fault


def _overwrite(text: str) -> None:
    """A line that the next one replaces; nothing where nobody watches."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)


@contextmanager
def _stack(data_dir: Path, port: int) -> Iterator[str]:
    """The address of the data folder's stack, started and stopped here unless it runs already."""
    if not embedded.Lock.is_free(data_dir):
        yield environment.read(data_dir)["PUBLIC_URL"]
        return
    (free,) = free_ports(port)
    command = [sys.executable, "-m", "marketplace.cli", "--data-dir", str(data_dir)]
    settings = os.environ | {"CLEARANCE_DAYS": "0", "PUBLIC_URL": f"http://localhost:{free}"}
    log = data_dir / "replay.log"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    click.echo(f"Starting a stack in {data_dir} …")
    with log.open("wb") as out:
        child = subprocess.Popen([*command, "up", "--port", str(free)], env=settings, stdout=out)
        try:
            _wait_until_ready(child, free)
            yield f"http://localhost:{free}"
        finally:
            child.send_signal(signal.SIGINT)
            child.wait()


def _wait_until_ready(child: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers("127.0.0.1", port, "/readyz?all=1"):
        if child.poll() is not None or time.monotonic() > deadline:
            raise click.ClickException("The stack did not start; what it said stands above.")
        time.sleep(0.2)


def _self_check() -> None:
    """All that must hold, asked of the database as `marketplace self-check` does."""
    for check in CHECKS.values():
        with transaction() as session:
            broken = check(session)
        if broken:
            raise click.ClickException("\n".join(broken))
    if missing := missing_evidence():
        raise click.ClickException("\n".join(missing))
    click.echo(f"self-check: nothing broken in {', '.join(CHECKS)}.")


def _loaded(pairs: Path) -> str:
    """Load the export as a lab's engineer would, where their library is installed."""
    try:
        datasets = import_module("datasets")
    except ModuleNotFoundError:
        return "datasets is not installed (pip install 'marketplace[consumers]'): not loaded."
    with TemporaryDirectory() as cache:
        rows = datasets.load_dataset("json", data_files=str(pairs), split="train", cache_dir=cache)
    return f"datasets {datasets.__version__} loads {len(rows):,} rows: {rows.column_names}."


@demo.command()
@click.argument("email", default=f"approver{DOMAIN}")
@click.pass_obj
def code(workspace: Workspace, email: str) -> None:
    """Print the code that a demonstration person's authenticator shows now."""
    if not email.endswith(DOMAIN):
        raise click.ClickException(f"Codes are read aloud for people of {DOMAIN} only.")
    _password(workspace)
    with started(workspace), transaction() as session:
        shown = people.present_code(session, email)
    click.echo(shown)


def _password(workspace: Workspace) -> str:
    """The demonstration's password, which only an embedded stack has."""
    known = environment.read(workspace.data_dir).get("DEMO_PASSWORD", "")
    password = os.environ.get("DEMO_PASSWORD", known)
    if not password:
        raise click.ClickException("The demonstration exists on an embedded stack only.")
    return password
