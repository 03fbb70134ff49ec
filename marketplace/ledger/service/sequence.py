"""The sequencer's part: committed transactions get their numbers and the links of their chain."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, LargeBinary, Uuid, bindparam, func, select, text
from sqlalchemy.orm import Session

from marketplace.ledger.models import LINKED, LedgerTransaction
from marketplace.ledger.rules.chain import Linked, linked
from marketplace.ledger.service.days import seal_day
from marketplace.secrets import chain_hash

LEDGER_LOCK = 7_303  # The advisory lock that makes the sequencer the only one.

_NUMBER = text(
    """UPDATE ledger_transaction t SET number = link.number, chain_hash = link.hash
    FROM unnest(:ids, :numbers, :hashes) AS link(id, number, hash) WHERE t.id = link.id"""
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("numbers", type_=ARRAY(BigInteger)),
    bindparam("hashes", type_=ARRAY(LargeBinary)),
)


def number_transactions(session: Session, *, limit: int = 500) -> int:
    """Number and chain committed transactions, oldest id first; how many were numbered.

    Runs under a transaction's advisory lock; a second sequencer numbers nothing meanwhile. The
    database adds what is numbered to the daily turnovers. The head of a day that has ended is
    kept (`ledger_day`).
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(LEDGER_LOCK))):
        return 0
    number, link = _head(session)
    pending = (
        select(*LINKED)
        .where(LedgerTransaction.number.is_(None))
        .order_by(LedgerTransaction.id)
        .limit(limit)
    )
    ids: list[UUID] = []
    hashes: list[bytes] = []
    for row in session.execute(pending):
        ids.append(row.id)
        link = chain_hash(link, linked(number + len(ids), cast(Linked, row)))
        hashes.append(link)
    if ids:
        numbers = list(range(number + 1, number + 1 + len(ids)))
        session.execute(_NUMBER, {"ids": ids, "numbers": numbers, "hashes": hashes})
    if len(ids) < limit:  # Nothing waits for its number any more.
        seal_day(session, number + len(ids), link)
    return len(ids)


def _head(session: Session) -> tuple[int, bytes]:
    last = session.execute(
        select(LedgerTransaction.number, LedgerTransaction.chain_hash)
        .where(LedgerTransaction.number.is_not(None))
        .order_by(LedgerTransaction.number.desc())
        .limit(1)
    ).first()
    return (last.number, bytes(last.chain_hash)) if last else (0, b"")
