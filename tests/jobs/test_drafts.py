"""Drafts: written freely, linted, opened; running jobs keep what specialists agreed to."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.rules import Role
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import NEXT, JobState, PauseReason
from marketplace.money import Money
from tests.make import identity
from tests.make import jobs as make


def pointers(faulty: pytest.ExceptionInfo[Faulty]) -> list[str]:
    return [fault.pointer for fault in faulty.value.faults]


def test_a_title_and_a_type_are_enough(session: Session) -> None:
    lab = identity.lab_owner(session)

    job = service.create_job(session, lab, task_type="pairwise", title="  Two   answers ")

    assert ("Two answers", JobState.DRAFT, 1) == (job.title, job.state, job.version)
    assert job.reference.startswith(f"J-{clock.now().year}-")
    assert 1 == queries.template_version(session, lab, job.id).number


def test_every_fault_is_told_at_once(session: Session) -> None:
    lab = identity.lab_owner(session)
    wrong: dict[str, Any] = {
        "title": " ",
        "overlap_min": 3,
        "overlap_max": 2,
        "lease_seconds": 5,
        "jurisdictions": ["Mars"],
        "languages": ["!"],
        "review_sample_ratio": float("nan"),
        "ai_policy": "perhaps",
        "instructions_md": "nul \0",
        "deadline_at": "tomorrow",
        "pay": Money(-1, "USD"),
    }

    with pytest.raises(Faulty) as faulty:
        service.create_job(session, lab, task_type="pairwise", **wrong)

    assert [
        "/title",
        "/lease_seconds",
        "/requirements/jurisdictions",
        "/requirements/languages",
        "/review/sample_ratio",
        "/ai_policy",
        "/instructions_md",
        "/deadline_at",
        "/pay/amount_minor",
        "/overlap/max",
    ] == pointers(faulty)


def test_ways_of_writing_are_understood(session: Session) -> None:
    job = make.draft(
        session,
        identity.lab_owner(session),
        profession="Physician",
        specialties=["Internal Medicine", "internal_medicine"],
        jurisdictions=["us-ca", "GB"],
        languages=["EN", "pt-br", "zh-hant-TW"],
        review_sample_ratio=0.1,
    )

    assert "medicine" == job.profession
    assert ["internal_medicine"] == job.specialties
    assert ["US-CA", "GB"] == job.jurisdictions
    assert ["en", "pt-BR", "zh-Hant-TW"] == job.languages
    assert Decimal("0.100") == job.review_sample_ratio


def test_a_template_that_does_not_fit_is_refused(session: Session) -> None:
    with pytest.raises(Faulty) as faulty:
        make.draft(session, identity.lab_owner(session), template={"allow_tie": "perhaps"})

    assert ["/template/allow_tie"] == pointers(faulty)


def test_a_new_template_is_a_new_version_and_must_fit_the_items(session: Session) -> None:
    lab = identity.lab_owner(session)
    gold = {"judgement": {"choice": "tie"}}
    job = make.filled(session, lab, items=[make.line("g", gold=gold)])

    with pytest.raises(Faulty) as faulty:
        service.change_job(session, lab, job.id, template={"allow_tie": False})
    session.refresh(job)
    service.change_job(session, lab, job.id, template={"question": "Which?"})
    service.change_job(session, lab, job.id, instructions_md="Other words.")
    service.change_job(session, lab, job.id, template={"question": "Which?"})

    assert ["/items/gold/judgement/choice"] == pointers(faulty)
    assert [3, 2, 1] == [v.number for v in queries.template_versions(session, lab, job.id)]
    assert "Other words." == queries.template_version(session, lab, job.id).instructions_md


def test_a_version_never_changes(session: Session) -> None:
    job = make.draft(session, identity.lab_owner(session))

    with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
        session.execute(update(TemplateVersion).values(number=9))

    assert job.version == 1


def test_two_people_do_not_overwrite_each_other(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    service.change_job(session, lab, job.id, if_version=1, title="First")

    with pytest.raises(Conflict, match="meanwhile"):
        service.change_job(session, lab, job.id, if_version=1, title="Second")

    assert ("First", 2) == (job.title, job.version)


def test_lint_says_everything(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = service.create_job(
        session,
        lab,
        task_type="pairwise",
        title="<script>alert(1)</script>",
        domain="<b>law</b>",
        profession="law",
        deadline_at=clock.now() - timedelta(days=1),
        expected_seconds=3_000,
        lease_seconds=60,
    )

    faults = {fault.pointer for fault in queries.lint(session, job)}

    assert {
        "/title",
        "/domain",
        "/instructions_md",
        "/items",
        "/deadline_at",
        "/lease_seconds",
        "/pay/amount_minor",
    } == faults
    with pytest.raises(Faulty, match="cannot be published"):
        service.open_job(session, lab, job.id, fee_basis_points=0)


def test_a_title_may_speak_of_code(session: Session) -> None:
    lab = identity.lab_owner(session)

    assert [] == queries.lint(session, make.filled(session, lab, title="Is vector<int> a < b?"))


def test_pay_below_the_floor_is_told_with_numbers(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.filled(session, lab, pay=Money(10, "USD"), expected_seconds=360)

    (fault,) = queries.lint(session, job)

    assert "1.00 USD an hour; the floor for medicine is 20.00 USD" in fault.message


def test_a_running_job_keeps_what_was_agreed(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.opened(session, lab)

    changed = service.change_job(
        session, lab, job.id, title="New title", review_sample_ratio=0.5, domain=job.domain
    )
    with pytest.raises(Conflict, match="keeps its lease_seconds, pay_minor"):
        service.change_job(
            session, lab, job.id, pay=Money(1_00, "USD"), lease_seconds=90_000, title="Newer"
        )

    assert "New title" == changed.title
    assert make.FEE_BASIS_POINTS == job.fee_basis_points


def test_pay_of_a_running_job_only_rises(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.opened(session, lab)

    service.raise_pay(session, lab, job.id, Money(5_00, "USD"))

    assert Money(5_00, "USD") == job.pay
    for pay in (Money(5_00, "USD"), Money(4_99, "USD"), Money(9_00, "EUR")):
        with pytest.raises(Conflict, match="only rises"):
            service.raise_pay(session, lab, job.id, pay)


def test_the_states_of_a_job(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.opened(session, lab)

    service.pause_job(session, lab, job.id)
    service.pause_job(session, SYSTEM, job.id, reason=PauseReason.MONEY)
    assert (JobState.PAUSED, PauseReason.LAB) == (job.state, job.pause_reason)
    service.resume_job(session, lab, job.id)
    assert (JobState.OPEN, None) == (job.state, job.pause_reason)
    service.close_job(session, lab, job.id)
    service.close_job(session, lab, job.id)
    assert JobState.CLOSED is job.state

    for verb in (service.pause_job, service.resume_job):
        with pytest.raises(Conflict, match="cannot become"):
            verb(session, lab, job.id)
        session.refresh(job)
    with pytest.raises(Conflict, match="closed"):
        service.add_items(session, lab, job.id, make.lines(1))
    with pytest.raises(Conflict, match="closed"):
        service.change_job(session, lab, job.id, title="Too late")


def test_what_operations_paused_the_lab_cannot_resume(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.opened(session, lab)
    service.pause_job(session, SYSTEM, job.id, reason=PauseReason.OPERATIONS)

    with pytest.raises(Conflict, match="We paused"):
        service.resume_job(session, lab, job.id)


SET_STATE = text(
    """UPDATE job SET state = CAST(:state AS text),
    pause_reason = CASE WHEN :state = 'paused' THEN 'lab' END,
    closed_at = CASE WHEN :state = 'closed' THEN now() END,
    published_at = CASE WHEN :state <> 'draft' THEN now() END,
    fee_basis_points = CASE WHEN :state <> 'draft' THEN 0 END WHERE id = :id"""
)


def test_the_database_knows_the_same_steps(session: Session) -> None:
    lab = identity.lab_owner(session)
    ways: dict[JobState, list[JobState]] = {
        JobState.DRAFT: [],
        JobState.OPEN: [JobState.OPEN],
        JobState.PAUSED: [JobState.OPEN, JobState.PAUSED],
        JobState.CLOSED: [JobState.CLOSED],
    }
    allowed = set()
    for before, after in product(JobState, JobState):
        job_id = make.draft(session, lab).id
        for step in ways[before]:
            session.execute(SET_STATE, {"state": step.value, "id": job_id})
        try:
            with session.begin_nested():
                session.execute(SET_STATE, {"state": after.value, "id": job_id})
        except DBAPIError:
            continue
        allowed.add((before, after))

    stays = {(state, state) for state in JobState}
    assert {(before, after) for before in NEXT for after in NEXT[before]} | stays == allowed


def test_only_its_own_organisation_sees_a_job(session: Session) -> None:
    lab, other = identity.lab_owner(session), identity.lab_owner(session, name="Other")
    job = make.filled(session, lab)
    viewer = identity.member(session, lab, Role.VIEWER)

    assert job is queries.job_of(session, viewer, job.id)
    assert [job] == list(queries.jobs_of(session, viewer))
    assert [] == list(queries.jobs_of(session, other))
    for stranger in (other, identity.specialist(session), identity.staff(session, Role.OPERATIONS)):
        with pytest.raises(Missing):
            queries.job_of(session, stranger, job.id)
    with pytest.raises(Missing):
        service.add_items(session, other, job.id, make.lines(1))
    with pytest.raises(Denied):
        service.change_job(session, viewer, job.id, title="Mine")


def test_pages_of_jobs(session: Session) -> None:
    lab = identity.lab_owner(session)
    made = [make.draft(session, lab) for _ in range(5)]

    first = queries.jobs_of(session, lab, limit=3)
    second = queries.jobs_of(session, lab, limit=3, after=first[-1].id)

    assert [job.id for job in reversed(made)] == [job.id for job in [*first, *second]]
    assert [] == list(queries.jobs_of(session, lab, state=JobState.OPEN))


def test_jobs_that_want_seats(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.opened(session, lab)
    make.filled(session, lab)

    assert [job.id] == list(queries.jobs_wanting_seats(session))
    service.seats_opened(session, job.id, up_to=3)
    session.flush()
    assert [] == list(queries.jobs_wanting_seats(session))
    service.add_items(session, lab, job.id, make.lines(1, first=9))
    assert [job.id] == list(queries.jobs_wanting_seats(session))
    assert isinstance(job, Job)
