"""The brake: rejections beyond what the past explains wait for two confirmations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied
from marketplace.identity import queries as people
from marketplace.identity.models import Membership, Person
from marketplace.identity.rules import Permission, Role
from marketplace.ids import new_id
from marketplace.mail import Message
from marketplace.review import queries, service
from marketplace.review.models import Brake, Decision, HeldDecision, ReviewDraw
from marketplace.review.rules import BrakeState, HeldState, Policy, Verdict
from marketplace.review.rules.brake import REJECTIONS_MIN
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState
from tests.make import identity
from tests.review.world import WHY, World, world

QUIET = Policy(second_look_ratio=0)


def held(session: Session) -> tuple[World, Brake, list[Submission]]:
    """A reviewer rejects everything; what came after the seventh is held."""
    here = world(session, items=10, policy=QUIET)
    given = [here.answered() for _ in range(REJECTIONS_MIN + 2)]
    for each in given:
        here.said(each, Verdict.REJECT, by=here.reviewers[0])
    brake = session.scalars(select(Brake)).one()
    return here, brake, given[REJECTIONS_MIN:]


def states(session: Session) -> list[HeldState]:
    return list(session.scalars(select(HeldDecision.state).order_by(HeldDecision.id)))


def test_held_rejections_change_nothing_until_two_sides_confirm(session: Session) -> None:
    here, brake, waiting = held(session)
    ops = identity.staff(session, Role.OPERATIONS)
    assert [SubmissionState.IN_REVIEW] * 2 == [each.state for each in waiting]
    assert {} == queries.decisions_of(session, [each.id for each in waiting])
    assert here.reviewers[0].person_id == brake.reviewer_id
    with pytest.raises(Conflict):  # Not even another reviewer goes past it.
        here.said(waiting[0], by=here.reviewers[1])
    with clock.shifted(timedelta(days=7, minutes=1)):
        assert not service.accept_next_overdue(session, clearance_days=7)
    assert not service.carry_next_held(session, brake.id, clearance_days=7)

    with pytest.raises(Denied):
        service.confirm_brake(session, here.reviewers[1], brake.id, reason=WHY)
    service.confirm_brake(session, here.owner, brake.id, reason=WHY)
    session.flush()
    assert BrakeState.HOLDING is brake.state
    service.confirm_brake(session, ops, brake.id, reason=WHY)
    session.flush()
    while service.carry_next_held(session, brake.id, clearance_days=7):
        session.flush()

    assert [HeldState.CARRIED_OUT] * 2 == states(session)
    assert [SubmissionState.REJECTED] * 2 == [each.state for each in waiting]
    decided = queries.decisions_of(session, [each.id for each in waiting])
    assert {here.reviewers[0].person_id} == {each.reviewer_id for each in decided.values()}
    more = here.answered()
    here.said(more, Verdict.REJECT, by=here.reviewers[0])  # The same is not asked twice a day.
    assert SubmissionState.REJECTED is more.state
    assert [] == here.sound()


def test_held_rejections_that_are_let_go_wait_for_review_again(session: Session) -> None:
    here, brake, waiting = held(session)
    with clock.shifted(timedelta(days=6, hours=12)):
        service.release_brake(session, here.owner, brake.id, reason=WHY)
        session.flush()
        soon = clock.now() + timedelta(days=2, hours=23)

    assert (BrakeState.RELEASED, [HeldState.DROPPED] * 2) == (brake.state, states(session))
    dates = [session.get_one(ReviewDraw, each.id).due_at for each in waiting]
    assert all(due is not None and due > soon for due in dates)
    here.said(waiting[0], by=here.reviewers[1])
    assert SubmissionState.ACCEPTED is waiting[0].state
    assert [] == here.sound()


def test_a_hold_that_nobody_confirms_lets_go_by_itself(session: Session) -> None:
    here, brake, _ = held(session)

    with clock.shifted(timedelta(days=8)):
        assert service.release_next_overdue(session)
        assert not service.release_next_overdue(session)

    assert (BrakeState.RELEASED, None) == (brake.state, brake.released_by)
    assert [brake.id] == [each.id for each in queries.brakes_of(session, here.owner)]


def of_one_house(session: Session, reviewer: Actor, author: Actor) -> None:
    """Both come to work for the same hospital."""
    house = identity.lab_owner(session).organisation()
    session.add_all(
        Membership(
            organisation_id=house,
            person_id=each.person(),
            role=Role.REVIEWER,
            created_at=clock.now(),
        )
        for each in (reviewer, author)
    )
    session.flush()


def test_held_rejections_go_by_time_whoever_became_a_colleague_since(session: Session) -> None:
    here, brake, _ = held(session)
    of_one_house(session, here.reviewers[0], here.doctors[REJECTIONS_MIN])

    with clock.shifted(timedelta(days=8)):
        assert service.release_next_overdue(session)
        session.flush()

    assert (BrakeState.RELEASED, [HeldState.DROPPED] * 2) == (brake.state, states(session))


def test_one_that_a_colleague_cannot_say_stops_no_other(session: Session) -> None:
    here, brake, waiting = held(session)
    ops = identity.staff(session, Role.OPERATIONS)
    of_one_house(session, here.reviewers[0], here.doctors[REJECTIONS_MIN])

    for side in (here.owner, ops):
        service.confirm_brake(session, side, brake.id, reason=WHY)
        session.flush()
    while service.carry_next_held(session, brake.id, clearance_days=7):
        session.flush()

    assert [HeldState.DROPPED, HeldState.CARRIED_OUT] == states(session)
    assert [SubmissionState.IN_REVIEW, SubmissionState.REJECTED] == [e.state for e in waiting]
    with clock.shifted(timedelta(days=11)):  # It waits for another reviewer, and then no more.
        assert service.accept_next_overdue(session, clearance_days=7)
    assert SubmissionState.ACCEPTED is waiting[0].state
    assert [] == here.sound()


def test_the_self_check_finds_what_is_held_for_nothing(session: Session) -> None:
    here, brake, waiting = held(session)
    service.release_brake(session, here.owner, brake.id, reason=WHY)
    stuck = HeldDecision(
        id=new_id(),
        brake_id=brake.id,
        submission_id=waiting[0].id,
        job_id=here.job_id,
        author_id=waiting[0].specialist_id,
        reviewer_id=here.reviewers[0].person(),
        state=HeldState.HELD,
        verdict=Verdict.REJECT,
        defects=[],
        note=WHY,
        decided_at=clock.now(),
    )
    session.add(stuck)

    assert [
        f"Held rejection {stuck.id} of submission {waiting[0].id} waits, and its brake {brake.id} "
        "is released."
    ] == here.sound()


def test_the_letters_go_to_owners_and_operations_only(session: Session) -> None:
    here, brake, _ = held(session)
    session.flush()

    service.tell_brake(session, brake.id)
    session.flush()

    letters = session.scalars(select(Message).where(Message.template == "brake_set")).all()
    told = {letter.to for letter in letters}
    uninvolved = [*here.doctors, *here.reviewers]
    assert {_address(session, here.owner)} == told - _operations(session)
    assert told.isdisjoint({_address(session, each) for each in uninvolved})
    assert "were rejected; from what the job saw before, up to 42%" in (letters[0].body or "")


def _address(session: Session, actor: Actor) -> str:
    return session.get_one(Person, actor.person()).email


def _operations(session: Session) -> set[str]:
    ours = people.platform_addressees(session, Permission.APPEALS_DECIDE)
    return {each.email for each in ours}


def test_the_database_wants_both_sides_and_two_people(session: Session) -> None:
    here, brake, _ = held(session)
    one_side = {"lab_confirmed_by": here.owner.person_id, "lab_reason": WHY}
    both = {"operations_confirmed_by": here.owner.person_id, "operations_reason": WHY}

    for wrong, match in (
        ({"state": "confirmed", "ended_at": clock.now(), **one_side}, "both_sides"),
        ({**one_side, **both}, "two_people"),
    ):
        with pytest.raises(IntegrityError, match=match), session.begin_nested():
            session.execute(update(Brake).where(Brake.id == brake.id).values(**wrong))


def test_a_few_rejections_among_many_answers_are_no_cause(session: Session) -> None:
    here = world(session, items=12, policy=QUIET)
    for at in range(11):
        here.said(here.answered(), Verdict.ACCEPT if at % 4 else Verdict.REJECT)

    assert [] == session.scalars(select(Brake)).all()
    assert 11 == len(session.scalars(select(Decision)).all())
