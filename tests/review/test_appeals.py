"""Appeals: who may file them and until when, who decides, what comes of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock, mail
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Denied, Faulty, Missing, TooOften
from marketplace.identity.models import Membership
from marketplace.identity.rules import Role
from marketplace.ids import SubmissionId, new_id
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.outbox.work import OutboxRow
from marketplace.quality.models import ControlFiring
from marketplace.quality.rules.control import Action, FiringState
from marketplace.review import queries, rules, service
from marketplace.review.models import Appeal, AppealEvidence, Decision
from marketplace.review.rules import (
    AppealState,
    AppealSubject,
    OverturnCause,
    Verdict,
    appeals,
)
from marketplace.work.models import Claim
from marketplace.work.rules import AnsweredAgain, SubmissionState
from tests.make import appeals as make_appeals
from tests.make import background, identity, specialists
from tests.make import work as make
from tests.make.appeals import NOTE, REASON
from tests.quality.test_control import evaluated, rule_on
from tests.quality.test_gold import all_done, with_gold


def pending(session: Session, person: Actor) -> Money:
    return ledger.specialist_balances(session, person.person())["USD"].pending


def letters(session: Session) -> list[str]:
    session.flush()
    return list(session.scalars(select(mail.Message.template).order_by(mail.Message.id)))


def _join(session: Session, someone: Actor, other: Actor, role: Role) -> None:
    """Make somebody a member of the organisation that another acts for."""
    session.add(
        Membership(
            person_id=someone.person(),
            organisation_id=other.organisation(),
            role=role,
            created_at=clock.now(),
        )
    )
    session.flush()


def test_an_upheld_appeal_overturns_pays_and_tells_both_sides(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session)
    operations = identity.staff(session, Role.OPERATIONS)
    appeal = make_appeals.filed(session, doctor, submission)

    make_appeals.decided(session, operations, appeal, upheld=True)

    assert (AppealState.UPHELD, SubmissionState.ACCEPTED) == (appeal.state, submission.state)
    assert Money(4_50, "USD") == pending(session, doctor)
    answer = queries.standing_decisions(session, [submission.id])[submission.id]
    assert (appeal.answer_id, OverturnCause.APPEAL) == (answer.id, answer.cause)
    assert {"appeal_ended", "appeal_ended_lab"} <= set(letters(session))
    with pytest.raises(rules.NoAppeal):
        make_appeals.filed(session, doctor, submission)


def test_a_denied_appeal_changes_nothing_and_is_the_last_word(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session)
    appeal = make_appeals.filed(session, doctor, submission)

    make_appeals.decided(session, identity.staff(session, Role.OPERATIONS), appeal, upheld=False)

    assert (AppealState.DENIED, SubmissionState.REJECTED) == (appeal.state, submission.state)
    assert {} == ledger.specialist_balances(session, doctor.person())
    with pytest.raises(rules.NoAppeal):
        make_appeals.filed(session, doctor, submission)


def test_work_that_was_sent_back_can_be_appealed_until_it_is_done_again(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session, Verdict.REWORK)
    appeal = make_appeals.filed(session, doctor, submission)

    make_appeals.decided(session, identity.staff(session, Role.OPERATIONS), appeal, upheld=True)

    assert SubmissionState.ACCEPTED is submission.state


def test_of_work_that_was_done_again_the_later_round_counts(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session, Verdict.REWORK)
    again = session.scalars(select(Claim).where(Claim.reworks_submission_id == submission.id)).one()
    make.sampled(session, doctor, again, make.answer("b"))

    with pytest.raises(AnsweredAgain):
        make_appeals.filed(session, doctor, submission)


def test_an_appeal_of_work_that_is_done_again_meanwhile_ends_and_stops_no_other(
    session: Session,
) -> None:
    _, _, doctor, submission = make_appeals.rejected(session, Verdict.REWORK)
    appeal = make_appeals.filed(session, doctor, submission)
    other = make_appeals.filed(session, *make_appeals.rejected(session)[2:])
    again = session.scalars(select(Claim).where(Claim.reworks_submission_id == submission.id)).one()
    make.sampled(session, doctor, again, make.answer("b"))
    session.flush()

    with clock.shifted(timedelta(days=7, seconds=1)):
        background.run("review.lapse_appeals")

    for each, state in ((appeal, AppealState.OVERTAKEN), (other, AppealState.LAPSED)):
        session.refresh(each)
        assert state is each.state
    assert SubmissionState.REWORK is submission.state
    assert [] == queries.broken_invariants(session)


def test_who_may_appeal_what_and_until_when(session: Session) -> None:
    lab, job = make.published(session, items=2, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    accepted, undecided = (make.submitted(session, doctor, job) for _ in range(2))
    make.decided(session, lab, accepted)
    for submission in (accepted, undecided):
        with pytest.raises(rules.NoAppeal):
            make_appeals.filed(session, doctor, submission)
    make.decided(session, lab, undecided, Verdict.REJECT)

    with pytest.raises(Missing):
        make_appeals.filed(session, specialists.doctor(session), undecided)
    with pytest.raises(Faulty):
        service.file_appeal(session, doctor, SubmissionId(undecided.id), reason="No!")
    until = queries.appealable_until(session, [accepted.id, undecided.id])
    assert [undecided.id] == list(until)
    with (
        clock.shifted(appeals.FILE_WITHIN + timedelta(seconds=5)),
        pytest.raises(rules.NoAppeal, match="two weeks"),
    ):
        make_appeals.filed(session, doctor, undecided)


def test_what_is_looked_at_is_frozen_and_names_no_reviewer(session: Session) -> None:
    lab, _, doctor, submission = make_appeals.rejected(session)
    appeal = make_appeals.filed(session, doctor, submission)
    session.flush()

    kept = session.get_one(AppealEvidence, appeal.id).content

    assert {"choice": "a"} == kept["judgement"]
    assert ("reject", 1) == (kept["decision"]["verdict"], kept["template_version"])
    assert str(lab.person()) not in str(kept)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(update(AppealEvidence).values(content={}))
    session.execute(delete(AppealEvidence))


def test_the_lab_has_three_days_to_say_its_side(session: Session) -> None:
    lab, _, doctor, submission = make_appeals.rejected(session)
    operations = identity.staff(session, Role.OPERATIONS)
    appeal = make_appeals.filed(session, doctor, submission)
    service.take_appeal(session, operations, appeal.id)
    facts = {"upheld": True, "note": NOTE, "clearance_days": 7}

    with pytest.raises(rules.StatementAwaited):
        service.decide_appeal(session, operations, appeal.id, **facts)  # type: ignore[arg-type]
    with pytest.raises(Missing):
        service.say_side(session, identity.lab_owner(session), appeal.id, statement=REASON)
    service.say_side(session, lab, appeal.id, statement=REASON)
    with pytest.raises(rules.AppealMoved):
        service.say_side(session, lab, appeal.id, statement=REASON)

    service.decide_appeal(session, operations, appeal.id, **facts)  # type: ignore[arg-type]
    assert AppealState.UPHELD is appeal.state


def test_only_who_took_an_appeal_decides_it(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session)
    one, other = identity.staff(session, Role.OPERATIONS), identity.staff(session, Role.OPERATIONS)
    appeal = make_appeals.filed(session, doctor, submission)
    service.take_appeal(session, one, appeal.id)

    with pytest.raises(rules.AppealMoved):
        service.take_appeal(session, other, appeal.id)
    with pytest.raises(rules.AppealMoved):
        service.give_back_appeal(session, other, appeal.id)
    service.give_back_appeal(session, one, appeal.id)

    make_appeals.decided(session, other, appeal, upheld=False)
    assert other.person() == appeal.assigned_to


def test_nobody_decides_who_has_to_do_with_a_side(session: Session) -> None:
    lab, _, doctor, submission = make_appeals.rejected(session)
    operations = identity.staff(session, Role.OPERATIONS)
    appeal = make_appeals.filed(session, doctor, submission)
    session.flush()
    _join(session, operations, lab, Role.VIEWER)

    with pytest.raises(Denied):
        service.take_appeal(session, lab, appeal.id)
    for person in (lab.person(), operations.person(), doctor.person()):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(
                update(Appeal).values(
                    state=AppealState.ASSIGNED, assigned_to=person, assigned_at=clock.now()
                )
            )


def test_an_appeal_that_is_not_decided_in_time_ends_in_favour_and_we_pay(
    session: Session,
) -> None:
    _, _, doctor, submission = make_appeals.rejected(session)
    appeal = make_appeals.filed(session, doctor, submission)

    assert not service.lapse_next_appeal(session, clearance_days=7)
    with clock.shifted(appeals.DECIDE_WITHIN + timedelta(seconds=1)):
        assert service.lapse_next_appeal(session, clearance_days=7)
        assert not service.lapse_next_appeal(session, clearance_days=7)

    assert (AppealState.LAPSED, SubmissionState.SURPLUS_ACCEPTED) == (
        appeal.state,
        submission.state,
    )
    assert Money(4_50, "USD") == pending(session, doctor)
    assert [] == queries.broken_invariants(session)


def test_what_was_overturned_otherwise_overtakes_its_appeal(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session)
    appeal = make_appeals.filed(session, doctor, submission)

    service.overturn(
        session,
        SYSTEM,
        SubmissionId(submission.id),
        verdict=Verdict.ACCEPT,
        cause=OverturnCause.SECOND_LOOK,
        note=NOTE,
        clearance_days=7,
    )

    session.refresh(appeal)
    assert AppealState.OVERTAKEN is appeal.state
    assert ["decision_overturned"] == letters(session)


def test_a_withdrawn_appeal_is_over(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session)
    appeal = make_appeals.filed(session, doctor, submission)

    with pytest.raises(Missing):
        service.withdraw_appeal(session, specialists.doctor(session), appeal.id)
    service.withdraw_appeal(session, doctor, appeal.id)

    with pytest.raises(rules.AppealMoved):
        service.take_appeal(session, identity.staff(session, Role.OPERATIONS), appeal.id)


def test_appeals_in_vain_come_to_an_end_and_those_upheld_make_room() -> None:
    rules_of = appeals.check_allowance

    rules_of(9, 0)
    with pytest.raises(TooOften):
        rules_of(10, 0)
    rules_of(10, 1)
    with pytest.raises(TooOften):
        rules_of(13, 1)


def test_the_lab_is_asked_once_a_day_and_operations_are_reminded(session: Session) -> None:
    lab, job = make.published(session, items=2, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    for _ in range(2):
        submission = make.submitted(session, doctor, job)
        make.decided(session, lab, submission, Verdict.REJECT)
        make_appeals.filed(session, doctor, submission)
    session.flush()
    identity.staff(session, Role.OPERATIONS)

    named = [*session.scalars(select(OutboxRow.name).where(OutboxRow.name.like("review.%appeals")))]
    assert ["review.remind_appeals", "review.tell_appeals"] == sorted(named)
    assert service.tell_appeals(session, lab.organisation())
    with clock.shifted(appeals.DECIDE_WITHIN - appeals.REMIND_BEFORE):
        assert 2 == service.remind_appeals(session)
    assert {"appeals_filed", "appeals_due"} <= set(letters(session))


def test_at_erasure_words_and_evidence_go_and_the_outcome_stays(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session)
    appeal = make_appeals.filed(session, doctor, submission)
    make_appeals.decided(session, identity.staff(session, Role.OPERATIONS), appeal, upheld=False)
    session.flush()

    service.forget_appeals(session, doctor.person())

    session.refresh(appeal)
    assert (None, None, AppealState.DENIED) == (appeal.reason, appeal.note, appeal.state)
    assert session.get(AppealEvidence, appeal.id) is None


def test_each_side_sees_its_own(session: Session) -> None:
    lab, _, doctor, submission = make_appeals.rejected(session)
    operations = identity.staff(session, Role.OPERATIONS)
    appeal = make_appeals.filed(session, doctor, submission)
    session.flush()

    for viewer in (lab, doctor, operations):
        assert appeal.id == queries.appeal_of(session, viewer, appeal.id).row.appeal.id
    for viewer in (identity.lab_owner(session), specialists.doctor(session)):
        with pytest.raises(Missing):
            queries.appeal_of(session, viewer, appeal.id)
    assert [appeal.id] == [row.appeal.id for row in queries.appeal_queue(session, operations)]
    assert [appeal.id] == [row.appeal.id for row in queries.lab_appeals(session, lab)]
    assert [appeal.id] == [row.appeal.id for row in queries.own_appeals(session, doctor)]
    assert [] == queries.lab_appeals(session, identity.lab_owner(session))


def test_the_database_wants_one_subject(session: Session) -> None:
    lab, job, doctor, submission = make_appeals.rejected(session)
    decision = session.scalars(select(Decision)).one()
    at = clock.now()

    with pytest.raises(IntegrityError, match="subject_named"), session.begin_nested():
        session.execute(
            insert(Appeal).values(
                id=new_id(),
                subject=AppealSubject.GOLD,
                decision_id=decision.id,
                submission_id=submission.id,
                job_id=job.id,
                organisation_id=lab.organisation(),
                appellant_id=doctor.person(),
                state=AppealState.FILED,
                filed_at=at,
                decide_by=appeals.decide_by(at),
            )
        )


def test_membership_is_what_keeps_people_apart(session: Session) -> None:
    _, _, doctor, submission = make_appeals.rejected(session)
    operations = identity.staff(session, Role.OPERATIONS)
    appeal = make_appeals.filed(session, doctor, submission)
    session.flush()
    _join(session, doctor, operations, Role.AUDITOR)

    with pytest.raises(rules.NotApart):
        service.take_appeal(session, operations, appeal.id)


def test_a_rule_that_a_person_upheld_is_appealed_and_lifted(session: Session) -> None:
    lab, job = with_gold(session, gold=5, items=8)
    rule_on(session, lab, job, Action.PAUSE)
    bad = specialists.doctor(session)
    all_done(session, bad, job, "bbbbb")
    evaluated()
    evaluated()
    firing = session.scalars(select(ControlFiring)).one()
    operations = identity.staff(session, Role.OPERATIONS)
    with pytest.raises(rules.NoAppeal):
        service.file_firing_appeal(session, bad, firing.id, reason=REASON)
    service.decide_firing(session, lab, firing.id, stands=True, note=NOTE)
    with pytest.raises(Missing):
        service.file_firing_appeal(session, specialists.doctor(session), firing.id, reason=REASON)

    appeal = service.file_firing_appeal(session, bad, firing.id, reason=REASON)
    session.flush()
    kept = session.get_one(AppealEvidence, appeal.id).content["firing"]
    assert (5, NOTE, lab.person()) == (kept["n"], kept["note"], appeal.first_decider)
    make_appeals.decided(session, operations, appeal, upheld=True)

    assert (AppealState.UPHELD, FiringState.LIFTED) == (appeal.state, firing.state)
    assert make.claimed(session, bad, job) is not None
    assert [] == queries.broken_invariants(session)
