"""How far an export is: what is stored of it, how fast it goes, and how long it will take."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.delivery.models import Export, ExportPart

# Before this many items a rate says more of the start than of the work.
ITEMS_MIN = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """rows, bytes: of the pieces that are stored; items_a_second, seconds_left: None before the
    first pieces are."""

    rows: int
    bytes: int
    items_a_second: float | None
    seconds_left: int | None


def progress_of(session: Session, export: Export) -> Progress:
    """How far an export is that is being written; the caller may see it."""
    summed = select(
        func.coalesce(func.sum(ExportPart.rows), 0),
        func.coalesce(func.sum(ExportPart.bytes), 0),
        func.min(ExportPart.written_at),
        func.min(ExportPart.position),
    ).where(ExportPart.export_id == export.id)
    rows, size, first_at, first = session.execute(summed).one()
    if first_at is None or export.items_read - first < ITEMS_MIN:
        return Progress(int(rows), int(size), None, None)
    # From the first stored piece on: the wait in the queue is no part of the work.
    seconds = max((clock.now() - first_at).total_seconds(), 0.001)
    rate = (export.items_read - first) / seconds
    left = max(export.items_total - export.items_read, 0) / rate
    return Progress(int(rows), int(size), rate, round(left))
