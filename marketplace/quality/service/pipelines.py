"""The verbs of hybrid pipelines: agree on one, begin it, keep routes and labels, send more."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.jobs import queries as job_queries
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import JobState
from marketplace.quality.models import Pipeline
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.pipeline import KEPT_SHARE, ROUNDS_MAX
from marketplace.quality.rules.pipeline_words import NEXT_PIPELINE, PipelineState
from marketplace.tasktypes import task_type

ROUTE_ITEMS = "quality.route_items"
COMPUTE = "quality.compute_pipeline"
_FIELD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,63}")
KEPT_SHARE_USUAL = Decimal(str(KEPT_SHARE))
_SEED_MAX = 2**53  # A whole number that every reader of JSON keeps.


def set_pipeline(
    session: Session,
    actor: Actor,
    job_id: UUID,
    *,
    confidence_target: Decimal,
    audit_ratio: Decimal,
    items_max: int,
    slice_field: str | None = None,
    rounds_max: int = ROUNDS_MAX,
    kept_share: Decimal = KEPT_SHARE_USUAL,
) -> Pipeline:
    """Let models judge first in a draft, and specialists at most `items_max` items, of which
    unsure items leave `kept_share` (0..0.9) to the audit and to later rounds.

    Raises Faulty with pointers for values that make no sense, and for a task type whose answers
    cannot be counted as votes; Conflict once the job is published.
    """
    job = jobs.limit_specialist_items(session, actor, job_id, items_max if items_max > 0 else None)
    faults = _faults(confidence_target, audit_ratio, items_max, rounds_max, slice_field)
    shares = {
        "/confidence_target": confidence_target,
        "/audit_ratio": audit_ratio,
        "/kept_share": kept_share,
    }
    # What is kept to three decimals is not to be rounded behind anybody's back.
    words = "Give it to a tenth of a per cent, that is three decimals of a share, at most."
    faults += [Fault(at, words) for at, share in shares.items() if share != round(share, 3)]
    if not 0 <= kept_share <= Decimal("0.9"):
        faults.append(Fault("/kept_share", "Keep 0 to 90 per cent."))
    if not _voted(session, job):
        words = "Answers of this type are texts, which are reviewed and cannot be counted as votes."
        faults.append(Fault("", words))
    if faults:
        raise Faulty("This pipeline would not work.", faults)
    now = clock.now()
    found = session.get(Pipeline, job.id)
    if found is None:
        found = Pipeline(
            job_id=job.id, state=PipelineState.DRAFT, seed=secrets.randbelow(_SEED_MAX), round=0,
            items_routed=0, slices=[], judged=0, created_at=now,
        )  # fmt: skip
        session.add(found)
    found.confidence_target, found.audit_ratio = confidence_target, audit_ratio
    found.items_max, found.rounds_max = items_max, rounds_max
    found.kept_share = kept_share
    found.slice_field, found.changed_at = slice_field or None, now
    session.flush()  # Guards of the database speak here, beside the cause.
    audit.record(session, actor, "set pipeline", job.id, items_max=items_max)
    return found


def drop_pipeline(session: Session, actor: Actor, job_id: UUID) -> None:
    """Let specialists judge every item of a draft again."""
    job = jobs.limit_specialist_items(session, actor, job_id, None)
    session.execute(delete(Pipeline).where(Pipeline.job_id == job.id))
    audit.record(session, actor, "dropped pipeline", job.id)


def _faults(
    target: Decimal, audit: Decimal, items_max: int, rounds_max: int, slice_field: str | None
) -> list[Fault]:
    faults = []
    if not Decimal("0.5") <= target <= Decimal("0.999"):
        faults.append(Fault("/confidence_target", "Ask for 50 to 99.9 per cent."))
    if not Decimal("0.001") <= audit <= 1:
        words = (
            "Without an audit nobody knows how good the models are. Ask for 0.1 to 100 per cent."
        )
        faults.append(Fault("/audit_ratio", words))
    if not 1 <= items_max <= 2**40:
        faults.append(Fault("/items_max", "Let specialists judge one item at least."))
    if not 1 <= rounds_max <= 10:
        faults.append(Fault("/rounds_max", "Choose 1 to 10 rounds."))
    if slice_field and not _FIELD.fullmatch(slice_field):
        words = "Name one field of the items' metadata, in letters, digits, dots and underscores."
        faults.append(Fault("/slice_field", words))
    return faults


def _voted(session: Session, job: Job) -> bool:
    scheme = scheme_of(session, job)
    return any(scheme.scale(question).voted for question in scheme.questions())


def scheme_of(session: Session, job: Job) -> Scheme:
    """How the answers of a job become votes, under its present template."""
    template = session.get_one(TemplateVersion, job.template_version_id).template
    return Scheme(task_type(job.task_type), template)


def go_on(session: Session, job: Job) -> bool:
    """Go on with the pipeline of an open job after it was published, opened again, or got items;
    False where it has none, and specialists judge every item."""
    found = session.get(Pipeline, job.id, with_for_update={"key_share": True})
    if found is None:
        return False
    if found.items_routed < job.item_count and found.state is not PipelineState.ROUTING:
        set_state(found, PipelineState.ROUTING)
        found.finished_at = None
        outbox.enqueue(session, ROUTE_ITEMS, job_id=job.id)
    elif found.state is not PipelineState.ROUTING and job.items_seated < found.items_routed:
        key = f"{ROUTE_ITEMS}:{job.id}:{job.version}:{job.items_seated}"
        outbox.enqueue_once(session, key, ROUTE_ITEMS, job_id=job.id)
    return True


def set_state(found: Pipeline, state: PipelineState) -> None:
    """The only setter of a pipeline's state."""
    if state not in NEXT_PIPELINE[found.state]:
        raise Conflict(f"A pipeline that is {found.state} cannot become {state}.")
    found.state = state


def locked_pipeline(session: Session, job_id: UUID) -> Pipeline:
    """The pipeline, safe from other writers until the end; for background work."""
    return session.get_one(
        Pipeline, job_id, with_for_update={"key_share": True}, populate_existing=True
    )


def advised(session: Session, actor: Actor, job_id: UUID) -> Sequence[str]:
    """What is worth a look before publishing a pipeline; keeps nothing back."""
    job = job_queries.job_of(session, actor, job_id)
    found = session.get(Pipeline, job.id)
    if found is None or job.state is not JobState.DRAFT or not job.item_count:
        return []
    said = []
    audits = min(job.item_count, int(job.item_count * found.audit_ratio))
    if found.items_max >= job.item_count:
        said.append("Specialists may judge every item, so models save nothing if they are unsure.")
    if audits > found.items_max / 2:
        said.append("The audit alone would take more than half of what specialists may judge.")
    return said


def as_facts(found: Pipeline) -> dict[str, Any]:
    """What was agreed, for the audit and for events."""
    return {
        "confidence_target": float(found.confidence_target),
        "audit_ratio": float(found.audit_ratio),
        "items_max": found.items_max,
        "kept_share": float(found.kept_share),
    }
