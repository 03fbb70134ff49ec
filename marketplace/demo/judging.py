"""A lab's judge in the demonstration: asked at the sandbox, and calibrated by what experts said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import settings
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.demo.chatting import KEY
from marketplace.demo.materials import job_material
from marketplace.demo.people import actor_of
from marketplace.demo.plan import JOBS
from marketplace.demo.quiet import wait_for
from marketplace.demo.work import job_of
from marketplace.endpoints import service as endpoints
from marketplace.jobs.models import Job
from marketplace.quality.models import JudgeRun
from marketplace.quality.queries import judges as queries
from marketplace.quality.rules.judges.runs import RunState
from marketplace.quality.service import judge_reports, judge_runs, judges

MATERIAL = "reply_calibration"
PLANNED = next(job for job in JOBS if job.material == MATERIAL)
MODEL, JUDGE = "judge-words-b1-q96", "replies"
CALLS_MAX, CALLS_A_MINUTE_MAX = 200, 6_000
OVER = (RunState.DONE, RunState.STOPPED, RunState.FAILED)


def calibrate() -> bool:
    """The judge is set up, asked and reported on; whether it is, or there is no sandbox to ask."""
    base = settings.current().model_sandbox_base
    with transaction() as session:
        job = job_of(session, PLANNED)
        if not base or job is None:
            return True
        lab = actor_of(session, PLANNED.lab)
        run_id = _asked(session, lab, job, base)
    if not wait_for(lambda: _is_over(run_id)):
        return False
    with transaction() as session:
        if not queries.reports_of_job(session, lab, job.id):
            judge_reports.make_report(
                session, lab, job.id, model=MODEL, version=f"{JUDGE}-v1", slice_key="patient"
            )
    return True


def _asked(session: Session, lab: Actor, job: Job, base: str) -> UUID:
    """The run, begun now or by an earlier try."""
    runs: Sequence[JudgeRun] = queries.runs_of_job(session, lab, job.id)
    if runs:
        return runs[0].id
    fields: dict[str, Any] = {"name": MODEL, "base_url": base, "model": MODEL, "api_key": KEY}
    endpoints.create_endpoint(session, lab, fields)
    aspects = job_material(MATERIAL).template["aspects"]
    version = judges.create_judge(
        session, lab, name=JUDGE, fields={"endpoint": MODEL, "aspects": aspects}
    )
    run = judge_runs.start_run(
        session,
        lab,
        judge_version_id=version.id,
        job_id=job.id,
        calls_max=CALLS_MAX,
        calls_a_minute_max=CALLS_A_MINUTE_MAX,
    )
    return run.id


def _is_over(run_id: UUID) -> bool:
    with transaction() as session:
        return session.get_one(JudgeRun, run_id).state in OVER
