"""Reading what an export holds: a server-side cursor over its judgements, made into records.

The rows come as plain tuples with their JSON as text, a batch ahead of whoever reads them: loading
them as rows of models takes longer than everything else together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

import orjson
import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy.orm import Session

from marketplace.delivery.models import Export
from marketplace.delivery.queries import frozen
from marketplace.delivery.queries.additions import Additions, additions_of
from marketplace.delivery.queries.standing import (
    GILDED,
    STATE,
    after,
    conditions,
    later,
    values,
)
from marketplace.delivery.rules import Labelling
from marketplace.delivery.rules.labelling import Believed
from marketplace.quality.rules.believing import Estimate
from marketplace.tasktypes import AuthoredJudgement, Record
from marketplace.tasktypes.exports import Policy

BATCH_ROWS = 1_000
BATCH_BYTES = 8 * 1024 * 1024
PAYLOAD = 3  # Its place in the statement below.
Row = Any  # A row of the statement below, by the names of its columns.
_NAMED = re.compile(r"(?<!:):(\w+)")
_REGILDED = """regilded AS MATERIALIZED (
  SELECT DISTINCT ON (event.subject_id) event.subject_id,
    (event.facts->>'was_gold')::boolean AS was_gold
  FROM event WHERE event.job_id = :job_id AND {after} AND event.kind = '{kind}'
  ORDER BY event.subject_id, event.job_number NULLS LAST, event.id
)"""
_GIVEN = """SELECT submission.*, {state} AS stood FROM submission
  LEFT JOIN later ON later.subject_id = submission.id
  WHERE submission.job_id = :job_id AND {conditions}"""
_COLUMNS = """item.position, item.id::text AS item_id, item.external_id,
  item.payload::text AS payload, coalesce(regilded.was_gold, item.gold IS NOT NULL) AS is_gold,
  given.id::text AS id, given.judgement::text AS judgement, given.rationale, given.confidence,
  given."references"::text AS references_, given.ai_use::text AS ai_use,
  given.rationale_claims::text AS rationale_claims, given.flags, given.spent::text AS spent,
  given.repeats_submission_id::text AS repeats, given.stood,
  given.presented_order, given.credential_level, given.active_seconds, given.round,
  given.claimed_at, given.submitted_at, given.specialist_id, given.template_version_id"""
_BELIEVED = """, belief.units::text AS units, settled.judgement::text AS settled"""
_SURPLUS = frozenset({"surplus", "surplus_in_review", "surplus_accepted", "surplus_rejected"})


def records(
    session: Session,
    export: Export,
    *,
    first: int = 0,
    last: int | None = None,
    policy: str | None = None,
    known: frozen.Frozen | None = None,
) -> Iterator[Record]:
    """The records of the items after position `first` up to `last`, in the order of the items.

    policy: another than the export's own. known: what `frozen.frozen_of` gave, for who reads part
    by part. The session's transaction stays open until the last record is taken.
    """
    policy = policy or export.policy
    known = known or frozen.frozen_of(session, export)
    maker = _Maker(session, export, policy, known)
    statement, bound = _statement(export, policy, known, first, last)
    for batch in _batches(session, statement, bound):
        yield from maker.records(batch)
    yield from maker.rest()


def _statement(
    export: Export, policy: str, known: frozen.Frozen, first: int, last: int | None
) -> tuple[str, dict[str, Any]]:
    believed = policy == Policy.MODEL
    given = _GIVEN.format(state=STATE, conditions=conditions(export, policy))
    regilded = _REGILDED.format(after=after(export), kind=GILDED)
    most = "" if last is None else "AND item.position <= :last"
    beliefs, left = (known.beliefs, "LEFT ") if believed else ("", "")
    # Only names and conditions of our own stand in it; values are bound.
    statement = f"""WITH {later(export)}, {regilded}
SELECT {_COLUMNS}{_BELIEVED if believed else ""}
FROM item {left}JOIN task ON task.item_id = item.id
  {left}JOIN ({given}) AS given ON given.task_id = task.id
  {beliefs}
  LEFT JOIN regilded ON regilded.subject_id = item.id
