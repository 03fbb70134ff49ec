"""`marketplace webhooks`: where events are sent, and what became of each."""

from __future__ import annotations

from itertools import islice

import click

from marketplace.cli import output
from marketplace.cli.connection import connected, over_api

HOOK = click.argument("webhook_id")


@click.group()
def webhooks() -> None:
    """Have events sent to a server of yours, signed."""


@webhooks.command("list")
@over_api
def list_() -> None:
    """All endpoints of your organisation."""
    with connected() as client:
        found = [each.raw for each in client.webhooks.list()]
    cells = [
        [each["id"], each["state"], ", ".join(each["kinds"]) or "all", each["url"]]
        for each in found
    ]
    empty = "No webhooks. `marketplace webhooks add URL` makes one."
    output.rows(found, ("id", "state", "kinds", "url"), cells, empty=empty)


@webhooks.command()
@click.argument("address", metavar="URL")
@click.option("--kinds", help="Only these events, by commas; all when left out.")
@click.option("--description", default="", help="What it is for.")
@over_api
def add(*, address: str, kinds: str | None, description: str) -> None:
    """Send events to URL, and print the secret that signs them; it is shown this once."""
    with connected() as client:
        asked = client.webhooks.create(address, kinds=_listed(kinds), description=description)
    made = asked.raw
    output.note(f"Endpoint {made['id']}. Its secret, which is not shown again:")
    output.tell(made, output.as_json(), made["secret"])


@webhooks.command()
@HOOK
@click.option(
    "--hours", default=24, show_default=True, help="How long the former secret signs as well."
)
@over_api
def rotate(webhook_id: str, hours: int) -> None:
    """Print a new secret; the former one signs as well for a while."""
    with connected() as client:
        made = client.webhooks.rotate(webhook_id, hours).raw
    if made.get("former_until"):
        output.note(f"The former secret signs as well until {made['former_until']}.")
    output.tell(made, output.as_json(), made["secret"])


@webhooks.command()
@HOOK
@over_api
def test(webhook_id: str) -> None:
    """Send a test event; `log` tells what became of it."""
    with connected() as client:
        sent = client.webhooks.test(webhook_id).raw
    output.tell(sent, output.as_json(), sent["id"])


@webhooks.command()
@HOOK
@click.option("--limit", default=20, show_default=True, help="The newest so many.")
@click.option("--state", help="Only deliveries in this state, such as failed.")
@over_api
def log(webhook_id: str, limit: int, state: str | None) -> None:
    """What was sent to an endpoint, and what it answered."""
    with connected() as client:
        listed = client.webhooks.deliveries(webhook_id, state=state)
        found = [each.raw for each in islice(listed, limit)]
    columns = ("id", "state", "attempts", "kind")
    empty = "Nothing was sent there yet."
    output.rows(found, columns, empty=empty)


@webhooks.command()
@click.argument("event_id")
@click.option("--to", "webhook_id", help="Only to this endpoint.")
@over_api
def resend(event_id: str, webhook_id: str | None) -> None:
    """Send an event once more, under the same id."""
    with connected() as client:
        found = client.webhooks.redeliver(event_id, webhook_id).raw
    for each in found["items"]:
        output.tell_line(each, output.as_json(), each["id"])


@webhooks.command()
@HOOK
@click.option("--yes", is_flag=True, help="Remove it without a question.")
@over_api
def remove(webhook_id: str, yes: bool) -> None:
    """Send nothing there any more, and forget its secret."""
    if not yes:
        click.confirm("Remove this endpoint and its secret?", abort=True, err=True)
    with connected() as client:
        client.webhooks.delete(webhook_id)
    output.note("It is removed.")


def _listed(kinds: str | None) -> list[str]:
    return [each.strip() for each in (kinds or "").split(",") if each.strip()]
