"""The invariants of what jobs, specialists, refunds, disputes and lines have; SQL, one sentence
a row."""

from collections.abc import Mapping

# Rules by which pay is earned; some of it out of a job's money.
_PAY = (
    "'surplus', 'cannot_complete', 'overturned', 'floor_top_up', 'review_pay', 'qualification_pay'"
)

OWNER_CHECKS: Mapping[str, str] = {
    "I7": f"""
        SELECT format('Job account %s has %s left; %s was reserved or came back, %s accepted or '
                      'released.', a.code, a.balance, coalesce(s.taken, 0), coalesce(s.given, 0))
        FROM ledger_account a LEFT JOIN (
          SELECT e.account_id,
                 -sum(e.amount) FILTER (WHERE t.source_kind IN
                   ('reserve', 'revaccept', 'adjustment')) AS taken,
                 sum(e.amount) FILTER (WHERE t.source_kind IN
                   ('accept', 'release', {_PAY})) AS given
          FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
          JOIN ledger_account j ON j.id = e.account_id AND j.code LIKE 'L:job:%'
          GROUP BY e.account_id) s ON s.account_id = a.id
        WHERE a.code LIKE 'L:job:%'
          AND a.balance <> coalesce(s.taken, 0) - coalesce(s.given, 0)""",  # noqa: S608
    "I9": f"""
        SELECT format('Specialist %s earned %s %s, less what was reversed, but has or was sent %s.',
                      a.owner_id, coalesce(sum(s.earned), 0), a.currency,
                      -sum(a.balance * a.side) + coalesce(sum(s.sent), 0))
        FROM ledger_account a LEFT JOIN (
          SELECT e.account_id,
                 -sum(e.amount) FILTER (WHERE t.source_kind IN
                   ('accept', 'bonus', 'revaccept', 'adjustment', 'write_off', {_PAY})) AS earned,
                 sum(e.amount) FILTER (WHERE t.source_kind IN
                   ('transfer', 'transfer_reversal', 'tax_remitted')) AS sent
          FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
          JOIN ledger_account w ON w.id = e.account_id AND w.stem IN
            ('L:spec:pending', 'L:spec:available', 'L:spec:held', 'L:spec:payout_reserved',
             'A:receivable:spec', 'L:tax_withheld')
          GROUP BY e.account_id) s ON s.account_id = a.id
        WHERE a.stem IN ('L:spec:pending', 'L:spec:available', 'L:spec:held',
                         'L:spec:payout_reserved', 'A:receivable:spec', 'L:tax_withheld')
        GROUP BY a.owner_id, a.currency
        HAVING coalesce(sum(s.earned), 0)
          <> -sum(a.balance * a.side) + coalesce(sum(s.sent), 0)""",  # noqa: S608
    "I9 owed": """
        SELECT format('%s owes %s %s and has %s available, which was not netted.',
                      o.owner_id, o.balance, o.currency, a.balance)
        FROM ledger_account o JOIN ledger_account a ON a.owner_id = o.owner_id
          AND a.currency = o.currency
          AND a.stem = CASE o.stem WHEN 'A:receivable:spec' THEN 'L:spec:available'
                       ELSE 'L:lab:available' END
        WHERE o.stem IN ('A:receivable:spec', 'A:receivable:lab')
          AND o.balance > 0 AND a.balance > 0""",
    # Rule 17: what is on its way are the refunds that neither left nor were given up.
    "I9 refunds": """
        SELECT format('Refunds on their way: %s %s in the account, %s by refund.', a.balance,
                      a.currency, coalesce(s.amount, 0))
        FROM ledger_account a LEFT JOIN (
          SELECT e.account_id, -sum(e.amount) AS amount FROM ledger_transaction t
          JOIN ledger_entry e ON e.transaction_id = t.id
          WHERE t.source_kind = 'refund' AND NOT EXISTS (
            SELECT FROM ledger_transaction o WHERE o.source_id = t.source_id
              AND o.source_kind IN ('refund_sent', 'refund_cancel'))
            AND e.amount < 0
          GROUP BY e.account_id) s ON s.account_id = a.id
        WHERE a.stem = 'L:refund_inflight' AND a.balance <> coalesce(s.amount, 0)""",
    # Rule 18: what is held and contested are the disputes that are open.
    "I9 disputes": """
        SELECT format('%s has %s %s held by disputes, and its open disputes hold %s.',
                      a.owner_id, a.balance, a.currency, coalesce(s.amount, 0))
        FROM ledger_account a LEFT JOIN (
          SELECT e.account_id, -sum(e.amount) AS amount FROM ledger_transaction t
          JOIN ledger_entry e ON e.transaction_id = t.id
          WHERE t.source_kind = 'dispute' AND NOT EXISTS (
            SELECT FROM ledger_transaction o WHERE o.source_id = t.source_id
              AND o.source_kind IN ('dispute_won', 'dispute_lost'))
          GROUP BY e.account_id) s ON s.account_id = a.id
        WHERE a.stem = 'L:lab:dispute_hold' AND a.balance <> coalesce(s.amount, 0)""",
    # The ledger's side of I10; the attempts at Stripe are asked by payouts.
    "I10": """
        SELECT format('Payout line %s set %s aside and sent %s.', t.source_id,
                      coalesce(-r.amount, 0), coalesce(e.amount, 0))
        FROM ledger_transaction t
        LEFT JOIN (ledger_entry e JOIN ledger_account a
                   ON a.id = e.account_id AND a.stem = 'L:spec:payout_reserved')
          ON e.transaction_id = t.id
        LEFT JOIN ledger_transaction w
          ON w.source_kind = 'payout_reserve' AND w.source_id = t.source_id
        LEFT JOIN ledger_entry r ON r.transaction_id = w.id AND r.account_id = e.account_id
        WHERE t.source_kind = 'transfer'
          AND (e.amount IS NULL OR coalesce(-r.amount, 0) <> e.amount)""",
    "I10 back": """
        SELECT format('Of payout line %s came back %s, more than the %s that it sent.', b.line_id,
                      b.amount, coalesce(e.amount, 0))
        FROM (SELECT t.facts ->> 'line_id' AS line_id, sum(e.amount) AS amount
              FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
              JOIN ledger_account a ON a.id = e.account_id AND a.stem = 'A:stripe:balance'
              WHERE t.source_kind = 'transfer_reversal' GROUP BY 1) b
        LEFT JOIN ledger_transaction t ON t.source_kind = 'transfer' AND t.source_id = b.line_id
        LEFT JOIN (ledger_entry e JOIN ledger_account a
                   ON a.id = e.account_id AND a.stem = 'L:spec:payout_reserved')
          ON e.transaction_id = t.id
        WHERE b.amount > coalesce(e.amount, 0)""",
}
