"""`marketplace job` and `marketplace export`: a lab's jobs over the API, from a shell."""

from __future__ import annotations

import importlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import httpx
import yaml

from marketplace.client import Client, Refusal

ADDRESS = click.option(
    "--url",
    envvar="MARKETPLACE_URL",
    default="http://localhost:8000",
    show_default=True,
    help="Where the marketplace answers (MARKETPLACE_URL).",
)
TOKEN = click.option(
    "--token", envvar="MARKETPLACE_TOKEN", required=True, help="An API token (MARKETPLACE_TOKEN)."
)
REJECTED_SHOWN = 20
FOLLOW_SECONDS = 0.5


@contextmanager
def connected(url: str, token: str) -> Iterator[Client]:
    """A client whose refusals and lost connections become one clear message."""
    try:
        with Client(url, token) as client:
            yield client
    except Refusal as refusal:
        faults = [f"  {pointer or '/'}: {message}" for pointer, message in refusal.faults]
        raise click.ClickException("\n".join([str(refusal), *faults])) from None
    except httpx.TransportError as lost:
        raise click.ClickException(f"{url} does not answer ({type(lost).__name__}).") from None


def _document(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise click.ClickException(f"{path} is not YAML: {fault}") from None
    if not isinstance(found, dict):
        raise click.ClickException(f"{path} must hold the fields of a job.")
    return found


@click.group()
def job() -> None:
    """Post jobs and look at them."""


@job.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--items",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="NDJSON, one item a line.",
)
@click.option("--publish", is_flag=True, help="Reserve the money and open the job.")
@ADDRESS
@TOKEN
def post(*, file: Path, items: Path | None, publish: bool, url: str, token: str) -> None:
    """Make a draft from a YAML (or JSON) FILE, send its items, and print its id."""
    with connected(url, token) as client:
        made = client.post_job(_document(file))
        if items is not None:
            with items.open("rb") as lines:
                _tell(client.add_items(made["id"], lines))
        quote = client.quote(made["id"])
        few = quote["eligible_is_coarse"]
        eligible = "fewer than five" if few else quote["eligible_specialists"]
        click.echo(
            f"{quote['tasks']} tasks, at most {_words(quote['price'])}, "
            f"{eligible} specialists eligible now.",
            err=True,
        )
        if publish:
            client.publish(made["id"])
            click.echo("The job is open.", err=True)
    click.echo(made["id"])


def _tell(report: dict[str, Any]) -> None:
    click.echo(
        f"{report['accepted']} items are in, {report['duplicates']} were there already, "
        f"{len(report['rejected'])} faults in others.",
        err=True,
    )
    for fault in report["rejected"][:REJECTED_SHOWN]:
        click.echo(f"  line {fault['line']} {fault['pointer']}: {fault['message']}", err=True)


def _words(money: dict[str, Any]) -> str:
    return f"{money['amount_minor']} minor units of {money['currency']}"


@job.command()
@click.argument("job_id")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--change",
    type=click.Choice(["finish", "reopen", "requalify"]),
    required=True,
    help="Begun tasks finish on the old version; judged tasks are asked again (this costs, and "
    "asks you first); or as the first, and people qualify again.",
)
@click.option("--pay", type=int, help="reopen: minor units for each judgement asked for again.")
@click.option("--yes", is_flag=True, help="Reserve what asking again costs without a question.")
@ADDRESS
@TOKEN
def version(
    *, job_id: str, file: Path, change: str, pay: int | None, yes: bool, url: str, token: str
) -> None:
    """Change a running job: the template and the instructions of FILE become its next version."""
    found = _document(file)
    asked: dict[str, Any] = {
        name: found[name] for name in ("template", "instructions_md") if name in found
    }
    with connected(url, token) as client:
        seen = client.job(job_id)
        asked |= {"change": change, "version": seen["version"]}
        if change == "reopen":
            money = {"amount_minor": pay, "currency": seen["pay"]["currency"]} if pay else None
            quote = client.quote_version(job_id, money)
            words = f"{quote['judgements']} judgements are asked for again"
            click.echo(f"{words}, at most {_words(quote['most'])}.", err=True)
            if not yes:
                click.confirm("Reserve it and go on?", abort=True, err=True)
            asked |= {"most": quote["most"]} | ({"pay": money} if money else {})
        made = client.new_version(job_id, asked)
    for each in made["differences"]:
        click.echo(f"  {each['kind']} {each['place'] or '/'}", err=True)
    click.echo(f"Version {made['number']} stands.", err=True)
    click.echo(made["id"])


@job.command()
@click.argument("job_id")
@ADDRESS
@TOKEN
def status(job_id: str, url: str, token: str) -> None:
    """Print a job's state and progress as JSON."""
    with connected(url, token) as client:
        found = client.job(job_id)
        progress = client.progress(job_id)
    shown = {name: found[name] for name in ("id", "reference", "title", "state", "items")}
    click.echo(json.dumps(shown | {"progress": progress}, indent=2, ensure_ascii=False))


