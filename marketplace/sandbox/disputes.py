"""Disputes and inquiries: opened by a card or a control, answered with evidence, won or lost."""

from __future__ import annotations

from marketplace.sandbox import balance, events, rates
from marketplace.sandbox.currencies import exponent
from marketplace.sandbox.errors import ApiError, refused
from marketplace.sandbox.listing import balance_transaction, of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Row, Tx, public

URL = "/v1/disputes"
DAY = 86_400
ANSWER_DAYS = 20
FEE_UNITS = 15
REASONS = (
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
)
OUTCOMES = ("won", "lost", "warning_closed", "escalated")
WORDS = {"winning_evidence": "won", "losing_evidence": "lost"}
_EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure "
    "cancellation_rebuttal customer_communication customer_email_address customer_name "
    "customer_purchase_ip customer_signature duplicate_charge_documentation "
    "duplicate_charge_explanation duplicate_charge_id product_description receipt refund_policy "
    "refund_policy_disclosure refund_refusal_explanation service_date service_documentation "
    "shipping_address shipping_carrier shipping_date shipping_documentation "
    "shipping_tracking_number uncategorized_file uncategorized_text"
)
OPEN = frozenset({"needs_response", "under_review"})
WARNED = frozenset({"warning_needs_response", "warning_under_review"})


def open_by_card(tx: Tx, charge_id: str) -> None:
    """What the timer does: the holder of a card that disputes its charges does so."""
    charge = tx.need("charge", charge_id)
    kind = charge["_dispute"]
    inquiry = kind == "inquiry"
    open_dispute(tx, charge_id, None, "general" if inquiry else kind, inquiry=inquiry)


def open_dispute(tx: Tx, charge_id: str, amount: int | None, reason: str, *, inquiry: bool) -> Body:
    """A dispute of a charge, whole or in part; an inquiry takes no money yet."""
    charge = tx.need("charge", charge_id, param="charge", lock=True)
    if charge["status"] != "succeeded" or charge["balance_transaction"] is None:
        raise ApiError("Only a charge that succeeded and settled can be disputed.")
    if charge["disputed"]:
        raise ApiError(f"Charge {charge_id} is disputed already.")
    wanted = charge["amount"] if amount is None else amount
    if not 0 < wanted <= charge["amount"] or reason not in REASONS:
        raise ApiError("A dispute has an amount up to its charge's, and one of Stripe's reasons.")
    dispute = tx.insert(_blank(tx, charge, wanted, reason, inquiry=inquiry))
    charge.update(disputed=True)
    tx.save(charge)
    events.announce(tx, "charge.dispute.created", shown(tx, dispute))
    if not inquiry:
        _withdraw(tx, dispute, charge)
    return dispute


def _blank(tx: Tx, charge: Body, amount: int, reason: str, *, inquiry: bool) -> Body:
    case = "inquiry" if inquiry else "chargeback"
    card = {"brand": "visa", "case_type": case, "network_reason_code": "10.4", "network": "visa"}
    return {
        "id": tx.new_id("dp_"),
        "object": "dispute",
        "amount": amount,
        "charge": charge["id"],
        "created": tx.now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE.split()), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": (tx.now // DAY + ANSWER_DAYS + 1) * DAY - 1,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": card, "type": "card"},
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
        "_lines": [],
    }


def _withdraw(tx: Tx, dispute: Body, charge: Body) -> None:
    """The bank takes the money, and Stripe its fee, whether or not the balance has it."""
    landed = rates.landing(tx, dispute["amount"], dispute["currency"])
    fee = FEE_UNITS * 10 ** exponent(landed.currency)
    line = balance.move(
        tx,
        balance.Movement(
            "adjustment",
            -landed.amount,
            landed.currency,
            dispute["id"],
            tx.now,
            f"Chargeback withdrawal for {charge['id']}",
            fee=fee,
            fee_details=[balance.fee_detail(fee, landed.currency, "Dispute fee")],
            rate=landed.rate,
            category="dispute",
        ),
    )
    dispute["_lines"].append(line)
    dispute["is_charge_refundable"] = False
    tx.save(dispute)
    charge["_charged_back"] = True
    tx.save(charge)
    events.announce(tx, "charge.dispute.funds_withdrawn", shown(tx, dispute))


