"""What must always be true of the book, asked of the database; each answer names what is broken.

The numbers are those of the chart's invariants. The database's guards make them true; this asks
anyway, in full, because a restored, repaired or migrated database has passed no guard.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace.ledger.models import LINKED, LedgerTransaction
from marketplace.ledger.rules.chain import Linked, linked
from marketplace.secrets import chain_hash

_SHOWN = 100  # Broken things of one kind that are named; more would not help to mend them.

_CHECKS = {
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
    "I3": """
        SELECT format('Account %s is overdrawn: %s %s.', a.code, sum(e.amount) * a.side, a.currency)
        FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
        WHERE a.floor GROUP BY a.id HAVING sum(e.amount) * a.side < 0""",
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
        SELECT format('The turnover of account %s is %s and its numbered entries sum to %s.',
                      coalesce(k.account_id, s.account_id), coalesce(k.amount, 0),
                      coalesce(s.amount, 0))
        FROM (SELECT account_id, sum(amount) AS amount FROM ledger_turnover
              WHERE basis = 'posted' GROUP BY 1) k
        FULL JOIN (SELECT e.account_id, sum(e.amount) AS amount FROM ledger_entry e
                   JOIN ledger_transaction t ON t.id = e.transaction_id
                   WHERE t.number IS NOT NULL GROUP BY 1) s USING (account_id)
        WHERE coalesce(k.amount, 0) <> coalesce(s.amount, 0)""",
    "I7": """
        SELECT format('Job account %s has %s left; %s was reserved or came back, %s accepted or '
                      'released.', a.code, a.balance, coalesce(s.taken, 0), coalesce(s.given, 0))
        FROM ledger_account a LEFT JOIN (
          SELECT e.account_id,
                 -sum(e.amount) FILTER (WHERE t.source_kind IN ('reserve', 'revaccept')) AS taken,
                 sum(e.amount) FILTER (WHERE t.source_kind IN
                   ('accept', 'release', 'surplus', 'cannot_complete', 'overturned')) AS given
          FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
          GROUP BY e.account_id) s ON s.account_id = a.id
        WHERE a.code LIKE 'L:job:%'
          AND a.balance <> coalesce(s.taken, 0) - coalesce(s.given, 0)""",
    "I9": """
        SELECT format('Specialist %s earned %s %s, less what was reversed, but has or was sent %s.',
                      a.owner_id, coalesce(sum(s.earned), 0), a.currency,
                      -sum(a.balance * a.side) + coalesce(sum(s.sent), 0))
        FROM ledger_account a LEFT JOIN (
          SELECT e.account_id,
                 -sum(e.amount) FILTER (WHERE t.source_kind IN
                   ('accept', 'surplus', 'cannot_complete', 'overturned', 'revaccept')) AS earned,
                 sum(e.amount) FILTER (WHERE t.source_kind = 'transfer') AS sent
          FROM ledger_entry e JOIN ledger_transaction t ON t.id = e.transaction_id
          GROUP BY e.account_id) s ON s.account_id = a.id
        WHERE a.code LIKE 'L:spec:%' OR a.code LIKE 'A:receivable:spec:%'
        GROUP BY a.owner_id, a.currency
        HAVING coalesce(sum(s.earned), 0)
          <> -sum(a.balance * a.side) + coalesce(sum(s.sent), 0)""",
    "I9 owed": """
        SELECT format('Specialist %s owes %s %s and has %s available, which was not netted.',
                      o.owner_id, o.balance, o.currency, a.balance)
        FROM ledger_account o JOIN ledger_account a ON a.owner_id = o.owner_id
          AND a.code = 'L:spec:' || o.owner_id || ':available:' || o.currency
        WHERE o.code LIKE 'A:receivable:spec:%' AND o.balance > 0 AND a.balance > 0""",
    "I12": """
        SELECT format('Transaction %s was posted into %s after that month was closed.',
                      t.id, to_char(p.month, 'YYYY-MM'))
        FROM ledger_period p JOIN ledger_transaction t
          ON t.effective_on >= p.month AND t.effective_on < p.month + interval '1 month'
        WHERE p.state = 'closed' AND t.posted_at > p.closed_at""",
    "I14": """
        SELECT format('Custody in %s has %s in assets and %s in liabilities.', currency,
                      sum(balance) FILTER (WHERE kind = 'custody_asset'),
                      sum(balance) FILTER (WHERE kind = 'custody_liability'))
        FROM ledger_account WHERE kind IN ('custody_asset', 'custody_liability')
        GROUP BY currency HAVING sum(balance * side) <> 0""",
}


def broken_invariants(session: Session) -> list[str]:
    """One sentence for each thing that is broken, with the invariant's number; empty when sound."""
    broken = []
    for name, check in _CHECKS.items():
        rows = session.execute(text(f"{check} LIMIT {_SHOWN}"))
        broken += [f"{name.split()[0]}: {sentence}" for (sentence,) in rows]
    return broken


def broken_links(session: Session) -> list[str]:
    """Where the chain of numbered transactions does not follow from what it is made of.

    Reads the whole chain, one batch at a time; stops at the first break, since all that follows
    hangs on it.
    """
    chain = (
        select(*LINKED, LedgerTransaction.number, LedgerTransaction.chain_hash)
        .where(LedgerTransaction.number.is_not(None))
        .order_by(LedgerTransaction.number)
    )
    link = b""
    with session.execute(chain, execution_options={"yield_per": 1_000}) as rows:
        for expected, row in enumerate(rows, start=1):
            if row.number != expected:
                return [f"Transaction number {expected} is missing from the chain."]
            link = chain_hash(link, linked(expected, cast(Linked, row)))
            if link != bytes(row.chain_hash):
                return [f"Transaction {row.id} (number {row.number}) was altered after numbering."]
    return []
