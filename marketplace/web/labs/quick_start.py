"""Quick start: what a lab's programs say to us, filled with its own job, export and address.

The pieces of code are in templates/labs/snippets, one file for each way; each piece runs by itself
once the first one has told the address and the token. No secret is ever in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, render_template, request
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.delivery import queries as delivery
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState
from marketplace.identity.rules import Permission
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.tasktypes import task_type
from marketplace.web import settings
from marketplace.web.guards import me, needs
from marketplace.web.labs import shown

quick_start = Blueprint("lab_quick_start", __name__, url_prefix="/lab")
# Key, words, what Pygments calls it.
WAYS = (
    ("curl", "curl", "bash"),
    ("python", "Python", "python"),
    ("command", "Command line", "bash"),
)
LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of code. scope: the permission that the token needs for it, "" for none."""

    key: str
    title: str
    says: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A step in the chosen way."""

    step: Step
    code: str
    language: str


_P = Permission
START = Step(
    "start",
    "Say where, and who you are",
    "Make a token first, under API tokens. It stays out of your code and of the shell's history.",
)
WHO = Step("who", "See that it works", "Who the token is, and what it may do.")
POST = Step(
    "post",
    "Post a job, and see its price",
    "A draft with one item. Nothing is reserved and nobody sees it until you publish it.",
    _P.JOBS_EDIT,
)
ITEMS = Step(
    "items",
    "Send items",
    "One JSON object a line, with external_id and payload. Sending a file again adds nothing.",
    _P.JOBS_EDIT,
)
PLAN = Step(
    "plan",
    "See price and time",
    "What it costs at most, who may do it now, and how long it takes; nothing is reserved.",
    _P.JOBS_EDIT,
)
STATUS = Step("status", "See how far it is", "Counts of tasks and seats at this moment.")
SUBMISSIONS = Step(
    "submissions",
    "Read what came in",
    "Each judgement with its author's pseudonym, time and state; new ones come last.",
)
EXPORT = Step(
    "export",
    "Take an export",
    "The file holds what is accepted now, written in the background, with counts and a hash.",
    _P.EXPORTS_CREATE,
)
AGAIN = Step(
    "again",
    "Take your newest file once more",
    "A file that was written stays as it is: the same bytes each time.",
    _P.EXPORTS_CREATE,
)
EVENTS = Step(
    "events",
    "Follow what happens",
    "Events in order, numbered without gaps. Keep the last number; webhooks tell you the same.",
)


@quick_start.get("/quick-start")
@needs(Permission.JOBS_VIEW)
def show() -> str:
    """The first steps, with the lab's own newest job and file where there are some."""
    with transaction() as session:
        job, export = _own(session)
    steps = [START, WHO, POST]
    steps += [STATUS, SUBMISSIONS] if job else []
    steps += [EXPORT] if job and job.state is not JobState.DRAFT else []
    steps += [AGAIN] if export else []
    return render_template(
        "labs/quick_start.html", job=job, **_facts([*steps, EVENTS], job, export)
    )


@quick_start.get("/jobs/<uuid:job_id>/code")
@needs(Permission.JOBS_VIEW)
def of_job(job_id: UUID) -> str:
    """What programs say about one job."""
    with transaction() as session:
        job = jobs.job_of(session, me(), job_id)
        export = _newest_file(session, JobId(job.id))
    draft = job.state is JobState.DRAFT
    steps = [START, ITEMS, PLAN] if draft else [START, STATUS, SUBMISSIONS, EXPORT]
    steps += [ITEMS] if job.state in {JobState.OPEN, JobState.PAUSED} else []
    steps += [AGAIN] if export else []
    facts = _facts(steps, job, export) | shown.job_facts(job, "code")
    return render_template("labs/job_code.html", **facts)


def _own(session: Session) -> tuple[Job | None, Export | None]:
    """The newest job that began, else the newest draft; and the newest file."""
    found = jobs.jobs_of(session, me(), limit=LOOKED_AT)
    began = [job for job in found if job.state is not JobState.DRAFT]
    return next(iter([*began, *found]), None), _newest_file(session)


def _newest_file(session: Session, job_id: JobId | None = None) -> Export | None:
    found = delivery.exports_of(session, me(), job_id=job_id, limit=LOOKED_AT)
    return next((export for export, _ in found if export.state is ExportState.DONE), None)


def _facts(steps: Sequence[Step], job: Job | None, export: Export | None) -> dict[str, Any]:
    way, _, language = next((each for each in WAYS if each[0] == request.args.get("with")), WAYS[0])
    form = _format_of(job)
    filled = {
        "url": settings().public_url,
        "job_id": str(job.id) if job else "",
        "format": form,
        "filename": f"{form}.jsonl",
        "export_id": str(export.id) if export else "",
        "export_filename": export.filename if export else "",
    }
    macros = current_app.jinja_env.get_template(f"labs/snippets/{way}.txt").module
    return {
        "way": way,
        "ways": WAYS,
        "pieces": [
            Piece(step, str(getattr(macros, step.key)(filled)), _language(step, language))
            for step in steps
        ],
        "export": export,
    }


def _language(step: Step, language: str) -> str:
    return "bash" if step is START else language


def _format_of(job: Job | None) -> str:
    """What trainers read of this type of task; the raw judgements where nothing else is there."""
    formats = sorted(task_type(job.task_type).exports) if job else []
    lines = [key for key in formats if key != "raw" and _is_lines(job, key)]
    return lines[0] if lines else "raw"


def _is_lines(job: Job | None, key: str) -> bool:
    return job is not None and task_type(job.task_type).exports[key].suffix == ".jsonl"
