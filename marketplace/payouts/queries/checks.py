"""What must always be true of payouts: asked by the self-check, each rule with its SQL."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.orm import Session

INVARIANTS: Mapping[str, str] = {
    "payouts: what is set aside": """
    SELECT format('%s has %s set aside in the book and %s %s in payout lines.',
                  coalesce(b.code, l.code), coalesce(b.balance, 0), coalesce(l.minor, 0),
                  right(coalesce(b.code, l.code), 3))
    FROM (SELECT code, balance FROM ledger_account
          WHERE split_part(code, ':', 4) = 'payout_reserved') b
    FULL JOIN (SELECT format('L:spec:%s:payout_reserved:%s', specialist_id, currency) AS code,
                      sum(amount_minor) AS minor
               FROM payout_line WHERE state IN ('draft', 'approved', 'submitting', 'unknown')
               GROUP BY 1) l ON l.code = b.code
    WHERE coalesce(b.balance, 0) <> coalesce(l.minor, 0)""",
    "payouts: what is sent is posted": """
    SELECT format('Payout line %s is transferred by %s and not posted so.', l.id, l.transfer_id)
    FROM payout_line l LEFT JOIN ledger_transaction t
      ON t.source_kind = 'transfer' AND t.source_id = l.id::text
    WHERE l.state = 'transferred'
      AND t.balance_transaction_id IS DISTINCT FROM l.balance_transaction_id""",
    "payouts: runs that have ended": """
    SELECT format('Payout run %s has ended, and lines in it have not.', r.reference)
    FROM payout_run r WHERE r.state IN ('sent', 'partially_sent', 'cancelled') AND EXISTS (
      SELECT 1 FROM payout_line l WHERE l.run_id = r.id AND l.ended_at IS NULL)""",
    # At most one live transfer for a line, and together no more than its amount.
    "I10 attempts": """
    SELECT format('Payout line %s has %s live attempts.', line_id, count(*))
    FROM payout_attempt WHERE state IN ('open', 'transferred')
    GROUP BY line_id HAVING count(*) > 1""",
    "I10 ended": """
    SELECT format('Payout line %s is %s, and an attempt of it is open.', l.id, l.state)
    FROM payout_line l JOIN payout_attempt a ON a.line_id = l.id AND a.state = 'open'
    WHERE l.ended_at IS NOT NULL""",
    "I10 amounts": """
    SELECT format('Payout line %s of %s sent %s.', l.id, l.amount_minor, -e.amount)
    FROM payout_line l
    JOIN ledger_transaction t ON t.source_kind = 'transfer' AND t.source_id = l.id::text
    JOIN ledger_entry e ON e.transaction_id = t.id
    JOIN ledger_account c ON c.id = e.account_id AND c.code = 'A:stripe:balance:' || l.currency
    WHERE -e.amount <> l.amount_minor""",
    "I10 taken back": """
    SELECT format('Payout line %s says %s taken back; its reversals say %s.',
                  l.id, l.reversed_minor, coalesce(r.minor, 0))
    FROM payout_line l LEFT JOIN (
      SELECT line_id, sum(amount_minor) AS minor FROM payout_reversal
      WHERE state = 'reversed' GROUP BY line_id) r ON r.line_id = l.id
    WHERE l.reversed_minor <> coalesce(r.minor, 0)""",
    # Whoever approves did not make it, and what they approved is what it says.
    "I15 content": """
    SELECT format('Payout run %s is approved for other content.', reference)
    FROM payout_run WHERE state IN ('approved', 'releasing', 'sent', 'partially_sent')
      AND approved_sha256 IS DISTINCT FROM content_sha256""",
    "I15 people": """
    SELECT format('Payout run %s has %s approvals and needs %s.',
                  r.reference, count(a.id), r.approvals_needed)
    FROM payout_run r LEFT JOIN payout_approval a
      ON a.run_id = r.id AND a.content_sha256 = r.content_sha256 AND a.person_id <> r.prepared_by
    WHERE r.state IN ('approved', 'releasing', 'sent', 'partially_sent')
    GROUP BY r.id HAVING count(a.id) < r.approvals_needed""",
    "I15 reversals": """
    SELECT format('Reversal %s was approved by whoever asked for it.', id)
    FROM payout_reversal WHERE approved_by = asked_by""",
}


def broken_invariants(session: Session) -> list[str]:
    """What must always be true of payouts and is not, one sentence each; for the self-check."""
    return [
        str(told)
        for check in INVARIANTS.values()
        for told in session.scalars(text(f"{check} LIMIT 100"))
    ]