WHERE item.job_id = :job_id AND item.position > :first {most}
ORDER BY item.position, given.id"""  # noqa: S608
    bound = values(export) | {"first": first, "last": last, "export_id": export.id}
    return _NAMED.sub(r"%(\1)s", statement), bound


def _batches(session: Session, statement: str, bound: Mapping[str, Any]) -> Iterator[Sequence[Row]]:
    """The rows, a batch ahead: the server makes the next ones while these are being written."""
    session.flush()
    driver = cast("psycopg.Connection[Any]", session.connection().connection.driver_connection)
    with (
        driver.cursor("export_rows", row_factory=namedtuple_row) as cursor,
        ThreadPoolExecutor(1) as ahead,
    ):
        cursor.execute(statement, bound, binary=True)
        wanted = BATCH_ROWS
        coming = ahead.submit(cursor.fetchmany, 100)
        while batch := cast("list[Row]", coming.result()):
            heavy = max(1, sum(len(row[PAYLOAD]) for row in batch) // len(batch))
            wanted = max(1, min(BATCH_ROWS, BATCH_BYTES // heavy))
            coming = ahead.submit(cursor.fetchmany, wanted)
            yield batch


class _Maker:
    """Makes records of rows; an item's rows may come in two batches."""

    def __init__(self, session: Session, export: Export, policy: str, known: frozen.Frozen) -> None:
        self._session, self._export, self._policy, self._known = session, export, policy, known
        self._kept: list[Row] = []  # The rows of an item that may go on in the next batch.

    def records(self, batch: Sequence[Row]) -> Iterator[Record]:
        """The records of all items but the last, which may not be whole yet."""
        rows = [*self._kept, *batch]
        last = rows[-1].item_id
        cut = next(at for at in range(len(rows) - 1, -2, -1) if at < 0 or rows[at].item_id != last)
        self._kept = rows[cut + 1 :]
        yield from self._made(rows[: cut + 1])

    def rest(self) -> Iterator[Record]:
        """The last record."""
        rows, self._kept = self._kept, []
        yield from self._made(rows)

    def _made(self, rows: Sequence[Row]) -> Iterator[Record]:
        if not rows:
            return
        more = additions_of(self._session, self._export, rows, self._known)
        for _, group in groupby(rows, attrgetter("item_id")):
            record = self._record(list(group), more)
            if record is not None:
                yield record

    def _record(self, rows: Sequence[Row], more: Additions) -> Record | None:
        first, known = rows[0], self._known
        version = known.version(first.template_version_id)
        judgements = tuple(self._authored(row, more) for row in rows if row.id is not None)
        record = Record(
            item_id=first.item_id,
            external_id=first.external_id,
            task_type=known.task_type,
            payload=orjson.loads(first.payload),
            judgements=judgements,
            template=version.template,
            template_version=version.number,
            is_gold=first.is_gold,
            prelabels=tuple(more.prelabels.get(first.item_id, ())),
            domain=known.domain,
        )
        if self._policy != Policy.MODEL:
            return record
        item_id = UUID(first.item_id)
        settled = {} if first.settled is None else {item_id: orjson.loads(first.settled)}
        believed = {item_id: believed_of(orjson.loads(first.units))}
        return Labelling(known.scheme, believed, settled).of(record, item_id)

    def _authored(self, row: Row, more: Additions) -> AuthoredJudgement:
        known = self._known
        version = known.version(row.template_version_id)
        attested = known.attested(row.specialist_id, row.submitted_at)
        return AuthoredJudgement(
            annotation_id=row.id,
            judgement=orjson.loads(row.judgement),
            author=known.pseudonym(row.specialist_id),
            attested={**attested, "credential_level": row.credential_level},
            rationale=row.rationale,
            confidence=row.confidence,
            references=_several(row.references_),
            ai_use=None if row.ai_use is None else orjson.loads(row.ai_use),
            presented_order=tuple(row.presented_order),
            opened_at=_moment(row.claimed_at),
            submitted_at=_moment(row.submitted_at),
            active_seconds=row.active_seconds,
            surplus=row.stood in _SURPLUS and row.repeats is None,
            rationale_claims=_several(row.rationale_claims),
            flags=tuple(row.flags),
            spent=_several(row.spent),
            template_version=version.number,
            guidelines_sha256=version.guidelines_sha256,
            repeats=row.repeats,
            round=row.round,
            addenda=tuple(more.addenda.get(row.id, ())),
            **more.told.get(row.id, {}),
        )


def _several(text: str) -> tuple[Any, ...]:
    return () if text == "[]" else tuple(orjson.loads(text))


def _moment(at: datetime) -> str:
    """As text in UTC, whatever zone the server's sessions have."""
    return at.astimezone(UTC).isoformat()


def believed_of(units: Mapping[str, Sequence[Any]]) -> dict[str, Believed]:
    """What is believed of an item, as it was frozen: label, confidence, who spoke, estimate."""
    found = {}
    for unit, (label, confidence, humans, models, *estimate) in units.items():
        known = None if None in estimate or not estimate else Estimate(*estimate)
        found[unit] = Believed(label, confidence, humans, models, known)
    return found


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records in the order of their items, and the position they reach up to."""

    records: list[Record]
    position: int
