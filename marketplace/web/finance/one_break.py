"""One break: both sides, what was said and done, and what one proposes and another decides."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from marshmallow import fields
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Fault, Faulty, TooLarge
from marketplace.identity.rules import Permission
from marketplace.ledger.service import book_today
from marketplace.money import EXPONENT, Money, parse_money
from marketplace.reconciliation import service
from marketplace.reconciliation.models import Break
from marketplace.reconciliation.queries import breaks as queries
from marketplace.reconciliation.queries.breaks import BreakView
from marketplace.reconciliation.rules import evidence as files
from marketplace.reconciliation.rules.adjusting import PLATFORM, ProposedLeg, suggested_legs
from marketplace.reconciliation.rules.breaks import (
    ACTION_LABELS,
    POSTING,
    REASON_LABELS,
    RESOLUTION_LABELS,
    WORKABLE,
    Action,
    BreakState,
    ReasonCode,
    age_days,
)
from marketplace.reconciliation.service import Proposed, StoredEvidence
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.breaks import LOOKS
from marketplace.web.forms import Form, load, refill
from marketplace.web.guards import me, needs, step_up_try, visitor
from marketplace.web.requests import takes_up_to

TEMPLATE = "finance/break.html"
LEG_ROWS = 4
REQUEST_BYTES_MAX = files.BYTES_MAX + 64 * 1024
EVENT_ICONS = {
    "found": "search",
    "assigned": "user",
    "began to investigate": "eye",
    "commented": "message-square",
    "proposed": "file-text",
    "approved": "check",
    "declined": "undo-2",
    "withdrawn": "undo-2",
    "resolved": "circle-check",
    "resolved by evidence": "circle-check",
    "waited in vain": "calendar-clock",
    "found with another difference": "git-compare",
}
Deed = Callable[[UUID], Response]


class VersionForm(Form):
    """What the page showed, so that of two clicks one wins."""

    version = fields.Integer(required=True)


class AssignForm(VersionForm):
    """Who shall answer for it."""

    owner_id = fields.UUID(required=True, error_messages={"required": "Choose somebody."})


class NoteForm(Form):
    """A word for the history."""

    note = fields.String(required=True)


class ApproveForm(Form):
    """The hash of the proposal that was looked at, and a present code."""

    content_sha256 = fields.String(required=True)
    code = fields.String(required=True, error_messages={"required": "Type the six digits."})


class ProposeForm(VersionForm):
    """What is proposed; its legs and its file are read beside it."""

    action = fields.Enum(Action, by_value=True, required=True)
    reason = fields.Enum(ReasonCode, by_value=True, required=True)
    note = fields.String(load_default="")
    effective_on = fields.String(load_default="")
    wait_until = fields.String(load_default="")


def keeps_page(view: Deed) -> Deed:
    """Show the break again, with what stood in the way, when its verb refuses."""

    @functools.wraps(view)
    def shown_again(break_id: UUID) -> Response:
        try:
            return view(break_id)
        except Faulty as error:
            return refill(TEMPLATE, error, **_facts(break_id))
        except (Conflict, Denied) as refused:
            facts = _facts(break_id) | {"refused": refused.message}
            status = 409 if isinstance(refused, Conflict) else 403
            return Response(render_template(TEMPLATE, **facts), status, mimetype="text/html")

    return shown_again


@finance.get("/breaks/<uuid:break_id>")
@needs(Permission.FINANCE_VIEW)
def show_break(break_id: UUID) -> str:
    """The break with both sides, its history, and the form to propose something."""
    return render_template(TEMPLATE, **_facts(break_id))


def _facts(break_id: UUID) -> dict[str, Any]:
    with transaction() as session:
        view = queries.break_view(session, me(), break_id)
        owners = queries.owners(session, me())
        names = shown.names_of(session, _people(view))
    row = view.row
    actor = me()
    works = actor.may(Permission.RECONCILIATION_WORK)
    proposal = view.open_proposal
    here = visitor()
    own = proposal is not None and proposal.proposed_by == actor.person_id
    return {
        "row": row,
        "view": view,
        "proposal": proposal,
        "own": own,
        "decides": proposal is not None and actor.may(Permission.BREAKS_APPROVE) and not own,
        "has_totp": here is not None and here.has_totp,
        "proposes": works and row.state in WORKABLE,
        "comments": works or actor.may(Permission.BREAKS_APPROVE),
        "owners": [(one.person_id, one.name) for one in owners],
        "names": names,
        "days": age_days(row.since, row.resolved_at or clock.now()),
        "sides": [("theirs", _told(row.theirs)), ("ours", _told(row.ours))],
        "suggested": _suggested(row),
        "leg_rows": LEG_ROWS,
        "accounts": [f"{stem}:{row.currency}" for stem in PLATFORM],
        "today": book_today().isoformat(),
        "actions": ACTION_LABELS,
        "posting": POSTING,
        "reasons": REASON_LABELS,
        "resolutions": RESOLUTION_LABELS,
        "accepted": files.ACCEPTED,
        "event_icons": EVENT_ICONS,
        "legs_of": service.proposed_legs,
        **LOOKS,
    }


def _people(view: BreakView) -> set[UUID]:
    named = {event.person_id for event in view.history}
    named |= {one for each in view.proposals for one in (each.proposed_by, each.decided_by)}
    return {one for one in (*named, view.row.owner_id) if one is not None}


def _told(side: dict[str, Any]) -> list[tuple[str, Any]]:
    """What one side says, in words and amounts."""
    currency = side.get("currency")
    told: list[tuple[str, Any]] = []
    for name, value in side.items():
        words = name.removesuffix("_minor").replace("_", " ").capitalize()
        if name.endswith("_minor") and currency in EXPONENT and isinstance(value, int):
            told.append((words, Money(value, currency)))
        elif name != "currency" and value not in {None, ""}:
            told.append((words, str(value)))
    return told


def _suggested(row: Break) -> list[ProposedLeg]:
    """The legs that the form begins with."""
    cash = str(row.ours.get("ledger_account") or row.theirs.get("ledger_account") or "")
    return suggested_legs(Action.ADJUST, row.kind, row.source, row.difference, cash=cash)


@finance.post("/breaks/<uuid:break_id>/assign")
@needs(Permission.RECONCILIATION_WORK)
@keeps_page
def assign_break(break_id: UUID) -> Response:
    """Make somebody answer for it."""
    asked = load(AssignForm)
    with transaction() as session:
        service.assign_break(session, me(), break_id, asked["owner_id"], version=asked["version"])
    flash("Assigned.", "good")
    return _back(break_id)


@finance.post("/breaks/<uuid:break_id>/investigate")
@needs(Permission.RECONCILIATION_WORK)
@keeps_page
def investigate_break(break_id: UUID) -> Response:
    """Look into it oneself."""
    asked = load(VersionForm)
    with transaction() as session:
        service.investigate_break(session, me(), break_id, version=asked["version"])
    flash("You answer for this break now.", "good")
    return _back(break_id)


@finance.post("/breaks/<uuid:break_id>/comment")
@needs(Permission.FINANCE_VIEW)
@keeps_page
def comment_break(break_id: UUID) -> Response:
    """Add a word to its history."""
    asked = load(NoteForm)
    with transaction() as session:
        service.comment_break(session, me(), break_id, asked["note"])
    return _back(break_id)


@finance.post("/breaks/<uuid:break_id>/propose")
@needs(Permission.RECONCILIATION_WORK)
@takes_up_to(REQUEST_BYTES_MAX)
@keeps_page
def propose(break_id: UUID) -> Response:
    """Propose what to do; somebody else decides."""
    asked = load(ProposeForm)
    with transaction() as session:
        currency = queries.break_view(session, me(), break_id).row.currency
    proposed = Proposed(
        action=asked["action"],
        reason=asked["reason"],
        note=asked["note"],
        legs=_typed_legs(currency) if asked["action"] in POSTING else (),
        effective_on=_day(asked["effective_on"], "/effective_on"),
        wait_until=_day(asked["wait_until"], "/wait_until"),
    )
    with _sent_evidence() as file:
        with transaction() as session:
            service.propose_for_break(
                session, me(), break_id, proposed, file, version=asked["version"]
            )
        if file is not None:
            file.taken = True
    flash("Proposed. Somebody who approves breaks decides.", "good")
    return _back(break_id)


def _typed_legs(currency: str) -> tuple[ProposedLeg, ...]:
    """The form's rows that say anything; Faulty at /legs for a row with both columns or none."""
    legs = []
    for at in range(1, LEG_ROWS + 1):
        code, debit, credit = (
            request.form.get(f"{part}_{at}", "").strip() for part in ("account", "debit", "credit")
        )
        if not (code or debit or credit):
            continue
        if not code or bool(debit) == bool(credit):
            advice = f"Row {at} needs an account and either a debit or a credit."
            raise Faulty("A leg is not complete.", [Fault("/legs", advice)])
        unit = code.rpartition(":")[2]
        unit = unit if unit in EXPONENT else currency
        figure = parse_money(debit or credit, unit, pointer="/legs")
        legs.append(ProposedLeg(code, figure if debit else -figure))
    return tuple(legs)


