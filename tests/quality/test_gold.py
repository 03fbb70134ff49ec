"""Gold in ordinary work: scored right after, worn, doubted, changed with all that follows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.ids import ItemId, JobId, SubmissionId
from marketplace.jobs.models import Item, Job
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.quality import service as quality
from marketplace.quality.models import (
    GoldAlarm,
    GoldDispute,
    GoldItem,
    GoldScore,
    Skill,
    SkillEvidence,
)
from marketplace.quality.rules.gold import DisputeState, GoldCause, GoldState
from marketplace.review import service as review
from marketplace.review.models import Decision
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.routing import service as routing
from marketplace.work.models import Seat, Submission, Task
from marketplace.work.rules import SubmissionState
from tests.make import background, identity, jobs, specialists, work

WRONG = "It says the dose of the other drug; the trial says so."


def with_gold(session: Session, *, gold: int, items: int, overlap: int = 4) -> tuple[Actor, Job]:
    """A running job whose first items have gold that says A."""
    known = {"judgement": {"choice": "a"}}
    lines = [
        jobs.line(f"item-{n}", jobs.pair(n), **({"gold": known} if n <= gold else {}))
        for n in range(1, items + 1)
    ]
    lab = identity.lab_owner(session)
    work.money_in(session, lab, Money(10_000_00, "USD"))
    job = jobs.filled(
        session,
        lab,
        items=lines,
        overlap_min=overlap,
        overlap_max=overlap,
        review_sample_ratio=1.0,
    )
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=jobs.FEE_BASIS_POINTS)
    return lab, job


def all_done(session: Session, person: Actor, job: Job, choices: str) -> list[Submission]:
    """The person's next tasks, answered as the letters say."""
    return [work.submitted(session, person, job, work.answer(each)) for each in choices]


def scored() -> None:
    """What was announced is numbered, and answers to gold are scored."""
    background.number_facts()
    background.run("quality.score_gold")


def scores_of(session: Session, submissions: Sequence[Submission]) -> list[float | None]:
    """The standing scores of answers, in their order."""
    found = {
        row.submission_id: row.score
        for row in session.scalars(select(GoldScore).where(GoldScore.superseded_at.is_(None)))
    }
    return [found.get(each.id) for each in submissions]


def test_gold_is_scored_right_after_and_teaches(session: Session) -> None:
    _, job = with_gold(session, gold=2, items=3)
    doctor = specialists.doctor(session)
    given = all_done(session, doctor, job, "aba")
    assert [None, None, None] == scores_of(session, given)

    scored()
    scored()

    assert [1.0, 0.0, None] == scores_of(session, given)
    skill = session.scalars(select(Skill).where(Skill.person_id == doctor.person_id)).one()
    assert (2, 1.0) == (skill.n, skill.right)
    assert all(each.state is SubmissionState.IN_REVIEW for each in given)  # Nothing is decided.


def test_gold_that_enough_have_met_is_worn_and_taken_out(session: Session) -> None:
    lab, job = with_gold(session, gold=1, items=1)
    quality.set_exposures(session, lab, JobId(job.id), 2)
    for _ in range(2):
        all_done(session, specialists.doctor(session), job, "a")

    scored()

    item = session.scalars(select(GoldItem)).one()
    assert (GoldState.WORN, 2, 2) == (item.state, item.exposures, item.answered)
    seats = sorted(session.scalars(select(Seat.state)))
    assert ["closed", "closed", "submitted", "submitted"] == seats
    assert 2 == session.scalars(select(Task.wanted)).one()


def test_strong_authors_who_say_the_same_other_thing_put_gold_in_doubt(session: Session) -> None:
    _, job = with_gold(session, gold=6, items=6)
    doctors = [specialists.doctor(session) for _ in range(3)]
    for each in doctors[:2]:
        all_done(session, each, job, "aaaaab")
        scored()
    assert [] == session.scalars(select(GoldDispute)).all()

    all_done(session, doctors[2], job, "aaaaab")
    scored()

    dispute = session.scalars(select(GoldDispute)).one()
    assert (None, 3, 3) == (
        dispute.raised_by, dispute.figures["people"], dispute.figures["saying"]
    )  # fmt: skip


