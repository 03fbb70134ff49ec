"""The way of pay in words: each step of a task's money, and what waits for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.money import Money
from marketplace.payouts.queries import Part, TaskPay
from marketplace.payouts.rules import BankState, LineState
from marketplace.payouts.rules.tax import SHORT_LABELS
from marketplace.payouts.rules.thresholds import Standing, Then
from marketplace.review.rules import AccrualKind
from marketplace.web.filters import money

# How each state of a task's pay is drawn: a state that the macros know, and its words.
DRAWN = {
    "pending": ("pending", "Pending"),
    "available": ("available", "Available"),
    "payout_reserved": ("payout_reserved", "In a payout"),
    "sent": ("sent", "Sent"),
    "paid": ("paid", "In your bank"),
    "returned": ("returned", "Came back from the bank"),
    "netted": ("reversed", "Covers an earlier debt"),
    "reversed": ("reversed", "Taken back"),
}
EARNED = {
    AccrualKind.ACCEPTED: "Accepted",
    AccrualKind.SURPLUS: "Accepted as an extra answer",
    AccrualKind.CANNOT_COMPLETE: "Reported as not to be done, and paid",
    AccrualKind.OVERTURNED: "Accepted after all, on appeal",
    AccrualKind.BONUS: "Bonus from the lab",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way. code: for programs; at: when it was, or will be where `due`."""

    code: str
    icon: str
    words: str
    at: datetime | None
    due: bool = False
    tone: str = ""
    amount: Money | None = None


def steps_of(task: TaskPay) -> list[Step]:
    """Every step of a task's pay, in order; the last one may still be to come."""
    accrual = task.accrual
    earned = EARNED.get(accrual.kind, "Earned")
    steps = [Step("accepted", "circle-check", earned, accrual.accrued_at, tone="good")]
    if accrual.reversed_at is not None:
        words = "The acceptance was overturned, so the pay was taken back"
        if accrual.cleared_at is not None:
            steps.append(_cleared(accrual.cleared_at))
        taken = [Step("reversed", "undo-2", words, accrual.reversed_at, tone="watch")]
        return [*steps, *(step for part in task.parts for step in _part(part, task)), *taken]
    if accrual.cleared_at is None:
        words = "Clears and becomes available"
        return [*steps, Step("clears", "hourglass", words, accrual.clears_at, due=True)]
    steps.append(_cleared(accrual.cleared_at))
    for part in task.parts:
        steps += _part(part, task)
    if task.left:
        words = f"{money(task.left)} waits for the next payout run"
        steps.append(Step("waiting", "wallet", words, None, due=True, amount=task.left))
    return steps


def _cleared(at: datetime) -> Step:
    return Step("available", "wallet", "Cleared and available", at, tone="good")


def _part(part: Part, task: TaskPay) -> list[Step]:
    line, run = part.line, part.run
    share = "" if part.amount == task.accrual.amount else f"{money(part.amount)} "
    if line is None or run is None:
        words = f"{share}Covered what had been taken back of earlier pay".strip()
        return [Step("netted", "undo-2", words, None, tone="watch", amount=part.amount)]
    in_run = f"{share}Put in payout run {run.reference}".strip()
    steps = [Step("in_run", "lock", in_run, run.prepared_at, amount=part.amount)]
    if line.state is LineState.UNKNOWN:
        words = "Stripe has not said yet whether it was sent; we find out, and pay it once"
        steps.append(Step("unknown", "circle-question-mark", words, line.since, tone="watch"))
    elif line.state is LineState.TRANSFERRED:
        steps.append(Step("transferred", "send", "Sent by Stripe", line.ended_at, tone="good"))
        steps += _at_bank(part)
    else:
        steps.append(Step("sending", "send", "Goes out once it is approved", None, due=True))
    return steps


def _at_bank(part: Part) -> list[Step]:
    line = part.line
    if line is None or line.bank_state is None:
        return [
            Step("bank", "landmark", "Reaches your bank by Stripe's next payout", None, due=True)
        ]
    words, icon, tone = {
        BankState.PENDING: ("On its way to your bank", "landmark", ""),
        BankState.PAID: ("In your bank", "banknote", "good"),
        BankState.FAILED: (
            "Came back from your bank. Check the account at Stripe; it is paid again from there",
            "undo-2",
            "stop",
        ),
        BankState.REVERSED: ("Taken back into your balance here", "undo-2", "watch"),
    }[line.bank_state]
    return [Step(line.bank_state.value, icon, words, line.bank_since, tone=tone)]


@dataclass(frozen=True, slots=True)
class TaxWords:
    """What tax law wants now, for a callout. tone: as the macros know it; asks: whether to fill in
    a form."""

    tone: str
    title: str
    words: str
    asks: bool


def tax_words(standings: Sequence[Standing]) -> list[TaxWords]:
    """A sentence or two for each rule that is about somebody."""
    return [_standing(each) for each in standings]


def _standing(one: Standing) -> TaxWords:
    forms = " or ".join(SHORT_LABELS[each] for each in one.forms[:2])
    if one.has:
        return TaxWords("good", f"Your {forms} is verified.", "You need do nothing.", asks=False)
    if one.waits:
        words = "One of us looks at it, usually within two working days."
        return TaxWords("neutral", f"Your {forms} waits for our look.", words, asks=False)
    cost = (
        f"{one.rule.rate_basis_points / 100:g} % of each payout goes to the tax office"
        if one.rule.then is Then.WITHHOLD
        else "your pay stays in your balance"
    )
    if one.past:
        return TaxWords("stop", f"We need your {forms}.", f"Until it is here, {cost}.", asks=True)
    if not one.rule.amount:
        words = f"After {one.rule.grace_days} days without it, {cost}."
    else:
        so_far = f" So far this year: {money(one.paid)}." if one.paid is not None else ""
        words = f"From {money(one.rule.amount)} paid in a year on, {cost} without it.{so_far}"
    return TaxWords("watch", f"Please fill in your {forms} in good time.", words, asks=True)
