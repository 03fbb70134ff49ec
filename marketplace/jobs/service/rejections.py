"""What of an import could not be used, kept row by row."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert
from sqlalchemy.orm import Session

from marketplace.jobs.models import JobImport, RejectedRow
from marketplace.jobs.rules import Line
from marketplace.jobs.service.items import ItemsReport

REJECTIONS_KEPT_MAX = 100_000


def keep_rejections(
    session: Session,
    found: JobImport,
    report: ItemsReport,
    lines: Sequence[tuple[str | None, Line]],
) -> None:
    """Keep the faults of a report, whose lines are places in `lines`."""
    room = REJECTIONS_KEPT_MAX - found.rejections_kept
    kept = [
        {
            "import_id": found.id,
            "number": number,
            "line": lines[fault.line - 1][1].number,
            "file": lines[fault.line - 1][0],
            "external_id": fault.external_id,
            "pointer": fault.pointer,
            "message": fault.message,
        }
        for number, fault in enumerate(report.rejected[:room], start=found.rejections_kept + 1)
    ]
    if kept:
        session.execute(insert(RejectedRow), kept)
        found.rejections_kept += len(kept)
