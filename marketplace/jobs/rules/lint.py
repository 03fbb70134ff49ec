"""What keeps a draft from being published, in sentences that say what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.errors import Fault
from marketplace.money import Money

# The least that an hour of expected time must bring, by profession; data, not a rule of nature.
PAY_FLOOR_HOURLY: Mapping[tuple[str, str], Money] = {
    (profession, currency): Money(minor, currency)
    for profession, minor in (("medicine", 20_00), ("law", 18_00), ("software", 15_00))
    for currency in ("USD", "EUR", "GBP", "CHF", "CAD", "AUD")
}
# Known elements only: a title may well speak of `vector<int>`.
_TAG = re.compile(
    r"<(/|!--)|<(a|b|br|button|div|em|font|form|h[1-6]|i|iframe|img|input|link|meta|object|p|"
    r"script|span|strong|style|svg|table|u|video)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What the lint looks at. gold_faults: of the items' gold, already with pointers."""

    title: str
    domain: str
    instructions_md: str
    item_count: int
    profession: str | None
    pay: Money
    hourly_rate: Money
    deadline_at: datetime | None
    expected_seconds: int
    lease_seconds: int
    template_faults: Sequence[Fault]
    gold_faults: Sequence[Fault]


def lint_faults(draft: Draft, now: datetime) -> list[Fault]:
    """Everything that must be mended before publishing; empty when it may be published."""
    faults = [Fault(f"/template{fault.pointer}", fault.message) for fault in draft.template_faults]
    faults += draft.gold_faults
    faults += [
        Fault(f"/{name}", "Write this without HTML; it is shown to people as plain text.")
        for name, text in (("title", draft.title), ("domain", draft.domain))
        if _TAG.search(text)
    ]
    if not draft.instructions_md.strip():
        advice = "Write instructions: what a good judgement is, and what to do when in doubt."
        faults.append(Fault("/instructions_md", advice))
    if draft.item_count == 0:
        faults.append(Fault("/items", "Send items first; there is nothing to judge yet."))
    if draft.deadline_at is not None and draft.deadline_at <= now:
        faults.append(Fault("/deadline_at", "This time has passed. Choose a later one."))
    if draft.lease_seconds < draft.expected_seconds:
        advice = "The lease ends before the expected time. Give at least as long."
        faults.append(Fault("/lease_seconds", advice))
    return faults + _pay_faults(draft)


def _pay_faults(draft: Draft) -> list[Fault]:
    if not draft.pay:
        return [Fault("/pay/amount_minor", "Say what you pay; nobody works for nothing here.")]
    floor = PAY_FLOOR_HOURLY.get((draft.profession or "", draft.pay.currency))
    if floor is not None and draft.hourly_rate < floor:
        advice = (
            f"At the expected {draft.expected_seconds:,} seconds this is {draft.hourly_rate} an "
            f"hour; the floor for {draft.profession} is {floor}. Raise the pay."
        )
        return [Fault("/pay/amount_minor", advice)]
    return []
