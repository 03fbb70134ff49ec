"""Exports, events, and webhooks."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, TypeAlias, Unpack

from marketplace.client import signatures
from marketplace.client.engine import Call, Engine, One, to, to_bytes, to_json, to_nothing
from marketplace.client.errors import Conflict, Failed
from marketplace.client.operations import (
    Async,
    M,
    P,
    Resource,
    Steps,
    Sync,
    operation,
    pages,
    steps,
    stream,
)
from marketplace.client.receiving import Progress, Wanted, fetched
from marketplace.client.records import AnyId, Json
from marketplace.client.shapes import cards as carded
from marketplace.client.shapes import delivery as shapes
from marketplace.client.shapes import provenance as proven
from marketplace.client.waiting import (
    PASSING,
    POLL_SECONDS,
    Waited,
    awaited,
    events_page,
    head,
    reached,
    until_next,
)

if TYPE_CHECKING:
    from marketplace.client.resources.bound import Export

ExportCall: TypeAlias = "Call[Export[Sync], Export[Async]]"
# An empty answer may come early where many wait.
IDLE_SECONDS = 1.0
PROOF = ".proof.jsonl.gz"


def to_export(**more: Any) -> ExportCall:
    """A call that is answered with an export, which can be called on."""
    return Call(_export, **more)


def _export(engine: Engine, found: Json) -> Any:
    from marketplace.client.resources.bound import Export  # noqa: PLC0415 - they know each other.

    return Export(engine, found)


def giving_export(
    function: Callable[Concatenate[Any, P], Awaitable[Any]],
) -> Steps[P, Export[Sync], Export[Async]]:
    """Several calls, one export that can be called on."""
    return Steps(function)


class Exports(Resource[M]):
    """`client.exports`."""

    @operation("POST /jobs/{job_id}/exports")
    def create(
        self, job_id: AnyId, /, format: str = "raw", policy: str = "majority", **more: Any
    ) -> ExportCall:
        """Ask for a file of all that is accepted now.

        policy: majority, model or all; more: what else the API takes, such as since (the id of
        an earlier export), compression, deliver_to; what is None is left out.
        """
        given = {name: value for name, value in more.items() if value is not None}
        return to_export(json={"format": format, "policy": policy} | given)

    @operation("GET /exports/{export_id}")
    def get(self, export_id: AnyId) -> ExportCall:
        """How far an export is; of a finished one its rows, bytes and sha256."""
        return to_export()

    @operation("GET /exports/{export_id}/file")
    def read(self, export_id: AnyId) -> One[bytes]:
        """The finished file, in memory; `download` is for large ones."""
        return to_bytes()

    @pages("GET /jobs/{job_id}/exports")
    def list(self, job_id: AnyId) -> ExportCall:
        """All exports of a job, newest first."""
        return to_export()

    @operation("POST /exports/{export_id}/again")
    def again(self, export_id: AnyId) -> ExportCall:
        """Have a failed or expired export written once more; the same bytes come of it."""
        return to_export()

    @operation("POST /exports/{export_id}/deliver-again")
    def deliver_again(self, export_id: AnyId) -> ExportCall:
        """Have the file brought to its bucket once more."""
        return to_export()

    @operation("GET /jobs/{job_id}/exports/preview")
    def preview(
        self, job_id: AnyId, format: str, policy: str = "majority"
    ) -> One[carded.ExportPreview]:
        """The first rows as they would be, and what the format's columns say."""
        return to(carded.ExportPreview, query={"format": format, "policy": policy})

    @operation("GET /exports/{export_id}/manifest")
    def manifest(self, export_id: AnyId) -> One[Json]:
        """Counts, files and their hashes."""
        return to_json()

    @operation("GET /exports/{export_id}/card")
    def card(self, export_id: AnyId) -> One[bytes]:
        """The data card, as Markdown with YAML."""
        return to_bytes()

    @operation("GET /exports/{export_id}/proof")
    def proof(self, export_id: AnyId) -> One[bytes]:
        """What `marketplace verify` checks the file against, offline."""
        return to_bytes()

    @operation("GET /jobs/{job_id}/data-card")
    def card_of_job(self, job_id: AnyId) -> One[carded.DataCardSaid]:
        """What a lab says of a job's data in every card."""
        return to(carded.DataCardSaid)

    @operation("PUT /jobs/{job_id}/data-card")
    def say_on_card(
        self, job_id: AnyId, **said: Unpack[carded.DataCardSaidAsked]
    ) -> One[carded.DataCardSaid]:
        """Say it."""
        return to(carded.DataCardSaid, json=said)

    @operation("GET /jobs/{job_id}/chain")
    def chain(self, job_id: AnyId) -> One[proven.JobChain]:
        """The head of a job's chain of events, and the signed heads of its days."""
        return to(proven.JobChain)

    @giving_export
    async def wait(
        self,
        export_id: AnyId,
        *,
        timeout: float | None = 3600,
        progress: Callable[[int, int], object] | None = None,
    ) -> Any:
        """Wait until the file is there, and return the export. Raises TimedOut and Failed.

        progress: told the items that were read, and all.
        """

        async def look() -> Waited:
            found = await self._engine.run("GET", f"/exports/{export_id}", to_export())
            told = found.raw
            if progress is not None:
                progress(told["items_read"], told["items_total"])
            if told["state"] not in ("queued", "running", "done"):
                raise Failed(f"The export is {told['state']}: {told['failure']}.", found)
            return Waited(found, told["state"] == "done")

        return await awaited(self._engine, look, job_id=None, timeout=timeout)

    @steps
    async def download(
        self,
        export_id: AnyId,
        to: str | os.PathLike[str] = ".",
        *,
        proof: bool = False,
        progress: Progress | None = None,
    ) -> Path:
        """Bring the finished file to a path, or into a folder; where it lies.

        It is there whole, with the SHA-256 that the API announced, or not at all; what broke off
        goes on where it was, also in another process. progress: told the bytes here, and all;
        proof: bring its proof as well, beside it, so that `marketplace verify` can check it.
        Raises Conflict before it is finished, and Damaged.
        """
        found = await self._engine.run("GET", f"/exports/{export_id}", to_export())
        told = found.raw
        if told["state"] != "done":
            words = f"This export is {told['state']}; its file is not there."
            raise Conflict(409, {"code": "conflict", "detail": words})
        wanted = Wanted(
            f"/exports/{export_id}/file", told["filename"], told["bytes"], told["sha256"]
        )
        place = await fetched(self._engine, wanted, to, progress)
        if proof:
            path = f"/exports/{export_id}/proof"
            whole = await self._engine.run("GET", path, to_bytes())
            draft = place.with_name(f".{place.name}{PROOF}.part")
            draft.write_bytes(whole)
            draft.replace(place.with_name(place.name + PROOF))
        return place


