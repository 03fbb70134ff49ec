"""`marketplace events`: the feed of what happens, in order and without gaps."""

from __future__ import annotations

import json
import os
from itertools import islice
from pathlib import Path
from typing import Any

import click

from marketplace.cli import output
from marketplace.cli.connection import connected, job_ids, over_api

KINDS = click.option(
    "--kinds", help="Only these, by commas; `task.*` for all that begin so (see `events kinds`)."
)
JOB = click.option("--job", "job_id", shell_complete=job_ids, help="Only what concerns this job.")


@click.group()
def events() -> None:
    """Follow what happens to your jobs, tasks, exports and money."""


@events.command("list")
@click.option("--after", type=int, default=0, show_default=True, help="The last number seen.")
@click.option("--limit", type=int, default=50, show_default=True, help="At most so many.")
@KINDS
@JOB
@over_api
def list_(after: int, limit: int, kinds: str | None, job_id: str | None) -> None:
    """Events that were, the oldest first."""
    with connected() as client:
        found = client.events.list(after=after, kinds=_kinds(kinds), job_id=job_id)
        for each in islice(found, limit):
            _tell(each.raw)


@events.command()
@click.option("--after", type=int, help="The last number seen; what comes from now on, if unsaid.")
@click.option(
    "--cursor",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that remembers the last number, so that the next run goes on from there.",
)
@KINDS
@JOB
@click.option("--limit", type=int, help="End after so many.")
@over_api
def tail(
    *,
    after: int | None,
    cursor: Path | None,
    kinds: str | None,
    job_id: str | None,
    limit: int | None,
) -> None:
    """Events as they happen, until Ctrl-C; a lost connection is taken up where it broke.

    Each one is on a line, so another program can read along; none is skipped and none comes twice.
    """
    if after is None and cursor is not None:
        after = _read(cursor)
    with connected() as client:
        found = client.events.tail(after=after, kinds=_kinds(kinds), job_id=job_id)
        for each in islice(found, limit):
            _tell(each.raw)
            if cursor is not None:
                _keep(cursor, each.raw["number"])


@events.command("kinds")
@over_api
def kinds_() -> None:
    """What kinds of events there are."""
    with connected() as client:
        found = client.call("GET", "/event-kinds")["items"]
    cells = [[each["kind"], each["title"]] for each in found]
    output.rows(found, ("kind", "title"), cells)


def _kinds(text: str | None) -> list[str] | None:
    return [each.strip() for each in text.split(",") if each.strip()] if text else None


def _tell(event: dict[str, Any]) -> None:
    at = str(event["announced_at"])[:19].replace("T", " ")
    facts = " ".join(f"{name}={json.dumps(told)}" for name, told in event["facts"].items())
    words = f"{event['number']:>8}  {at}  {event['kind']:24}  {event['job_id'] or '-'}  {facts}"
    output.tell_line(event, output.as_json(), words.rstrip())


def _read(cursor: Path) -> int | None:
    """The number that a cursor's file remembers; None where there is no file yet."""
    try:
        return int(cursor.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except (ValueError, UnicodeDecodeError):
        raise click.ClickException(f"{cursor} holds no number of an event.") from None


def _keep(cursor: Path, number: int) -> None:
    """Remember a number, whole or not at all; it was told before, so none is lost."""
    draft = cursor.with_name(f".{cursor.name}.{os.getpid()}")
    draft.write_text(f"{number}\n", encoding="ascii")
    draft.replace(cursor)
