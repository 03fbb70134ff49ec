"""Putting a finished file into the lab's own bucket: what became of it, and trying again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.delivery import queries
from marketplace.delivery.models import Export
from marketplace.delivery.rules import NEXT_DELIVERY, DeliveryState, ExportState
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId
from marketplace.jobs.models import JobBucket

DELIVER = "delivery.deliver_export"


def _locked(session: Session, export_id: ExportId) -> Export:
    held = {"key_share": True}
    return session.get_one(Export, export_id, with_for_update=held, populate_existing=True)


def begin_delivery(session: Session, export_id: ExportId) -> tuple[Export, JobBucket | None] | None:
    """The export, being sent, with the key to its bucket; None where there is nothing to send."""
    export = _locked(session, export_id)
    if export.state is not ExportState.DONE or export.delivery_state not in {
        DeliveryState.WAITING,
        DeliveryState.SENDING,
    }:
        return None
    if export.delivery_state is DeliveryState.WAITING:
        _set_state(export, DeliveryState.SENDING)
    return export, session.get(JobBucket, export.job_id)


def keep_upload(session: Session, export_id: ExportId, upload: Mapping[str, Any] | None) -> None:
    """Remember how far a file is, so that a lost worker goes on behind it."""
    _locked(session, export_id).upload = dict(upload) if upload is not None else None


def end_delivery(session: Session, export_id: ExportId, failure: str | None = None) -> None:
    """Say that all of it lies in the bucket and was looked at there, or why it does not."""
    export = _locked(session, export_id)
    if export.delivery_state is not DeliveryState.SENDING:
        return
    export.upload, export.delivery_failure = None, failure
    if failure is not None:
        _set_state(export, DeliveryState.FAILED)
        return
    _set_state(export, DeliveryState.DELIVERED)
    export.delivered_at = clock.now()
    outbox.announce(
        session,
        "export.delivered",
        export.id,
        {"bytes": export.bytes, "sha256": export.sha256},
        organisation_id=export.organisation_id,
        job_id=export.job_id,
    )


def deliver_again(session: Session, actor: Actor, export_id: ExportId) -> Export:
    """Send a finished file to its bucket once more, after a failure or where it was lost there.

    Conflict for a file that is not there, or is being sent.
    """
    actor.require(Permission.EXPORTS_CREATE)
    queries.export_of(session, actor, export_id)
    export = _locked(session, export_id)
    if export.state is not ExportState.DONE or export.delivery_state is None:
        raise Conflict("There is no file here that could be sent to a bucket.")
    _set_state(export, DeliveryState.WAITING)
    export.delivery_failure = None
    outbox.enqueue(session, DELIVER, export_id=export.id)
    audit.record(session, actor, "asked for delivery again", export.id)
    return export


def _set_state(export: Export, state: DeliveryState) -> None:
    now = export.delivery_state
    if now is None or state not in NEXT_DELIVERY[now]:
        raise Conflict(f"This file is {now} already and cannot become {state.value}.")
    export.delivery_state = state