class Events(Resource[M]):
    """`client.events`: what happened, in order, numbered without gaps that hide anything."""

    @operation("GET /event-kinds")
    def kinds(self) -> One[shapes.EventKinds]:
        """The kinds of events that there are, and what each says."""
        return to(shapes.EventKinds)

    @operation("GET /events/head")
    def newest(self) -> One[shapes.EventHead]:
        """Where the feed ends now: `number` is what `tail` and `list` take as `after`."""
        return to(shapes.EventHead)

    @stream
    async def tail(
        self,
        after: int | None = None,
        *,
        kinds: Sequence[str] | None = None,
        job_id: AnyId | None = None,
    ) -> AsyncIterator[shapes.Event]:
        """Events as they come, for ever; keep `event.number` to go on from there.

        after: a number; None begins now. A lost connection is made anew, and nothing is skipped.
        """
        cursor = await head(self._engine) or 0 if after is None else after
        lost = 0
        while True:
            try:
                page = await events_page(
                    self._engine, cursor, wait=POLL_SECONDS, kinds=_listed(kinds), job_id=job_id
                )
                lost = 0
            except PASSING as passing:
                lost += 1
                await self._engine.transport.sleep(until_next(lost, passing))
                continue
            for each in page["items"]:
                yield shapes.Event(each)
            if not page["items"]:
                await self._engine.transport.sleep(IDLE_SECONDS)
            cursor = reached(page, cursor)

    @stream
    async def list(
        self,
        after: int = 0,
        *,
        kinds: Sequence[str] | None = None,
        job_id: AnyId | None = None,
    ) -> AsyncIterator[shapes.Event]:
        """All events so far after a number, in order; it ends where the feed ends now."""
        newest = await head(self._engine) or 0
        cursor = after
        while cursor < newest:
            page = await events_page(
                self._engine, cursor, wait=0, kinds=_listed(kinds), job_id=job_id
            )
            for each in page["items"]:
                yield shapes.Event(each)
            further = reached(page, cursor)
            if further == cursor:
                return
            cursor = further


