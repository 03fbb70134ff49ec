"""The verbs of provenance: keep the heads of chains."""

from __future__ import annotations

from datetime import date

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock, secrets
from marketplace.delivery import queries
from marketplace.delivery.models import DayHead
from marketplace.verify.proof import HEAD, head_statement
from marketplace.verify.seal import signed_bytes


def keep_heads(session: Session, day: date, *, limit: int) -> int:
    """Sign and keep the heads of at most `limit` chains that grew since; how many were looked at.

    A chain whose head of that day is kept already keeps it: the first says what stood there.
    """
    heads = queries.unsigned_heads(session, day, limit=limit)
    rows = []
    for head in heads:
        stated = head_statement(head.scope, day.isoformat(), head.number, bytes(head.hash))
        made = secrets.sign(signed_bytes(HEAD, stated))
        rows.append(
            {
                "scope": head.scope,
                "day": day,
                "number": head.number,
                "hash": bytes(head.hash),
                "key_id": made.key_id,
                "signature": made.signature,
                "signed_at": clock.now(),
            }
        )
    if rows:
        session.execute(insert(DayHead).on_conflict_do_nothing(), rows)
    return len(heads)
