"""The feed of events over the API, its catalogue of kinds, and waiting for what comes next."""

from __future__ import annotations

import threading
import time
from typing import Any

from marshmallow import Schema, fields, validate

from marketplace.db import lookup, transaction
from marketplace.delivery.queries import events as queries
from marketplace.delivery.rules.kinds import KINDS, KindText, facts_of
from marketplace.web import api
from marketplace.web.api.answers import PAGE_DEFAULT, PAGE_MAX
from marketplace.web.guards import me, needs, public

events_api = api.blueprint("events", "Events: what happened, in order, and webhooks.")
NUMBER_MAX = 2**62
WAIT_MAX = 25
LOOKS_EVERY = 0.25
# Whoever waits holds one of the process's threads; the others are for those who do not.
_places = threading.BoundedSemaphore(4)


class EventQuery(Schema):
    """Which events. kinds: names or groups such as `task.*`, with commas between; wait: seconds
    to wait for the first one where there is none yet."""

    after = fields.Integer(load_default=0, validate=validate.Range(min=0, max=NUMBER_MAX))
    limit = fields.Integer(load_default=PAGE_DEFAULT, validate=validate.Range(min=1, max=PAGE_MAX))
    kinds = fields.String(load_default="", validate=validate.Length(max=2_000))
    job_id = fields.UUID(load_default=None)
    wait = fields.Integer(load_default=0, validate=validate.Range(min=0, max=WAIT_MAX))


class EventShown(Schema):
    """A fact about your organisation, or about you; `number` is the cursor."""

    id = fields.UUID()
    number = fields.Integer()
    kind = fields.String()
    subject_id = fields.UUID()
    job_id = fields.UUID(allow_none=True)
    facts = fields.Dict(keys=fields.String())
    announced_at = fields.AwareDateTime()


class EventFeed(Schema):
    """Events in order. reached: up to where the feed was looked through, found or not: the next
    `after` of a program that follows it."""

    items = fields.List(fields.Nested(EventShown))
    next = fields.Integer(
        allow_none=True, metadata={"description": "`after` of the next page, null at the end"}
    )
    reached = fields.Integer()


class EventHead(Schema):
    """The number of the last event there is; 0 before the first."""

    number = fields.Integer()


class FactShown(Schema):
    """A fact that a kind may carry."""

    name = fields.String()
    type = fields.String()
    says = fields.String()


class EventKindShown(Schema):
    """A kind of event. reader: in whose feed it stands: lab, specialist or both."""

    kind = fields.String()
    title = fields.String()
    says = fields.String()
    reader = fields.String()
    facts = fields.List(fields.Nested(FactShown))


class EventKinds(Schema):
    """All kinds of events that there are."""

    items = fields.List(fields.Nested(EventKindShown))


@events_api.get("/events")
@needs(*queries.READERS)
@events_api.arguments(EventQuery, location="query")
@events_api.response(200, EventFeed)
def list_events(asked: dict[str, Any]) -> queries.Feed:
    """Events in order, after a number; the cursor never skips one.

    A lab's token reads its organisation's, a specialist's the person's own. With `wait` the answer
    comes as soon as there is an event that was asked for, or after so many seconds, empty; a server
    on which many wait already answers at once.
    """
    feed = _feed(asked, asked["after"])
    if feed.items or not asked["wait"] or not _places.acquire(blocking=False):
        return feed
    try:
        return _waited(asked, feed)
    finally:
        _places.release()


def _waited(asked: dict[str, Any], feed: queries.Feed) -> queries.Feed:
    """Look at the chain's head now and then, and at the feed when it has moved; no transaction is
    open meanwhile."""
    chain = queries.chain_of(me())
    until = time.monotonic() + asked["wait"]
    while not feed.items and time.monotonic() < until:
        if feed.next is None:
            time.sleep(LOOKS_EVERY)
            with lookup() as session:
                if queries.number_at(session, chain) <= feed.reached:
                    continue
        feed = _feed(asked, feed.reached)
    return feed


def _feed(asked: dict[str, Any], after: int) -> queries.Feed:
    kinds = [each.strip() for each in asked["kinds"].split(",") if each.strip()]
    with transaction() as session:
        return queries.events_after(
            session, me(), after=after, limit=asked["limit"], kinds=kinds, job_id=asked["job_id"]
        )


@events_api.get("/events/head")
@needs(*queries.READERS)
@events_api.response(200, EventHead)
def get_head() -> dict[str, int]:
    """Where the feed ends now: the `after` of a program that wants only what comes from now on."""
    with transaction() as session:
        return {"number": queries.head_of(session, me())}


@events_api.get("/event-kinds")
@public
@events_api.response(200, EventKinds)
def list_kinds() -> dict[str, Any]:
    """The catalogue of kinds: stable names, what each says, and its facts."""
    return {"items": [_shown(each) for each in KINDS.values()]}


def _shown(kind: KindText) -> dict[str, Any]:
    facts = [{"name": name, "type": type_, "says": says} for name, type_, says in facts_of(kind)]
    return {
        "kind": kind.kind,
        "title": kind.title,
        "says": kind.says,
        "reader": kind.reader.value,
        "facts": facts,
    }
