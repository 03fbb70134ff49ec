"""Breaks over the API: listed, proposed for by one person, decided by another."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from flask import Response, jsonify
from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.money import EXPONENT, LARGEST_MINOR, Money
from marketplace.reconciliation import service
from marketplace.reconciliation.models import Break, BreakProposal
from marketplace.reconciliation.queries import breaks as queries
from marketplace.reconciliation.queries.breaks import BreakView, Wanted
from marketplace.reconciliation.rules.adjusting import ProposedLeg, suggested_legs
from marketplace.reconciliation.rules.breaks import (
    POSTING,
    Action,
    BreakKind,
    BreakState,
    ReasonCode,
    Severity,
)
from marketplace.reconciliation.rules.evidence import BYTES_MAX
from marketplace.reconciliation.service import Proposed, StoredEvidence
from marketplace.web import api
from marketplace.web.guards import me, needs, step_up_counted
from marketplace.web.requests import takes_up_to

breaks_api = api.blueprint("breaks", "Breaks: what differs, and what two people do about it.")
# Base64 takes four bytes for three.
REQUEST_BYTES_MAX = BYTES_MAX * 4 // 3 + 64 * 1024


class SignedMoney(Schema):
    """An amount that may be below zero: debits are above it."""

    amount_minor = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(min=-LARGEST_MINOR, max=LARGEST_MINOR),
    )
    currency = fields.String(required=True, validate=validate.OneOf(sorted(EXPONENT)))


class LegShown(SignedMoney):
    """One leg of an adjustment by its account's code; debits are above zero."""

    account = fields.String(required=True)


class BreakShown(Schema):
    """A break. difference: theirs less ours."""

    id = fields.UUID()
    reference = fields.String()
    kind = fields.String()
    source = fields.String()
    key = fields.String()
    difference = fields.Nested(SignedMoney)
    theirs = fields.Dict()
    ours = fields.Dict()
    transaction_id = fields.UUID(allow_none=True)
    balance_transaction_id = fields.String(allow_none=True)
    since = fields.AwareDateTime()
    severity = fields.String()
    state = fields.String()
    owner_id = fields.UUID(allow_none=True)
    wait_until = fields.Date(allow_none=True)
    resolution = fields.String(allow_none=True)
    resolved_at = fields.AwareDateTime(allow_none=True)


class ProposalShown(Schema):
    """What somebody proposes; `content_sha256` is what is approved."""

    id = fields.UUID()
    break_id = fields.UUID()
    action = fields.String()
    reason = fields.String()
    note = fields.String()
    legs = fields.List(fields.Nested(LegShown))
    effective_on = fields.Date(allow_none=True)
    wait_until = fields.Date(allow_none=True)
    evidence_sha256 = fields.String(allow_none=True)
    content_sha256 = fields.String()
    proposed_by = fields.UUID()
    proposed_at = fields.AwareDateTime()
    decision = fields.String(allow_none=True)
    decided_by = fields.UUID(allow_none=True)
    decided_at = fields.AwareDateTime(allow_none=True)
    transaction_id = fields.UUID(allow_none=True)


class BreakEventShown(Schema):
    """One thing that happened to a break; the comparison is nobody."""

    at = fields.AwareDateTime()
    person_id = fields.UUID(allow_none=True)
    verb = fields.String()
    state = fields.String()
    note = fields.String(allow_none=True)


class BreakWithHistory(BreakShown):
    """A break with its proposals, newest first, its history, and legs that would fit."""

    proposals = fields.List(fields.Nested(ProposalShown))
    history = fields.List(fields.Nested(BreakEventShown))
    suggested_legs = fields.List(fields.Nested(LegShown))


def _signed(amount: Money) -> dict[str, Any]:
    return {"amount_minor": amount.minor, "currency": amount.currency}


def break_shown(row: Break) -> dict[str, Any]:
    """A break as the API shows it."""
    plain = {name: getattr(row, name) for name in BreakShown().fields if name != "difference"}
    return plain | {"difference": _signed(row.difference)}


