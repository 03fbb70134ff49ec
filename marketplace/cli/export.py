"""`marketplace export`: files of what is accepted, written, delivered and taken home."""

from __future__ import annotations

import shutil
import sys
import tempfile
import textwrap
import time
from itertools import islice
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from marketplace.cli import output, progress
from marketplace.cli.connection import TIMEOUT_HELP, connected, job_ids, over_api
from marketplace.client import Client

POLICIES = ("majority", "model", "all")
COMPRESSIONS = ("none", "gzip")
LAST = "last"
BUCKET = "s3://"
SENDING = ("waiting", "sending")
ASKED_SECONDS = 1.0
LINE = 100
TO = click.option(
    "--to",
    "-o",
    "--output",
    "to",
    metavar="PLACE",
    help="A file, a folder, `-`, or (when it is written) s3://bucket/prefix. Left out: the "
    "file's own name, here.",
)
PROOF = click.option(
    "--proof", is_flag=True, help="Bring the proof beside the file, for `marketplace verify`."
)


class Exports(click.Group):
    """A group whose first command needs no name: `export JOB` is `export make JOB`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the name of the first command before a job's id, or its options."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = ["make", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, and the jobs that may stand in their place."""
        return [*super().shell_complete(ctx, incomplete), *job_ids(ctx, None, incomplete)]


@click.group(cls=Exports)
def export() -> None:
    """Export a job's accepted judgements.

    `export JOB --format …` is short for `export make JOB --format …`.
    """


@export.command()
@click.argument("job_id", shell_complete=job_ids)
@click.option(
    "--format", "form", default="raw", show_default=True, help="A key of `export formats JOB`."
)
@click.option("--policy", type=click.Choice(POLICIES), default="majority", show_default=True)
@click.option(
    "--since",
    help="The id of an earlier export, or `last`: only what is new, changed or withdrawn since.",
)
@click.option("--compression", type=click.Choice(COMPRESSIONS), help="gzip makes text smaller.")
@click.option("--timeout", type=float, help=TIMEOUT_HELP)
@click.option("--no-wait", is_flag=True, help="Print the export's id at once.")
@TO
@PROOF
@over_api
def make(
    *,
    job_id: str,
    form: str,
    policy: str,
    since: str | None,
    compression: str | None,
    timeout: float | None,
    no_wait: bool,
    to: str | None,
    proof: bool,
) -> None:
    """Write a file of what is accepted of a job, take it, and print its name.

    The file appears whole or not at all, and its hash is checked.
    """
    with connected() as client:
        asked: dict[str, Any] = {"format": form, "policy": policy}
        if since:
            asked["since"] = _newest(client, job_id, form, policy) if since == LAST else since
        if compression:
            asked["compression"] = compression
        if to and to.startswith(BUCKET):
            asked["deliver_to"] = to
        made = client.exports.create(job_id, **asked)
        if no_wait:
            output.tell(made.raw, output.as_json(), made.id)
            return
        with progress.bar(None, f"Writing {form}", unit="items") as bar:
            done = client.exports.wait(made.id, timeout=timeout, progress=bar.to)
        _end(client, done.raw, to, proof=proof)


def _newest(client: Client, job_id: str, form: str, policy: str) -> str:
    """The newest finished export of this form; ClickException when there is none."""
    for each in client.exports.list(job_id):
        found = each.raw
        if (found["state"], found["format"], found["policy"]) == ("done", form, policy):
            return str(found["id"])
    raise click.ClickException(f"No {form} export of this job was finished before.")


def _end(client: Client, found: dict[str, Any], to: str | None, *, proof: bool) -> None:
    """Say what was written, and take it to its place."""
    dropped = ", ".join(
        f"{count:,} {reason.replace('_', ' ')}"
        for reason, count in sorted(((found["counts"] or {}).get("dropped") or {}).items())
    )
    output.note(f"{found['rows']:,} rows; left out: {dropped or 'none'}; SHA-256 {found['sha256']}")
    if to and to.startswith(BUCKET):
        output.tell(_delivered(client, found), output.as_json(), to)
        return
    _taken(client, found, to, proof=proof)


def _delivered(client: Client, found: dict[str, Any]) -> dict[str, Any]:
    """Wait until a file has come to its bucket; ClickException when it cannot."""
    with progress.bar(None, "Sending to the bucket", unit="bytes"):
        while found["delivery_state"] in SENDING:
            time.sleep(ASKED_SECONDS)
            found = client.exports.get(found["id"]).raw
    if found["delivery_state"] != "delivered":
        words = f"The export {found['id']} is written, but did not reach the bucket"
        raise click.ClickException(f"{words}: {found['delivery_failure']}")
    return found


