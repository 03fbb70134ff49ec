"""What a lab may ask beside credentials, the caps, and the pay of late work."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.errors import Conflict, Faulty
from marketplace.ids import JobId
from marketplace.jobs import service
from marketplace.jobs.rules import LatePay, cleaned
from marketplace.routing import service as routing
from tests.make import identity
from tests.make import jobs as make
from tests.make import work as make_work


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("distinct_by", ["star sign"], "/conflicts/distinct_by"),
        ("distinct_by", "device", "/conflicts/distinct_by"),
        ("claims_live_max", 0, "/limits/claims_live_max"),
        ("claims_live_max", 101, "/limits/claims_live_max"),
        ("tasks_a_person_max", 0, "/limits/tasks_a_person_max"),
        ("late_pay", "none", "/late_pay"),
        ("cannot_complete_ratio", 0.51, "/cannot_complete_ratio"),
        ("contingency_ratio", 1.1, "/contingency_ratio"),
        ("qualification_ids", ["x"], "/requirements/qualifications"),
        ("qualification_ids", 5, "/requirements/qualifications"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(name: str, value: Any, pointer: str) -> None:
    with pytest.raises(Faulty) as refused:
        cleaned({name: value})

    assert [pointer] == [fault.pointer for fault in refused.value.faults]


def test_terms_have_defaults_and_are_kept(session: Session) -> None:
    lab = identity.lab_owner(session)
    plain = make.draft(session, lab)
    asked = make.draft(
        session,
        lab,
        distinct_by=["organisation", "household", "household"],
        tasks_a_person_max=40,
        late_pay="half",
        cannot_complete_ratio=0.25,
        contingency_ratio=0.1,
    )

    assert ([], 5, None, LatePay.FULL) == (
        plain.distinct_by, plain.claims_live_max, plain.tasks_a_person_max, plain.late_pay,
    )  # fmt: skip
    assert ["household", "organisation"] == asked.distinct_by
    assert (40, LatePay.HALF, Decimal("0.25"), Decimal("0.1")) == (
        asked.tasks_a_person_max, asked.late_pay, asked.cannot_complete_ratio,
        asked.contingency_ratio,
    )  # fmt: skip


def test_caps_change_while_a_job_runs_and_pay_for_late_work_does_not(session: Session) -> None:
    lab, job = make_work.published(session)

    service.change_job(session, lab, job.id, claims_live_max=2, tasks_a_person_max=9)

    assert (2, 9) == (job.claims_live_max, job.tasks_a_person_max)
    with pytest.raises(Conflict):
        service.change_job(session, lab, job.id, late_pay="half")
    with pytest.raises(Conflict):
        service.change_job(session, lab, job.id, distinct_by=["device"])


@pytest.mark.parametrize(
    ("fields", "place", "word"),
    [
        ({"profession": "medicin"}, "/requirements/profession", "medicine"),
        ({"specialties": ["cardiologie"]}, "/requirements/specialties", "cardiology"),
    ],
)
def test_words_that_nobody_can_show_are_refused_with_the_nearest(
    session: Session, fields: dict[str, Any], place: str, word: str
) -> None:
    lab = identity.lab_owner(session)
    job = make.filled(session, lab, **fields)

    with pytest.raises(Faulty) as refused:
        routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)

    assert [place] == [fault.pointer for fault in refused.value.faults]
    assert word in refused.value.faults[0].message
