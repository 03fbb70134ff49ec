"""`marketplace job`: a lab's jobs over the API, from a shell."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from marketplace.cli import output, progress
from marketplace.cli.connection import TIMEOUT_HELP, connected, job_ids, over_api
from marketplace.cli.imports import import_
from marketplace.cli.items import tell_report
from marketplace.cli.job_change import from_label_studio, new, scan, templates, version
from marketplace.cli.job_file import document

if TYPE_CHECKING:
    from marketplace.client.shapes.jobs import NewJob

STATES = ("draft", "open", "paused", "closed")
FEW = "fewer than five"
JOB_ID = click.argument("job_id", shell_complete=job_ids)


@click.group()
def job() -> None:
    """Post jobs, look at them, wait for them."""


@job.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--items",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="NDJSON, one item a line.",
)
@click.option("--publish", "opens", is_flag=True, help="Reserve the money and open the job.")
@over_api
def post(*, file: str, items: Path | None, opens: bool) -> None:
    """Make a draft from a YAML (or JSON) FILE, send its items, and print its id.

    FILE is `-` for standard input. The price is told before anything is reserved.
    """
    asked = cast("NewJob", document(file))
    with connected() as client:
        made = client.jobs.create(**asked)
        if items is not None:
            with (
                items.open("rb") as lines,
                progress.bar(items.stat().st_size, "Sending items", unit="bytes") as bar,
            ):
                report = client.items.add(made.id, lines, progress=bar.to)
            tell_report(report.raw)
        quote = client.jobs.quote(made.id).raw
        output.note(_plan_words(quote))
        if opens:
            client.jobs.publish(made.id)
            output.note("The job is open.")
        shown = client.jobs.get(made.id).raw | {"quote": quote} if output.as_json() else {}
    output.tell(shown, output.as_json(), made.id)


def _plan_words(quote: dict[str, Any]) -> str:
    eligible = FEW if quote["eligible_is_coarse"] else f"{quote['eligible_specialists']:,}"
    words = (
        f"{quote['tasks']:,} tasks, at most {output.money(quote['price'])}, "
        f"{eligible} specialists eligible now."
    )
    time_to_fill = quote.get("time_to_fill_seconds") or {}
    if time_to_fill.get("p50") is not None:
        words += f" Done in about {output.duration(time_to_fill['p50'])}"
        if time_to_fill.get("p90") is not None:
            words += f", nine times in ten within {output.duration(time_to_fill['p90'])}"
        words += "."
    return words


@job.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--limit", default=50, show_default=True, help="The newest so many.")
@over_api
def list_(state: str | None, limit: int) -> None:
    """The jobs of your organisation, newest first."""
    with connected() as client:
        listed = (each.raw for each in client.jobs.list())
        wanted = (each for each in listed if state is None or each["state"] == state)
        found = list(islice(wanted, limit))
    columns = ("id", "state", "items", "pay", "title")
    cells = [
        [each["id"], each["state"], f"{each['items']:,}", output.money(each["pay"]), each["title"]]
        for each in found
    ]
    empty = "No jobs. `marketplace job post` makes one."
    output.rows(found, columns, cells, empty=empty)


@job.command()
@JOB_ID
@over_api
def status(job_id: str) -> None:
    """A job's state, and how far it is."""
    with connected() as client:
        found = client.jobs.get(job_id).raw
        so_far = client.jobs.progress(job_id).raw
    shown = {name: found[name] for name in ("id", "reference", "title", "state", "items")}
    words = f"{found['title']} ({found['reference']})\n{found['state']}"
    words += "".join(f"\n{name.replace('_', ' ')}: {told}" for name, told in _told(so_far))
    output.tell(shown | {"progress": so_far}, output.as_json(), words)


def _told(so_far: dict[str, Any]) -> list[tuple[str, str]]:
    """The counts and amounts of a job's progress, in words."""
    shown = []
    for name, value in so_far.items():
        if isinstance(value, dict) and "amount_minor" in value:
            shown.append((name, output.money(value)))
        elif isinstance(value, int):
            shown.append((name, f"{value:,}"))
    return shown


@job.command()
@JOB_ID
@click.option(
    "--until",
    type=click.Choice(["completed", "filled", "open", "paused", "closed"]),
    default="completed",
    show_default=True,
    help="completed: every task is final; filled: all judgements are in; else the job's state.",
)
@click.option("--timeout", type=float, help=TIMEOUT_HELP)
@over_api
def wait(job_id: str, until: str, timeout: float | None) -> None:
    """Wait until a job is completed, and show how far it is meanwhile."""
    with connected() as client, progress.bar(None, "Waiting", unit="tasks final") as bar:
        found = client.jobs.wait(job_id, until, timeout=timeout, progress=bar.to).raw
    _tell_state(found)


@job.command()
@JOB_ID
@over_api
def plan(job_id: str) -> None:
    """What a job costs, who may do it and how long it takes; nothing is reserved."""
    with connected() as client:
        quote = client.jobs.quote(job_id).raw
    output.tell(quote, output.as_json(), _plan_words(quote))


@job.command()
@JOB_ID
@over_api
def publish(job_id: str) -> None:
    """Reserve the money and open the job."""
    with connected() as client:
        _tell_state(client.jobs.publish(job_id).raw)


@job.command()
@JOB_ID
@over_api
def pause(job_id: str) -> None:
    """Offer no more tasks; what is being worked on goes on."""
    with connected() as client:
        _tell_state(client.jobs.pause(job_id).raw)


@job.command()
@JOB_ID
@over_api
def resume(job_id: str) -> None:
    """Offer the tasks of a paused job again."""
    with connected() as client:
        _tell_state(client.jobs.resume(job_id).raw)


@job.command()
@JOB_ID
@click.option("--yes", is_flag=True, help="Close it without a question.")
@over_api
def close(job_id: str, yes: bool) -> None:
    """End a job for good; what is left of its reserve goes back to the balance."""
    with connected() as client:
        if not yes:
            title = client.jobs.get(job_id).title
            click.confirm(f"Close “{output.plain(title)}” for good?", abort=True, err=True)
        _tell_state(client.jobs.close(job_id).raw)


def _tell_state(found: dict[str, Any]) -> None:
    output.tell(found, output.as_json(), f"{found['title']}: {found['state']}")


for _command in (version, scan, templates, new, from_label_studio):
    job.add_command(_command)
job.add_command(import_, "import")
