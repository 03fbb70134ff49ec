"""Idempotency keys: what an API call answered, kept with its effect for 24 hours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.models import IdempotencyRecord

KEPT = timedelta(hours=24)
KEY_LENGTH_MAX = 255


class KeyReused(Conflict):
    """The key came before, with another body."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """The first call with this key has not ended yet."""

    code = "idempotency_in_flight"


@dataclass(frozen=True, slots=True)
class Call:
    """What a key is scoped to: the token, the method, the path, and the key itself."""

    token_id: UUID
    method: str
    path: str
    key: str

    def __post_init__(self) -> None:
        if not 0 < len(self.key) <= KEY_LENGTH_MAX or not self.key.isprintable():
            fault = Fault("", f"Send 1 to {KEY_LENGTH_MAX} printable characters.")
            raise Faulty("The Idempotency-Key cannot be used.", [fault])

    def digest(self) -> str:
        """A text of 64 characters that stands for this call, for a row's own unique key."""
        parts = "\n".join((str(self.token_id), self.method, self.path, self.key))
        return hashlib.sha256(parts.encode()).hexdigest()


def begin(session: Session, call: Call) -> IdempotencyRecord | None:
    """What this call answered before, or None when this is the first time.

    Holds the call until the transaction ends; StillRunning while another transaction holds it.
    """
    lock = int.from_bytes(bytes.fromhex(call.digest())[:8], "big", signed=True)
    if not session.scalar(select(func.pg_try_advisory_xact_lock(lock))):
        raise StillRunning("The first call with this Idempotency-Key is still running.")
    record = session.get(IdempotencyRecord, (call.token_id, call.method, call.path, call.key))
    if record is not None and record.created_at <= clock.now() - KEPT:
        session.delete(record)
        session.flush()  # The same key may come again in this transaction.
        return None
    return record


def replay(record: IdempotencyRecord, request_sha256: bytes) -> tuple[str, int]:
    """The body and status that were answered; KeyReused when the request differs."""
    if record.request_sha256 != request_sha256:
        raise KeyReused("This Idempotency-Key was used with another request. Make a new key.")
    return record.body, record.status


def remember(
    session: Session, call: Call, *, request_sha256: bytes, status: int, body: str
) -> None:
    """Keep the answer in the transaction of its effect; secrets were taken out of `body`."""
    session.add(
        IdempotencyRecord(
            token_id=call.token_id,
            method=call.method,
            path=call.path,
            key=call.key,
            request_sha256=request_sha256,
            status=status,
            body=body,
            created_at=clock.now(),
        )
    )


def forget_old(session: Session) -> None:
    """Delete answers older than 24 hours."""
    old = IdempotencyRecord.created_at <= clock.now() - KEPT
    session.execute(delete(IdempotencyRecord).where(old))
