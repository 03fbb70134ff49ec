"""Exports of what models said and of what people made of it, from rows to rows."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery import queries, service
from marketplace.delivery.models import Export
from marketplace.ids import JobId
from marketplace.jobs.models import Job
from marketplace.tasktypes import Counts, Json, line, task_type
from marketplace.work import service as work_service
from marketplace.work.rules import Envelope
from tests.make import specialists, work
from tests.make.prelabelled import MODEL, SAID, job_of
from tests.tasktypes.examples import EXAMPLES


def exported(session: Session, lab: Actor, job: Job, form: str) -> Export:
    return service.request_export(session, lab, JobId(job.id), form=form, policy="all")


def rows(session: Session, export: Export, kind: str) -> list[Json]:
    exporter = task_type(kind).exports[export.format]
    records = queries.records_after(session, export, 0, limit=100).records
    return list(exporter.rows(records, export.policy, Counts()))


def test_a_fault_named_later_is_in_later_exports_only(session: Session) -> None:
    lab, job = job_of(session, "judge_calibration")
    doctor = specialists.doctor(session)
    judgement = EXAMPLES["judge_calibration"].judgement
    given = work.submitted(session, doctor, job, Envelope(judgement=judgement))
    work.decided(session, lab, given)
    before = exported(session, lab, job, "agreement_pairs")
    first = rows(session, before, "judge_calibration")
    fault = {"model": MODEL, "version": "1", "tag": "facts", "dimension": "safe"}
    work_service.add_judge_fault(session, doctor, given.id, **fault)

    after = rows(session, exported(session, lab, job, "agreement_pairs"), "judge_calibration")

    assert [line(row) for row in first] == [
        line(row) for row in rows(session, before, "judge_calibration")
    ]
    assert {"empathy": [], "safe": ["facts"], "better": []} == {
        row["dimension"]: row["judge_faults"] for row in after
    }
    (raw,) = rows(session, exported(session, lab, job, "raw"), "judge_calibration")
    assert ([MODEL], ["facts"], 1) == (
        [said["model"] for said in raw["prelabels"]],
        [added["tag"] for added in raw["addenda"]],
        raw["round"],
    )


@pytest.mark.parametrize(("kind", "form"), [("correction", "corrected"), ("correction", "raw")])
def test_a_correction_leaves_with_what_it_corrects(session: Session, kind: str, form: str) -> None:
    lab, job = job_of(session, kind)
    judgement = EXAMPLES[kind].judgement
    doctor = specialists.doctor(session)
    work.decided(session, lab, work.submitted(session, doctor, job, Envelope(judgement=judgement)))

    (row,) = rows(session, exported(session, lab, job, form), kind)

    if form == "raw":
        assert SAID[kind] == row["prelabels"][0]["payload"]
        assert MODEL == row["judgement"]["corrected"]["model"]
    else:
        assert (SAID[kind]["values"], judgement["values"]) == (row["original"], row["values"])
        assert 1 == row["ops"]["edited"]


def test_who_accepts_a_wrong_pre_label_on_a_gold_item_is_marked_so(session: Session) -> None:
    right = EXAMPLES["correction"].judgement
    gold = {"judgement": right, "explanation": "Half a tablet."}
    _, job = job_of(session, "correction", 2, gold=gold)
    careless = work.submitted(
        session, specialists.doctor(session), job, Envelope(judgement=SAID["correction"])
    )
    careful = work.submitted(session, specialists.doctor(session), job, Envelope(judgement=right))

    kind = task_type("correction")
    agreed = [
        kind.gold_agrees(each.judgement, right, EXAMPLES["correction"].template)
        for each in (careless, careful)
    ]

    assert [0.0, 1.0] == agreed
