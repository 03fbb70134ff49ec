"""What the control panel's buttons do, each from the fields of its form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from psycopg import sql

from marketplace.sandbox import (
    adjustments,
    bank,
    charges,
    checkout,
    deliveries,
    disputes,
    faults,
    onboarding,
    payouts,
    refunds,
    state,
    top_ups,
)
from marketplace.sandbox.cards import BY_NUMBER
from marketplace.sandbox.currencies import exponent, known
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Tx

Form = Mapping[str, str]
Verb = Callable[[Tx, Form], None]
STEPS = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400}
WEBHOOK_FAULTS = {
    "drop": "Drop",
    "duplicate": "Send twice",
    "delay": "Delay by 30 seconds",
    "reorder": "Hold and reverse",
    "before_response": "Send before the answer",
}
CALL_FAULTS = {
    "timeout": "Execute, then silence",
    "drop": "Execute, then hang up",
    "drop_before": "Hang up before executing",
    "error_500": "Answer 500, nothing executed",
    "error_500_after": "Execute, and answer 500",
    "rate_limit": "Answer 429",
}
PATHS = ("/v1/transfers", "/v1/payouts", "/v1/refunds", "/v1/checkout/sessions", "/v1/balance")
COUNT_MAX = 1_000
DELAY_SECONDS = 30.0


def minor(form: Form, name: str, currency: str) -> int:
    """An amount written in whole units, such as 1,250.00, in minor units."""
    try:
        exact = Decimal(form.get(name, "").replace(",", "").strip())
        amount = exact.scaleb(exponent(currency))
    except InvalidOperation as fault:
        raise ApiError("Write an amount such as 1250.00.", param=name) from fault
    if not amount.is_finite() or amount != amount.to_integral_value() or abs(amount) > 10**12:
        raise ApiError(f"{currency.upper()} has {exponent(currency)} decimal places.", param=name)
    return int(amount)


def _count(form: Form) -> int:
    text = form.get("count", "1").strip()
    if not text.isdigit() or not 1 <= int(text) <= COUNT_MAX:
        raise ApiError(f"Write how many: from 1 to {COUNT_MAX}.", param="count")
    return int(text)


def advance(tx: Tx, form: Form) -> None:
    """Move the clock by a step; the caller runs what falls due."""
    step = STEPS.get(form.get("step", ""))
    if step is None:
        raise ApiError("Choose an hour, a day, a week or a month.", param="step")
    state.move_clock(tx, step)


def pay(tx: Tx, form: Form) -> None:
    """Pay an open checkout page with a test card."""
    session = tx.need("checkout.session", form.get("id", ""), lock=True)
    card = BY_NUMBER.get(form.get("card", ""))
    if session["status"] != "open" or card is None:
        raise ApiError("This page is not open any more.")
    checkout.pay(tx, session, card, email=session["customer_email"])


def dispute(tx: Tx, form: Form) -> None:
    """A card's holder disputes a charge."""
    disputes.open_dispute(tx, form.get("id", ""), None, "fraudulent", inquiry=False)


def inquire(tx: Tx, form: Form) -> None:
    """A card's bank inquires about a charge."""
    disputes.open_dispute(tx, form.get("id", ""), None, "general", inquiry=True)


def take_back(tx: Tx, form: Form) -> None:
    """A bank debit comes back."""
    decline = charges.Decline("debit_not_authorized", "The bank took the debit back.")
    charges.come_back(tx, form.get("id", ""), decline)


def decide(tx: Tx, form: Form) -> None:
    """A dispute or an inquiry ends, or an inquiry becomes a dispute."""
    disputes.close_dispute(tx, form.get("id", ""), form.get("outcome", ""))


def fail_refund(tx: Tx, form: Form) -> None:
    """A refund comes back."""
    refunds.fail(tx, form.get("id", ""))


def restrict(tx: Tx, form: Form) -> None:
    """A connected account may not be paid any more."""
    onboarding.restrict(tx, form.get("id", ""), "platform_paused")