def test_corrected_gold_scores_anew_and_pays_whom_it_wronged(session: Session) -> None:
    lab, job = with_gold(session, gold=1, items=2)
    doctor, other = specialists.doctor(session), specialists.doctor(session)
    wronged = all_done(session, doctor, job, "b")[0]
    praised = all_done(session, other, job, "a")[0]
    scored()
    reviewer = identity.member(session, lab, Role.REVIEWER)
    work.decided(session, reviewer, wronged, Verdict.REJECT)
    background.run("quality.tell_gold")
    raised = quality.dispute_gold(session, doctor, SubmissionId(wronged.id), reason=WRONG)

    review.decide_gold_dispute(
        session, lab, raised.id, outcome=DisputeState.CORRECTED, judgement={"choice": "b"},
        note="The second answer is right, as the label says.", clearance_days=7,
    )  # fmt: skip

    session.flush()
    assert [1.0, 0.0] == scores_of(session, [wronged, praised])
    assert 4 == len(session.scalars(select(GoldScore)).all())  # What was said stays on record.
    assert SubmissionState.ACCEPTED is wronged.state
    last = session.scalars(select(Decision).order_by(Decision.id.desc())).first()
    assert last is not None
    assert (OverturnCause.GOLD_DISPUTED, None) == (last.cause, last.reviewer_id)
    earned = ledger.specialist_balances(session, doctor.person())
    assert job.pay == earned["USD"].pending
    assert DisputeState.CORRECTED is raised.state
    taught = {
        row.source_id: row.agreement
        for row in session.scalars(select(SkillEvidence).where(SkillEvidence.source == "gold"))
    }
    assert {wronged.id: 1.0, praised.id: 0.0} == taught


def test_who_decides_a_doubt_locks_the_gold_before_it(session: Session) -> None:
    lab, job = with_gold(session, gold=1, items=2)
    doctor = specialists.doctor(session)
    wronged = all_done(session, doctor, job, "b")[0]
    scored()
    reviewer = identity.member(session, lab, Role.REVIEWER)
    work.decided(session, reviewer, wronged, Verdict.REJECT)
    background.run("quality.tell_gold")
    raised = quality.dispute_gold(session, doctor, SubmissionId(wronged.id), reason=WRONG)
    session.flush()
    locked: list[str] = []

    def see(*statement: Any) -> None:
        words = str(statement[2])
        locked.extend(
            name for name in ("gold_item", "gold_dispute")
            if "FOR UPDATE" in words and f"FROM {name} " in words.replace("\n", " ")
        )  # fmt: skip

    event.listen(session.connection(), "before_cursor_execute", see)
    review.decide_gold_dispute(
        session, lab, raised.id, outcome=DisputeState.KEPT, note="It is right as it is.",
        clearance_days=7,
    )  # fmt: skip

    assert ["gold_item", "gold_dispute"] == locked
    assert DisputeState.KEPT is raised.state


def test_an_answer_that_cannot_be_scored_holds_up_no_other(session: Session) -> None:
    _, job = with_gold(session, gold=2, items=2)
    broken, fine = all_done(session, specialists.doctor(session), job, "aa")
    item = session.get_one(Item, session.get_one(Task, broken.task_id).item_id)
    whole, item.gold = item.gold, {}
    session.flush()

    scored()

    assert [fine.id] == session.scalars(select(GoldScore.submission_id)).all()
    item.gold = whole
    session.flush()
    with clock.shifted(timedelta(hours=2)):
        background.run_all()
    assert 2 == len(session.scalars(select(GoldScore)).all())


def test_withdrawn_gold_teaches_nothing_and_a_settled_answer_becomes_gold(
    session: Session,
) -> None:
    lab, job = with_gold(session, gold=1, items=1)
    doctor = specialists.doctor(session)
    given = all_done(session, doctor, job, "b")
    scored()
    item = session.scalars(select(Item)).one()
    note = "Nobody can tell which of the two is right."

    review.change_gold(
        session, lab, ItemId(item.id), judgement=None, cause=GoldCause.WITHDRAWN, note=note,
        clearance_days=7,
    )  # fmt: skip
    session.flush()

    assert [None] == scores_of(session, given)
    assert [] == session.scalars(select(SkillEvidence)).all()
    review.promote_to_gold(
        session, lab, ItemId(item.id), judgement={"choice": "b"}, note=note, clearance_days=7
    )
    assert {"judgement": {"choice": "b"}} == item.gold
    assert [None] == scores_of(session, given)  # Who judged it before is not scored by it.


def test_copied_reasons_raise_an_alarm_and_nothing_else(session: Session) -> None:
    _, job = with_gold(session, gold=1, items=1)
    first = specialists.doctor(session)
    same = "The first answer names the dose, and the interval at which it is to be given."
    work.submitted(session, first, job, work.answer("a", rationale=same))
    copier = specialists.doctor(session)
    given = work.submitted(session, copier, job, work.answer("a", rationale=same.upper()))

    scored()

    alarm = session.scalars(select(GoldAlarm)).one()
    assert (copier.person_id, "copied") == (alarm.person_id, alarm.kind.value)
    assert SubmissionState.IN_REVIEW is given.state
