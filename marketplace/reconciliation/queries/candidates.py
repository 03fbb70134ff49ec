"""What each line of a bank could be, found in sets: exact, and only where nothing else fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, bindparam, select, text
from sqlalchemy.orm import Session

from marketplace.reconciliation.models import StatementEntry

# A transaction of the ledger is of a bank's line where it was posted under the line's name.
BANK_KINDS = "('cash_in', 'bank_arrival', 'fund_stripe', 'return_cash')"
SETTLED = f"""
    EXISTS (SELECT FROM ledger_transaction t WHERE t.source_id = entry.natural_id
            AND t.source_kind IN {BANK_KINDS})
    OR EXISTS (SELECT FROM ledger_transaction t
               WHERE t.balance_transaction_id = entry.natural_id)
    OR EXISTS (SELECT FROM statement_match m WHERE m.entry_id = entry.id)"""  # noqa: S608 - constants of ours.
PAYOUT_DAYS_BEFORE, PAYOUT_DAYS_AFTER = 1, 7
FUNDING_DAYS = 10

# Every pair of an open line and something of ours that fits it, by rank of the rule; then the
# pairs of the best rule in which both sides meet only each other.
_CANDIDATES = text(
    f"""
    WITH open AS MATERIALIZED (
      SELECT entry.id, entry.natural_id, entry.amount_minor, entry.currency, entry.booked_on,
             entry.tokens, entry.reversal OR entry.return_reason <> '' AS comes_back,
             'STRIPE' = ANY(entry.tokens) AS names_stripe,
             'A:bank:' || source.holds || ':' || entry.currency AS account
      FROM statement_entry entry JOIN statement_source source ON source.id = entry.source_id
      WHERE NOT ({SETTLED})),
    payout AS (
      SELECT p.* FROM (SELECT DISTINCT ON (payout_id) * FROM stripe_payout_seen
                       WHERE account = '' ORDER BY payout_id, id DESC) p
      WHERE p.status NOT IN ('failed', 'canceled') AND NOT EXISTS (
        SELECT FROM statement_match m WHERE m.payout_id = p.payout_id)),
    topup AS (
      SELECT line.* FROM stripe_statement_line line
      WHERE line.account = '' AND line.kind = 'topup' AND NOT EXISTS (
        SELECT FROM statement_match m WHERE m.stripe_line_id = line.id)),
    ours AS (
      SELECT t.id, t.source_id, t.source_kind, e.amount, e.currency, a.code
      FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
      JOIN ledger_transaction t ON t.id = e.transaction_id
      WHERE a.code IN (SELECT account FROM open) AND t.source_kind NOT IN {BANK_KINDS}
        AND NOT EXISTS (SELECT FROM statement_match m WHERE m.transaction_id = t.id)),
    pairs AS (
      SELECT open.id AS entry_id, 1 AS rank, payout.payout_id AS other, open.booked_on,
             jsonb_build_object('trace_id', payout.trace_id, 'payout', payout.payout_id,
               'amount_minor', payout.amount, 'currency', payout.currency) AS evidence
      FROM open JOIN payout ON payout.amount = open.amount_minor
        AND payout.currency = open.currency
        AND (upper(payout.trace_id) = ANY(open.tokens)
             OR upper(payout.payout_id) = ANY(open.tokens))
      WHERE NOT open.comes_back
      UNION ALL
      SELECT open.id, 2, payout.payout_id, open.booked_on,
             jsonb_build_object('payout', payout.payout_id, 'amount_minor', payout.amount,
               'currency', payout.currency, 'arrival_on', payout.arrival_on,
               'booked_on', open.booked_on, 'names', 'STRIPE')
      FROM open JOIN payout ON payout.amount = open.amount_minor
        AND payout.currency = open.currency AND open.names_stripe
        AND open.booked_on BETWEEN payout.arrival_on - {PAYOUT_DAYS_BEFORE}
          AND payout.arrival_on + {PAYOUT_DAYS_AFTER}
      WHERE NOT open.comes_back
      UNION ALL
      SELECT open.id, 3, topup.id, open.booked_on,
             jsonb_build_object('line', topup.id, 'top_up', topup.source_id,
               'amount_minor', topup.amount, 'currency', topup.currency, 'names', 'STRIPE')
      FROM open JOIN topup ON topup.amount = -open.amount_minor
        AND topup.currency = open.currency AND open.names_stripe
        AND abs(topup.created_at::date - open.booked_on) <= {FUNDING_DAYS}
      WHERE NOT open.comes_back
      UNION ALL
      SELECT open.id, 4, ours.id::text, open.booked_on,
             jsonb_build_object('reference', ours.source_id, 'kind', ours.source_kind,
               'amount_minor', ours.amount, 'currency', ours.currency)
      FROM open JOIN ours ON ours.code = open.account AND ours.amount = open.amount_minor
        AND upper(ours.source_id) = ANY(open.tokens)),
    counted AS (
      SELECT *, count(*) OVER (PARTITION BY rank, entry_id) AS entry_fits,
             count(*) OVER (PARTITION BY rank, other) AS other_fits,
             min(rank) OVER (PARTITION BY entry_id) AS entry_best,
             min(rank) OVER (PARTITION BY (rank <= 2), other) AS other_best
      FROM pairs)
    SELECT entry_id, rank, other, evidence FROM counted
    WHERE entry_fits = 1 AND other_fits = 1 AND rank = entry_best AND rank = other_best
      AND (CAST(:entries AS uuid[]) IS NULL OR entry_id = ANY(:entries))"""  # noqa: S608 - constants of ours.
).bindparams(bindparam("entries", type_=ARRAY(Uuid())))
_ADJUSTED = text(
    """
    SELECT entry.id, t.id AS transaction_id FROM statement_entry entry
    JOIN ledger_transaction t ON t.balance_transaction_id = entry.natural_id
    WHERE NOT EXISTS (SELECT FROM statement_match m WHERE m.entry_id = entry.id)
    ORDER BY entry.id LIMIT :most"""
)
RULES = {
    1: ("S5", "trace_id"),
    2: ("S5", "amount_and_days"),
    3: ("S5", "funding_of_stripe"),
    4: ("S7", "our_reference"),
}
SAID = {
    "trace_id": "Stripe's trace id stands on the bank's line, and the amounts are equal.",
    "amount_and_days": "The only payout of this amount in these days, and the only such line that "
    "names Stripe.",
    "funding_of_stripe": "The only top-up of our balance at Stripe of this amount in these days.",
    "our_reference": "The bank repeats our own reference, and the amounts are equal.",
    "received": "Somebody paid us; billing applies it by an exact reference, else by a person.",
    "adjustment": "Two people explained it by an adjustment that names this line.",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """The one thing that a line can be. evidence: what was equal."""

    stage: str
    rule: str
    evidence: dict[str, Any]
    payout_id: str | None = None
    stripe_line_id: str | None = None
    transaction_id: UUID | None = None


def unsettled(session: Session, *, after: UUID | None, limit: int) -> list[StatementEntry]:
    """Lines that nothing explains, after the one with the id `after`."""
    asked = text(
        "SELECT entry.id FROM statement_entry entry WHERE NOT ("  # noqa: S608 - constants.
        + SETTLED
        + ") AND (CAST(:after AS uuid) IS NULL OR entry.id > :after) ORDER BY entry.id LIMIT :most"
    ).bindparams(bindparam("after", type_=Uuid()))
    ids = list(session.scalars(asked, {"after": after, "most": limit}))
    found = select(StatementEntry).where(StatementEntry.id.in_(ids)).order_by(StatementEntry.id)
    return list(session.scalars(found))


def candidates_of(session: Session, entries: Sequence[UUID] | None) -> dict[UUID, Candidate]:
    """What each of these lines is (of all open ones, for None), where it is exactly one thing."""
    found = {}
    named = None if entries is None else list(entries)
    for row in session.execute(_CANDIDATES, {"entries": named}):
        stage, rule = RULES[row.rank]
        found[row.entry_id] = Candidate(
            stage=stage,
            rule=rule,
            evidence=row.evidence,
            payout_id=row.other if row.rank <= 2 else None,
            stripe_line_id=row.other if row.rank == 3 else None,
            transaction_id=UUID(row.other) if row.rank == 4 else None,
        )
    return found


def adjusted(session: Session, limit: int = 500) -> list[tuple[StatementEntry, UUID]]:
    """Lines that an adjustment names and that have no match yet, with the transaction."""
    rows = session.execute(_ADJUSTED, {"most": limit}).all()
    by_id = {row.id: row.transaction_id for row in rows}
    found = select(StatementEntry).where(StatementEntry.id.in_(by_id)).order_by(StatementEntry.id)
    return [(entry, by_id[entry.id]) for entry in session.scalars(found)]
