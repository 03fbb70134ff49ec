"""The verbs of delivery: ask for an export, begin it, finish it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.delivery import queries, rules
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId, new_id
from marketplace.jobs import queries as jobs
from marketplace.tasktypes import Policy, PolicyUnavailable, task_type


def request_export(
    session: Session, actor: Actor, job_id: JobId, *, form: str, policy: str
) -> Export:
    """Ask for a file of what is accepted now; it is written in the background.

    Raises Faulty for a format that the task type has not, PolicyUnavailable for a policy.
    """
    actor.require(Permission.EXPORTS_CREATE)
    job = jobs.job_of(session, actor, job_id)
    formats = task_type(job.task_type).exports
    if form not in formats:
        known = ", ".join(sorted(formats))
        raise Faulty(
            "This job cannot be exported in that format.",
            [Fault("/format", f"Choose one of {known}.")],
        )
    exporter = formats[form]
    chosen = exporter.policy(policy)
    if chosen is Policy.MODEL and not queries.has_labels(session, job.id):
        raise PolicyUnavailable(
            "Nothing is believed of this job's items yet: its answers are texts, or none are in. "
            "Choose another policy."
        )
    at = clock.now()
    export = Export(
        id=ExportId(new_id()),
        job_id=job.id,
        organisation_id=job.organisation_id,
        format=form,
        policy=chosen.value,
        filename=rules.filename(job.reference, form, chosen.value, exporter.suffix),
        state=ExportState.QUEUED,
        as_of=at,
        items_total=job.item_count,
        items_read=0,
        requested_by=actor.person(),
        created_at=at,
    )
    session.add(export)
    outbox.enqueue(session, "delivery.write_export", export_id=export.id)
    audit.record(session, actor, "requested export", export.id, format=form, policy=chosen.value)
    return export


def begin(session: Session, export_id: ExportId) -> Export | None:
    """The export, now running; None when it has ended already."""
    export = session.get_one(Export, export_id, with_for_update={"key_share": True})
    if export.state is ExportState.DONE:
        return None
    if export.state is not ExportState.RUNNING:
        _set_state(export, ExportState.RUNNING)
    export.failure, export.finished_at, export.items_read = None, None, 0
    return export


def finish(
    session: Session,
    export_id: ExportId,
    *,
    rows: int,
    size: int,
    sha256: str,
    counts: Mapping[str, Any],
) -> None:
    """Offer the finished file."""
    export = session.get_one(Export, export_id, with_for_update={"key_share": True})
    export.rows, export.bytes, export.sha256 = rows, size, sha256
    export.counts, export.finished_at = dict(counts), clock.now()
    export.items_read = export.items_total
    _set_state(export, ExportState.DONE)
    outbox.announce(
        session,
        "export.done",
        export.id,
        {"rows": rows, "sha256": sha256},
        organisation_id=export.organisation_id,
        job_id=export.job_id,
    )


def fail(session: Session, export_id: ExportId, reason: str) -> None:
    """Say that the file could not be made, and why, in a sentence for the lab."""
    export = session.get_one(Export, export_id, with_for_update={"key_share": True})
    export.failure, export.finished_at = reason, clock.now()
    _set_state(export, ExportState.FAILED)


def _set_state(export: Export, state: ExportState) -> None:
    if state not in rules.NEXT[export.state]:
        raise Conflict(f"This export is {export.state.value} and cannot become {state.value}.")
    export.state = state
