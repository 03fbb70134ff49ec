"""`marketplace job` and `marketplace export`: a lab's jobs over the API, from a shell."""

from __future__ import annotations

import importlib
import json
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
