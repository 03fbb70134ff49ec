"""`marketplace lists`: load published lists, and see how they stand."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from marketplace.actor import SYSTEM
from marketplace.cli.frame import Workspace
from marketplace.cli.product import started
from marketplace.db import transaction
from marketplace.specialists.background import load_files, sha256_of
from marketplace.specialists.models import ReferenceSnapshot
from marketplace.specialists.queries.lists import standings
from marketplace.specialists.rules.lists import LIST_NAMES, PublishedList, SnapshotState
from marketplace.specialists.service.lists import ListFile, begin_snapshot

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DAY = click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day of the edition; today when left out.",
)
SHRINK = click.option(
    "--accept-shrink",
    is_flag=True,
    help="Take an edition that drops more than a fifth of the one before.",
)


@click.group()
def lists() -> None:
    """Published lists of excluded and sanctioned people."""


@lists.group()
def load() -> None:
    """Load an edition from its published files; the same files twice are one load."""


@load.command()
@click.argument("file", type=FILE)
@DAY
@SHRINK
@click.pass_obj
def leie(workspace: Workspace, *, file: Path, day: datetime | None, accept_shrink: bool) -> None:
    """Load the LEIE from FILE (UPDATED.csv)."""
    _load(workspace, PublishedList.LEIE, [file], day, accept_shrink)


@load.command()
@click.argument("sdn", type=FILE)
@click.argument("alt", type=FILE)
@click.argument("add", type=FILE)
@DAY
@SHRINK
@click.pass_obj
def ofac(
    workspace: Workspace,
    *,
    sdn: Path,
    alt: Path,
    add: Path,
    day: datetime | None,
    accept_shrink: bool,
) -> None:
    """Load OFAC's list from its three files SDN, ALT and ADD."""
    _load(workspace, PublishedList.OFAC, [sdn, alt, add], day, accept_shrink)


def _load(
    workspace: Workspace,
    source: PublishedList,
    paths: list[Path],
    day: datetime | None,
    accept_shrink: bool,
) -> None:
    began = time.monotonic()
    with started(workspace), contextlib.ExitStack() as opened:
        streams = [opened.enter_context(path.open("rb")) for path in paths]
        files = []
        for path, stream in zip(paths, streams, strict=True):
            files.append(ListFile(path.name, sha256_of(stream)))
            stream.seek(0)
        with transaction() as session:
            snapshot, is_new = begin_snapshot(
                session,
                SYSTEM,
                source,
                files,
                source_on=day.date() if day else None,
                shrink_accepted=accept_shrink,
            )
        if is_new:
            tell = _counter()
            snapshot = load_files(snapshot, [*streams], tell)
            click.echo(err=True)
        _report(source, snapshot, is_new=is_new, seconds=time.monotonic() - began)


def _counter() -> Callable[[int], None]:
    """Writes the number of rows read over itself."""

    def tell(read: int) -> None:
        click.echo(f"\r{read:,} rows read", nl=False, err=True)

    return tell


def _report(
    source: PublishedList, snapshot: ReferenceSnapshot, *, is_new: bool, seconds: float
) -> None:
    if snapshot.state is SnapshotState.FAILED:
        raise click.ClickException(snapshot.failure or "The load failed.")
    if not is_new:
        click.echo(f"This edition of {LIST_NAMES[source]} was loaded before; nothing changes.")
        return
    click.echo(
        f"{LIST_NAMES[source]} of {snapshot.source_on}: {snapshot.row_count:,} rows,"
        f" {snapshot.entries:,} people; {snapshot.added:,} added, {snapshot.removed:,} removed,"
        f" {snapshot.changed:,} changed; {seconds:.1f} s."
    )
    click.echo("People are compared with what changed by the worker.")


@lists.command()
@click.pass_obj
def status(workspace: Workspace) -> None:
    """Print which edition of each list counts, and whether a newer one should be out."""
    with started(workspace), transaction() as session:
        for standing in standings(session, SYSTEM):
            edition = standing.edition
            name = f"{LIST_NAMES[standing.source]:<10}"
            if edition is None:
                click.echo(f"{name} no edition is loaded: nobody is compared with it")
                continue
            screened = (
                f"{edition.screened_at:%Y-%m-%d %H:%M}Z" if edition.screened_at else "not yet"
            )
            old = "  A newer edition should be out." if standing.is_old else ""
            click.echo(
                f"{name} {edition.source_on}  {edition.entries:>8,} people"
                f"  screened {screened}  sha256 {edition.sha256[:12]}{old}"
            )
