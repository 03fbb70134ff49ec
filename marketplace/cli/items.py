"""`marketplace items`: send items to a job, from a file or a pipe."""

from __future__ import annotations

import os
import stat
import sys
from typing import IO, Any

import click

from marketplace.cli import output, progress
from marketplace.cli.connection import connected, job_ids, over_api

REJECTED_SHOWN = 20


@click.group()
def items() -> None:
    """Send items to a job."""


@items.command()
@click.argument("job_id", shell_complete=job_ids)
@click.argument("file", type=click.File("rb"), default="-")
@over_api
def add(job_id: str, file: IO[bytes]) -> None:
    """Send FILE to a job: NDJSON, one item a line, `-` for standard input.

    Each line is {"external_id": …, "payload": …}; sending a line again adds nothing, so a file that
    broke off is simply sent once more. Lines that cannot be used never stop the others: they are
    told on standard error, and the command then ends with exit code 1.
    """
    with (
        connected() as client,
        progress.bar(_size(file), "Sending items", unit="bytes") as bar,
    ):
        report = client.items.add(job_id, file, progress=bar.to).raw
    tell_report(report)
    if output.as_json():
        output.tell(report, True)
    if report["rows_rejected"]:
        sys.exit(1)


def _size(file: IO[bytes]) -> int | None:
    """A file's bytes; None for a pipe, whose end nobody knows."""
    try:
        found = os.fstat(file.fileno())
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def tell_report(report: dict[str, Any]) -> None:
    """Say how many items came in, and the first lines that did not."""
    rejected = report["rejected"]
    output.note(
        f"{report['accepted']:,} items are in, {report['duplicates']:,} were there already, "
        f"{report['rows_rejected']:,} lines could not be used."
    )
    for fault in rejected[:REJECTED_SHOWN]:
        output.note(f"  line {fault['line']} {fault['pointer']}: {fault['message']}")
    if len(rejected) > REJECTED_SHOWN:
        output.note(f"  and {len(rejected) - REJECTED_SHOWN:,} more")
