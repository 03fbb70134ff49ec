"""One small marketplace's money: a lab, two specialists, finance, Stripe, and time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.orm import sessionmaker

from marketplace import clock, db
from marketplace.actor import Actor
from marketplace.billing import background as billing
from marketplace.billing import service as billing_service
from marketplace.billing.models import TopUp
from marketplace.db import transaction
from marketplace.errors import GatewayError
from marketplace.ids import AccrualId, JobId, PersonId, SubmissionId
from marketplace.ledger import service as ledger
from marketplace.ledger.rules import HoldReason
from marketplace.payouts import background as payouts
from marketplace.payouts import service as payouts_service
from marketplace.payouts.background import gate
from marketplace.payouts.models import PayoutLine, PayoutReversal, PayoutRun
from marketplace.payouts.rules import (
    BelowMinimum,
    LineState,
    ReversalReason,
    ReversalState,
    RunState,
)
from marketplace.web import webhooks
from tests.journeys.money.crashes import Crashes, Killed
from tests.journeys.money.stripe_side import StripeSide, keep_sandbox, restore_sandbox, unfinished
from tests.make import background
from tests.make import payouts as make
from tests.make.billing import BACK, Stripe, a_lab, a_person, pay, work
from tests.make.ledger import usd

NAMES = UUID("7c1f0f5e-6f0b-4a53-9b52-5b7f2a6a9e01")
SEATS = 3
FEE_POINTS = 1_250
LAB_BEGINS_WITH = usd(4_000_00)
PLATFORM_BEGINS_WITH = usd(2_000_00)
DAY = 86_400
# Late enough for every key of an idempotent call to be old, and every absence to be provable.
TRIES = 8
TIMES = (0, 120, 700, 3_700, 7 * 3_600, 26 * 3_600, 26 * 3_600, 3 * DAY, 3 * DAY)
BANK_TIMES = (3 * DAY, 7 * 3_600)
NEVER_PAID_OUT = 1
SWEEPS = (
    "billing.sweep_top_ups",
    "payouts.resolve_unknown",
    "payouts.find_reversals",
    "payouts.poll_banks",
    "reconciliation.pull",
)


def name_of(*parts: object) -> UUID:
    """An id that the same story gives to the same thing."""
    return uuid5(NAMES, ":".join(str(part) for part in parts))


class World(StripeSide):
    """A database of its own (rolled back), an emptied sandbox, and what people do in both.

    A verb may be killed at any moment by `crashes`; calling it again goes on where it was, as
    people and the product do. The first person's account is paid out by Stripe every day, the
    second's is never, so that a transfer to it can be taken back.
    """

    def __init__(self, engine: Engine, stripe: Stripe) -> None:
        self.stripe, self.crashes = stripe, Crashes()
        self.base = ExitStack()
        self.rests = self.base
        self._begin()
        stripe.empty()
        self.connection = self._connected(engine)
        with transaction() as session:
            self.finance = make.finance(session)
            self.lab: Actor = a_lab(session)
            self.people = [a_person(session, is_specialist=True) for _ in range(2)]
            for person in self.people:
                payouts_service.open_onboarding(
                    session,
                    make.specialist_actor(person),
                    payee_name="Some Body",
                    country="US",
                    currency="USD",
                )
        for person in self.people:
            self._onboard(person)
        self.stripe.sdk.v1.balance_settings.update(
            {"payments": {"payouts": {"schedule": {"interval": "manual"}}}},
            {"stripe_account": self.accounts()[NEVER_PAID_OUT]},
        )
        self._fund()
        self._marked = (dict(self.top_ups), self.seen)
        keep_sandbox(stripe)

    def _begin(self) -> None:
        self.seen = 0
        self.mail: list[dict[str, Any]] = []
        self.top_ups: dict[str, UUID] = {}
        self.runs: dict[str, UUID] = {}
        self.taken: dict[str, UUID] = {}

    def _connected(self, engine: Engine) -> Connection:
        connection = self.base.enter_context(engine.connect())
        outer = connection.begin()
        self.base.callback(outer.rollback)
        joined = sessionmaker(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        )
        self.base.callback(db.bind_sessions, db.bind_sessions(joined))
        return connection

    @contextmanager
    def story(self) -> Iterator[World]:
        """One story from this beginning; afterwards nothing of it has happened, here or there."""
        self._begin()
        self.top_ups, self.seen = dict(self._marked[0]), self._marked[1]
        self.crashes = Crashes()
        gate.forget()
        with ExitStack() as told:
            nested = self.connection.begin_nested()
            told.callback(restore_sandbox, self.stripe)
            told.callback(nested.rollback)
            self.rests = told
            yield self

    def close(self) -> None:
        """Undo everything here; the sandbox is emptied by the next world."""
        self.base.close()

    def _onboard(self, person: PersonId) -> None:
        payouts.onboarding_url(person, refresh_url=BACK, return_url=BACK)
        self.stripe.controls.enable(make.account_of(person))
        payouts.refresh_account(work("payouts.refresh_account"), person_id=str(person))

    def _fund(self) -> None:
        """The platform moves money of its own to Stripe, and the lab makes its first top-up."""
        amount = PLATFORM_BEGINS_WITH
        with transaction() as session:
            on = ledger.book_today()
            ledger.fund_stripe(session, amount=amount, source_id="begin", effective_on=on)
        self.stripe.sdk.v1.topups.create({"amount": amount.minor, "currency": "usd"})
        self.top_up("begin", LAB_BEGINS_WITH.minor)
        self.advance(DAY)
        self.rest()

    # What people do.

    def top_up(self, key: str, minor: int) -> None:
        """The lab asks for a checkout and pays on its page."""
        if key not in self.top_ups:
            self._ask_for_top_up(key, minor)
        billing.open_checkout(self.top_ups[key])
        with transaction() as session:
            row = session.get_one(TopUp, self.top_ups[key])
        pay(row)

    def _ask_for_top_up(self, key: str, minor: int) -> None:
        """The row is committed before its id is known here, so a lost one is found again."""
        known = set(self.top_ups.values())
        with transaction() as session:
            lost = [one for one in session.scalars(select(TopUp.id)) if one not in known]
        if not lost:
            with transaction() as session:
                made = billing_service.begin_top_up(
                    session, self.lab, usd(minor), success_url=BACK, cancel_url=BACK
                )
            lost = [made.id]
        self.top_ups[key] = lost[0]

    def accept(self, key: str, who: int, minor: int) -> None:
        """A job of three judgements is reserved for and accepted; each seat has its exact price."""
        rewards = usd(minor).share([1] * SEATS)
        fees = usd(minor).portion(FEE_POINTS).share([1] * SEATS)
        job, most = JobId(name_of("job", key)), usd(minor) + usd(minor).portion(FEE_POINTS)
        lab_id = self.lab.organisation()
        with transaction() as session:
            ledger.reserve_for_job(
                session, lab_id=lab_id, job_id=job, amount=most, source_id=f"quote:{key}"
            )
        for seat, (reward, fee) in enumerate(zip(rewards, fees, strict=True)):
            with transaction() as session:
                ledger.accept_work(
                    session,
                    job_id=job,
                    specialist_id=self.people[who],
                    submission_id=SubmissionId(name_of("work", key, seat)),
                    round_number=1,
                    reward=reward,
                    fee=fee,
                )

    def clear(self, key: str, who: int, minor: int) -> None:
        """The days in which acceptance can be taken back are over."""
        for seat, reward in enumerate(usd(minor).share([1] * SEATS)):
            with transaction() as session:
                ledger.clear_pay(
                    session,
                    specialist_id=self.people[who],
                    accrual_id=AccrualId(name_of("accrual", key, seat)),
                    amount=reward,
                )

    def hold(self, key: str, who: int, minor: int, *, lift: bool) -> None:
        """Some pay is held for a reason, or let go again."""
        verb = ledger.release_hold if lift else ledger.hold_pay
        with transaction() as session:
            verb(
                session,
                specialist_id=self.people[who],
                amount=usd(minor),
                hold_id=name_of("hold", key),
                reason=HoldReason.REVIEW,
                owner_person_id=self.finance.preparer.actor.person(),
            )

    def pay_out(self, key: str) -> None:
        """Finance prepares a run over all who can be paid, approves it and releases it."""
        if key not in self.runs:
            self._prepare(key)
        if key not in self.runs:
            return
        with transaction() as session:
            run = session.get_one(PayoutRun, self.runs[key])
        if run.state is RunState.DRAFT:
            self.advance(90)  # Each code of the second factor counts once.
            with transaction() as session:
                payouts_service.approve_run(
                    session,
                    self.finance.approver.actor,
                    run.id,
                    run.content_sha256,
                    self.finance.approver.code(),
                )
        with transaction() as session:
            run = session.get_one(PayoutRun, self.runs[key])
            if run.state is RunState.APPROVED:
                payouts_service.release_run(session, self.finance.preparer.actor, run.id)

    def _prepare(self, key: str) -> None:
        known = set(self.runs.values())
        with transaction() as session:
            lost = [one for one in session.scalars(select(PayoutRun.id)) if one not in known]
        if not lost:
            try:
                with transaction() as session:
                    officer = self.finance.preparer.actor
                    lost = [payouts_service.prepare_run(session, officer, minimum=usd(1)).id]
            except BelowMinimum:
                return
        self.runs[key] = lost[0]

    def take_back(self, key: str, crash: int | None) -> None:
        """Two people of finance take the largest transfer back that can still be taken back."""
        self.rest(banks=False)
        if crash is not None:
            self.crashes.arm(crash)
        self.survive(lambda: self._take_back(key))
        self.rest(banks=False)

    def _take_back(self, key: str) -> None:
        if key not in self.taken:
            with transaction() as session:
                sent = select(PayoutLine).where(
                    PayoutLine.specialist_id == self.people[NEVER_PAID_OUT],
                    PayoutLine.state == LineState.TRANSFERRED,
                    PayoutLine.id.not_in(self.taken.values()),
                )
                line = session.scalars(sent.order_by(PayoutLine.amount_minor.desc())).first()
            if line is None:
                return
            self.taken[key] = line.id
        asked = self._reversal(self.taken[key])
        if asked.state is ReversalState.ASKED:
            self.advance(90)
            with transaction() as session:
                officer = self.finance.approver
                payouts_service.approve_reversal(session, officer.actor, asked.id, officer.code())
        background.run_all()

    def _reversal(self, line_id: UUID) -> PayoutReversal:
        with transaction() as session:
            named = select(PayoutReversal).where(PayoutReversal.line_id == line_id)
            found = session.scalars(named).first()
            if found is not None:
                return found
            return payouts_service.ask_reversal(
                session,
                self.finance.preparer.actor,
                line_id,
                amount=session.get_one(PayoutLine, line_id).amount,
                why=next(iter(ReversalReason)),
                note="It went to the wrong person, who agrees.",
                hold=False,
            )

    # What Stripe, the network and time do.

    def bank_returns(self, *, known: bool) -> None:
        """Days after it paid, the first person's bank sends the newest payout back.

        known: whether we had heard by then that it had been paid.
        """
        self.rest(banks=False)
        self.advance(3 * DAY)
        if known:
            self._sweep(0)
        account = self.accounts()[0]
        paid = self.ask_stripe(
            "SELECT id FROM sandbox_objects WHERE kind = 'payout' AND account = %s"
            " AND body->>'status' = 'paid' ORDER BY serial DESC LIMIT 1",
            account,
        )
        if paid:
            self.stripe.controls.fail_payout(paid[0][0], account=account)
            self.stripe.controls.enable(account)

    def advance(self, seconds: int) -> None:
        """Time goes on, here and at Stripe."""
        self.stripe.controls.advance(seconds)
        self.rests.enter_context(clock.shifted(timedelta(seconds=seconds)))

    def hear(self, event: dict[str, Any]) -> None:
        """One delivery of a webhook, whose signature was right."""
        with transaction() as session:
            webhooks.note_event(session, event)

    def work(self, count: int) -> None:
        """A worker does what is due, so many rows at most."""
        for _ in range(count):
            if not background.run_some(1):
                return

    def survive(self, verb: Callable[[], None]) -> None:
        """Do something until it is done, however often the process dies or Stripe is silent."""
        for _ in range(TRIES):
            try:
                return verb()
            except (Killed, GatewayError):
                continue
        raise AssertionError("It was never done.")

    def restrict(self, who: int, *, lift: bool) -> None:
        """Stripe lets nothing be sent to somebody, or again; everything before has come to rest."""
        self.rest(banks=False)
        account = make.account_of(self.people[who])
        if lift:
            self.stripe.controls.enable(account)
        else:
            self.stripe.controls.restrict(account)
        person_id = str(self.people[who])
        payouts.refresh_account(work("payouts.refresh_account"), person_id=person_id)

    # What brings everything to rest.

    def rest(self, *, banks: bool = True) -> None:
        """No more faults: sweeps, pulls and time bring on whatever was left; webhooks are lost.

        banks: also wait until no payout is on its way to a bank.
        """
        self.crashes.disarm()
        self.stripe.controls.clear_faults()
        for seconds in TIMES:
            self._sweep(seconds)
            if not unfinished():
                break
        assert not unfinished(), unfinished()
        for seconds in BANK_TIMES if banks else ():
            self._sweep(seconds)
        self.settle_constraints()

    def _sweep(self, seconds: int) -> None:
        if seconds:
            self.advance(seconds)
        self._resume_runs()
        for name in SWEEPS:
            background.run(name)
        background.run_all()

    def _resume_runs(self) -> None:
        with transaction() as session:
            for run in session.scalars(select(PayoutRun).where(PayoutRun.paused_at.is_not(None))):
                payouts_service.resume_run(session, self.finance.preparer.actor, run.id)

    def settle_constraints(self) -> None:
        """What the database checks at a commit, it checks now: savepoints commit nothing."""
        with transaction() as session:
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