def _proposal(row: BreakProposal) -> dict[str, Any]:
    computed = {"legs", "evidence_sha256"}
    plain = {name: getattr(row, name) for name in ProposalShown().fields if name not in computed}
    sha256 = row.evidence_sha256.hex() if row.evidence_sha256 else None
    return plain | {"legs": _legs(service.proposed_legs(row)), "evidence_sha256": sha256}


def _legs(legs: list[ProposedLeg]) -> list[dict[str, Any]]:
    return [{"account": leg.code, **_signed(leg.amount)} for leg in legs]


def _suggested(row: Break, action: Action = Action.ADJUST) -> list[ProposedLeg]:
    cash = str(row.ours.get("ledger_account") or row.theirs.get("ledger_account") or "")
    return suggested_legs(action, row.kind, row.source, row.difference, cash=cash)


def _view(view: BreakView) -> dict[str, Any]:
    names = BreakEventShown().fields
    return break_shown(view.row) | {
        "proposals": [_proposal(one) for one in view.proposals],
        "history": [{name: getattr(one, name) for name in names} for one in view.history],
        "suggested_legs": _legs(_suggested(view.row)),
    }


class BreakQuery(api.PageQuery):
    """Which breaks; without a state all that are not resolved."""

    state = fields.Enum(BreakState, by_value=True, load_default=None)
    kind = fields.Enum(BreakKind, by_value=True, load_default=None)
    severity = fields.Enum(Severity, by_value=True, load_default=None)
    source = fields.String(load_default=None)


@breaks_api.get("/finance/breaks")
@needs(Permission.FINANCE_VIEW)
@breaks_api.arguments(BreakQuery, location="query")
@breaks_api.response(200, api.listing(BreakShown))
def list_breaks(asked: dict[str, Any]) -> dict[str, Any]:
    """Breaks, the oldest difference first; resolved ones, the last resolved first."""
    limit, after = asked.pop("limit"), asked.pop("after")
    with transaction() as session:
        rows = queries.breaks(session, me(), Wanted(**asked), after=after, limit=limit + 1)
    return api.page([break_shown(row) for row in rows], limit=limit, key=lambda row: row["id"])


@breaks_api.get("/finance/breaks/<uuid:break_id>")
@needs(Permission.FINANCE_VIEW)
@breaks_api.response(200, BreakWithHistory)
def get_break(break_id: UUID) -> dict[str, Any]:
    """A break with everything about it."""
    with transaction() as session:
        return _view(queries.break_view(session, me(), break_id))


class AssignAsked(Schema):
    """Who shall answer for it."""

    owner_id = fields.UUID(required=True)


@breaks_api.post("/finance/breaks/<uuid:break_id>/assign")
@needs(Permission.RECONCILIATION_WORK)
@api.once
@breaks_api.arguments(AssignAsked)
@breaks_api.response(200, BreakShown)
def post_assign(session: Session, asked: dict[str, Any], break_id: UUID) -> dict[str, Any]:
    """Make somebody who works on reconciliation answer for a break."""
    return break_shown(service.assign_break(session, me(), break_id, asked["owner_id"]))


@breaks_api.post("/finance/breaks/<uuid:break_id>/investigate")
@needs(Permission.RECONCILIATION_WORK)
@api.once
@breaks_api.response(200, BreakShown)
def post_investigate(session: Session, break_id: UUID) -> dict[str, Any]:
    """Look into it, and answer for it."""
    return break_shown(service.investigate_break(session, me(), break_id))


class NoteAsked(Schema):
    """A word for the history."""

    note = fields.String(required=True)


@breaks_api.post("/finance/breaks/<uuid:break_id>/comment")
@needs(Permission.FINANCE_VIEW)
@api.once
@breaks_api.arguments(NoteAsked)
@breaks_api.response(200, BreakShown)
def post_comment(session: Session, asked: dict[str, Any], break_id: UUID) -> dict[str, Any]:
    """Add a word to the history of a break."""
    return break_shown(service.comment_break(session, me(), break_id, asked["note"]))


class EvidenceAsked(Schema):
    """The file that shows why: PDF, PNG, JPEG, or text in UTF-8, at most 10 MiB."""

    name = fields.String(required=True)
    content_base64 = fields.String(required=True)


