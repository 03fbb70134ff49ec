"""Every movement of a lab's money, with what it had after each: straight from the book.

A lab's money with us is what is available, pending, set aside for jobs and held by disputes, less
what it owes. The sum of a month's movements is its closing less its opening, to the last unit,
since both are sums over the same entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money

PAGE = 100
PAGE_MAX = 1_000
PARTS = ("available", "pending", "reserved", "dispute_hold", "owed")
_OWN = """
WITH own AS (
  SELECT id, CASE WHEN code LIKE 'A:receivable:%' THEN 'owed' WHEN code LIKE 'L:job:%'
    THEN 'reserved' ELSE split_part(code, ':', 4) END AS part,
    CASE WHEN code LIKE 'L:job:%' THEN owner_id::text END AS job
  FROM ledger_account WHERE currency = :currency AND (owner_id = :lab OR funder_id = :lab))
"""
_SUMS = """
SELECT own.part, -sum(e.amount) AS minor FROM own JOIN ledger_entry e ON e.account_id = own.id
JOIN ledger_transaction t ON t.id = e.transaction_id WHERE t.effective_on < :until GROUP BY 1"""
_MOVED = """,
moved AS (
  SELECT t.id, t.effective_on, t.posted_at, t.source_kind, t.source_id,
    t.balance_transaction_id AS line, max(own.job) AS job, -sum(e.amount) AS total,
    -coalesce(sum(e.amount) FILTER (WHERE own.part = 'available'), 0) AS available
  FROM own JOIN ledger_entry e ON e.account_id = own.id
  JOIN ledger_transaction t ON t.id = e.transaction_id
  WHERE t.effective_on >= :since AND t.effective_on < :until GROUP BY t.id),
running AS (
  SELECT moved.*, sum(total) OVER (ORDER BY effective_on, posted_at, id) AS after,
    row_number() OVER (ORDER BY effective_on, posted_at, id) AS place FROM moved)
SELECT running.*, j.reference AS job_reference, j.title AS job_title,
  u.id AS top_up_id, i.reference AS invoice_reference
FROM running LEFT JOIN job j ON j.id = running.job::uuid
LEFT JOIN top_up u ON u.balance_transaction_id = running.line
LEFT JOIN cash_application c ON c.ledger_transaction_id = running.id
LEFT JOIN invoice i ON i.id = c.invoice_id
WHERE (CAST(:kinds AS text[]) IS NULL OR source_kind = ANY(:kinds)) AND place > :place
ORDER BY place LIMIT :limit"""
_FIRST = """
SELECT min(t.effective_on) FROM own JOIN ledger_entry e ON e.account_id = own.id
JOIN ledger_transaction t ON t.id = e.transaction_id"""
_CURRENCIES = """
SELECT DISTINCT currency FROM ledger_account WHERE owner_id = :lab OR funder_id = :lab ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class Standing:
    """A lab's money at one moment, by what may happen to it."""

    available: Money
    pending: Money
    reserved: Money
    dispute_hold: Money
    owed: Money

    @property
    def total(self) -> Money:
        """All of it, less what the lab owes."""
        return self.available + self.pending + self.reserved + self.dispute_hold - self.owed


@dataclass(frozen=True, slots=True)
class Movement:
    """A transaction of the book as its lab sees it.

    amount: what it added to all of the lab's money; available: what it added to what the lab may
    spend; after: all the money after it, counted from the opening; place: for the next page.
    """

    transaction_id: UUID
    on: date
    at: datetime
    kind: SourceKind
    reference: str
    words: str
    amount: Money
    available: Money
    after: Money
    place: int
    job_id: UUID | None
    top_up_id: UUID | None