def _taken(client: Client, found: dict[str, Any], to: str | None, *, proof: bool) -> None:
    """Download a finished export to its place, and tell where that is."""
    if to == "-":
        with tempfile.TemporaryDirectory(prefix="marketplace-") as folder:
            file = Path(folder) / "export"
            _download(client, found, file)
            # Nothing is printed before the whole file is here and its hash fits.
            with file.open("rb") as whole:
                shutil.copyfileobj(whole, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    target = Path(to or found["filename"])
    if target.is_dir():
        target /= found["filename"]
    _download(client, found, target, proof=proof)
    output.tell(found | {"path": str(target)}, output.as_json(), str(target))


def _download(client: Client, found: dict[str, Any], target: Path, *, proof: bool = False) -> None:
    with progress.bar(found["bytes"], "Downloading", unit="bytes") as bar:
        client.exports.download(found["id"], target, progress=bar.to, proof=proof)


@export.command("list")
@click.argument("job_id", shell_complete=job_ids)
@click.option("--limit", default=20, show_default=True, help="The newest so many.")
@over_api
def list_(job_id: str, limit: int) -> None:
    """A job's exports, newest first."""
    with connected() as client:
        found = [each.raw for each in islice(client.exports.list(job_id), limit)]
    columns = ("id", "state", "policy", "rows", "bytes", "asked", "format")
    cells = [_cells(each) for each in found]
    output.rows(found, columns, cells, empty="No export of this job was asked for yet.")


def _cells(each: dict[str, Any]) -> list[str]:
    rows = "-" if each["rows"] is None else f"{each['rows']:,}"
    weight = "-" if each["bytes"] is None else output.size(each["bytes"])
    asked = each["created_at"][:16].replace("T", " ")
    return [each["id"], each["state"], each["policy"], rows, weight, asked, each["format"]]


@export.command()
@click.argument("export_id")
@over_api
def status(export_id: str) -> None:
    """How far an export is, and what it holds."""
    with connected() as client:
        found = client.exports.get(export_id).raw
    words = f"{found['filename']}: {found['state']}, {found['items_read']:,} of "
    words += f"{found['items_total']:,} items read"
    if found["sha256"]:
        words += f"\n{found['rows']:,} rows, {output.size(found['bytes'])}, {found['sha256']}"
    if found["failure"]:
        words += f"\n{found['failure']}"
    output.tell(found, output.as_json(), words)


@export.command()
@click.argument("export_id")
@TO
@PROOF
@over_api
def download(export_id: str, to: str | None, proof: bool) -> None:
    """Take a finished export, and print the file's name."""
    if to and to.startswith(BUCKET):
        raise click.UsageError("A finished file goes to a bucket with `export JOB --to s3://…`.")
    with connected() as client:
        found = client.exports.get(export_id).raw
        if found["state"] != "done":
            words = found["failure"] or f"It is {found['state']}; its file is not there yet."
            raise click.ClickException(words)
        _taken(client, found, to, proof=proof)


@export.command()
@click.argument("job_id", shell_complete=job_ids)
@click.argument("key", required=False)
@over_api
def formats(job_id: str, key: str | None) -> None:
    """What a job can be exported as; with a KEY, what that file holds."""
    with connected() as client:
        kind = client.jobs.get(job_id)["task_type"]
        found = client.task_type(kind).raw["formats"]
    if key:
        _explain(next((each for each in found if each["key"] == key), None), key)
        return
    cells = [[each["key"], each["suffix"], each["title"]] for each in found]
    output.rows(found, ("format", "file", "what it is"), cells)


def _explain(found: dict[str, Any] | None, key: str) -> None:
    """Tell one format whole; UsageError where there is none of this key."""
    if found is None:
        raise click.UsageError(f"This job has no format {key!r}; leave it out to see them all.")
    words = [found["title"], *textwrap.wrap(found["help"], LINE), ""]
    words.append(f"Policies: {', '.join(found['policies'])}.")
    if found["increments"]:
        words.append("--since EXPORT writes what changed since an earlier one.")
    columns = [[each["name"], each["kind"], each["says"]] for each in found["columns"]]
    if columns:
        words += ["", *output.table(("name", "kind", "what it says"), columns)]
    output.tell(found, output.as_json(), "\n".join(words))