def _listed(kinds: Sequence[str] | None) -> str | None:
    return ",".join([kinds] if isinstance(kinds, str) else kinds) if kinds else None


class Webhooks(Resource[M]):
    """`client.webhooks`: the addresses that events are sent to."""

    @staticmethod
    def verify(payload: bytes | str, headers: Mapping[str, str], secret: str) -> dict[str, Any]:
        """The event that a request to your address carries. Raises signatures.NotGenuine."""
        return signatures.verify_webhook(payload, headers, secret)

    @operation("POST /webhook-endpoints")
    def create(
        self, url: str, *, kinds: Sequence[str] = (), description: str = ""
    ) -> One[shapes.WebhookMade]:
        """Send events to an address; the answer's `secret` is shown this one time.

        kinds: of events, see `client.events.kinds`; none means all.
        """
        asked = {"url": url, "kinds": [*kinds], "description": description}
        return to(shapes.WebhookMade, json=asked)

    @operation("GET /webhook-endpoints/{hook_id}")
    def get(self, hook_id: AnyId) -> One[shapes.Webhook]:
        """One, and how it does."""
        return to(shapes.Webhook)

    @operation("PATCH /webhook-endpoints/{hook_id}")
    def update(self, hook_id: AnyId, **change: Unpack[shapes.WebhookChange]) -> One[shapes.Webhook]:
        """Change what is given; state: active or paused; missed: send or skip, on going on."""
        return to(shapes.Webhook, json=change)

    @operation("DELETE /webhook-endpoints/{hook_id}")
    def delete(self, hook_id: AnyId) -> One[None]:
        """Send nothing there any more."""
        return to_nothing()

    @operation("POST /webhook-endpoints/{hook_id}/rotate")
    def rotate(self, hook_id: AnyId, overlap_hours: int = 24) -> One[shapes.RotationMade]:
        """Make a new secret, shown this one time; the former signs as well for a while."""
        return to(shapes.RotationMade, json={"overlap_hours": overlap_hours})

    @operation("POST /webhook-endpoints/{hook_id}/test")
    def test(self, hook_id: AnyId) -> One[shapes.Delivery]:
        """Have a test sent."""
        return to(shapes.Delivery)

    @operation("POST /webhook-endpoints/{hook_id}/replay")
    def replay(
        self, hook_id: AnyId, after: int, through: int | None = None
    ) -> One[shapes.ReplayMade]:
        """Send a range of events once more, each under its own id."""
        return to(shapes.ReplayMade, json={"after": after, "through": through})

    @operation("POST /events/{event_id}/redeliver")
    def redeliver(
        self, event_id: AnyId, hook_id: AnyId | None = None
    ) -> One[shapes.DeliveriesMade]:
        """Send one event once more, to one address or to all that want it."""
        return to(shapes.DeliveriesMade, json={"hook_id": hook_id})

    @operation("GET /webhook-deliveries/{delivery_id}")
    def delivery(self, delivery_id: AnyId) -> One[shapes.DeliveryWhole]:
        """One delivery, with its payload and every try."""
        return to(shapes.DeliveryWhole)

    @pages("GET /webhook-endpoints/{hook_id}/deliveries")
    def deliveries(self, hook_id: AnyId, *, state: str | None = None) -> One[shapes.Delivery]:
        """What was sent there, newest first."""
        return to(shapes.Delivery, query={"state": state})

    @pages("GET /webhook-endpoints")
    def list(self) -> One[shapes.Webhook]:
        """All addresses."""
        return to(shapes.Webhook)
