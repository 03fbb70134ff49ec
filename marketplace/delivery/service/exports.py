"""The verbs of delivery: ask for an export, write it, let it expire, write it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import Actor
from marketplace.delivery import queries, rules
from marketplace.delivery.models import Export, ExportPart
from marketplace.delivery.rules import Compression, DeliveryState, ExportState
from marketplace.delivery.rules.bundle import formats_of
from marketplace.delivery.service.freezing import mark
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId, new_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job, JobBucket
from marketplace.storage.bucket import parsed
from marketplace.tasktypes import Exporter, Policy, PolicyUnavailable, task_type

WRITE = "delivery.write_export"


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is wanted. since: an earlier export whose changes are told alone; deliver_to: an
    address such as s3://bucket/folder/ in the bucket that the job's key opens."""

    form: str
    policy: str
    since: ExportId | None = None
    compression: str = Compression.NONE
    deliver_to: str = ""


def request_export(
    session: Session,
    actor: Actor,
    job_id: JobId,
    *,
    form: str,
    policy: str,
    since: ExportId | None = None,
    compression: str = Compression.NONE,
    deliver_to: str = "",
) -> Export:
    """Ask for a file of what is accepted now; it is written in the background.

    Raises Faulty for a format that the task type has not, for changes since an export of another
    kind and for a bucket without a key, PolicyUnavailable for a policy.
    """
    actor.require(Permission.EXPORTS_CREATE)
    job = jobs.job_of(session, actor, job_id)
    wish = Wish(form, policy, since, compression, deliver_to.strip())
    exporter = _exporter(job, form)
    chosen = exporter.policy(policy)
    if chosen is Policy.MODEL and not queries.has_labels(session, job.id):
        raise PolicyUnavailable(
            "Nothing is believed of this job's items yet: its answers are texts, or none are in. "
            "Choose another policy."
        )
    _check(session, actor, job, wish, exporter)
    packed = Compression(wish.compression)
    ending = rules.GZIPPED if packed is Compression.GZIP else ""
    export = Export(
        id=ExportId(new_id()),
        job_id=job.id,
        organisation_id=job.organisation_id,
        format=form,
        policy=chosen.value,
        filename=rules.filename(job.reference, form, chosen.value, exporter.suffix + ending),
        state=ExportState.QUEUED,
        as_of=clock.now(),
        since_id=wish.since,
        compression=packed,
        deliver_to=wish.deliver_to or None,
        delivery_state=DeliveryState.WAITING if wish.deliver_to else None,
        items_total=job.item_count,
        items_read=0,
        requested_by=actor.person(),
        created_at=clock.now(),
    )
    return _asked(session, actor, export)


def _asked(session: Session, actor: Actor, export: Export) -> Export:
    form, policy = export.format, export.policy
    session.add(export)
    if policy != Policy.MODEL:  # What is believed is frozen first, in the background.
        mark(session, export)
    outbox.enqueue(session, WRITE, export_id=export.id)
    audit.record(session, actor, "requested export", export.id, format=form, policy=policy)
    return export


def _exporter(job: Job, form: str) -> Exporter:
    formats = formats_of(task_type(job.task_type))
    if form not in formats:
        known = ", ".join(sorted(formats))
        raise Faulty(
            "This job cannot be exported in that format.",
            [Fault("/format", f"Choose one of {known}.")],
        )
    return formats[form]


def _check(session: Session, actor: Actor, job: Job, wish: Wish, exporter: Exporter) -> None:
    if wish.compression not in set(Compression):
        raise _fault("/compression", f"Choose one of {', '.join(Compression)}.")
    if wish.compression == Compression.GZIP and not rules.is_text(exporter.suffix):
        raise _fault("/compression", "This format is packed already; choose none.")
    if wish.since is not None:
        _check_since(session, actor, job, wish, exporter)
    if wish.deliver_to:
        bucket, _ = parsed(wish.deliver_to, "/deliver_to")
        if session.get(JobBucket, job.id) is None:
            words = f"Keep a key that may write into {bucket} with the job first."
            raise _fault("/deliver_to", words)


def _check_since(session: Session, actor: Actor, job: Job, wish: Wish, exporter: Exporter) -> None:
    former = queries.export_of(session, actor, ExportId(wish.since)) if wish.since else None
    if former is None or former.job_id != job.id:
        raise _fault("/since", "Name an export of this job.")
    if (former.format, former.policy) != (wish.form, wish.policy):
        raise _fault("/since", "Name an export of the same format under the same policy.")
    if former.as_of_event is None or former.state not in rules.WRITTEN:
        raise _fault("/since", "Name an export that was written.")
    if rules.in_one_go(exporter):
        raise _fault("/since", "This format is one document; ask for the whole of it.")