class ProposeAsked(Schema):
    """What to do. adjust and write_off need evidence, and take legs (those that fit are taken
    without any) and effective_on (today); wait and external_fix need wait_until.
    """

    action = fields.Enum(Action, by_value=True, required=True)
    reason = fields.Enum(ReasonCode, by_value=True, required=True)
    note = fields.String(required=True)
    legs = fields.List(fields.Nested(LegShown), load_default=None, allow_none=True)
    effective_on = fields.Date(load_default=None, allow_none=True)
    wait_until = fields.Date(load_default=None, allow_none=True)
    evidence = fields.Nested(EvidenceAsked, load_default=None, allow_none=True)


@breaks_api.post("/finance/breaks/<uuid:break_id>/propose")
@api.keyed
@needs(Permission.RECONCILIATION_WORK)
@takes_up_to(REQUEST_BYTES_MAX)
@breaks_api.arguments(ProposeAsked)
@breaks_api.response(201, ProposalShown)
def post_propose(asked: dict[str, Any], break_id: UUID) -> Response:
    """Propose what to do about a break; somebody else decides."""
    with transaction() as session:
        row = queries.break_view(session, me(), break_id).row
    proposed = _proposed(row, asked)
    with _stored(asked["evidence"]) as file:
        with transaction() as session:
            former = api.kept(session)
            if former is not None:
                return former.answer()
            made = service.propose_for_break(session, me(), break_id, proposed, file)
            answer = jsonify(ProposalShown().dump(_proposal(made)))
            answer.status_code = 201
            api.keep(session, answer)
        if file is not None:
            file.taken = True
    return answer


def _proposed(row: Break, asked: dict[str, Any]) -> Proposed:
    legs: tuple[ProposedLeg, ...] = ()
    if asked["action"] in POSTING:
        given = asked["legs"]
        legs = tuple(
            _suggested(row, asked["action"])
            if given is None
            else (
                ProposedLeg(leg["account"], Money(leg["amount_minor"], leg["currency"]))
                for leg in given
            )
        )
    return Proposed(
        action=asked["action"],
        reason=asked["reason"],
        note=asked["note"],
        legs=legs,
        effective_on=asked["effective_on"],
        wait_until=asked["wait_until"],
    )


@contextmanager
def _stored(evidence: dict[str, str] | None) -> Iterator[StoredEvidence | None]:
    if evidence is None:
        yield None
        return
    try:
        content = base64.b64decode(evidence["content_base64"], validate=True)
    except (binascii.Error, ValueError):
        fault = Fault("/evidence/content_base64", "Send the file in Base64.")
        raise Faulty("The evidence cannot be read.", [fault]) from None
    with service.evidence_in_store(content, evidence["name"]) as file:
        yield file


class ApproveAsked(Schema):
    """The hash of what you looked at, and a fresh code of your second factor."""

    content_sha256 = fields.String(required=True)
    totp_code = fields.String(required=True)


@breaks_api.post("/finance/breaks/<uuid:break_id>/approve")
@needs(Permission.BREAKS_APPROVE)
@step_up_counted
@api.once
@breaks_api.arguments(ApproveAsked)
@breaks_api.response(200, BreakWithHistory)
def post_approve(session: Session, asked: dict[str, Any], break_id: UUID) -> dict[str, Any]:
    """Approve exactly that proposal; who made it cannot. An adjustment is posted at once."""
    service.approve_proposal(session, me(), break_id, asked["content_sha256"], asked["totp_code"])
    session.flush()  # The answer shows what was done.
    return _view(queries.break_view(session, me(), break_id))


@breaks_api.post("/finance/breaks/<uuid:break_id>/decline")
@needs(Permission.FINANCE_VIEW)
@api.once
@breaks_api.arguments(NoteAsked)
@breaks_api.response(200, BreakShown)
def post_decline(session: Session, asked: dict[str, Any], break_id: UUID) -> dict[str, Any]:
    """Send a proposal back, or take one's own back."""
    return break_shown(service.decline_proposal(session, me(), break_id, asked["note"]))
