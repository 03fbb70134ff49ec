"""Lots with their reasons, dates, second looks, and who may not look at whose work."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.errors import Faulty
from marketplace.identity.models import Membership
from marketplace.identity.rules import Role
from marketplace.ids import PersonId, SubmissionId, new_id
from marketplace.outbox import OutboxRow
from marketplace.review import queries, rules, service
from marketplace.review.models import Decision, ReviewDraw, SecondLook
from marketplace.review.rules import EndedBy, OverturnCause, Policy, SecondLookState, Verdict
from marketplace.specialists import service as profiles
from marketplace.work.rules import IllegalStep, SubmissionState
from tests.make import identity, specialists
from tests.make import work as make
from tests.review.world import WHY, world


def test_an_answer_keeps_how_likely_it_was_drawn_and_why(session: Session) -> None:
    here = world(session, items=6, review_sample_ratio=0.5, tasks_a_person_max=None)
    doctor = specialists.doctor(session)
    for at in range(6):
        flags = ("unsure",) if at == 3 else ()
        make.submitted(session, doctor, here.job, make.answer("a", flags=flags))
        service.accept_next_arrived(session, clearance_days=7)
        service.draw_waiting(session)
        session.flush()

    lots = session.scalars(select(ReviewDraw).order_by(ReviewDraw.submission_id)).all()

    assert 6 == len(lots)
    assert {(lot.sampled, lot.due_at is not None) for lot in lots} <= {(True, True), (False, False)}
    assert all(0.5 <= lot.chance <= 1 for lot in lots)
    assert "new_in_job" in lots[0].reasons
    assert "unsure" in lots[3].reasons
    assert "new_in_job" not in lots[5].reasons
    assert lots[3].chance > lots[0].chance > lots[5].chance
    for lot in lots:
        assert lot.sampled == rules.is_sampled(lot.submission_id, lot.chance)


def test_who_is_watched_is_looked_at_until_the_number_is_reached(session: Session) -> None:
    here = world(session, items=3, review_sample_ratio=0)
    doctor = specialists.doctor(session)
    service.watch(session, here.job_id, doctor.person(), answers=2, why="haste")
    given = [here.answered(doctor=doctor) for _ in range(3)]

    while service.accept_next_arrived(session, clearance_days=7):
        session.flush()

    assert [SubmissionState.IN_REVIEW] * 2 + [SubmissionState.ACCEPTED] == [
        each.state for each in given
    ]
    lot = session.get_one(ReviewDraw, given[0].id)
    assert (1.0, ["watched"], True) == (lot.chance, lot.reasons, lot.sampled)
    assert session.get(ReviewDraw, given[2].id) is None


def test_what_nobody_decides_in_time_is_accepted_with_its_pay(session: Session) -> None:
    here = world(session, policy=Policy(days_max=3))
    first, second = here.answered(), here.answered()
    service.draw_waiting(session)
    here.said(second)
    assert not service.accept_next_overdue(session, clearance_days=7)

    with clock.shifted(timedelta(days=2)):
        assert 1 == service.remind_soon_due(session)
        assert 0 == service.remind_soon_due(session)
        assert 3 == service.tell_due(session, here.owner.organisation())
    with clock.shifted(timedelta(days=3, seconds=1)):
        assert service.accept_next_overdue(session, clearance_days=7)
        assert not service.accept_next_overdue(session, clearance_days=7)

    assert SubmissionState.ACCEPTED is first.state
    assert (450, 450) == (here.pending(here.doctors[0]), here.pending(here.doctors[1]))
    lots = queries.draws_of(session, [first.id, second.id])
    assert [EndedBy.DEADLINE, EndedBy.VERDICT] == [
        lots[each.id].ended_by for each in (first, second)
    ]
    assert queries.decisions_of(session, [first.id])[first.id].reviewer_id is None
    assert [] == here.sound()
    told = session.scalars(select(OutboxRow.name).where(OutboxRow.name == "review.tell_due"))
    assert 1 == len(told.all())


def test_the_rules_of_review_keep_to_our_bounds(session: Session) -> None:
    here = world(session)

    with pytest.raises(Faulty) as refused:
        service.set_policy(session, here.owner, here.job_id, Policy(31, 1.5))

    assert ["/days_max", "/second_look_ratio"] == [each.pointer for each in refused.value.faults]
    assert Policy() == queries.policy_of(session, here.job_id)


def test_a_second_reviewer_who_would_accept_overturns_a_rejection(session: Session) -> None:
    here = world(session)
    given = here.answered()
    here.said(given, Verdict.REJECT, by=here.reviewers[0])
    with pytest.raises(IllegalStep):  # Who rejected does not look again.
        here.said(given, by=here.reviewers[0])

    here.said(given, by=here.reviewers[1])

    look = session.scalars(select(SecondLook)).one()
    assert (SecondLookState.DISAGREED, Verdict.ACCEPT) == (look.state, look.verdict)
    standing = queries.decisions_of(session, [given.id])[given.id]
    assert (Verdict.ACCEPT, OverturnCause.SECOND_LOOK) == (standing.verdict, standing.cause)
    assert 450 == here.pending(here.doctors[0])
    assert [] == here.sound()
    with pytest.raises(IllegalStep):
        here.said(given, by=here.reviewers[1])


def test_two_who_reject_let_it_stand_and_nobody_looks_for_ever(session: Session) -> None:
    here = world(session, policy=Policy(second_look_ratio=1.0))
    upheld, lapsed = here.answered(), here.answered()
    for given in (upheld, lapsed):
        here.said(given, Verdict.REJECT)

    here.said(upheld, Verdict.REJECT, by=here.reviewers[0])
    with clock.shifted(timedelta(days=8)):
        assert service.lapse_next_look(session)
        assert not service.lapse_next_look(session)

    states = dict(session.execute(select(SecondLook.submission_id, SecondLook.state)).all())
    assert {
        upheld.id: SecondLookState.UPHELD,
        lapsed.id: SecondLookState.LAPSED,
    } == states
    assert [0, 0] == [here.pending(each) for each in here.doctors]
    assert [] == here.sound()


def test_a_share_of_rejections_and_always_the_first_is_looked_at_again(session: Session) -> None:
    here = world(session, items=4, policy=Policy(second_look_ratio=0.001))
    for _ in range(3):
        here.said(here.answered(), Verdict.REJECT)

    assert 1 == len(session.scalars(select(SecondLook)).all())


def test_an_appeal_that_was_quicker_leaves_a_second_look_without_effect(session: Session) -> None:
    here = world(session)
    given = here.answered()
    here.said(given, Verdict.REJECT, by=here.reviewers[0])
    service.overturn(
        session,
        SYSTEM,
        SubmissionId(given.id),
        verdict=Verdict.ACCEPT,
        cause=OverturnCause.APPEAL,
        note=WHY,
        clearance_days=7,
    )
    session.flush()

    here.said(given, by=here.reviewers[1])

    assert 2 == len(session.scalars(select(Decision)).all())
    assert 450 == here.pending(here.doctors[0])
    assert [] == here.sound()


def test_nobody_decides_on_work_from_their_own_organisation(session: Session) -> None:
    here = world(session)
    employed = specialists.doctor(session)
    given = here.answered(doctor=employed)
    profiles.save_profile(
        session,
        employed,
        professions=["medicine"],
        languages=["en"],
        employers=["  lab,  Inc."],
    )
    session.flush()

    with pytest.raises(rules.SameOrganisation):
        here.said(given)
    with (
        pytest.raises(IntegrityError, match="reviewer_of_same_organisation"),
        session.begin_nested(),
    ):
        session.execute(
            insert(Decision).values(
                id=new_id(),
                submission_id=given.id,
                job_id=here.job.id,
                author_id=given.specialist_id,
                reviewer_id=here.reviewers[0].person_id,
                verdict=Verdict.ACCEPT,
                defects=[],
                note="",
                decided_at=clock.now(),
            )
        )

    service.draw_waiting(session)
    with clock.shifted(timedelta(days=8)):  # It is not lost: its date comes.
        assert service.accept_next_overdue(session, clearance_days=7)
    assert SubmissionState.ACCEPTED is given.state


def test_two_members_of_a_third_organisation_do_not_judge_each_other(session: Session) -> None:
    here = world(session)
    clinic = identity.lab_owner(session, name="Clinic")
    given = here.answered()
    for person in (PersonId(given.specialist_id), here.owner.person()):
        _join(session, clinic.organisation(), person)

    with pytest.raises(rules.SameOrganisation):
        here.said(given)


def test_nobody_overturns_a_verdict_on_a_colleagues_work(session: Session) -> None:
    here = world(session)
    clinic = identity.lab_owner(session, name="Clinic")
    given = here.answered()
    here.said(given)
    operations = identity.staff(session, Role.OPERATIONS)
    for person in (PersonId(given.specialist_id), operations.person()):
        _join(session, clinic.organisation(), person)

    with pytest.raises(rules.SameOrganisation):
        service.overturn(
            session,
            operations,
            SubmissionId(given.id),
            verdict=Verdict.REJECT,
            cause=OverturnCause.INTEGRITY,
            note=WHY,
            clearance_days=7,
        )


def _join(session: Session, organisation_id: object, person_id: PersonId) -> None:
    session.add(
        Membership(
            person_id=person_id,
            organisation_id=organisation_id,
            role=Role.VIEWER,
            created_at=clock.now(),
        )
    )
    session.flush()


def test_the_row_of_a_second_look_keeps_its_reviewers_apart(session: Session) -> None:
    here = world(session)
    given = here.answered()
    here.said(given, Verdict.REJECT)

    with pytest.raises(IntegrityError, match="somebody_else"), session.begin_nested():
        session.execute(
            update(SecondLook).values(
                state=SecondLookState.UPHELD,
                reviewer_id=here.owner.person_id,
                verdict=Verdict.REJECT,
                ended_at=clock.now(),
            )
        )
