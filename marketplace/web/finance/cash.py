"""Unapplied cash: transfers that no reference settled, proposed for by one person and decided by
another; and the rates of tax that the accountant adds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from marshmallow import fields, validate
from werkzeug.wrappers import Response

from marketplace.billing import queries, service
from marketplace.billing.rules import cash as rules
from marketplace.billing.rules import tax
from marketplace.billing.rules.cash import CashState, ProposalKind
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, parse_id
from marketplace.web import bills
from marketplace.web.countries import country_name
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, form_page, load, refill
from marketplace.web.guards import me, needs

PAGE = 50
# How each state is drawn: the nearest state that the macros know.
DRAWN = {"unapplied": "unmatched", "proposed": "proposed", "settled": "matched"}


class CashForm(Form):
    """What to do with a payment, whose it is, and what shows it."""

    kind = fields.String(
        required=True, validate=validate.OneOf([each.value for each in ProposalKind])
    )
    organisation_id = fields.String(load_default="")
    invoice_reference = fields.String(load_default="")
    evidence = fields.String(load_default="")


class RateForm(Form):
    """A country's standard rate from a day on, in per cent."""

    country = fields.String(load_default="")
    rate = fields.Decimal(required=True, error_messages={"invalid": "Write a rate such as 25.5."})
    valid_from = fields.Date(required=True, error_messages={"invalid": "Write a day."})
    source = fields.String(load_default="")


@finance.get("/cash")
@needs(Permission.FINANCE_VIEW)
def list_cash() -> str:
    """Payments by transfer: those that wait first, or of any state."""
    states = {each.value: each for each in CashState}
    state = states.get(request.args.get("state", CashState.UNAPPLIED.value))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.cash_receipts(session, me(), state=state, after=after, limit=PAGE + 1)
        totals = queries.unapplied_totals(session, me())
    return render_template(
        "finance/cash.html",
        rows=found[:PAGE],
        last=found[PAGE - 1].id if len(found) > PAGE else None,
        totals=totals,
        state=state,
        labels=rules.CASH_LABELS,
        drawn=DRAWN,
    )


def _facts(receipt_id: UUID) -> dict[str, Any]:
    with transaction() as session:
        view = queries.cash_receipt(session, me(), receipt_id)
        people = {one for each in view.proposals for one in (each.proposed_by, each.decided_by)}
        names = shown.names_of(session, {one for one in people if one})
        labs = queries.labs(session, me())
    return {
        "view": view,
        "receipt": view.receipt,
        "names": names,
        "labs": [("", "Choose the lab"), *((str(lab), name) for lab, name in labs)],
        "lab_names": dict(labs),
        "labels": rules.CASH_LABELS,
        "kinds": rules.PROPOSAL_LABELS,
        "drawn": DRAWN,
        "mine": me().person_id,
    }


@finance.get("/cash/<uuid:receipt_id>")
@needs(Permission.FINANCE_VIEW)
def show_cash(receipt_id: UUID) -> str:
    """One payment, why it waits, what was proposed and what was done."""
    return render_template("finance/cash_receipt.html", **_facts(receipt_id))


@finance.post("/cash/<uuid:receipt_id>/propose")
@needs(Permission.RECONCILIATION_WORK)
def propose_cash(receipt_id: UUID) -> Response:
    """Say whose it is, or that it goes back, with what shows it."""
    try:
        asked = load(CashForm)
        lab = parse_id(asked["organisation_id"])
        with transaction() as session:
            service.propose_cash(
                session,
                me(),
                receipt_id,
                ProposalKind(asked["kind"]),
                evidence=asked["evidence"],
                organisation_id=OrganisationId(lab) if lab else None,
                invoice_reference=asked["invoice_reference"],
            )
    except Faulty as error:
        return refill("finance/cash_receipt.html", error, **_facts(receipt_id))
    flash("Proposed. Somebody else approves it.", "good")
    return redirect(url_for("finance.show_cash", receipt_id=receipt_id), code=303)


@finance.post("/cash/proposals/<uuid:proposal_id>/<decision>")
@needs(Permission.BREAKS_APPROVE)
def decide_cash(proposal_id: UUID, decision: str) -> Response:
    """Approve or reject what somebody else proposed."""
    if decision not in {"approve", "reject"}:
        advice = Fault("/decision", "Approve or reject.")
        raise Faulty("A proposal is approved or rejected.", [advice])
    with transaction() as session:
        proposal = service.decide_cash(session, me(), proposal_id, approve=decision == "approve")
        receipt_id = proposal.receipt_id
    flash("Approved and posted." if decision == "approve" else "Rejected.", "good")
    return redirect(url_for("finance.show_cash", receipt_id=receipt_id), code=303)


def _rates() -> dict[str, Any]:
    with transaction() as session:
        added = queries.tax_rates(session, me())
    shipped = sorted(tax.RATES, key=lambda rate: (rate.country, rate.valid_from))
    return {
        "added": added,
        "shipped": [(country_name(each.country), each) for each in shipped],
        "rate": bills.rate,
        "country_name": country_name,
    }


@finance.get("/tax-rates")
@needs(Permission.FINANCE_VIEW)
def list_rates() -> str:
    """The dated rates of tax."""
    return render_template("finance/tax_rates.html", **_rates())


@finance.post("/tax-rates")
@needs(Permission.PERIODS_CLOSE)
@form_page("finance/tax_rates.html", _rates)
def add_rate() -> Response:
    """Add a rate that begins in this month or later."""
    asked = load(RateForm)
    points = asked["rate"] * 100
    if points != points.to_integral_value():
        advice = Fault("/rate", "Use at most two decimal places.")
        raise Faulty("The rate has too many decimals.", [advice])
    with transaction() as session:
        service.add_rate(
            session,
            me(),
            country=asked["country"].strip().upper(),
            basis_points=int(points),
            valid_from=asked["valid_from"],
            source=asked["source"],
        )
    flash("Added.", "good")
    return redirect(url_for("finance.list_rates"), code=303)
