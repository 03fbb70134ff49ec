"""What a lab has used, by job: out of the book, and what invoices have stated of it so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.billing.rules.invoices import LineKind
from marketplace.ids import OrganisationId
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money

# Every posting that charges a lab for work, and the one that takes such a charge back.
CHARGES = (
    SourceKind.ACCEPT, SourceKind.SURPLUS, SourceKind.CANNOT_COMPLETE, SourceKind.OVERTURNED,
    SourceKind.REVERSE, SourceKind.BONUS, SourceKind.FLOOR_TOP_UP, SourceKind.REVIEW_PAY,
    SourceKind.QUALIFICATION_PAY,
)  # fmt: skip
# Legs on the lab's and its jobs' accounts are what it was charged; those on our fee are our part.
_CHARGED = """
WITH own AS (
  SELECT id, CASE WHEN owner_id <> :lab THEN owner_id::text END AS job FROM ledger_account
  WHERE (owner_id = :lab OR funder_id = :lab) AND currency = :currency AND code LIKE 'L:%'),
charged AS (
  SELECT t.id, t.effective_on, max(own.job) AS job, sum(e.amount) AS amount
  FROM own JOIN ledger_entry e ON e.account_id = own.id
  JOIN ledger_transaction t ON t.id = e.transaction_id
  WHERE t.source_kind = ANY(:kinds) AND t.effective_on >= :since AND t.effective_on < :until
  GROUP BY t.id)
"""
_BY_JOB = """
SELECT c.job, sum(c.amount) AS charged, coalesce(sum(f.fee), 0) AS fee FROM charged c
LEFT JOIN LATERAL (
  SELECT -sum(e.amount) AS fee FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
  WHERE e.transaction_id = c.id AND a.code = :fee) f ON true
GROUP BY c.job ORDER BY c.job NULLS LAST"""
_BY_DAY = "SELECT effective_on, sum(amount) AS charged FROM charged GROUP BY 1 ORDER BY 1"
_FIRST = "SELECT min(effective_on) FROM charged"
_STATED = """
SELECT l.job_id, l.kind,
  sum((l.net_minor + l.tax_minor) * CASE i.kind WHEN 'credit_note' THEN -1 ELSE 1 END) AS gross
FROM invoice i JOIN invoice_line l ON l.invoice_id = i.id
WHERE i.organisation_id = :lab AND i.currency = :currency AND l.kind IN ('rewards', 'fee')
GROUP BY 1, 2"""
_CURRENCIES = """
SELECT DISTINCT coalesce(a.funder_id, a.owner_id) AS lab, a.currency FROM ledger_account a
WHERE a.code LIKE 'L:job:%' AND a.funder_id IS NOT NULL ORDER BY 1, 2"""
EVER = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Used:
    """An amount that no invoice has stated yet. job_id: None for what belongs to no single job."""

    job_id: UUID | None
    kind: LineKind
    amount: Money


def _values(lab: OrganisationId, currency: str, since: date, until: date) -> dict[str, object]:
    return {
        "lab": lab,
        "currency": currency,
        "kinds": [kind.value for kind in CHARGES],
        "since": since,
        "until": until,
    }


def uninvoiced(session: Session, lab: OrganisationId, currency: str, until: date) -> list[Used]:
    """What the lab used before a day, of which no invoice has stated a part; by job and kind.

    Sums to the end, less sums of invoices: what was posted late, or taken back, comes by itself
    with the next invoice, and nothing is stated twice.
    """
    values = _values(lab, currency, EVER, until)
    rows = session.execute(text(_CHARGED + _BY_JOB), values | {"fee": f"I:platform_fee:{currency}"})
    left: dict[tuple[UUID | None, LineKind], int] = {}
    for row in rows:
        job = UUID(row.job) if row.job else None
        left[job, LineKind.REWARDS] = int(row.charged) - int(row.fee)
        left[job, LineKind.FEE] = int(row.fee)
    for row in session.execute(text(_STATED), {"lab": lab, "currency": currency}):
        key = row.job_id, LineKind(row.kind)
        left[key] = left.get(key, 0) - int(row.gross)
    return [Used(*key, Money(minor, currency)) for key, minor in left.items() if minor]


def used_by_day(
    session: Session, lab: OrganisationId, currency: str, since: date, until: date
) -> list[tuple[date, Money]]:
    """What the lab was charged on each day from `since`, before `until`; days without are left
    out."""
    rows = session.execute(text(_CHARGED + _BY_DAY), _values(lab, currency, since, until))
    return [(day, Money(int(minor), currency)) for day, minor in rows]


def first_use(session: Session, lab: OrganisationId, currency: str, until: date) -> date | None:
    """The first day on which the lab was charged anything."""
    values = _values(lab, currency, EVER, until)
    day: date | None = session.scalar(text(_CHARGED + _FIRST), values)
    return day


def labs_with_use(session: Session) -> Iterator[tuple[OrganisationId, str]]:
    """Every lab that ever set money aside for a job, with each currency of it."""
    for lab, currency in session.execute(text(_CURRENCIES)):
        yield OrganisationId(lab), currency
