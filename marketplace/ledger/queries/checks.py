"""The invariants of the book as such: sums, sources, caches, months; SQL, one sentence a row."""

from collections.abc import Mapping

BOOK_CHECKS: Mapping[str, str] = {
    "I1": """
        SELECT format('Transaction %s sums to %s %s instead of zero.',
                      transaction_id, sum(amount), currency)
        FROM ledger_entry GROUP BY transaction_id, currency HAVING sum(amount) <> 0""",
    "I1 legs": """
        SELECT format('Transaction %s has %s legs and states %s.', t.id, count(e.leg), t.leg_count)
        FROM ledger_transaction t LEFT JOIN ledger_entry e ON e.transaction_id = t.id
        GROUP BY t.id HAVING count(e.leg) <> t.leg_count OR count(e.leg) < 2""",
    "I1 currency": """
        SELECT format('Leg %s of transaction %s is not in its account''s currency.',
                      e.leg, e.transaction_id)
        FROM ledger_entry e LEFT JOIN ledger_account a ON a.id = e.account_id
        WHERE a.id IS NULL OR a.currency <> e.currency""",
    "I2": """
        SELECT format('Transaction %s is reversed %s times.', reverses_id, count(*))
        FROM ledger_transaction WHERE reverses_id IS NOT NULL
        GROUP BY reverses_id HAVING count(*) > 1""",
    "I2 mirror": """
        SELECT format('Transaction %s is not the mirror of %s.', t.id, t.reverses_id)
        FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id IN (t.id, t.reverses_id)
        WHERE t.reverses_id IS NOT NULL
        GROUP BY t.id, t.reverses_id, e.account_id HAVING sum(e.amount) <> 0""",
    "I3": """
        SELECT format('Account %s is overdrawn: %s %s.', a.code, sum(e.amount) * a.side, a.currency)
        FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
        WHERE a.floor GROUP BY a.id HAVING sum(e.amount) * a.side < 0""",
    "I3 chart": """
        SELECT format('Account %s is not of the chart.', code) FROM ledger_account
        WHERE stem <> ALL (ARRAY[
          'A:stripe:balance', 'A:stripe:reserved', 'A:stripe:to_bank', 'A:stripe:topup_in_transit',
          'A:bank:operating', 'A:bank:client_funds', 'A:dispute_receivable', 'A:receivable:lab',
          'A:receivable:spec', 'L:lab:pending', 'L:lab:available', 'L:lab:dispute_hold',
          'L:job:reserved', 'L:job:contingency', 'L:spec:pending', 'L:spec:available',
          'L:spec:held', 'L:spec:payout_reserved', 'L:refund_inflight', 'L:unapplied',
          'L:tax_withheld', 'I:platform_fee', 'I:fx_gain', 'E:fx_loss', 'E:stripe:processing',
          'E:stripe:dispute_fee', 'E:stripe:connect_fee', 'E:stripe:unclassified',
          'E:chargeback_loss', 'E:goodwill', 'E:writeoff', 'X:trading', 'C:A:connected',
          'C:A:to_bank', 'C:L:in_connected']) AND stem NOT LIKE 'L:suspense:%'""",
    "I3 floor": """
        SELECT format('Account %s %s a floor.', code, CASE WHEN floor THEN 'has' ELSE 'lacks' END)
        FROM ledger_account WHERE floor <> (
          stem LIKE 'L:lab:%' OR stem LIKE 'L:job:%' OR stem LIKE 'L:spec:%' OR stem LIKE 'C:%'
          OR stem LIKE 'A:receivable:%'
          OR stem IN ('L:tax_withheld', 'L:unapplied', 'L:refund_inflight'))""",
    "I4": """
        SELECT format('Source %s %s was posted %s times.', source_kind, source_id, count(*))
        FROM ledger_transaction GROUP BY source_kind, source_id HAVING count(*) > 1""",
    "I4 content": """
        SELECT format('Transaction %s is not what its hash was made of.', id)
        FROM ledger_transaction WHERE content_hash <> ledger_content_hash(id)""",
    "I5": """
        SELECT format('Account %s has %s in its cache and %s in its entries.',
                      a.code, a.balance, coalesce(sum(e.amount), 0) * a.side)
        FROM ledger_account a LEFT JOIN ledger_entry e ON e.account_id = a.id
        WHERE a.floor GROUP BY a.id HAVING a.balance <> coalesce(sum(e.amount), 0) * a.side""",
    "I5 turnover": """
        SELECT format('The turnover (%s) of account %s on %s is %s and its entries sum to %s.',
                      coalesce(k.basis, s.basis), coalesce(k.account_id, s.account_id),
                      coalesce(k.on_day, s.on_day), coalesce(k.amount, 0), coalesce(s.amount, 0))
        FROM ledger_turnover k
        FULL JOIN (
          SELECT e.account_id, day.basis, day.on_day, sum(e.amount) AS amount, count(*) AS entries
          FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
          CROSS JOIN LATERAL (VALUES ('posted', (t.posted_at AT TIME ZONE 'UTC')::date),
                                     ('effective', t.effective_on)) AS day(basis, on_day)
          WHERE t.number IS NOT NULL GROUP BY 1, 2, 3) s
          ON s.account_id = k.account_id AND s.basis = k.basis AND s.on_day = k.on_day
        WHERE coalesce(k.amount, 0) <> coalesce(s.amount, 0)
           OR coalesce(k.entry_count, 0) <> coalesce(s.entries, 0)""",
    "I5 closing": """
        SELECT format('Account %s closed %s (%s) with %s; its turnovers sum to %s.',
                      account_id, on_day, basis, closing, summed)
        FROM (SELECT account_id, basis, on_day, closing,
                     sum(amount) OVER (PARTITION BY account_id, basis ORDER BY on_day) AS summed
              FROM ledger_turnover) each WHERE closing <> summed""",
    # Each stretch that a month was closed for, from its mark to the mark that reopened it.
    "I12": """
        SELECT format('Transaction %s was posted into %s after that month was closed.',
                      t.id, to_char(m.month, 'YYYY-MM'))
        FROM (SELECT month, step, at, lead(at) OVER (PARTITION BY month ORDER BY nth) AS until
              FROM ledger_period_mark) m
        JOIN ledger_transaction t
          ON t.effective_on >= m.month AND t.effective_on < m.month + interval '1 month'
        WHERE m.step = 'closed' AND t.posted_at > m.at
          AND (m.until IS NULL OR t.posted_at < m.until)""",
    "I12 marks": """
        SELECT format('Month %s is %s, and its last mark says %s.', to_char(p.month, 'YYYY-MM'),
                      p.state, coalesce(m.step, 'nothing'))
        FROM ledger_period p LEFT JOIN LATERAL (
          SELECT step FROM ledger_period_mark k WHERE k.month = p.month
          ORDER BY nth DESC LIMIT 1) m ON true
        WHERE p.state <> coalesce(m.step, 'open')""",
    "I14": """
        SELECT format('Custody in %s has %s in assets and %s in liabilities.', currency,
                      sum(balance) FILTER (WHERE kind = 'custody_asset'),
                      sum(balance) FILTER (WHERE kind = 'custody_liability'))
        FROM ledger_account WHERE kind IN ('custody_asset', 'custody_liability')
        GROUP BY currency HAVING sum(balance * side) <> 0""",
    "I15": """
        SELECT format('%s %s was proposed and approved by %s.', source_kind, source_id,
                      coalesce(facts ->> 'proposed_by', 'nobody'))
        FROM ledger_transaction WHERE source_kind IN ('adjustment', 'write_off', 'tax_remitted')
          AND (facts ->> 'proposed_by' IS NULL OR facts ->> 'approved_by' IS NULL
               OR facts ->> 'proposed_by' = facts ->> 'approved_by')""",
    "I15 months": """
        SELECT format('Month %s was reopened by one person.', to_char(month, 'YYYY-MM'))
        FROM ledger_period_mark WHERE step = 'reopened'
          AND (person_id IS NULL OR second_person_id IS NULL OR person_id = second_person_id)""",
}
