"""`marketplace balance` and `submissions`: what a lab has, and what came back."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from marketplace.cli import output
from marketplace.cli.connection import connected, job_ids, over_api


@click.command()
@over_api
def balance() -> None:
    """What the organisation has, and what of it is set aside."""
    with connected() as client:
        found = client.balance().raw
    amounts = [
        f"{name.replace('_', ' ')}: {output.money(value)}"
        for name, value in found.items()
        if isinstance(value, dict) and "amount_minor" in value
    ]
    output.tell(found, output.as_json(), "\n".join(amounts))


@click.command()
@click.argument("job_id", shell_complete=job_ids)
@click.option("--after", help="The id of the last one seen.")
@click.option("--limit", type=int, help="At most so many; all when left out.")
@over_api
def submissions(job_id: str, after: str | None, limit: int | None) -> None:
    """What came back for a job, oldest first; with --json, judgements included."""
    with connected() as client:
        found = client.submissions.list(job_id, after=after)
        for each in islice(found, limit):
            output.tell_line(each.raw, output.as_json(), _words(each.raw))


def _words(each: dict[str, Any]) -> str:
    at = str(each["submitted_at"])[:16].replace("T", " ")
    return f"{each['id']}  {at}  {each['state']:12}  {each.get('author', '-')}"
