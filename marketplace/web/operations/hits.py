"""Hits of published lists: the queue, one of them with both sides beside each other, decisions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.payouts import queries as payouts
from marketplace.specialists.queries import catalogue
from marketplace.specialists.queries.lists import HitDetail, hit_counts, hit_of, hits, standings
from marketplace.specialists.rules.lists import (
    LIST_LABELS,
    LIST_NAMES,
    SOURCES,
    HitGrade,
    HitState,
    PublishedList,
)
from marketplace.specialists.service.hits import clear_hit, confirm_hit, propose_hit, reopen_hit
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations

PAGE = 50
STATE_LABELS = {
    HitState.OPEN: "Open",
    HitState.CLEARED: "Cleared",
    HitState.CONFIRMED: "Confirmed",
    HitState.CLOSED: "Closed",
}
MATCHED = {
    "npi": "same NPI",
    "birth": "same day of birth",
    "birth_year": "same year of birth",
    "place": "same place",
    "name": "alike name",
}
REASONS = {
    None: "new",
    "another_person": "cleared: another person",
    "same_person": "confirmed by two people",
    "left_list": "the entry left the list",
    "fits_no_more": "the person's details fit no more",
    "new_evidence": "more agrees than when it was cleared",
    "clearance_expired": "the clearance ran out",
    "looked_at_again": "looked at again",
}
VERBS = {"clear": clear_hit, "propose": propose_hit, "confirm": confirm_hit, "reopen": reopen_hit}
SAID = {
    "clear": "Cleared for a year. What it held back counts again.",
    "propose": "Noted. A colleague has to confirm it.",
    "confirm": "Confirmed by two people.",
    "reopen": "Open again.",
}


class HitForm(Form):
    """What was decided after comparing both sides."""

    verb = fields.String(load_default="")
    note = fields.String(load_default="")


def screening_tabs(session: Session) -> dict[str, Any]:
    """What the frame of the screening pages shows: how much waits in each part."""
    counts = hit_counts(session, me())
    old = [each for each in standings(session, me()) if each.is_old or each.edition is None]
    return {
        "open_count": counts[HitState.OPEN],
        "payee_count": len(payouts.open_holds(session, me(), limit=PAGE)),
        "old_count": len(old),
        "hit_counts": counts,
    }


@operations.get("/hits")
@needs(Permission.CREDENTIALS_VERIFY)
def hit_queue() -> str:
    """Hits in a state, oldest first."""
    states = {each.value: each for each in HitState}
    state = states.get(request.args.get("state", ""), HitState.OPEN)
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = hits(session, me(), state=state, after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        names = identity.people_by_ids(session, {hit.person_id for hit, _ in rows})
        missing = [each.source for each in standings(session, me()) if each.edition is None]
        tabs = screening_tabs(session)
    return render_template(
        "operations/hits.html",
        rows=rows,
        names=names,
        state=state,
        missing=[LIST_NAMES[each] for each in missing],
        after=after,
        last=rows[-1][0].id if len(found) > PAGE else None,
        **tabs,
        **WORDS,
    )


@operations.get("/hits/<uuid:hit_id>")
@needs(Permission.CREDENTIALS_VERIFY)
def hit(hit_id: UUID) -> str:
    """One hit: the person here and the entry there, beside each other."""
    del hit_id  # Read from the address, as the form's page does.
    return render_template("operations/hit.html", **_facts())


def _facts() -> dict[str, Any]:
    hit_id = (request.view_args or {})["hit_id"]
    with transaction() as session:
        detail = hit_of(session, me(), hit_id)
        one = detail.hit
        deciders = {one.person_id, one.proposed_by, one.cleared_by, one.confirmed_by}
        names = identity.people_by_ids(session, {each for each in deciders if each})
        types = catalogue(session).types
    return {
        "detail": detail,
        "hit": one,
        "entry": detail.entry,
        "names": names,
        "sides": _sides(detail, names.get(one.person_id, "Unknown")),
        "choices": _choices(detail),
        "types": types,
        **WORDS,
    }


def _sides(detail: HitDetail, name: str) -> list[tuple[str, str, str, bool | None]]:
    """For each thing to compare: its name, here, there, and whether it agrees (None: unknown)."""
    profile, entry, matched = detail.profile, detail.entry, set(detail.hit.matched)
    legal = profile.legal_name if profile and profile.legal_name else None
    born = profile.born_on if profile else None
    npis = [claim.identifier for claim in detail.claims if claim.type == "npi" and claim.identifier]
    places = {claim.jurisdiction for claim in detail.claims if claim.jurisdiction}
    places |= set(profile.jurisdictions) | {profile.country or ""} if profile else set()
    here, there = sorted(places - {""}), list(entry.places)
    return [
        ("Name", legal or name, "; ".join(entry.names), "name" in matched),
        (
            "Born",
            born or "Not said",
            ", ".join(entry.born) or "Not on the list",
            _agrees({"birth", "birth_year"}, matched, born, entry.born),
        ),
        (
            "NPI",
            ", ".join(npis) or "None claimed",
            entry.npi or "Not on the list",
            _agrees({"npi"}, matched, npis, entry.npi),
        ),
        (
            "Places",
            ", ".join(here) or "Not said",
            ", ".join(there) or "Not on the list",
            _agrees({"place"}, matched, here, there),
        ),
    ]


def _agrees(keys: set[str], matched: set[str], here: object, there: object) -> bool | None:
    if keys & matched:
        return True
    return False if here and there else None


def _choices(detail: HitDetail) -> list[tuple[str, str, str]]:
    """What this viewer may decide now: (value, words, hint)."""
    one = detail.hit
    if one.state in {HitState.CLEARED, HitState.CONFIRMED}:
        return [("reopen", "Look at it again", "It is open again until somebody decides.")]
    if one.state is not HitState.OPEN:
        return []
    clear = ("clear", "Another person", "For a year, for this entry. What it held back returns.")
    if one.proposed_by is None:
        same = ("propose", "The same person", "A colleague has to confirm it; until then it waits.")
        return [clear, same]
    if one.proposed_by == me().person_id:
        return [clear]
    return [clear, ("confirm", "The same person", "A colleague has said so; you are the second.")]


@operations.post("/hits/<uuid:hit_id>")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/hit.html", _facts)
def decide_hit(hit_id: UUID) -> Response:
    """Record what was decided, with its note."""
    asked = load(HitForm)
    verb = VERBS.get(asked["verb"])
    if verb is None:
        raise Faulty("Something is missing.", [Fault("/verb", "Choose what you decide.")])
    with transaction() as session:
        verb(session, me(), hit_id, note=asked["note"])
    flash(SAID[asked["verb"]], "good")
    return redirect(url_for("operations.hit", hit_id=hit_id), code=303)


WORDS: dict[str, Any] = {
    "list_names": LIST_NAMES,
    "list_labels": LIST_LABELS,
    "list_sources": SOURCES,
    "matched_words": MATCHED,
    "hit_reasons": REASONS,
    "hit_labels": STATE_LABELS,
    "strong": HitGrade.STRONG,
    "ofac": PublishedList.OFAC,
}
