"""Telling the changes since an earlier export: what each item gave then, and what it gives now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from marketplace.delivery.rules.bundle import ENVELOPES
from marketplace.tasktypes import Counts, Exporter, ExportRow, Record, line


class Change(StrEnum):
    """What became of an item or a judgement since the earlier export."""

    NEW = "new"
    CHANGED = "changed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Changed:
    """An item whose rows are others than they were, and the rows that say so."""

    record: Record
    change: Change
    rows: Sequence[ExportRow]


def changes(
    exporter: Exporter,
    policy: str,
    counts: Counts,
    then: Mapping[str, Record],
    now: Mapping[str, Record],
) -> Iterator[Changed]:
    """The items, by id, that give other rows now than then; those that give none any more last.

    In the envelope each row says whether its judgement is new, changed or withdrawn; of one that
    is withdrawn its ids are all that is told. Other formats hold the rows of items that changed.
    """
    for item_id, record in now.items():
        found = _changed(exporter, policy, counts, then.get(item_id), record)
        if found is not None:
            yield found
    for item_id, record in then.items():
        if item_id not in now:
            found = _changed(exporter, policy, counts, record, None)
            if found is not None:
                yield found


def _changed(
    exporter: Exporter, policy: str, counts: Counts, then: Record | None, now: Record | None
) -> Changed | None:
    before = _rows(exporter, policy, Counts(), then)
    rows = _rows(exporter, policy, counts, now)
    counts.rows -= len(rows)  # Counted are the rows of this file, which may be fewer.
    if [line(row) for row in before] == [line(row) for row in rows]:
        return None
    change = Change.CHANGED if before and rows else Change.NEW if rows else Change.WITHDRAWN
    told = _judgements(before, rows) if exporter.key in ENVELOPES else rows
    counts.rows += len(told)
    record = now or then
    if record is None:
        raise LookupError("An item that is neither then nor now.")
    return Changed(record, change, told)


def _rows(
    exporter: Exporter, policy: str, counts: Counts, record: Record | None
) -> list[ExportRow]:
    return list(exporter.rows([record] if record else [], policy, counts))


def _judgements(before: Sequence[ExportRow], after: Sequence[ExportRow]) -> list[ExportRow]:
    former = {row["annotation_id"]: row for row in before}
    told: list[ExportRow] = []
    for row in after:
        was = former.pop(row["annotation_id"], None)
        if was is None:
            told.append({**row, "change": Change.NEW.value})
        elif line(was) != line(row):
            told.append({**row, "change": Change.CHANGED.value})
    for row in former.values():
        named = {name: row[name] for name in ("annotation_id", "item_id", "external_id")}
        told.append({**named, "change": Change.WITHDRAWN.value})
    return told
