"""The sequencer: numbers and hash-chains facts after they have committed, many in a statement."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, NamedTuple

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace.outbox.facts import ALL, EVENTS_LOCK, ChainHead, Event

BATCH = 2_000
PENDING = (
    select(
        Event.id,
        Event.kind,
        Event.subject_id,
        Event.facts,
        Event.announced_at,
        Event.organisation_id,
        Event.job_id,
        Event.person_id,
    )
    .where(Event.number.is_(None))
    .order_by(Event.id)
)
NUMBERED = text(
    """UPDATE event SET number = told.number,
      organisation_number = told.organisation_number, organisation_hash = told.organisation_hash,
      job_number = told.job_number, job_hash = told.job_hash, person_number = told.person_number
    FROM unnest(
      CAST(:ids AS uuid[]), CAST(:numbers AS bigint[]),
      CAST(:organisation_numbers AS bigint[]), CAST(:organisation_hashes AS bytea[]),
      CAST(:job_numbers AS bigint[]), CAST(:job_hashes AS bytea[]),
      CAST(:person_numbers AS bigint[])
    ) AS told(id, number, organisation_number, organisation_hash, job_number, job_hash,
              person_number)
    WHERE event.id = told.id"""
)
HEADS = text(
    """INSERT INTO chain_head (scope, number, hash)
    SELECT * FROM unnest(CAST(:scopes AS text[]), CAST(:numbers AS bigint[]),
                         CAST(:hashes AS bytea[]))
    ON CONFLICT (scope) DO UPDATE SET number = excluded.number, hash = excluded.hash"""
)


@dataclass(slots=True)
class _Head:
    number: int = 0
    hash: bytes = b""


class _Link(NamedTuple):
    number: int | None = None
    hash: bytes | None = None


NONE = _Link()


@dataclass(slots=True)
class _Told:
    """What a batch of facts is given, a list for each column."""

    numbers: list[int] = field(default_factory=list)
    organisations: list[_Link] = field(default_factory=list)
    jobs: list[_Link] = field(default_factory=list)
    people: list[int | None] = field(default_factory=list)


def number_events(session: Session, *, limit: int = BATCH) -> int:
    """Number and chain committed facts, oldest id first; how many were numbered.

    Runs under a transaction's advisory lock; a second sequencer numbers nothing meanwhile. A batch
    is read, hashed here, and written by two statements: rows written one by one took ten times as
    long.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(EVENTS_LOCK))):
        return 0
    rows = session.execute(PENDING.limit(limit)).all()
    if not rows:
        return 0
    heads = _heads(session, {scope for row in rows for scope in _scopes(row)})
    told = _Told()
    for row in rows:
        _tell(row, heads, told)
    _write(session, [row.id for row in rows], told, heads)
    return len(rows)


def _scopes(row: Any) -> Iterable[str]:
    yield ALL
    if row.organisation_id is not None:
        yield f"organisation:{row.organisation_id}"
    if row.job_id is not None:
        yield f"job:{row.job_id}"
    if row.person_id is not None:
        yield f"person:{row.person_id}"


def _heads(session: Session, scopes: set[str]) -> dict[str, _Head]:
    """The heads of these chains; a new one where there is none."""
    found = select(ChainHead.scope, ChainHead.number, ChainHead.hash)
    rows = session.execute(found.where(ChainHead.scope.in_(scopes)))
    known = {scope: _Head(number, bytes(link)) for scope, number, link in rows}
    return {scope: known.get(scope) or _Head() for scope in scopes}


def _tell(row: Any, heads: dict[str, _Head], told: _Told) -> None:
    before, after = _around_the_number(row)
    told.numbers.append(_next(heads[ALL], before, after).number or 0)
    chained = []
    for name, scope_id in (("organisation", row.organisation_id), ("job", row.job_id)):
        none = scope_id is None
        chained.append(NONE if none else _next(heads[f"{name}:{scope_id}"], before, after))
    told.organisations.append(chained[0])
    told.jobs.append(chained[1])
    # A person's own feed is numbered and not chained: it is a cursor, and proves nothing.
    if row.person_id is not None:
        heads[f"person:{row.person_id}"].number += 1
    own = None if row.person_id is None else heads[f"person:{row.person_id}"].number
    told.people.append(own)


def _around_the_number(row: Any) -> tuple[str, str]:
    """The canonical JSON of a link (see `secrets.chain_hash`, `facts.linked`), but for its number.

    It differs between a fact's chains in nothing else, and is made once.
    """
    linked = {
        "announced_at": row.announced_at.astimezone(UTC).isoformat(),
        "facts": row.facts,
        "id": str(row.id),
        "kind": row.kind,
    }
    head = json.dumps(linked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f'{head[:-1]},"number":', f',"subject_id":"{row.subject_id}"}}'


def _next(head: _Head, before: str, after: str) -> _Link:
    head.number += 1
    content = f"{before}{head.number}{after}"
    head.hash = hashlib.sha256(head.hash + content.encode()).digest()
    return _Link(head.number, head.hash)


def _write(session: Session, ids: Sequence[Any], told: _Told, heads: dict[str, _Head]) -> None:
    session.execute(
        NUMBERED,
        {
            "ids": list(ids),
            "numbers": told.numbers,
            "organisation_numbers": [each.number for each in told.organisations],
            "organisation_hashes": [each.hash for each in told.organisations],
            "job_numbers": [each.number for each in told.jobs],
            "job_hashes": [each.hash for each in told.jobs],
            "person_numbers": told.people,
        },
    )
    session.execute(
        HEADS,
        {
            "scopes": list(heads),
            "numbers": [each.number for each in heads.values()],
            "hashes": [each.hash for each in heads.values()],
        },
    )
