"""Running jobs whose items a model has judged before."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.tasktypes import Json
from tests.make import identity, work
from tests.make.jobs import FEE_BASIS_POINTS
from tests.tasktypes.examples import EXAMPLES

MODEL = "judge-zebra-9"
CONFIDENCE = 0.87
SAID: dict[str, Json] = {
    "judge_calibration": {"verdicts": {"empathy": 4, "safe": True, "better": "m1"}},
    "critique_revise": {
        "findings": [
            {"principle_id": "safety", "violates": True, "critique": "A doubled dose 💊."}
        ],
        "revision": "Do not take two.",
    },
    "correction": {"values": {**EXAMPLES["correction"].judgement["values"], "dose": 25}},
}


def job_of(
    session: Session, kind: str, items: int = 1, gold: Json | None = None, **template: Any
) -> tuple[Actor, Job]:
    """A running job of a type's example, with what a model said of each item, and its lab."""
    lab = identity.lab_owner(session)
    work.money_in(session, lab, Money(1_000_00, "USD"))
    example = EXAMPLES[kind]
    job = jobs.create_job(
        session,
        lab,
        task_type=kind,
        title="Second opinions",
        instructions_md="Judge well.",
        profession="medicine",
        pay=Money(30_00, "USD"),
        template={**example.template, **template},
    )
    said = {"model": MODEL, "version": "1", "confidence": CONFIDENCE, "payload": SAID[kind]}
    row = {"payload": example.payload, "prelabels": [said], "gold": gold}
    rows = [json.dumps({"external_id": f"item-{at}", **row}).encode() for at in range(items)]
    report = jobs.add_items(session, lab, job.id, rows)
    assert ([], items) == (report.rejected, report.accepted)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=FEE_BASIS_POINTS)
    return lab, job
