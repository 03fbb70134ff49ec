"""Rules of quality control: replayed first, fired once, answered, decided by people."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.rules import Role
from marketplace.ids import JobId
from marketplace.jobs.models import Job
from marketplace.mail import Message
from marketplace.quality import service as quality
from marketplace.quality.models import ControlFiring, ControlReplay, ControlRule
from marketplace.quality.rules.control import (
    READY,
    Action,
    Bound,
    Collector,
    Condition,
    FiringState,
    RuleState,
    RuleText,
    Side,
    checked,
)
from marketplace.quality.service import control, firings
from marketplace.review import service as review
from marketplace.review.models import ReviewWatch
from marketplace.routing import service as routing
from marketplace.work.models import Seat
from marketplace.work.rules import HeldBack
from tests.make import background, identity, specialists, work
from tests.quality.test_gold import all_done, scored, with_gold

WRONG_GOLD = Condition(Side.ABOVE, Bound.LOWER, 0.5, 4)
NOTE = "Looked at the answers one by one."


def rule_on(session: Session, lab: Actor, job: Job, action: Action) -> ControlRule:
    """A rule about wrong gold, replayed and switched on."""
    text = RuleText("Much gold wrong", Collector.GOLD_ERROR, WRONG_GOLD, action)
    rule = quality.write_rule(session, lab, text, job_id=job.id)
    quality.ask_replay(session, lab, rule.id)
    session.flush()
    background.run_all()
    return quality.switch_on(session, lab, rule.id)


def evaluated() -> None:
    """Gold is scored, rules look at what is new, and what they ask for is done."""
    scored()
    background.run("quality.evaluate_rules")
    background.run("review.carry_out")


def test_a_rule_is_replayed_before_it_is_on_and_anew_when_it_changes(session: Session) -> None:
    lab, job = with_gold(session, gold=8, items=8)
    bad, good = specialists.doctor(session), specialists.doctor(session)
    all_done(session, bad, job, "bbbbbbaa")
    all_done(session, good, job, "aaaaaaaa")
    scored()
    text = RuleText("Much gold wrong", Collector.GOLD_ERROR, WRONG_GOLD, Action.PAUSE)
    rule = quality.write_rule(session, lab, text, job_id=job.id)
    with pytest.raises(Conflict, match="Replay this version"):
        quality.switch_on(session, lab, rule.id)

    quality.ask_replay(session, lab, rule.id)
    session.flush()
    background.run_all()

    result = session.scalars(select(ControlReplay.result)).one()
    assert result is not None
    (caught,) = result["caught"]
    assert (2, 16, str(bad.person_id)) == (result["people"], result["pieces"], caught["person_id"])
    assert (4, 4, "unknown") == (caught["n"], caught["later_n"], caught["outlook"])
    assert RuleState.ON is quality.switch_on(session, lab, rule.id).state
    with pytest.raises(Conflict, match="Switch the rule off"):
        quality.change_rule(session, lab, rule.id, text)
    quality.switch_off(session, lab, rule.id)
    quality.change_rule(session, lab, rule.id, text)
    with pytest.raises(Conflict, match="Replay this version"):
        quality.switch_on(session, lab, rule.id)


def test_the_database_switches_nothing_on_without_a_replay(session: Session) -> None:
    lab, job = with_gold(session, gold=1, items=1)
    rule = quality.add_ready(session, lab, "gold-review", job_id=job.id)

    rule.state = RuleState.ON
    with pytest.raises(IntegrityError, match="replayed_before"), session.begin_nested():
        session.flush()


def test_a_pause_waits_for_a_person_and_its_person_may_answer(session: Session) -> None:
    lab, job = with_gold(session, gold=5, items=8)
    rule_on(session, lab, job, Action.PAUSE)
    bad = specialists.doctor(session)
    all_done(session, bad, job, "bbbbb")

    evaluated()
    evaluated()

    firing = session.scalars(select(ControlFiring)).one()
    assert (FiringState.PROPOSED, 5, 1.0) == (firing.state, firing.n, firing.value)
    assert firing.told_at is not None
    work.submitted(session, bad, job)  # Nothing holds yet.
    quality.reply_to_firing(session, bad, firing.id, reply="The known answers are out of date.")
    with pytest.raises(Missing):
        quality.reply_to_firing(
            session, specialists.doctor(session), firing.id, reply="Not me, no."
        )
    review.decide_firing(session, lab, firing.id, stands=True, note=NOTE)
    with pytest.raises(HeldBack):
        routing.claim_next(session, bad, job_id=JobId(job.id))

    review.decide_firing(session, lab, firing.id, stands=False, note=NOTE)

    assert work.claimed(session, bad, job) is not None
    evaluated()
    assert 1 == len(session.scalars(select(ControlFiring)).all())  # On the same work: not again.


def test_the_database_pauses_nobody_without_a_person(session: Session) -> None:
    lab, job = with_gold(session, gold=5, items=5)
    rule_on(session, lab, job, Action.PAUSE)
    all_done(session, specialists.doctor(session), job, "bbbbb")
    evaluated()
    firing = session.scalars(select(ControlFiring)).one()

    firing.state = FiringState.IN_FORCE
    with pytest.raises(IntegrityError, match="pause_by_a_person"), session.begin_nested():
        session.flush()


def test_fewer_tasks_at_a_time_until_a_person_lifts_it(session: Session) -> None:
    lab, job = with_gold(session, gold=5, items=9)
    rule_on(session, lab, job, Action.LOWER_CAP)
    bad = specialists.doctor(session)
    all_done(session, bad, job, "bbbbb")
    evaluated()
    firing = session.scalars(select(ControlFiring)).one()
    assert FiringState.IN_FORCE is firing.state

    work.claimed(session, bad, job)
    with pytest.raises(Conflict, match="1 tasks of this job in hand"):
        routing.claim_next(session, bad, job_id=JobId(job.id))
    review.decide_firing(session, lab, firing.id, stands=False, note=NOTE)

    assert work.claimed(session, bad, job) is not None


def test_what_a_person_upholds_at_once_begins_and_is_written_to_its_person(
    session: Session,
) -> None:
    lab, job = with_gold(session, gold=5, items=8)
    for action in (Action.PAUSE, Action.REVIEW_ALL):
        rule_on(session, lab, job, action)
    bad = specialists.doctor(session)
    all_done(session, bad, job, "bbbbb")
    scored()
    background.run("quality.evaluate_rules")  # What they ask for is not carried out yet.

    for firing in session.scalars(select(ControlFiring)).all():
        review.decide_firing(session, lab, firing.id, stands=True, note=NOTE)
    background.run("review.carry_out")

    firings = session.scalars(select(ControlFiring)).all()
    assert {FiringState.IN_FORCE} == {each.state for each in firings}
    assert all(each.told_at for each in firings)
    told = session.scalars(select(Message).where(Message.template == "work_checked")).all()
    assert 2 == len(told)
    assert 1 == sum("a person has said that this holds" in (each.body or "") for each in told)
    assert 0 < session.scalars(select(ReviewWatch.left)).one()


def test_two_rules_that_watch_somebody_are_lifted_one_by_one(session: Session) -> None:
    lab, job = with_gold(session, gold=5, items=8)
    for _ in range(2):
        rule_on(session, lab, job, Action.REVIEW_ALL)
    all_done(session, specialists.doctor(session), job, "bbbbb")
    evaluated()
    one, other = session.scalars(select(ControlFiring).order_by(ControlFiring.id)).all()

    left = []
    for firing in (one, other):
        review.decide_firing(session, lab, firing.id, stands=False, note=NOTE)
        left.append(session.scalars(select(ReviewWatch.left)).one())

    assert [True, False] == [each > 0 for each in left]


def test_no_rule_can_reject_and_what_restricts_must_be_sure() -> None:
    assert {"reject", "deactivate", "ban"}.isdisjoint(action.value for action in Action)
    unsure = Condition(Side.ABOVE, Bound.UPPER, 0.5, 4)
    with pytest.raises(Faulty) as refused:
        checked(RuleText("Too quick", Collector.HASTE, unsure, Action.PAUSE))

    assert ["/bound"] == [fault.pointer for fault in refused.value.faults]
    assert 12 <= len([checked(each.text) for each in READY])
    assert len({each.key for each in READY}) == len(READY)


def test_rules_for_all_jobs_are_for_operations(session: Session) -> None:
    lab, job = with_gold(session, gold=1, items=1)
    with pytest.raises(Denied):
        quality.add_ready(session, lab, "haste")
    staff = identity.staff(session, Role.OPERATIONS)
    ours = quality.add_ready(session, staff, "haste")
    with pytest.raises(Missing):
        quality.ask_replay(session, lab, ours.id)
    with pytest.raises(Missing):
        quality.add_ready(session, identity.lab_owner(session), "haste", job_id=job.id)


def test_a_rule_for_all_jobs_watches_older_ones_too(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = [with_gold(session, gold=1, items=1)[1].id for _ in range(2)]
    rule = quality.add_ready(session, identity.staff(session, Role.OPERATIONS), "haste")
    monkeypatch.setattr(control, "JOBS_MAX", 1)  # As if there were two hundred newer ones.

    assert sorted(running) == firings.jobs_to_evaluate(session, rule.id, running)
    assert running[:1] == firings.jobs_to_evaluate(session, rule.id, running[:1])


def test_rules_keep_up_with_all_that_was_announced(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, job = with_gold(session, gold=5, items=8)
    rule_on(session, lab, job, Action.LOWER_CAP)
    all_done(session, specialists.doctor(session), job, "bbbbb")
    monkeypatch.setattr(firings, "EVENTS_MAX", 2)

    evaluated()

    assert (0, frozenset(), False) == firings.news(session)
    assert 1 == len(session.scalars(select(ControlFiring)).all())


def test_extra_gold_comes_among_the_next_tasks_and_is_for_one_person(session: Session) -> None:
    lab, job = with_gold(session, gold=6, items=14, overlap=1)
    more = Condition(Side.ABOVE, Bound.UPPER, 0.3, 4)
    text = RuleText("Ask more", Collector.GOLD_ERROR, more, Action.EXTRA_GOLD, 2)
    rule = quality.write_rule(session, lab, text, job_id=job.id)
    quality.ask_replay(session, lab, rule.id)
    session.flush()
    background.run_all()
    quality.switch_on(session, lab, rule.id)
    unclear, other = specialists.doctor(session), specialists.doctor(session)
    all_done(session, unclear, job, "baba")

    evaluated()

    kept = session.scalars(select(Seat).where(Seat.reserved_for == unclear.person_id)).all()
    assert 2 == len(kept)
    firing = session.scalars(select(ControlFiring)).one()
    assert (FiringState.IN_FORCE, None) == (firing.state, firing.told_at)  # Nobody is told of gold.
    theirs = {each.seat_id for each in all_done(session, other, job, "aa")}
    assert theirs.isdisjoint(each.id for each in kept)
    met = {each.seat_id for each in all_done(session, unclear, job, "aaaaaaaa")}
    assert {each.id for each in kept} <= met