def _day(text: str, pointer: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        fault = Fault(pointer, "Write a day such as 2026-10-31.")
        raise Faulty("This is not a day.", [fault]) from None


@contextmanager
def _sent_evidence() -> Iterator[StoredEvidence | None]:
    """The form's file in the store, or None where there is none."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        yield None
        return
    content = sent.stream.read(files.BYTES_MAX + 1)
    try:
        kept = service.evidence_in_store(content, sent.filename)
        with kept as file:
            yield file
    except TooLarge as error:
        raise Faulty(error.message, [Fault("/file", error.message)]) from None


@finance.post("/breaks/<uuid:break_id>/approve")
@needs(Permission.BREAKS_APPROVE)
@keeps_page
def approve_break(break_id: UUID) -> Response:
    """Approve exactly what the page showed."""
    asked = load(ApproveForm)
    step_up_try()
    with transaction() as session:
        row = service.approve_proposal(
            session, me(), break_id, asked["content_sha256"], asked["code"]
        )
    resolved = row.state is BreakState.RESOLVED
    flash("Approved and posted. The break is resolved." if resolved else "Approved.", "good")
    return _back(break_id)


@finance.post("/breaks/<uuid:break_id>/decline")
@needs(Permission.FINANCE_VIEW)
@keeps_page
def decline_break(break_id: UUID) -> Response:
    """Send it back, or take one's own proposal back."""
    asked = load(NoteForm)
    with transaction() as session:
        service.decline_proposal(session, me(), break_id, asked["note"])
    flash("The proposal is no longer on the table.")
    return _back(break_id)


@finance.get("/breaks/<uuid:break_id>/evidence/<uuid:proposal_id>")
@needs(Permission.FINANCE_VIEW)
def break_evidence(break_id: UUID, proposal_id: UUID) -> Response:
    """The file behind a proposal, to be saved; its hash is checked before anything is sent."""
    with transaction() as session:
        proposal = queries.proposal_of(session, me(), break_id, proposal_id)
    answer = Response(service.evidence_content(proposal), mimetype=proposal.evidence_kind)
    name = proposal.evidence_name or "evidence"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _back(break_id: UUID) -> Response:
    return redirect(url_for("finance.show_break", break_id=break_id), code=303)
