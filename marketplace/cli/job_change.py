"""What else `marketplace job` does: new versions, personal details, files to start from."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from marketplace.cli import output
from marketplace.cli.connection import connected, job_ids, over_api
from marketplace.cli.job_file import document


@click.command()
@click.argument("job_id", shell_complete=job_ids)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--change",
    type=click.Choice(["finish", "reopen", "requalify"]),
    required=True,
    help="Begun tasks finish on the old version; judged tasks are asked again (this costs, and "
    "asks you first); or as the first, and people qualify again.",
)
@click.option("--pay", type=int, help="reopen: minor units for each judgement asked for again.")
@click.option("--yes", is_flag=True, help="Reserve what asking again costs without a question.")
@over_api
def version(*, job_id: str, file: str, change: str, pay: int | None, yes: bool) -> None:
    """Change a running job: the template and the instructions of FILE become its next version."""
    found = document(file)
    asked: dict[str, Any] = {
        name: found[name] for name in ("template", "instructions_md") if name in found
    }
    with connected() as client:
        seen = client.jobs.get(job_id).raw
        asked |= {"change": change, "version": seen["version"]}
        if change == "reopen":
            money = {"amount_minor": pay, "currency": seen["pay"]["currency"]} if pay else None
            quote = client.call(
                "POST", f"/jobs/{job_id}/versions/quote", json={"pay": money} if money else {}
            )
            words = f"{quote['judgements']} judgements are asked for again"
            output.note(f"{words}, at most {output.money(quote['most'])}.")
            if not yes:
                click.confirm("Reserve it and go on?", abort=True, err=True)
            asked |= {"most": quote["most"]} | ({"pay": money} if money else {})
        made = client.call("POST", f"/jobs/{job_id}/versions", json=asked)
    for each in made["differences"]:
        output.note(f"  {each['kind']} {each['place'] or '/'}")
    output.note(f"Version {made['number']} stands.")
    output.tell(made, output.as_json(), made["id"])


@click.command()
@click.argument("job_id", shell_complete=job_ids)
@click.option(
    "--declare",
    type=click.Choice(["none", "deidentified", "permitted"]),
    help="Say of all that was found: it is about no real person; it was de-identified; or it is "
    "about people, and may be judged here.",
)
@over_api
def scan(*, job_id: str, declare: str | None) -> None:
    """What the scan for personal details found in a job's items; always as JSON."""
    with connected() as client:
        if declare:
            asked = {"declaration": declare}
            found = client.call("POST", f"/jobs/{job_id}/scan/declaration", json=asked)
        else:
            found = client.call("GET", f"/jobs/{job_id}/scan")
    output.tell(found, True)


@click.command()
def templates() -> None:
    """List the ready jobs to start from."""
    _start().listed()


@click.command()
@click.option("--template", "key", required=True, help="The key of a ready job.")
@click.option(
    "--items",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to write its example items, as NDJSON.",
)
def new(key: str, items: Path | None) -> None:
    """Print a ready job as a file that `post` takes."""
    _start().begun(key, items)


@click.command("from-label-studio")
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
