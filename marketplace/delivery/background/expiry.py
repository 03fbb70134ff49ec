"""Letting files of exports go when their time is over."""

from __future__ import annotations

from uuid import UUID

from marketplace import outbox, storage
from marketplace.db import transaction
from marketplace.delivery import queries, service
from marketplace.delivery.models import Export
from marketplace.ids import ExportId

AT_ONCE = 200


@outbox.background("delivery.expire_exports", time_limit_seconds=120, every_seconds=3600)
def expire_exports(work: outbox.Work) -> None:
    """Let the files go whose time is over; what they held can be written again."""
    with transaction() as session:
        due = queries.expired_exports(session, limit=AT_ONCE)
    for export_id in due:
        with transaction() as session:
            if service.expire(session, export_id) is not None:
                outbox.enqueue(session, "delivery.forget_files", export_id=export_id)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("delivery.forget_files", time_limit_seconds=120)
def forget_files(work: outbox.Work, export_id: str) -> None:
    """Delete the files of an export that expired, unless it is being written again by now."""
    with transaction() as session:
        export = session.get_one(Export, ExportId(UUID(export_id)))
        gone = export.state is export.state.EXPIRED
    if gone:
        for reference in (export.reference, export.index_reference, export.proof_reference):
            storage.current().delete(reference)
    with transaction() as session:
        outbox.done(session, work)
