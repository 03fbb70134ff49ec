"""What a stretch of the chain adds up to."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_COUNTED = text(
    """SELECT e.currency, count(*) AS entries,
           coalesce(sum(e.amount) FILTER (WHERE e.amount > 0), 0) AS debits
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
    WHERE t.number > :former AND t.number <= :last GROUP BY e.currency"""
)


def counted(session: Session, former: int, last: int) -> tuple[int, dict[str, int]]:
    """(entries, debits in minor units by currency) of the numbers after `former` up to `last`."""
    rows = session.execute(_COUNTED, {"former": former, "last": last}).all()
    return sum(row.entries for row in rows), {row.currency: int(row.debits) for row in rows}
