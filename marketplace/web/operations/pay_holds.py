"""Held pay: placed with a reason and words for its owner, looked at again before a date, lifted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, parse_id
from marketplace.ledger import queries as ledger
from marketplace.ledger.rules import HoldReason
from marketplace.money import parse_money
from marketplace.payouts import queries
from marketplace.payouts.rules.pay_holds import LIFT_LABELS, REASON_LABELS, LiftReason, PayHoldState
from marketplace.payouts.service import pay_holds as service
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations

PAGE = 50


class PlaceForm(Form):
    """Whose pay is held, how much of it, and why."""

    person_id = fields.String(load_default="")
    amount = fields.String(load_default="")
    currency = fields.String(load_default="USD")
    reason = fields.Enum(HoldReason, by_value=True, load_default=HoldReason.REVIEW)
    note = fields.String(load_default="")


class LiftForm(Form):
    """Why held pay is let go."""

    reason = fields.Enum(LiftReason, by_value=True, required=True)


def _facts() -> dict[str, Any]:
    after = parse_id(request.args.get("after", ""))
    lifted = request.args.get("state") == "lifted"
    state = PayHoldState.LIFTED if lifted else PayHoldState.OPEN
    person = parse_id(request.values.get("person_id", ""))
    with transaction() as session:
        found = queries.pay_holds(session, me(), state=state, after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        events = queries.hold_events(session, [row.id for row in rows])
        people = {row.person_id for row in rows} | {row.owner_id for row in rows}
        people |= {each.by_id for history in events.values() for each in history}
        names = identity.people_by_ids(session, people | ({person} if person else set()))
        balances = ledger.specialist_balances(session, PersonId(person)) if person else {}
    return {
        "rows": rows,
        "events": events,
        "names": names,
        "lifted": lifted,
        "after": after,
        "last": rows[-1].id if len(found) > PAGE else None,
        "now": clock.now(),
        "person_id": person if person in names else None,
        "available": {code: has.available for code, has in balances.items() if has.available},
        "currencies": [(code, code) for code, has in balances.items() if has.available],
        "reasons": list(REASON_LABELS.items()),
        "reason_labels": REASON_LABELS,
        "lifts": list(LIFT_LABELS.items()),
        "lift_labels": LIFT_LABELS,
    }


@operations.get("/pay-holds")
@needs(Permission.PAY_HOLD)
def pay_holds() -> str:
    """What is held, oldest first, or what was lifted; with a person, the form to hold theirs."""
    return render_template("operations/pay_holds.html", **_facts())


@operations.post("/pay-holds")
@needs(Permission.PAY_HOLD)
@form_page("operations/pay_holds.html", _facts)
def place_pay_hold() -> Response:
    """Hold part of somebody's available pay."""
    asked = load(PlaceForm)
    person = parse_id(asked["person_id"])
    if person is None:
        raise Faulty("Nobody is named.", [Fault("/person_id", "Choose a person under People.")])
    amount = parse_money(asked["amount"], asked["currency"])
    with transaction() as session:
        service.place_hold(
            session, me(), PersonId(person), amount=amount, reason=asked["reason"],
            note=asked["note"],
        )  # fmt: skip
    flash("Held. You answer for it; its owner reads your words.", "good")
    return redirect(url_for("operations.pay_holds"), code=303)


@operations.post("/pay-holds/<uuid:hold_id>/look")
@needs(Permission.PAY_HOLD)
def look_at_pay_hold(hold_id: UUID) -> Response:
    """Keep it after a second look."""
    with transaction() as session:
        service.look_again(session, me(), hold_id)
    flash("Kept; you answer for it from now on.", "good")
    return redirect(url_for("operations.pay_holds"), code=303)


@operations.post("/pay-holds/<uuid:hold_id>/lift")
@needs(Permission.PAY_HOLD)
@form_page("operations/pay_holds.html", _facts)
def lift_pay_hold(hold_id: UUID) -> Response:
    """Let it go."""
    asked = load(LiftForm)
    with transaction() as session:
        service.lift_hold(session, me(), hold_id, asked["reason"])
    flash("Lifted: the money is available again, and its owner is told.", "good")
    return redirect(url_for("operations.pay_holds"), code=303)