@job.command()
@click.argument("job_id")
@click.option(
    "--declare",
    type=click.Choice(["none", "deidentified", "permitted"]),
    help="Say of all that was found: it is about no real person; it was de-identified; or it is "
    "about people, and may be judged here.",
)
@ADDRESS
@TOKEN
def scan(*, job_id: str, declare: str | None, url: str, token: str) -> None:
    """Print what the scan for personal details found in a job's items, as JSON."""
    with connected(url, token) as client:
        found = client.declare(job_id, declare) if declare else client.scan(job_id)
    click.echo(json.dumps(found, indent=2, ensure_ascii=False))


@job.command("import")
@click.argument("job_id")
@click.argument("source")
@click.option("--kind", default="", help="The form of the file; told by its content when left out.")
@click.option("--labels", default="", help="What its labels become: prelabels, gold or leave.")
@click.option(
    "--map", "pairs", multiple=True, metavar="COLUMN=FIELD", help="What a column becomes; repeat."
)
@click.option("--look", is_flag=True, help="Show how its first rows look, and read nothing.")
@click.option("--endpoint", default="", help="The store of an s3:// place, unless it is AWS.")
@click.option("--region", default="", help="The region of an s3:// place.")
@ADDRESS
@TOKEN
def import_(
    *,
    job_id: str,
    source: str,
    kind: str,
    labels: str,
    pairs: tuple[str, ...],
    look: bool,
    endpoint: str,
    region: str,
    url: str,
    token: str,
) -> None:
    """Read SOURCE, a file or s3://bucket/…, into a job, and wait until it is read.

    A bucket is read with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, kept encrypted for the job.
    """
    wish: dict[str, Any] = {"kind": kind, "labels": labels, "mapping": _mapping(pairs)}
    with connected(url, token) as client:
        if source.startswith("s3://"):
            access = {
                "endpoint": endpoint,
                "region": region,
                "access_key_id": os.environ.get("AWS_ACCESS_KEY_ID", ""),
                "secret_access_key": os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
            }
            started = client.import_bucket(job_id, source, access=access, hold=look, **wish)
        else:
            file = Path(source)
            if not file.is_file():
                raise click.ClickException(f"{source} is no file.")
            started = client.import_file(job_id, file, hold=look, **wish)
        if look:
            seen = client.look(started["id"])
            client.drop_import(started["id"])
            click.echo(json.dumps(seen, indent=2, ensure_ascii=False))
            return
        _follow(client, started)


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    parted = [pair.rpartition("=") for pair in pairs]
    if any(not sign for _, sign, _ in parted):
        raise click.ClickException("Write --map column=field.")
    return {column: field for column, _, field in parted}


def _follow(client: Client, found: dict[str, Any]) -> None:
    """Tell how far an import is until it has ended, and then what could not be used."""
    shown = -1
    while found["state"] in ("waiting", "running"):
        time.sleep(FOLLOW_SECONDS)
        found = client.import_state(found["id"])
        part = 100 * found["read_bytes"] // max(1, found["total_bytes"])
        if part != shown:
            click.echo(f"{part} %, {found['rows_read']} rows", err=True)
            shown = part
    told = [f"{found['accepted']} items are in", f"{found['duplicates']} were there already"]
    if found["images_added"] or found["images_known"]:
        told.append(f"{found['images_added']} images are in")
    click.echo(", ".join([*told, f"{found['rejected']} rows could not be used."]), err=True)
    for reason, count in found["left_out"].items():
        click.echo(f"  not carried over: {reason.replace('_', ' ')} ({count})", err=True)
    for line in client.rejected(found["id"]).splitlines()[:REJECTED_SHOWN]:
        click.echo(f"  {line.decode()}", err=True)
    click.echo(found["id"])
    if found["state"] == "failed":
        raise click.ClickException(found["failure"])


@job.command()
def templates() -> None:
    """List the ready jobs to start from."""
    _start().listed()


@job.command()
@click.option("--template", "key", required=True, help="The key of a ready job.")
@click.option(
    "--items",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write its example items, as NDJSON.",
)
def new(key: str, items: Path | None) -> None:
    """Print a ready job as a file that `post` takes."""
    _start().begun(key, items)


@job.command("from-label-studio")
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def from_label_studio(config: Path) -> None:
    """Print the job that a Label Studio CONFIG comes to; what does not fit is told beside it."""
    _start().brought(config)


def _start() -> ModuleType:
    """The part that knows task types, which only the server's package brings."""
    try:
        return importlib.import_module("marketplace.cli.job_start")
    except ModuleNotFoundError as missing:
        words = f"This needs the server's package ({missing.name}): pip install marketplace[server]"
        raise click.ClickException(words) from None


@click.command()
@click.argument("job_id")
@click.option("--format", "form", default="raw", show_default=True, help="The format's key.")
@click.option("--policy", default="majority", show_default=True, help="majority or all.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write; the file's own name when left out.",
)
@ADDRESS
@TOKEN
def export(
    *, job_id: str, form: str, policy: str, output: Path | None, url: str, token: str
) -> None:
    """Export what is accepted of a job, and print the file's name."""
    with connected(url, token) as client:
        made = client.export(job_id, form, policy)
        if made["state"] != "done":
            raise click.ClickException(made["failure"] or "The export is still being written.")
        target = output or Path(made["filename"])
        client.download(made["id"], target)
    click.echo(
        f"{made['rows']} rows; left out: {json.dumps(made['counts']['dropped'])}; "
        f"SHA-256 {made['sha256']}",
        err=True,
    )
    click.echo(str(target))
