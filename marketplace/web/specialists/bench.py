"""What the page of a task shows: the task, its draft, its time, its holder's keys, what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from marketplace.ids import ClaimId, SubmissionId
from marketplace.jobs.models import TemplateVersion
from marketplace.jobs.rules import JobState
from marketplace.review import queries as review
from marketplace.review.models import Decision
from marketplace.tasktypes import task_type
from marketplace.web.filters import markdown
from marketplace.web.guards import me
from marketplace.web.specialists import answers, envelope_form, qualifications
from marketplace.work import queries
from marketplace.work.models import Submission
from marketplace.work.queries import ClaimView
from marketplace.work.rules import joined, seconds_by_kind
from marketplace.work.rules.envelope import CLAIMS_MAX, REFERENCES_MAX

# Earlier stretches that a page lists for notes; more would not be read.
STRETCHES_SHOWN = 40
STRETCH_SECONDS_MIN = 20


@dataclass(frozen=True, slots=True)
class Returned:
    """The answer that a claim reworks, and what the reviewer said about it."""

    former: Submission
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class Bench:
    """A claim's view with all that its page shows beside the task.

    before: the version that the holder's last answer of this job had, where it is another one.
    """

    view: ClaimView
    returned: Returned | None
    keys: Mapping[str, str]
    before: TemplateVersion | None


def bench_of(session: Session, claim_id: UUID) -> Bench:
    """The bench of the person's own claim; Missing for anybody else's."""
    view = queries.claim_of(session, me(), ClaimId(claim_id))
    return Bench(
        view,
        _returned(session, view),
        queries.moved_keys(session, me()),
        queries.read_before(session, me(), view.claim),
    )


def _returned(session: Session, view: ClaimView) -> Returned | None:
    """What came back, where the claim is for rework."""
    reworked = view.claim.reworks_submission_id
    if reworked is None:
        return None
    # The list of one's own goes backwards from before an id: the next higher one finds it first.
    behind = SubmissionId(UUID(int=reworked.int + 1))
    (former, _), *_ = queries.own_submissions(session, me(), after=behind, limit=1)
    return Returned(former, review.decisions_of(session, [former.id]).get(former.id))


def urls(claim_id: UUID) -> dict[str, str]:
    """Where the page's forms and its script lead."""
    names = ("draft", "heartbeat", "submit", "release", "outcome", "leaving")
    found = {name: url_for(f"workbench.{name}", claim_id=claim_id) for name in names}
    drafts = url_for("drafts.listing", claim_id=claim_id)
    return found | {"leave": url_for("specialists.home"), "drafts": drafts}


def facts(bench: Bench) -> dict[str, Any]:
    """What the workbench's templates need."""
    view = bench.view
    content: Mapping[str, Any] = view.draft.content if view.draft else {}
    if not content and bench.returned:
        content = answers.content_of(bench.returned.former)
    kind = task_type(view.job.task_type)
    # What a model said may be where a fresh form starts from.
    first = kind.first_answer(view.template, view.payload)
    content = content or {"judgement": first}
    return {
        "claim": _claim(view),
        "job": _job(bench),
        "task": {
            "id": view.claim.task_id,
            "payload": view.payload,
            "template": view.template,
        },
        "draft": _draft(view),
        "first": kind.to_form(first),
        "sitting": qualifications.place_in_attempt(view.job),
        "returned": bench.returned,
        "errors": [],
        "intervals": "",
        "time_notes": "",
        "urls": urls(view.claim.id),
        "keymap": dict(bench.keys),
        "confidence_choices": envelope_form.CONFIDENCE_CHOICES,
        "flag_words": envelope_form.FLAG_WORDS,
    } | fields(answers.values(view, content))


def fields(values: Mapping[str, str]) -> dict[str, Any]:
    """The form's fields, and how many rows of sources and reasons it shows."""
    return {
        "values": values,
        "source_rows": envelope_form.rows_of(values, "references", REFERENCES_MAX),
        "reason_rows": envelope_form.rows_of(values, "rationale_claims", CLAIMS_MAX),
    }


def _draft(view: ClaimView) -> dict[str, Any] | None:
    if view.draft is None:
        return None
    content = view.draft.content
    return {
        "judgement": content.get("judgement"),
        "rationale": content.get("rationale"),
        "confidence": content.get("confidence"),
        "revision": view.draft.revision,
        "saved_at": view.draft.saved_at,
        "etag": view.etag,
        "restored": True,
    }


def _claim(view: ClaimView) -> dict[str, Any]:
    claim = view.claim
    long_enough = [
        {
            "kind": each.kind.value,
            "started_at": each.started_at.isoformat(),
            "ended_at": each.ended_at.isoformat(),
        }
        for each in joined(view.spent)
        if (each.ended_at - each.started_at).total_seconds() >= STRETCH_SECONDS_MIN
    ]
    return {
        "id": claim.id,
        "fence": claim.fence,
        "expires_at": claim.expires_at,
        "lease_seconds": view.job.lease_seconds,
        "pay": claim.pay,
        "presented_order": claim.presented_order,
        "counted_seconds": view.working_seconds,
        "seconds": seconds_by_kind(view.spent),
        "stretches": long_enough[-STRETCHES_SHOWN:],
    }


def _job(bench: Bench) -> dict[str, Any]:
    view, before = bench.view, bench.before
    return {
        "title": view.job.title,
        "task_type": view.job.task_type,
        "state": view.job.state.value,
        "state_words": STATE_WORDS.get(view.job.state, ""),
        "instructions_html": markdown(view.instructions_md),
        "instructions_version": view.template_number,
        "instructions_md": view.instructions_md,
        "before": {"number": before.number, "instructions_md": before.instructions_md}
        if before is not None and before.instructions_md != view.instructions_md
        else None,
        "ai_policy": view.job.ai_policy.value,
    }


STATE_WORDS: Mapping[JobState, str] = {
    JobState.PAUSED: "The job is paused. What you have in hand goes on and counts; there is no next"
    " task until it runs again.",
    JobState.CLOSED: "The job is closed. What you have in hand still counts; hand it in when it is"
    " done.",
}
