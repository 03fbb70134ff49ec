"""Builders of judges, of panels, and of what the panels' people said."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import service
from marketplace.jobs.models import Item, Job
from marketplace.money import Money
from marketplace.quality.models import JudgeRun, JudgeVersion
from marketplace.quality.rules.judges import asking
from marketplace.quality.service import judge_reports, judge_runs, judges
from marketplace.routing import service as routing
from marketplace.sandbox import model_judge
from marketplace.work.models import Task
from marketplace.work.rules import Envelope
from tests.make import endpoints, identity, specialists, work

EMPATHY = {
    "key": "empathy",
    "title": "Empathy",
    "kind": "score",
    "scale": {"min": 1, "max": 5, "anchors": {"1": "none", "5": "full"}},
}
BETTER = {"key": "better", "title": "The better reply", "kind": "preference", "allow_tie": False}
ASPECTS: list[dict[str, Any]] = [EMPATHY, BETTER]


def judge(
    session: Session,
    lab: Actor,
    *,
    model: str = "judge-q80",
    name: str = "empathy",
    aspects: Sequence[Any] = ASPECTS,
    limits: Any = None,
    **fields: Any,
) -> JudgeVersion:
    """A judge of the lab at the sandbox's models, with an endpoint of its own."""
    endpoints.endpoint(session, lab, f"at-{name}", model=model, **(limits or {}))
    return judges.create_judge(
        session,
        lab,
        name=name,
        fields={"endpoint": f"at-{name}", "aspects": list(aspects), **fields},
    )


def line(number: int, **metadata: Any) -> bytes:
    """An item with two replies, the second longer; it says nothing of its worth."""
    payload = {
        "messages": [{"role": "user", "content": f"Message {number}: I cannot sleep lately."}],
        "responses": [
            {"id": "a", "text": f"Reply {number} of the first kind."},
            {"id": "b", "text": f"Reply {number} of the second kind. " * (1 + number % 5)},
        ],
        **({"metadata": metadata} if metadata else {}),
    }
    return json.dumps({"external_id": f"item-{number}", "payload": payload}).encode()


def panel(
    session: Session, *, items: int = 12, lab: Actor | None = None, experts: int = 2, **fields: Any
) -> tuple[Actor, Job]:
    """A running judge calibration with slices; every item is judged by so many people."""
    lab = lab or identity.lab_owner(session)
    work.money_in(session, lab, Money(10_000_00, "USD"))
    job = service.create_job(
        session,
        lab,
        task_type="judge_calibration",
        title="How kind is this reply?",
        domain="cardiology",
        instructions_md="Judge the reply, not the message.",
        profession="medicine",
        template={"aspects": ASPECTS},
        pay=Money(6_00, "USD"),
        overlap_min=experts,
        overlap_max=experts,
        **fields,
    )
    lines = [line(number, ward=("north", "south")[number % 2]) for number in range(items)]
    service.add_items(session, lab, job.id, lines)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    return lab, job


def verdict(session: Session, job: Job, *, flaw: Callable[[int], int]) -> Actor:
    """Somebody judges all items of a panel as the sandbox's judge would at its best, each score
    moved by what `flaw` says of its number."""
    person = specialists.doctor(session)
    for number in range(job.item_count):
        claim = work.claimed(session, person, job)
        payload = item_payload(session, claim.task_id)
        said = {
            "empathy": min(max(truth(payload, "empathy", [1, 2, 3, 4, 5]) + flaw(number), 1), 5),
            "better": truth(payload, "better", ["a", "b"]),
        }
        work.submit(session, person, claim, Envelope(judgement={"verdicts": said}))
    return person


def item_payload(session: Session, task_id: Any) -> Any:
    """The payload of a task's item."""
    task = session.get_one(Task, task_id)
    return session.get_one(Item, task.item_id).payload


def truth(payload: Any, dimension: str, values: Sequence[Any]) -> Any:
    """What the sandbox's judge takes an item to be worth, with the usual prompt."""
    return model_judge.worth(
        asking.rendered(asking.DEFAULT_PROMPT, ASPECTS, payload), dimension, values
    )


def run(session: Session, lab: Actor, version: JudgeVersion, job: Job, **limits: Any) -> JudgeRun:
    """A run that was started and not yet asked anything."""
    return judge_runs.start_run(
        session,
        lab,
        judge_version_id=version.id,
        job_id=job.id,
        **{"calls_max": 1_000, "calls_a_minute_max": 6_000, **limits},
    )


def belongings(session: Session, lab: Actor, job: Job) -> dict[str, Any]:
    """The ids of a judge, a run and a report on a pairwise job that somebody has worked on."""
    choice = {"key": "choice", "title": "The better response", "kind": "preference"}
    version = judge(session, lab, name="chooser", aspects=[choice])
    started = run(session, lab, version, job)
    items = session.scalars(select(Item.id).where(Item.job_id == job.id)).all()
    said = [service.Said(item, version.model, "chooser-v1", {"choice": "a"}) for item in items]
    service.add_prelabels(session, job.id, said)
    report = judge_reports.make_report(
        session, lab, job.id, model=version.model, version="chooser-v1"
    )
    return {"judge_id": version.judge_id, "run_id": started.id, "report_id": report.id}
