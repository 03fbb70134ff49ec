"""Exports as their labs see them, and the first records of one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.delivery.models import Export, ExportPart
from marketplace.delivery.queries.frozen import LAST
from marketplace.delivery.queries.reading import Chunk, records
from marketplace.delivery.rules import DeliveryState, ExportState
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId
from marketplace.jobs.models import Item, Job

LIMIT_MAX = 200


def export_of(session: Session, viewer: Actor, export_id: ExportId) -> Export:
    """One export of the viewer's organisation; Missing for any other."""
    viewer.require(Permission.JOBS_VIEW)
    export = session.get(Export, export_id)
    if export is None or export.organisation_id != viewer.organisation():
        raise Missing("This export is not there, or it belongs to another organisation.")
    return export


def exports_of(
    session: Session,
    viewer: Actor,
    *,
    job_id: JobId | None = None,
    after: ExportId | None = None,
    limit: int = 50,
) -> Sequence[Row[Export, str]]:
    """The organisation's exports with their jobs' titles, newest first."""
    viewer.require(Permission.JOBS_VIEW)
    asked = (
        select(Export, Job.title)
        .join(Job, Job.id == Export.job_id)
        .where(Export.organisation_id == viewer.organisation())
        .order_by(Export.id.desc())
        .limit(min(limit, LIMIT_MAX))
    )
    if job_id is not None:
        asked = asked.where(Export.job_id == job_id)
    if after is not None:
        asked = asked.where(Export.id < after)
    return session.execute(asked).all()


def records_after(session: Session, export: Export, position: int, *, limit: int) -> Chunk:
    """The records of the next `limit` items after a position, as the export may see them."""
    last = min(position + limit, last_position(session, export))
    if last <= position:
        return Chunk([], position)
    return Chunk(list(records(session, export, first=position, last=last)), last)


def last_position(session: Session, export: Export) -> int:
    """The place of the last item of an export's job; 0 where there is none."""
    newest = select(func.max(Item.position)).where(Item.job_id == export.job_id)
    return session.scalar(newest) or 0


def last_read(session: Session, export: Export) -> int:
    """The place of the last item that an export looks at: as it was kept, whatever came since."""
    kept = (export.frozen or {}).get(LAST)
    return int(kept) if kept is not None else last_position(session, export)


def parts_of(session: Session, export_id: ExportId) -> Sequence[ExportPart]:
    """The pieces of a file that are stored already, in their order."""
    asked = select(ExportPart).where(ExportPart.export_id == export_id)
    return session.scalars(asked.order_by(ExportPart.number)).all()


def asked_of(session: Session, export: Export) -> dict[str, Any]:
    """What an export is, for its manifest."""
    since = session.get(Export, export.since_id) if export.since_id is not None else None
    return {
        "export_id": str(export.id),
        "job_id": str(export.job_id),
        "format": export.format,
        "policy": export.policy,
        "compression": export.compression.value,
        "as_of": export.as_of.astimezone(UTC).isoformat(),
        "as_of_event": export.as_of_event,
        "since": since
        and {
            "export_id": str(since.id),
            "as_of_event": since.as_of_event,
            "sha256": since.sha256,
        },
    }


def expired_exports(session: Session, *, limit: int) -> Sequence[ExportId]:
    """Files whose time is over and that nobody is sending anywhere."""
    asked = (
        select(Export.id)
        .where(Export.state == ExportState.DONE, Export.expires_at <= clock.now())
        .where(
            Export.delivery_state.is_(None)
            | Export.delivery_state.not_in([DeliveryState.WAITING, DeliveryState.SENDING])
        )
        .order_by(Export.expires_at)
        .limit(limit)
    )
    return session.scalars(asked).all()