def lift(tx: Tx, form: Form) -> None:
    """A connected account may be paid again."""
    onboarding.enable(tx, form.get("id", ""))


def fail_payout(tx: Tx, form: Form) -> None:
    """A bank sends a payout back."""
    payouts.fail(tx.acting_for(form.get("account", "")), form.get("id", ""), "account_closed")


def fail_topup(tx: Tx, form: Form) -> None:
    """Our bank refuses a top-up."""
    top_ups.fail(tx, form.get("id", ""), "insufficient_funds")


def arm_webhooks(tx: Tx, form: Form) -> None:
    """The next deliveries misbehave."""
    if form.get("kind") not in WEBHOOK_FAULTS:
        raise ApiError("Choose what is to happen to the deliveries.", param="kind")
    wanted = {"kind": form["kind"], "count": _count(form), "seconds": DELAY_SECONDS, "copies": 2}
    faults.add(tx, {"target": "webhook", **wanted})


def arm_calls(tx: Tx, form: Form) -> None:
    """The next calls misbehave."""
    if form.get("kind") not in CALL_FAULTS or form.get("path", "") not in ("", *PATHS):
        raise ApiError("Choose what is to happen to which calls.", param="kind")
    wanted = {"kind": form["kind"], "path": form.get("path", ""), "count": _count(form)}
    faults.add(tx, {"target": "api", "seconds": 2.0, **wanted})


def release(tx: Tx, form: Form) -> None:  # noqa: ARG001 - every verb takes its form.
    """Held deliveries go, newest first."""
    deliveries.release_held(tx)


def calm(tx: Tx, form: Form) -> None:  # noqa: ARG001 - every verb takes its form.
    """Nothing misbehaves any more."""
    tx.run(sql.SQL("DELETE FROM sandbox_faults"))
    deliveries.release_held(tx)


def wire(tx: Tx, form: Form) -> None:
    """A wire arrives at our bank."""
    currency = known(form.get("currency", ""))
    kept = minor(form, "charges", currency) if form.get("charges", "").strip() else 0
    amount = minor(form, "amount", currency)
    if amount <= kept or kept < 0:
        raise ApiError("A wire is more than what the banks on its way keep.", param="amount")
    line = bank.Line(
        form.get("account", ""),
        currency,
        amount - kept,
        form.get("reference", "").strip()[:140],
        form.get("payer", "").strip()[:70] or "UNNAMED",
        charges=kept,
    )
    bank.book(tx, line)


def charge_fee(tx: Tx, form: Form) -> None:
    """Stripe charges the platform a fee."""
    currency = known(form.get("currency", ""))
    amount = minor(form, "amount", currency)
    adjustments.post_line(
        tx, "stripe_fee", -abs(amount), currency, description="Sandbox fee (2026-11)"
    )


VERBS: dict[str, tuple[Verb, str, str]] = {
    "advance": (advance, "clock", "The clock has moved."),
    "pay": (pay, "payments", "The card has been charged, or was declined."),
    "dispute": (dispute, "disputes", "The charge is disputed, and its money withdrawn."),
    "inquire": (inquire, "disputes", "The bank inquires; no money has moved."),
    "take_back": (take_back, "payments", "The bank has taken the debit back."),
    "decide": (decide, "disputes", "The dispute has moved on."),
    "fail_refund": (fail_refund, "payments", "The refund has come back."),
    "restrict": (restrict, "accounts", "The account is restricted."),
    "lift": (lift, "accounts", "The account can be paid again."),
    "fail_payout": (fail_payout, "payouts", "The bank has sent the payout back."),
    "fail_topup": (fail_topup, "payouts", "The bank has refused the top-up."),
    "arm_webhooks": (arm_webhooks, "faults", "The next deliveries will misbehave."),
    "arm_calls": (arm_calls, "faults", "The next calls will misbehave."),
    "release": (release, "faults", "Held deliveries have gone."),
    "calm": (calm, "faults", "Nothing misbehaves any more."),
    "wire": (wire, "bank", "The wire is on the account."),
    "charge_fee": (charge_fee, "bank", "Stripe has charged the fee."),
}
