"""Where a judgement comes from, step by step; a job's chain; proofs of exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template

from marketplace import secrets
from marketplace.db import transaction
from marketplace.delivery import queries
from marketplace.delivery.queries import Bound, Origin, Step
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId, SubmissionId
from marketplace.jobs import queries as jobs
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown
from marketplace.web.proofs import proof_of

provenance = Blueprint("lab_provenance", __name__, url_prefix="/lab")
# By what is announced: an icon, words, a tone.
STEPS: Mapping[str, tuple[str, str, str]] = {
    "opened": ("eye", "Opened", ""),
    "task.submitted": ("send", "Handed in", ""),
    "task.accepted": ("circle-check", "Accepted", "good"),
    "task.surplus_accepted": ("circle-check", "Accepted, beside what was asked for", "good"),
    "task.rework": ("undo-2", "Sent back to be done again", "watch"),
    "task.rejected": ("circle-x", "Rejected", "stop"),
    "task.surplus_rejected": ("circle-x", "Rejected, beside what was asked for", "stop"),
    "submission.judge_fault": ("flag", "Its author named a fault of a judge", ""),
}
BOUND: Mapping[Bound, tuple[str, str, str]] = {
    Bound.HOLDS: (
        "good",
        "This is what was handed in.",
        "The job's chain bound it when it came, and what stands here still opens that commitment.",
    ),
    Bound.WAITING: (
        "neutral",
        "The chain has yet to take this in.",
        "What was handed in is committed to; its event gets its number in a moment.",
    ),
    Bound.ERASED: (
        "neutral",
        "The author was erased.",
        "What they handed in stays yours; the salt that ties it to the chain is destroyed, so the "
        "chain does not tell any more whose it was.",
    ),
    Bound.UNPROVEN: (
        "watch",
        "This cannot be proven.",
        "It was handed in before the chain bound what judgements say.",
    ),
    Bound.ALTERED: (
        "stop",
        "This is not what was handed in.",
        "What stands here does not open the commitment in the chain. Please tell us.",
    ),
}


@provenance.get("/submissions/<uuid:submission_id>/provenance")
@needs(Permission.JOBS_VIEW)
def of_submission(submission_id: UUID) -> str:
    """Who gave a judgement, when, under what, and what was said of it since."""
    with transaction() as session:
        origin = queries.origin_of(session, me(), SubmissionId(submission_id))
        facts = shown.job_facts(origin.job, "submissions")
    return render_template(
        "labs/provenance.html",
        **facts,
        origin=origin,
        bound=BOUND[origin.bound],
        steps=[_entry(step) for step in origin.steps],
        attested=shown.attested_words(origin.attested),
        snippet=_check_of(origin),
    )


def _entry(step: Step) -> tuple[str, str, datetime, str, str]:
    """An entry of the timeline: icon, what, when, by, tone."""
    icon, words, tone = STEPS.get(step.what, ("circle-dot", step.what, ""))
    if step.said is not None and step.said.get("cause"):
        words += f" ({step.said['cause'].replace('_', ' ')})"
    if step.said is not None and step.said.get("note"):
        words += f": {step.said['note']}"
    where = f"event {step.number:,}" if step.number is not None else ""
    return icon, words, step.at, ", ".join(filter(None, [step.by, where])), tone


def _check_of(origin: Origin) -> str:
    """How to open the commitment by hand; empty where it cannot be."""
    if origin.commitment is None or origin.submission.salt is None:
        return ""
    return (
        "from marketplace.verify.keys import unpacked\n"
        "from marketplace.verify.seal import commitment\n\n"
        f'told = client.call("GET", "/submissions/{origin.submission.id}/provenance")\n'
        'opened = commitment(unpacked(told["salt"]), told["content"]).hex()\n'
        f'assert opened == "{origin.commitment.hex()}"\n'
    )


@provenance.get("/jobs/<uuid:job_id>/provenance")
@needs(Permission.JOBS_VIEW)
def of_job(job_id: UUID) -> str:
    """A job's chain with its signed heads, and how to check an export."""
    with transaction() as session:
        job = jobs.job_of(session, me(), JobId(job_id))
        number, head = queries.chain_of(session, me(), JobId(job_id))
        heads = queries.heads_of(session, me(), JobId(job_id))
        facts: dict[str, Any] = shown.job_facts(job, "exports")
    return render_template(
        "labs/job_provenance.html",
        **facts,
        number=number,
        head=head.hex(),
        heads=heads,
        keys=list(secrets.public_keys()),
    )


@provenance.get("/exports/<uuid:export_id>/proof")
@needs(Permission.EXPORTS_CREATE)
def proof(export_id: UUID) -> Response:
    """The proof of an export's file."""
    with transaction() as session:
        export = queries.export_of(session, me(), ExportId(export_id))
    return proof_of(export)