def _fault(place: str, words: str) -> Faulty:
    return Faulty(words, [Fault(place, words)])


def write_again(session: Session, actor: Actor, export_id: ExportId) -> Export:
    """Write a file that expired or could not be made once more; it holds the same as it would
    have then. Conflict for one that is there or on its way."""
    actor.require(Permission.EXPORTS_CREATE)
    queries.export_of(session, actor, export_id)
    export = _locked(session, export_id)
    if export.state not in {ExportState.EXPIRED, ExportState.FAILED}:
        raise Conflict(f"This export is {export.state.value}; there is nothing to write again.")
    _set_state(export, ExportState.QUEUED)
    export.failure, export.items_read = None, 0
    outbox.enqueue(session, WRITE, export_id=export.id)
    audit.record(session, actor, "asked for export again", export.id)
    return export


def _locked(session: Session, export_id: ExportId) -> Export:
    held = {"key_share": True}
    return session.get_one(Export, export_id, with_for_update=held, populate_existing=True)


def begin(session: Session, export_id: ExportId) -> Export | None:
    """The export, now running; None when it has ended already."""
    export = _locked(session, export_id)
    if export.state in {ExportState.DONE, ExportState.EXPIRED}:
        return None
    if export.state is not ExportState.RUNNING:
        _set_state(export, ExportState.RUNNING)
    export.failure, export.finished_at = None, None
    return export


def keep_part(session: Session, part: ExportPart) -> bool:
    """Remember a piece that is stored; whoever stored the same one first is right.

    False where the file is no longer being written: another worker was done with it first.
    """
    export = _locked(session, part.export_id)
    if export.state is not ExportState.RUNNING:
        return False
    if session.get(ExportPart, (part.export_id, part.number)) is None:
        session.add(part)
        export.items_read = min(part.position, export.items_total)
    return True


def drop_parts(session: Session, export_id: ExportId) -> None:
    """Forget the pieces of a file that is whole."""
    session.execute(delete(ExportPart).where(ExportPart.export_id == export_id))


def finish(session: Session, export_id: ExportId, manifest: Mapping[str, Any]) -> None:
    """Offer the finished file; manifest: as `rules.manifest` makes it."""
    export = _locked(session, export_id)
    if export.state is ExportState.DONE:
        return
    file = manifest["files"][0]
    export.rows, export.bytes, export.sha256 = manifest["rows"], file["bytes"], file["sha256"]
    export.counts, export.manifest = manifest["counts"], dict(manifest)
    export.finished_at = clock.now()
    kept = timedelta(days=settings.current().export_kept_days)
    export.expires_at = export.finished_at + kept
    export.items_read = export.items_total
    _set_state(export, ExportState.DONE)
    outbox.announce(
        session,
        "export.done",
        export.id,
        {"rows": export.rows, "sha256": export.sha256},
        organisation_id=export.organisation_id,
        job_id=export.job_id,
    )
    if export.delivery_state is DeliveryState.WAITING:
        outbox.enqueue(session, "delivery.deliver_export", export_id=export.id)


def fail(session: Session, export_id: ExportId, reason: str, code: str = "failed") -> None:
    """Say that the file could not be made, and why, in a sentence for the lab."""
    export = _locked(session, export_id)
    export.failure, export.finished_at = reason, clock.now()
    _set_state(export, ExportState.FAILED)
    outbox.announce(
        session,
        "export.failed",
        export.id,
        {"failure": code},
        organisation_id=export.organisation_id,
        job_id=export.job_id,
    )


def expire(session: Session, export_id: ExportId) -> Export | None:
    """Let a finished file go whose time is over; None where it is not. Its counts and hashes
    stay, and what it holds can be written again."""
    export = _locked(session, export_id)
    due = export.expires_at is not None and export.expires_at <= clock.now()
    if export.state is not ExportState.DONE or not due:
        return None
    _set_state(export, ExportState.EXPIRED)
    return export


def _set_state(export: Export, state: ExportState) -> None:
    if state not in rules.NEXT[export.state]:
        raise Conflict(f"This export is {export.state.value} and cannot become {state.value}.")
    export.state = state
