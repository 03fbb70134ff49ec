"""Verdicts, second looks, appeals and overturns in any order, with pay clearing, leaving and coming
back: work, review and the book agree after every step."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import aliased

from marketplace.actor import SYSTEM
from marketplace.identity.rules import Role
from marketplace.ids import PayoutLineId, PersonId, SubmissionId, new_id
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from marketplace.money import Money, zero
from marketplace.review import service
from marketplace.review.models import (
    Accrual,
    Adjudication,
    Appeal,
    Brake,
    Decision,
)
from marketplace.review.rules import AppealState, OverturnCause, Verdict
from marketplace.work.models import Submission
from tests.make import identity
from tests.make import work as make
from tests.make.appeals import NOTE, REASON
from tests.work.test_machine import Claims, which, who

CAUSES = st.sampled_from([each for each in OverturnCause if each is not OverturnCause.ADJUDICATION])
LAST_WORD = st.sampled_from([Verdict.ACCEPT, Verdict.REJECT])


class Verdicts(Claims):
    """The machine of claims from where the first answers are decided on, with a second reviewer,
    operations, payouts, and second thoughts. What only claims have to do with is left to theirs.
    """

    beat = release = close_gaps = change_version = pause_or_resume = None  # type: ignore[assignment]

    @initialize(
        late_pay=st.sampled_from(["full", "half"]),
        spare=st.sampled_from([0, 0.5]),
        begun=st.lists(st.tuples(who, st.sampled_from(list(Verdict))), min_size=2, max_size=4),
    )
    def publish(self, late_pay: str, spare: float, begun: list[tuple[int, Verdict]]) -> None:
        super().publish(late_pay=late_pay, spare=spare)
        self.second = identity.member(self.session, self.lab, Role.REVIEWER)
        self.operations = identity.staff(self.session, Role.OPERATIONS)
        self.lines: list[tuple[PersonId, PayoutLineId, Money]] = []
        for person, verdict in begun:
            self.hand_in(person=person)
            self.decide(verdict=verdict)
        self.accept_the_rest()

    @rule(person=who)
    def hand_in(self, person: int) -> None:
        """Take the next task, if there is one, and answer it."""
        self.claim(person=person)
        self.submit(person=person, which=0, choice="a", wants_next=False)

    def submission(self, which: int) -> Submission | None:
        """One of the submissions that somebody has decided on, the newest first."""
        found = self.session.scalars(
            select(Submission)
            .where(Submission.id.in_(select(Decision.submission_id)))
            .order_by(Submission.id.desc())
            .limit(which + 1)
        ).all()
        return found[-1] if found else None

    def appeal(self, which: int) -> Appeal | None:
        """One of the appeals, the newest first."""
        asked = select(Appeal).order_by(Appeal.id.desc()).limit(which + 1)
        found = self.session.scalars(asked).all()
        return found[-1] if found else None

    @rule(which=which, verdict=LAST_WORD, cause=CAUSES)
    def overturn(self, which: int, verdict: Verdict, cause: OverturnCause) -> None:
        given = self.submission(which)
        if given is None:
            return
        self.attempt(
            lambda: service.overturn(
                self.session,
                SYSTEM,
                SubmissionId(given.id),
                verdict=verdict,
                cause=cause if verdict is Verdict.ACCEPT else OverturnCause.INTEGRITY,
                note=NOTE,
                clearance_days=make.CLEARANCE_DAYS,
            )
        )

    @rule(which=which, verdict=st.sampled_from(list(Verdict)))
    def somebody_else_looks(self, which: int, verdict: Verdict) -> None:
        """A second look where the submission is up for one; refused else."""
        given = self.submission(which)
        if given is not None:
            self.attempt(lambda: make.decided(self.session, self.second, given, verdict))

    @rule(which=which)
    def file_appeal(self, which: int) -> None:
        given = self.submission(which)
        if given is None:
            return
        people = {doctor.person(): doctor for doctor in self.doctors}
        author = people[given.specialist_id]
        self.attempt(
            lambda: service.file_appeal(self.session, author, SubmissionId(given.id), reason=REASON)
        )

    @rule(which=which, upheld=st.booleans(), spoken=st.booleans())
    def decide_appeal(self, which: int, upheld: bool, spoken: bool) -> None:
        appeal = self.appeal(which)
        if appeal is None:
            return
        if spoken:
            self.attempt(
                lambda: service.say_side(self.session, self.lab, appeal.id, statement=REASON)
            )
        self.attempt(lambda: service.take_appeal(self.session, self.operations, appeal.id))
        self.attempt(
            lambda: service.decide_appeal(
                self.session,
                self.operations,
                appeal.id,
                upheld=upheld,
                note=NOTE,
                clearance_days=make.CLEARANCE_DAYS,
            )
        )

    @rule(which=which, person=who)
    def withdraw_appeal(self, which: int, person: int) -> None:
        appeal = self.appeal(which)
        if appeal is not None:
            doctor = self.doctors[person]
            self.attempt(lambda: service.withdraw_appeal(self.session, doctor, appeal.id))

    @rule()
    def dates_pass(self) -> None:
        """What ends by itself ends: reviews, second looks, contested tasks, holds, appeals."""
        days = make.CLEARANCE_DAYS
        while service.accept_next_overdue(self.session, clearance_days=days):
            continue
        for end_next in (
            service.lapse_next_look,
            service.lapse_next_adjudication,
            service.release_next_overdue,
        ):
            while end_next(self.session):
                continue
        while service.lapse_next_appeal(self.session, clearance_days=days):
            continue

    @rule(which=which)
    def settle_contested(self, which: int) -> None:
        """Ask for a third person where a task is contested, and let them choose an answer."""
        given = self.submission(which)
        if given is None:
            return
        sid = SubmissionId(given.id)
        self.attempt(lambda: service.ask_adjudication(self.session, self.lab, sid))
        case = self.session.scalar(select(Adjudication.id).order_by(Adjudication.id.desc()))
        if case is not None:
            self.attempt(
                lambda: service.settle_adjudication(
                    self.session, self.second, case, rationale=NOTE, chosen_id=sid
                )
            )

    @rule(confirmed=st.booleans())
    def end_brake(self, confirmed: bool) -> None:
        """Confirm or let go what the brake holds, where it holds anything."""
        brake = self.session.scalar(select(Brake.id).order_by(Brake.id.desc()))
        if brake is None:
            return
        if not confirmed:
            self.attempt(lambda: service.release_brake(self.session, self.lab, brake, reason=NOTE))
            return
        for actor in (self.lab, self.operations):
            self.attempt(
                lambda actor=actor: service.confirm_brake(  # type: ignore[misc]
                    self.session, actor, brake, reason=NOTE
                )
            )
        while service.carry_next_held(self.session, brake, clearance_days=make.CLEARANCE_DAYS):
            continue

    @rule()
    def clear(self) -> None:
        while service.clear_next_due(self.session):
            continue

    @rule(person=who)
    def draft_payout(self, person: int) -> None:
        specialist = PersonId(self.doctors[person].person())
        have = ledger.specialist_balances(self.session, specialist).get("USD")
        if have is None or not have.available:
            return
        line = PayoutLineId(new_id())
        facts = {"specialist_id": specialist, "line_id": line, "amount": have.available}
        book.reserve_payout(self.session, **facts)  # type: ignore[arg-type]
        self.lines.append((specialist, line, have.available))

    @rule(sent=st.booleans())
    def end_payout(self, sent: bool) -> None:
        if not self.lines:
            return
        specialist, line, amount = self.lines.pop()
        if not sent:
            book.cancel_payout(self.session, specialist_id=specialist, line_id=line, amount=amount)
            return
        book.confirm_transfer(
            self.session,
            specialist_id=specialist,
            line_id=line,
            amount=amount,
            transfer_id=f"tr_{line.hex}",
            balance_transaction_id=f"txn_{line.hex}",
            connected_account=f"acct_{specialist.hex}",
            destination_amount=amount,
        )

    @invariant()
    def pay_is_what_stands(self) -> None:
        """Somebody has, was sent or owes what the acceptances that stand have earned."""
        earned = dict(
            self.session.execute(
                select(Accrual.specialist_id, func.sum(Accrual.amount_minor))
                .where(Accrual.reversed_at.is_(None))
                .group_by(Accrual.specialist_id)
            ).all()
        )
        for doctor in getattr(self, "doctors", ()):
            have = ledger.specialist_balances(self.session, doctor.person()).get("USD")
            if have is None:
                continue
            held = have.pending + have.available + have.held + have.payout_reserved
            expected = Money(int(earned.get(doctor.person(), 0)), "USD")
            assert expected == held + have.sent - have.owed
            assert zero("USD") in {have.available, have.owed}

    @invariant()
    def open_appeals_are_about_what_stands(self) -> None:
        later = aliased(Decision)
        stale = select(func.count()).where(
            Appeal.state.in_([AppealState.FILED, AppealState.ASSIGNED]),
            select(later.id).where(later.overturns_id == Appeal.decision_id).exists(),
        )
        assert 0 == self.session.scalar(stale)


def run(database: Engine, *, examples: int, steps: int) -> None:
    with database.connect() as connection:
        Verdicts.connection = connection
        run_state_machine_as_test(
            Verdicts,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_verdicts_hold_in_any_order(database: Engine) -> None:
    run(database, examples=4, steps=15)


@pytest.mark.slow
def test_verdicts_hold_in_any_order_for_long(database: Engine) -> None:
    run(database, examples=120, steps=60)
