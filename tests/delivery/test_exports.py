"""Writing exports: as of an event, the same bytes whenever, in pieces, compared with the rows."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace import storage
from marketplace.actor import Actor
from marketplace.delivery import service
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState
from marketplace.identity.rules import Role
from marketplace.ids import ItemId, JobId, SubmissionId
from marketplace.jobs.models import Job
from marketplace.quality.rules.gold import GoldCause
from marketplace.quality.service.gold_changes import change_gold
from marketplace.review import service as review
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.work.models import Submission, Task
from tests.make import identity, specialists, work
from tests.make.background import run


def asked(session: Session, lab: Actor, job: Job, form: str = "raw", **more: Any) -> Export:
    """An export that is asked for now."""
    wish = {"policy": "all"} | more
    return service.request_export(session, lab, JobId(job.id), form=form, **wish)


def written(session: Session, export: Export) -> bytes:
    """The bytes of an export that is written now."""
    session.flush()
    run("delivery.write_export", export_id=export.id)
    session.refresh(export)
    assert (None, ExportState.DONE) == (export.failure, export.state)
    with storage.current().open(export.reference) as file:
        return file.read()


def again(session: Session, lab: Actor, export: Export) -> bytes:
    """The bytes of an export whose file had expired, written anew."""
    export.state = ExportState.EXPIRED
    session.flush()
    storage.current().delete(export.reference)
    service.write_again(session, lab, export.id)
    return written(session, export)


def world(session: Session, items: int = 4) -> tuple[Actor, Job, list[Submission]]:
    """A job whose items have an answer each, all accepted but the last."""
    lab, job = work.published(session, items=items, overlap_min=1, overlap_max=1)
    doctor = specialists.doctor(session)
    given = [work.submitted(session, doctor, job) for _ in range(items)]
    for each in given[:-1]:
        work.decided(session, lab, each)
    return lab, job, given


def overturned(session: Session, submission: Submission, verdict: Verdict) -> None:
    review.overturn(
        session,
        identity.staff(session, Role.OPERATIONS),
        SubmissionId(submission.id),
        verdict=verdict,
        cause=OverturnCause.SECOND_LOOK,
        note="The second answer names the dose, the first does not.",
        clearance_days=7,
    )


@pytest.mark.parametrize("policy", ["all", "majority", "model"])
def test_what_came_later_changes_no_byte(session: Session, policy: str) -> None:
    lab, job, given = world(session)
    export = asked(session, lab, job, policy=policy)
    first = written(session, export)

    work.decided(session, lab, given[-1])
    overturned(session, given[0], Verdict.REJECT)
    item_id = session.get_one(Task, given[1].task_id).item_id
    change_gold(
        session,
        lab,
        ItemId(item_id),
        judgement={"choice": "b"},
        cause=GoldCause.PROMOTED,
        note="Two cardiologists settled it.",
    )
    job.domain = "somewhere else"

    assert first == again(session, lab, export)
    assert first != written(session, asked(session, lab, job, policy=policy))
