"""`marketplace import`: files and buckets that are read into a job in the background."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import click

from marketplace.cli import exits, output, progress
from marketplace.cli.connection import TIMEOUT_HELP, connected, job_ids, over_api
from marketplace.client import Client

REJECTED_SHOWN = 20
ASKED_SECONDS = 0.5
RUNNING = ("waiting", "running")


@click.command("import")
@click.argument("job_id", shell_complete=job_ids)
@click.argument("source")
@click.option("--kind", default="", help="The form of the file; told by its content when left out.")
@click.option("--labels", default="", help="What its labels become: prelabels, gold or leave.")
@click.option(
    "--map", "pairs", multiple=True, metavar="COLUMN=FIELD", help="What a column becomes; repeat."
)
@click.option("--look", is_flag=True, help="Show how its first rows look, and read nothing.")
@click.option("--no-wait", is_flag=True, help="Print the import's id at once.")
@click.option("--timeout", type=float, help=TIMEOUT_HELP)
@click.option("--endpoint", default="", help="The store of an s3:// place, unless it is AWS.")
@click.option("--region", default="", help="The region of an s3:// place.")
@over_api
def import_(
    *,
    job_id: str,
    source: str,
    kind: str,
    labels: str,
    pairs: tuple[str, ...],
    look: bool,
    no_wait: bool,
    timeout: float | None,
    endpoint: str,
    region: str,
) -> None:
    """Read SOURCE, a file or s3://bucket/…, into a job, and wait until it is read.

    A bucket is read with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, kept encrypted for the job.
    """
    wish: dict[str, Any] = {"kind": kind, "labels": labels, "mapping": _mapping(pairs)}
    with connected() as client:
        store = {"endpoint": endpoint, "region": region}
        started = _started(client, job_id, source, wish | {"hold": look}, store)
        if look:
            seen = client.imports.look(started["id"])
            client.imports.drop(started["id"])
            output.tell(seen.raw, True)
            return
        if no_wait:
            output.tell(started, output.as_json(), started["id"])
            return
        found = _followed(client, started, timeout)
        _tell_end(client, found)
    if found["state"] == "failed":
        raise click.ClickException(found["failure"])


def _started(
    client: Client, job_id: str, source: str, wish: dict[str, Any], store: dict[str, str]
) -> dict[str, Any]:
    if source.startswith("s3://"):
        access = store | {
            "access_key_id": os.environ.get("AWS_ACCESS_KEY_ID", ""),
            "secret_access_key": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        }
        return client.imports.create_from_bucket(job_id, source, access=access, **wish).raw
    file = Path(source)
    if not file.is_file():
        raise click.ClickException(f"{source} is no file.")
    return client.imports.create(job_id, file, **wish).raw


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    parted = [pair.rpartition("=") for pair in pairs]
    if any(not sign for _, sign, _ in parted):
        raise click.UsageError("Write --map column=field.")
    return {column: field for column, _, field in parted}


def _followed(client: Client, found: dict[str, Any], timeout: float | None) -> dict[str, Any]:
    """Show how far an import is until it has ended."""
    began = time.monotonic()
    with progress.bar(None, "Reading", unit="bytes") as bar:
        while found["state"] in RUNNING:
            if timeout is not None and time.monotonic() - began > timeout:
                words = f"The import {found['id']} goes on; {found['rows_read']:,} rows are read."
                raise exits.TimedOut(words)
            time.sleep(ASKED_SECONDS)
            found = client.imports.get(found["id"]).raw
            bar.say(f"Reading, {found['rows_read']:,} rows")
            bar.to(found["read_bytes"], found["total_bytes"])
    return found


def _tell_end(client: Client, found: dict[str, Any]) -> None:
    """Say what came in, and the first rows that could not be used."""
    told = [f"{found['accepted']:,} items are in", f"{found['duplicates']:,} were there already"]
    if found["images_added"] or found["images_known"]:
        told.append(f"{found['images_added']:,} images are in")
    output.note(", ".join([*told, f"{found['rejected']:,} rows could not be used."]))
    for reason, count in found["left_out"].items():
        output.note(f"  not carried over: {reason.replace('_', ' ')} ({count:,})")
    if found["rejected"]:
        for line in client.imports.rejected(found["id"]).splitlines()[:REJECTED_SHOWN]:
            output.note(f"  {json.dumps(json.loads(line), ensure_ascii=False)}")
    output.tell(found, output.as_json(), found["id"])
