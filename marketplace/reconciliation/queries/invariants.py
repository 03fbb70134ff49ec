"""What must always be true between the book and Stripe; each answer names what is broken."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.reconciliation.queries.comparison import latest_report

# The comparison runs each hour; by then a line is posted, or somebody was asked about it.
COMPARED_WITHIN = timedelta(hours=3)
_SHOWN = 100
_UNANSWERED = text(
    """
    SELECT line.id, line.kind FROM stripe_statement_line line
    WHERE line.account = '' AND line.net <> 0 AND line.seen_at <= :before
      AND NOT EXISTS (SELECT FROM ledger_transaction t WHERE t.balance_transaction_id = line.id)
      AND NOT EXISTS (SELECT FROM reconciliation_break b WHERE b.balance_transaction_id = line.id)
    ORDER BY line.id LIMIT :most"""
)
_TWICE_MATCHED = text(
    """
    SELECT m.transaction_id FROM statement_match m WHERE m.transaction_id IS NOT NULL
    GROUP BY 1 HAVING count(*) > 1 AND bool_or(NOT m.several) ORDER BY 1 LIMIT :most"""
)
_UNPROVEN = text(
    """
    SELECT s.number, s.from_on, s.to_on, src.name FROM bank_statement s
    JOIN statement_source src ON src.id = s.source_id
    LEFT JOIN LATERAL (
      SELECT coalesce(sum(e.amount_minor), 0) AS moved FROM statement_entry e
      WHERE e.source_id = s.source_id AND e.statement_id = s.id) own ON true
    WHERE s.entry_count = (SELECT count(*) FROM statement_entry e WHERE e.statement_id = s.id)
      AND s.opening_minor + own.moved <> s.closing_minor
    ORDER BY s.id LIMIT :most"""
)


def broken_invariants(session: Session) -> list[str]:
    """A sentence for each broken thing: I6, I11, matches and stored statements."""
    most = {"most": _SHOWN}
    broken = []
    report = latest_report(session, SYSTEM)
    for tie in report.ties if report else ():
        if tie.difference:
            broken.append(
                f"I6: Stripe's balance is {tie.stripe}; the ledger, with what is not posted yet, "
                f"is {tie.difference} off."
            )
    before = {"before": clock.now() - COMPARED_WITHIN}
    broken += [
        f"I11: Stripe's line {row.id} ({row.kind}) is neither posted nor a break."
        for row in session.execute(_UNANSWERED, most | before)
    ]
    broken += [
        f"I11: Transaction {row.transaction_id} answers for more than one line of a bank."
        for row in session.execute(_TWICE_MATCHED, most)
    ]
    broken += [
        f"Statement {row.number or row.from_on} of {row.name} does not add up any more."
        for row in session.execute(_UNPROVEN, most)
    ]
    return broken