def close_dispute(tx: Tx, dispute_id: str, outcome: str) -> Body:
    """The bank decides: won or lost, an inquiry closed, or an inquiry become a chargeback."""
    dispute = tx.need("dispute", dispute_id, lock=True)
    needed = OPEN if outcome in {"won", "lost"} else WARNED
    if outcome not in OUTCOMES or dispute["status"] not in needed:
        raise ApiError(f"This dispute is {dispute['status']}; it cannot become {outcome}.")
    charge = tx.need("charge", dispute["charge"], lock=True)
    if outcome == "escalated":
        dispute["status"] = "needs_response"
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
        _withdraw(tx, dispute, charge)
        events.announce(tx, "charge.dispute.updated", shown(tx, dispute))
        return dispute
    dispute["status"] = outcome
    if outcome == "won":
        _reinstate(tx, dispute)
    if outcome != "lost":
        charge["_charged_back"] = False
        tx.save(charge)
    tx.save(dispute)
    events.announce(tx, "charge.dispute.closed", shown(tx, dispute))
    return dispute


def _reinstate(tx: Tx, dispute: Body) -> None:
    """The money comes back as it went; the fee does not."""
    taken = balance.shown_transaction(tx, dispute["_lines"][0])
    dispute["_lines"].append(
        balance.move(
            tx,
            balance.Movement(
                "adjustment",
                -taken["amount"],
                taken["currency"],
                dispute["id"],
                tx.now,
                f"Chargeback reversal for {dispute['charge']}",
                category="dispute_reversal",
            ),
        )
    )
    tx.save(dispute)
    events.announce(tx, "charge.dispute.funds_reinstated", shown(tx, dispute))


def shown(tx: Tx, dispute: Body) -> Body:
    """A dispute as the API shows it, with its balance transactions whole."""
    lines = [balance.row_of(tx, line) for line in dispute["_lines"]]
    whole = [balance_transaction(row, tx.now) for row in lines]
    return {**public(dispute), "balance_transactions": whole}


def update(tx: Tx, params: Params, dispute_id: str) -> Body:
    """POST /v1/disputes/{id}: evidence and metadata; `submit` (the default) sends it.

    `uncategorized_text` of winning_evidence or losing_evidence decides at once, as in Stripe's
    own test mode.
    """
    dispute = tx.need("dispute", dispute_id, lock=True)
    evidence = params.nested("evidence")
    given = {
        name: evidence.text(name, most=150_000) for name in _EVIDENCE.split() if evidence.has(name)
    }
    submit = params.flag("submit")
    dispute["metadata"] = params.metadata(dispute["metadata"])
    params.done()
    if given and dispute["status"] not in OPEN | WARNED:
        raise refused("This dispute is closed.", code="dispute_closed")
    dispute["evidence"].update(given)
    details = dispute["evidence_details"]
    details["has_evidence"] = details["has_evidence"] or bool(given)
    if given and submit is not False:
        details["submission_count"] += 1
        warned = dispute["status"] in WARNED
        dispute["status"] = "warning_under_review" if warned else "under_review"
    tx.save(dispute)
    events.announce(tx, "charge.dispute.updated", shown(tx, dispute))
    outcome = WORDS.get(str(dispute["evidence"]["uncategorized_text"]))
    if submit is not False and outcome and dispute["status"] in OPEN:
        dispute = close_dispute(tx, dispute_id, outcome)
    return shown(tx, dispute)


def accept(tx: Tx, params: Params, dispute_id: str) -> Body:
    """POST /v1/disputes/{id}/close: give in; the dispute is lost."""
    params.done()
    dispute = tx.need("dispute", dispute_id)
    if dispute["status"] not in OPEN:
        raise refused("This dispute cannot be closed.", code="dispute_closed")
    return shown(tx, close_dispute(tx, dispute_id, "lost"))


def retrieve(tx: Tx, params: Params, dispute_id: str) -> Body:
    """GET /v1/disputes/{id}"""
    params.done()
    return shown(tx, tx.need("dispute", dispute_id))


def list_disputes(tx: Tx, params: Params) -> Body:
    """GET /v1/disputes, by charge, payment_intent and created."""

    def render(row: Row) -> Body:
        return shown(tx, row["body"])

    query = of_kind("dispute", URL)
    query.render = render
    query.body_is("charge", params.text("charge"))
    query.body_is("payment_intent", params.text("payment_intent"))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("GET", URL, list_disputes),
    Route("GET", f"{URL}/<dispute_id>", retrieve),
    Route("POST", f"{URL}/<dispute_id>", update),
    Route("POST", f"{URL}/<dispute_id>/close", accept),
)
