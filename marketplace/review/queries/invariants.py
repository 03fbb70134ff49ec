"""What must hold of decisions and pay, asked of the database."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

_SHOWN = 100  # Broken things of one kind that are named; more would not help to mend them.

_CHECKS = (
    # What was earned was posted, once and in full.
    """SELECT format('Accrual %s of %s %s (%s) has %s posted for it.',
                     a.id, a.amount_minor, a.currency, a.kind, coalesce(-e.amount, 0))
    FROM accrual a
    LEFT JOIN submission s ON s.id = a.submission_id
    LEFT JOIN ledger_transaction t ON (t.source_kind, t.source_id) = (
      CASE a.kind WHEN 'accepted' THEN 'accept' ELSE a.kind END,
      CASE a.kind WHEN 'accepted' THEN concat_ws(':', s.id, s.round, a.decision_id)
        ELSE coalesce(a.decision_id, a.submission_id, a.outcome_id,
                      a.bonus_id)::text END)
    LEFT JOIN ledger_account p
      ON p.code = 'L:spec:' || a.specialist_id || ':pending:' || a.currency
    LEFT JOIN ledger_entry e ON e.transaction_id = t.id AND e.account_id = p.id
    WHERE a.amount_minor <> coalesce(-e.amount, 0)""",
    # What was taken back was posted, once and in full, and nothing else was.
    """SELECT format('Accrual %s of %s %s was taken back at %s, and %s is posted for that.',
                     a.id, a.amount_minor, a.currency, a.reversed_at, coalesce(r.amount, 0))
    FROM accrual a LEFT JOIN (
      SELECT t.source_id, sum(e.amount) AS amount FROM ledger_transaction t
      JOIN ledger_entry e ON e.transaction_id = t.id
      JOIN ledger_account p ON p.id = e.account_id
        AND (p.code LIKE 'L:spec:%' OR p.code LIKE 'A:receivable:spec:%')
      WHERE t.source_kind = 'revaccept' GROUP BY t.source_id) r ON r.source_id = a.id::text
    WHERE coalesce(r.amount, 0)
      <> CASE WHEN a.reversed_at IS NULL THEN 0 ELSE a.amount_minor END""",
    # What is pending is what was earned and neither cleared nor taken back.
    """SELECT format('%s has %s %s pending, and %s of accruals that wait.',
                     p.owner_id, p.balance, p.currency, coalesce(a.waiting, 0))
    FROM ledger_account p LEFT JOIN (
      SELECT specialist_id, currency, sum(amount_minor) AS waiting FROM accrual
      WHERE cleared_at IS NULL AND reversed_at IS NULL GROUP BY 1, 2) a
      ON a.specialist_id = p.owner_id AND a.currency = p.currency
    WHERE p.code LIKE 'L:spec:%:pending:%' AND p.balance <> coalesce(a.waiting, 0)""",
    # I8: what a lab was charged is the price that was frozen at the claim, and the job's fee on it;
    # of hourly pay the part for the time that counted, rounded half up.
    """SELECT format('I8: seat %s was priced at %s as it was claimed; accepting submission %s '
                     'charged %s instead of %s.', seat_id, frozen, id, charged,
                     due + (due * fee + 5000) / 10000)
    FROM (
      SELECT s.id, s.seat_id, c.price_minor AS frozen, j.fee_basis_points AS fee,
             CASE WHEN c.paid_seconds_max IS NULL THEN c.price_minor
               ELSE (2 * c.price_minor * greatest(0, least(s.active_seconds, c.paid_seconds_max))
                     + c.paid_seconds_max) / (2 * c.paid_seconds_max) END AS due,
             (SELECT sum(e.amount) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
              WHERE e.transaction_id = t.id AND a.stem = 'L:job:reserved') AS charged
      FROM ledger_transaction t
      JOIN submission s ON s.id = split_part(t.source_id, ':', 1)::uuid
      JOIN claim c ON c.id = s.claim_id JOIN job j ON j.id = s.job_id
      WHERE t.source_kind = 'accept') accepted
    WHERE charged IS DISTINCT FROM due + (due * fee + 5000) / 10000""",
    # Of a line of decisions the last says what the submission is.
    """SELECT format('Submission %s is %s, and the decision %s that stands says %s.',
                     s.id, s.state, d.id, d.verdict)
    FROM decision d JOIN submission s ON s.id = d.submission_id
    WHERE NOT EXISTS (SELECT FROM decision later WHERE later.overturns_id = d.id)
      AND replace(s.state, 'surplus_', '')
        <> CASE d.verdict WHEN 'accept' THEN 'accepted' WHEN 'reject' THEN 'rejected'
             ELSE d.verdict END""",
    # An open appeal is about a verdict that stands; one that was upheld has its answer.
    """SELECT format('Appeal %s is %s, and decision %s that it is about was overturned.',
                     a.id, a.state, a.decision_id)
    FROM appeal a JOIN decision later ON later.overturns_id = a.decision_id
    WHERE a.ended_at IS NULL""",
    """SELECT format('Appeal %s is %s and names answer %s.', id, state, answer_id) FROM appeal
    WHERE subject = 'decision'
      AND (state IN ('upheld', 'lapsed')) <> (answer_id IS NOT NULL)""",
    # A rejection that is held waits for a brake that holds, or that was confirmed just now.
    """SELECT format('Held rejection %s of submission %s waits, and its brake %s is %s.',
                     h.id, h.submission_id, b.id, b.state)
    FROM held_decision h JOIN brake b ON b.id = h.brake_id
    WHERE h.state = 'held' AND (b.state = 'released'
      OR b.ended_at < now() - interval '1 day')""",
    # An answer that was accepted has earned, and no other.
    """SELECT format('Submission %s is %s and has %s accruals.', s.id, s.state, count(a.id))
    FROM submission s LEFT JOIN accrual a ON a.submission_id = s.id AND a.reversed_at IS NULL
    GROUP BY s.id
    HAVING count(a.id) <> (s.state IN ('accepted', 'surplus_accepted'))::int""",
    # What people were promised is set aside.
    """SELECT format('Job %s has %s reserved, and %s may still be owed for work in hand.',
                     owed.job_id, coalesce(r.balance, 0), owed.amount)
    FROM (
      SELECT job_id, sum(price + (price * fee + 5000) / 10000) AS amount FROM (
        SELECT w.job_id, w.price_minor AS price, coalesce(j.fee_basis_points, 0) AS fee
        FROM (SELECT job_id, price_minor FROM claim WHERE state = 'live'
              UNION ALL SELECT job_id, price_minor FROM submission
              WHERE state IN ('submitted', 'in_review')) w
        JOIN job j ON j.id = w.job_id) priced
      GROUP BY job_id) owed
    JOIN job j ON j.id = owed.job_id
    LEFT JOIN ledger_account r ON r.code = 'L:job:' || j.id || ':reserved:' || j.currency
    WHERE coalesce(r.balance, 0) < owed.amount""",
)


def broken_invariants(session: Session) -> list[str]:
    """One sentence for each thing about pay that is broken; empty when all is sound."""
    broken: list[str] = []
    for check in _CHECKS:
        broken += session.scalars(text(f"{check} LIMIT {_SHOWN}"))
    return broken
