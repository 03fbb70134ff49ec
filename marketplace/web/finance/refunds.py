"""Money that goes back: labs' refunds to approve, disputes to answer, what will not come."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from marshmallow import fields
from werkzeug.wrappers import Response

from marketplace.billing import queries
from marketplace.billing.background import submit_evidence
from marketplace.billing.rules import disputes as dispute_rules
from marketplace.billing.rules import refunds as rules
from marketplace.billing.rules.refunds import RefundState
from marketplace.billing.service import disputes as dispute_service
from marketplace.billing.service import refunds as service
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty, GatewayError
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, parse_id
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs

PAGE = 50
REFUNDS_DRAWN = {
    "asked": "asked",
    "ready": "waiting",
    "sending": "sending",
    "unknown": "unknown",
    "pending": "processing",
    "sent": "done",
    "returned": "returned",
    "refused": "rejected",
    "cancelled": "cancelled",
}
DISPUTES_DRAWN = {
    "inquiry": "waiting",
    "open": "contested",
    "won": "done",
    "lost": "rejected",
    "closed": "closed",
}
UNSENT = "Stripe does not answer at present. The evidence was not sent; please send it again."


class RefuseForm(Form):
    """Why a refund is refused, which the lab reads."""

    note = fields.String(load_default="")


class EvidenceForm(Form):
    """What the payer's bank is told."""

    words = fields.String(load_default="")


class WriteOffForm(Form):
    """Whose debt will not come, and why."""

    organisation_id = fields.UUID(required=True)
    currency = fields.String(required=True)
    reason = fields.String(load_default="")


def _refunds() -> dict[str, Any]:
    states = {each.value: each for each in RefundState}
    state = states.get(request.args.get("state", RefundState.ASKED.value))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.all_refunds(session, me(), state=state, after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        labs = identity.organisations_by_ids(session, {row.organisation_id for row in rows})
        people = {one for row in rows for one in (row.asked_by, row.decided_by) if one}
        names = identity.people_by_ids(session, people)
    return {
        "rows": rows,
        "last": rows[-1].id if len(found) > PAGE else None,
        "state": state,
        "labels": rules.LABELS,
        "drawn": REFUNDS_DRAWN,
        "labs": labs,
        "names": names,
    }


@finance.get("/refunds")
@needs(Permission.FINANCE_VIEW)
def list_refunds() -> str:
    """Refunds of labs: those that wait for approval first, or of any state."""
    return render_template("finance/refunds.html", **_refunds())


@finance.post("/refunds/<uuid:request_id>/<decision>")
@needs(Permission.BREAKS_APPROVE)
@form_page("finance/refunds.html", _refunds)
def decide_refund(request_id: UUID, decision: str) -> Response:
    """Approve or refuse all parts of what a lab asked for."""
    if decision not in {"approve", "refuse"}:
        raise Faulty("A refund is approved or refused.", [Fault("/decision", "Approve or refuse.")])
    note = load(RefuseForm)["note"]
    with transaction() as session:
        service.decide_refund(session, me(), request_id, approve=decision == "approve", note=note)
    words = "Approved; it is sent now." if decision == "approve" else "Refused; the lab is told."
    flash(words, "good")
    return redirect(url_for("finance.list_refunds"), code=303)


@finance.get("/disputes")
@needs(Permission.FINANCE_VIEW)
def list_disputes() -> str:
    """Disputes that go on, by when an answer is due; what labs owe; what has ended."""
    with transaction() as session:
        ongoing = queries.all_disputes(session, me(), ongoing=True)
        ended = queries.all_disputes(session, me(), ongoing=False, limit=PAGE)
        owing = queries.debtors(session, me())
        proposed = queries.proposed_write_offs(session, me())
        at_stripe = queries.contested(session, me())
        ids = {one.organisation_id for one in (*ongoing, *ended) if one.organisation_id}
        ids |= {OrganisationId(lab) for lab, _ in owing}
        ids |= {one.organisation_id for one in proposed}
        labs = identity.organisations_by_ids(session, ids)
        names = identity.people_by_ids(session, {one.proposed_by for one in proposed})
    return render_template(
        "finance/disputes.html",
        ongoing=ongoing,
        ended=ended,
        owing=owing,
        proposed=proposed,
        contested=at_stripe,
        labs=labs,
        names=names,
        labels=dispute_rules.LABELS,
        drawn=DISPUTES_DRAWN,
        reason_words=dispute_rules.reason_words,
        mine=me().person_id,
    )


def _again() -> dict[str, Any]:
    return _dispute((request.view_args or {})["dispute_id"])


def _dispute(dispute_id: UUID) -> dict[str, Any]:
    with transaction() as session:
        row = queries.dispute_of(session, me(), dispute_id)
        labs = identity.organisations_by_ids(
            session, {row.organisation_id} if row.organisation_id else set()
        )
        names = identity.people_by_ids(session, {row.evidence_by} if row.evidence_by else set())
    return {
        "row": row,
        "lab": labs.get(row.organisation_id) if row.organisation_id else None,
        "names": names,
        "labels": dispute_rules.LABELS,
        "drawn": DISPUTES_DRAWN,
        "reason": dispute_rules.reason_words(row.reason),
        "answerable": row.status in dispute_rules.ANSWERABLE,
    }


@finance.get("/disputes/<uuid:dispute_id>")
@needs(Permission.FINANCE_VIEW)
def show_dispute(dispute_id: UUID) -> str:
    """One dispute, and the form to answer it."""
    return render_template("finance/dispute.html", **_dispute(dispute_id))


@finance.post("/disputes/<uuid:dispute_id>/evidence")
@needs(Permission.RECONCILIATION_WORK)
@form_page("finance/dispute.html", _again)
def answer_dispute(dispute_id: UUID) -> Response:
    """Send evidence to the payer's bank."""
    words = load(EvidenceForm)["words"]
    try:
        submit_evidence(me(), dispute_id, words)
        flash("Sent. The bank decides, which takes weeks.", "good")
    except GatewayError:
        flash(UNSENT, "watch")
    return redirect(url_for("finance.show_dispute", dispute_id=dispute_id), code=303)


@finance.post("/write-offs")
@needs(Permission.RECONCILIATION_WORK)
def propose_write_off() -> Response:
    """Propose that what a lab owes will not come."""
    asked = load(WriteOffForm)
    with transaction() as session:
        dispute_service.propose_write_off(
            session,
            me(),
            OrganisationId(asked["organisation_id"]),
            asked["currency"],
            reason=asked["reason"],
        )
    flash("Proposed. Somebody else approves it.", "good")
    return redirect(url_for("finance.list_disputes"), code=303)


@finance.post("/write-offs/<uuid:write_off_id>/<decision>")
@needs(Permission.BREAKS_APPROVE)
def decide_write_off(write_off_id: UUID, decision: str) -> Response:
    """Approve or reject what somebody else proposed."""
    if decision not in {"approve", "reject"}:
        advice = Fault("/decision", "Approve or reject.")
        raise Faulty("A proposal is approved or rejected.", [advice])
    with transaction() as session:
        dispute_service.decide_write_off(session, me(), write_off_id, approve=decision == "approve")
    flash("Written off." if decision == "approve" else "Rejected.", "good")
    return redirect(url_for("finance.list_disputes"), code=303)