WORDS = {
    SourceKind.TOP_UP: "Top-up",
    SourceKind.TOP_UP_FX: "Top-up, converted",
    SourceKind.CLEAR_TOP_UP: "Top-up cleared",
    SourceKind.TOP_UP_RETURN: "Top-up taken back by the bank",
    SourceKind.APPLY_CASH: "Bank transfer",
    SourceKind.RESERVE: "Reserved for a job",
    SourceKind.RELEASE: "Released from a job",
    SourceKind.ACCEPT: "Accepted work",
    SourceKind.SURPLUS: "Surplus work",
    SourceKind.CANNOT_COMPLETE: "Task that could not be done",
    SourceKind.OVERTURNED: "Accepted on appeal",
    SourceKind.REVERSE: "Acceptance taken back",
    SourceKind.BONUS: "Bonus",
    SourceKind.FLOOR_TOP_UP: "Pay floor",
    SourceKind.REVIEW_PAY: "Review",
    SourceKind.QUALIFICATION_PAY: "Qualification",
    SourceKind.REFUND: "Refund to you",
    SourceKind.REFUND_CANCEL: "Refund cancelled",
    SourceKind.REFUND_FAILED: "Refund returned",
    SourceKind.DISPUTE: "Payment disputed",
    SourceKind.DISPUTE_WON: "Dispute won",
    SourceKind.DISPUTE_LOST: "Dispute lost",
    SourceKind.NET_LAB: "Settled what was owed",
    SourceKind.WRITE_OFF: "Written off",
    SourceKind.ADJUSTMENT: "Adjustment",
}
# What the page of movements can be narrowed to.
GROUPS: dict[str, tuple[SourceKind, ...]] = {
    "in": (
        SourceKind.TOP_UP, SourceKind.TOP_UP_FX, SourceKind.CLEAR_TOP_UP, SourceKind.APPLY_CASH,
        SourceKind.TOP_UP_RETURN,
    ),
    "jobs": (SourceKind.RESERVE, SourceKind.RELEASE),
    "work": (
        SourceKind.ACCEPT, SourceKind.SURPLUS, SourceKind.CANNOT_COMPLETE, SourceKind.OVERTURNED,
        SourceKind.REVERSE, SourceKind.BONUS, SourceKind.FLOOR_TOP_UP, SourceKind.REVIEW_PAY,
        SourceKind.QUALIFICATION_PAY,
    ),
    "back": (
        SourceKind.REFUND, SourceKind.REFUND_CANCEL, SourceKind.REFUND_FAILED, SourceKind.DISPUTE,
        SourceKind.DISPUTE_WON, SourceKind.DISPUTE_LOST, SourceKind.NET_LAB, SourceKind.WRITE_OFF,
    ),
}  # fmt: skip
GROUP_LABELS = {
    "in": "Money in",
    "jobs": "Reserved and released",
    "work": "Paid for work",
    "back": "Refunds and disputes",
}


def standing(session: Session, viewer: Actor, currency: str, until: date = date.max) -> Standing:
    """What the acting lab had when the book's day `until` began; what it has now without one."""
    viewer.require(Permission.BALANCE_VIEW)
    values = {"lab": viewer.organisation(), "currency": currency, "until": until}
    parts = dict.fromkeys(PARTS, 0)
    for part, minor in session.execute(text(_OWN + _SUMS), values):
        parts[part] = int(minor) * (-1 if part == "owed" else 1)
    return Standing(**{part: Money(minor, currency) for part, minor in parts.items()})


def movements(
    session: Session,
    viewer: Actor,
    currency: str,
    *,
    since: date,
    until: date,
    group: str = "",
    place: int = 0,
    limit: int = PAGE,
) -> list[Movement]:
    """The acting lab's movements from `since` to before `until`, oldest first.

    group: one of GROUPS, or all; place: that of the last one already seen.
    """
    opening = standing(session, viewer, currency, since).total
    values = {
        "lab": viewer.organisation(),
        "currency": currency,
        "since": since,
        "until": until,
        "kinds": [kind.value for kind in GROUPS[group]] if group in GROUPS else None,
        "place": place,
        "limit": min(limit, PAGE_MAX),
    }
    found = []
    for row in session.execute(text(_OWN + _MOVED), values):
        kind = SourceKind(row.source_kind)
        about = " ".join(filter(None, (row.job_reference, row.job_title)))
        words = WORDS.get(kind, kind.value.replace("_", " ").capitalize())
        found.append(
            Movement(
                transaction_id=row.id,
                on=row.effective_on,
                at=row.posted_at,
                kind=kind,
                reference=row.invoice_reference or row.line or row.source_id,
                words=f"{words}: {about}" if about else words,
                amount=Money(int(row.total), currency),
                available=Money(int(row.available), currency),
                after=opening + Money(int(row.after), currency),
                place=row.place,
                job_id=UUID(row.job) if row.job else None,
                top_up_id=row.top_up_id,
            )
        )
    return found


def all_movements(
    session: Session, viewer: Actor, currency: str, *, since: date, until: date, group: str = ""
) -> Iterator[Movement]:
    """All of them, for a file."""
    place = 0
    while True:
        some = movements(
            session, viewer, currency, since=since, until=until, group=group, place=place,
            limit=PAGE_MAX,
        )  # fmt: skip
        yield from some
        if len(some) < PAGE_MAX:
            return
        place = some[-1].place


def currencies_of(session: Session, lab: OrganisationId) -> list[str]:
    """The currencies in which a lab has, or had, money with us."""
    return list(session.scalars(text(_CURRENCIES), {"lab": lab}))


def first_movement(session: Session, lab: OrganisationId, currency: str) -> date | None:
    """The day of a lab's first movement in a currency."""
    day: date | None = session.scalar(text(_OWN + _FIRST), {"lab": lab, "currency": currency})
    return day
