"""The one statement that writes into the book: locks, looks, and writes header and legs at once.

Every posting of the site waits for this round trip, so there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from marketplace.ids import TransactionId
from marketplace.ledger.rules import Posting
from marketplace.ledger.rules.postings import demands

# Nothing is written where an account is missing, has too little, or the source was posted before;
# then the caller looks which it was. The accounts with a floor are locked in one order.
_WRITE = text(
    """WITH known AS MATERIALIZED (SELECT code, id, balance FROM ledger_lock(:codes)),
    header AS (
      INSERT INTO ledger_transaction (id, source_kind, source_id, content_hash, leg_count,
        balance_transaction_id, reverses_id, facts, happened_on, effective_on, posted_at)
      SELECT :id, :source_kind, :source_id, :content_hash, :leg_count,
        :balance_transaction_id, :reverses_id, :facts, :happened_on, :effective_on, :posted_at
      WHERE (SELECT count(*) FROM known) = cardinality(:codes)
        AND NOT EXISTS (SELECT FROM known JOIN unnest(:codes, :needed) AS want(code, needed)
                        USING (code) WHERE known.balance < want.needed)
      ON CONFLICT DO NOTHING RETURNING id)
    INSERT INTO ledger_entry (transaction_id, leg, account_id, amount, currency)
    SELECT header.id, legs.leg, known.id, legs.amount, legs.currency
    FROM header, unnest(:leg_codes, :amounts, :currencies)
      WITH ORDINALITY AS legs(code, amount, currency, leg) JOIN known USING (code)
    RETURNING transaction_id"""
).bindparams(
    bindparam("id", type_=Uuid()),
    bindparam("source_kind", type_=Text()),
    bindparam("source_id", type_=Text()),
    bindparam("content_hash", type_=LargeBinary()),
    bindparam("balance_transaction_id", type_=Text()),
    bindparam("reverses_id", type_=Uuid()),
    bindparam("facts", type_=JSONB()),
    bindparam("codes", type_=ARRAY(Text())),
    bindparam("needed", type_=ARRAY(BigInteger())),
    bindparam("leg_codes", type_=ARRAY(Text())),
    bindparam("amounts", type_=ARRAY(BigInteger())),
    bindparam("currencies", type_=ARRAY(Text())),
)

_LOCK = text("SELECT code, id, balance FROM ledger_lock(:codes)").bindparams(
    bindparam("codes", type_=ARRAY(Text))
)


def written(session: Session, posting: Posting, header: dict[str, object]) -> TransactionId | None:
    """Write a posting whose accounts exist and have enough, else nothing; header: the columns of
    its row."""
    wanted = demands(posting)
    facts = header | {
        "codes": list(wanted),
        "needed": list(wanted.values()),
        "leg_codes": [leg.account.code for leg in posting.legs],
        "amounts": [leg.amount.minor for leg in posting.legs],
        "currencies": [leg.amount.currency for leg in posting.legs],
    }
    added = session.execute(_WRITE, facts).first()
    return None if added is None else TransactionId(added.transaction_id)


def locked(session: Session, codes: Iterable[str]) -> dict[str, tuple[UUID, int]]:
    """The id and the balance of each account that exists, those with a floor locked in order."""
    asked = {"codes": sorted(set(codes))}
    return {code: (found, balance or 0) for code, found, balance in session.execute(_LOCK, asked)}
