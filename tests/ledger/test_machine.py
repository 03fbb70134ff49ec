"""Any sequence of postings against a model: never negative, in sum zero, the same again once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM
from marketplace.ids import (
    AccrualId,
    JobId,
    OrganisationId,
    PayoutLineId,
    PersonId,
    SubmissionId,
    new_id,
)
from marketplace.ledger import queries, service
from marketplace.ledger.rules import HoldReason
from marketplace.money import Money, zero

CURRENCIES = st.sampled_from(["USD", "JPY"])
AMOUNTS = st.integers(1, 500)
TWO = st.integers(0, 1)
Movement = tuple[str, str, int]


class Book(RuleBasedStateMachine):
    """The ledger beside a dictionary of balances; both move, or neither does."""

    session: Session

    @initialize()
    def start(self) -> None:
        self.labs = [OrganisationId(new_id()) for _ in range(2)]
        self.jobs = [JobId(new_id()) for _ in range(2)]
        self.people = [PersonId(new_id()) for _ in range(2)]
        self.model: dict[str, int] = defaultdict(int)
        self.posted: list[Callable[..., object]] = []
        self.ended: list[tuple[Callable[..., object], dict[str, Any]]] = []
        self.lines: list[tuple[PersonId, PayoutLineId, Money]] = []
        self.holds: list[tuple[PersonId, Any, Money]] = []
        self.sent: list[tuple[PersonId, PayoutLineId, Money]] = []

    def try_to(self, verb: Callable[..., object], *moves: Movement, **facts: Any) -> bool:
        """Post; it must succeed exactly when no account with a floor goes below zero."""
        after = dict(self.model)
        for giver, taker, minor in moves:
            after[giver] = after.get(giver, 0) - minor
            after[taker] = after.get(taker, 0) + minor
        fits = all(minor >= 0 for code, minor in after.items() if code[0] in "LC")
        self.settle(after)
        if not fits:
            with pytest.raises(service.InsufficientFunds):
                verb(self.session, **facts)
            return False
        first = verb(self.session, **facts)
        assert first == verb(self.session, **facts)
        self.posted.append(lambda: first == verb(self.session, **facts))
        self.model.update(after)
        return True

    def settle(self, after: dict[str, int]) -> None:
        """What happens of itself once money is available."""

    @rule(lab=TWO, minor=AMOUNTS, fee=st.integers(0, 9), currency=CURRENCIES)
    def top_up(self, lab: int, minor: int, fee: int, currency: str) -> None:
        self.try_to(
            service.record_top_up,
            ("in", f"L:lab:{self.labs[lab]}:available:{currency}", minor),
            ("in", f"A:stripe:balance:{currency}", minor - fee),
            ("in", f"E:stripe:processing:{currency}", fee),
            lab_id=self.labs[lab],
            gross=Money(minor, currency),
            fee=Money(fee, currency),
            balance_transaction_id=f"txn_{new_id().hex}",
            effective_on=service.book_today(),
        )

    @rule(lab=TWO, job=TWO, minor=AMOUNTS, currency=CURRENCIES, back=st.booleans())
    def reserve_or_release(self, lab: int, job: int, minor: int, currency: str, back: bool) -> None:
        free = f"L:lab:{self.labs[lab]}:available:{currency}"
        kept = f"L:job:{self.jobs[job]}:reserved:{currency}"
        giver, taker = (kept, free) if back else (free, kept)
        self.try_to(
            service.release_reservation if back else service.reserve_for_job,
            (giver, taker, minor),
            lab_id=self.labs[lab],
            job_id=self.jobs[job],
            amount=Money(minor, currency),
            source_id=new_id().hex,
        )

    @rule(job=TWO, who=TWO, minor=AMOUNTS, fee=st.integers(0, 50), currency=CURRENCIES)
    def accept(self, job: int, who: int, minor: int, fee: int, currency: str) -> None:
        reserve = f"L:job:{self.jobs[job]}:reserved:{currency}"
        self.try_to(
            service.accept_work,
            (reserve, self.pot(who, "pending", currency), minor),
            (reserve, f"I:platform_fee:{currency}", fee),
            job_id=self.jobs[job],
            specialist_id=self.people[who],
            submission_id=SubmissionId(new_id()),
            round_number=1,
            reward=Money(minor, currency),
            fee=Money(fee, currency),
        )

    @rule(who=TWO, minor=AMOUNTS, currency=CURRENCIES)
    def clear(self, who: int, minor: int, currency: str) -> None:
        self.try_to(
            service.clear_pay,
            (self.pot(who, "pending", currency), self.pot(who, "available", currency), minor),
            specialist_id=self.people[who],
            accrual_id=AccrualId(new_id()),
            amount=Money(minor, currency),
        )

    @rule(who=TWO, minor=AMOUNTS, currency=CURRENCIES)
    def hold(self, who: int, minor: int, currency: str) -> None:
        facts = self.hold_facts(self.people[who], new_id(), Money(minor, currency))
        move = (self.pot(who, "available", currency), self.pot(who, "held", currency), minor)
        if self.try_to(service.hold_pay, move, **facts):
            self.holds.append((self.people[who], facts["hold_id"], facts["amount"]))

    @rule(data=st.data())
    def unhold(self, data: st.DataObject) -> None:
        if self.holds:
            at = data.draw(st.integers(0, len(self.holds) - 1))
            person, hold_id, amount = self.holds.pop(at)
            who = self.people.index(person)
            held, free = (self.pot(who, part, amount.currency) for part in ("held", "available"))
            facts = self.hold_facts(person, hold_id, amount)
            self.try_to(service.release_hold, (held, free, amount.minor), **facts)

    @rule(who=TWO, minor=AMOUNTS, currency=CURRENCIES)
    def draft_line(self, who: int, minor: int, currency: str) -> None:
        line, amount = PayoutLineId(new_id()), Money(minor, currency)
        free, kept = (self.pot(who, part, currency) for part in ("available", "payout_reserved"))
        facts = {"specialist_id": self.people[who], "line_id": line, "amount": amount}
        if self.try_to(service.reserve_payout, (free, kept, minor), **facts):
            self.lines.append((self.people[who], line, amount))

    @rule(data=st.data(), sent=st.booleans(), arrived=st.integers(0, 400))
    def end_line(self, data: st.DataObject, sent: bool, arrived: int) -> None:
        if not self.lines:
            return
        person, line, amount = self.lines.pop(data.draw(st.integers(0, len(self.lines) - 1)))
        who, currency = self.people.index(person), amount.currency
        kept = self.pot(who, "payout_reserved", currency)
        cancel = {"specialist_id": person, "line_id": line, "amount": amount}
        transfer = cancel | {
            "transfer_id": f"tr_{line.hex}",
            "balance_transaction_id": f"txn_{line.hex}",
            "connected_account": f"acct_{who}",
            "destination_amount": Money(arrived, "EUR"),
        }
        if sent:
            self.try_to(
                service.confirm_transfer,
                (kept, "out", amount.minor),
                (f"A:stripe:balance:{currency}", "out", amount.minor),
                ("in", f"C:A:connected:acct_{who}:EUR", arrived),
                ("in", f"C:L:in_connected:{person}:EUR", arrived),
                **transfer,
            )
            self.ended.append((service.cancel_payout, cancel))
            self.sent.append((person, line, amount))
        else:
            free = self.pot(who, "available", currency)
            self.try_to(service.cancel_payout, (kept, free, amount.minor), **cancel)
            self.ended.append((service.confirm_transfer, transfer))

    @rule(data=st.data())
    def say_something_again(self, data: st.DataObject) -> None:
        if self.posted:
            assert data.draw(st.sampled_from(self.posted))()

    @rule(data=st.data())
    def end_a_line_the_other_way(self, data: st.DataObject) -> None:
        if self.ended:
            verb, facts = data.draw(st.sampled_from(self.ended))
            with pytest.raises((service.SourceReused, service.InsufficientFunds)):
                verb(self.session, **facts)

    @rule(limit=st.integers(1, 5))
    def sequence(self, limit: int) -> None:
        service.number_transactions(self.session, limit=limit)

    def pot(self, who: int, part: str, currency: str) -> str:
        """The code of one of a specialist's accounts."""
        return f"L:spec:{self.people[who]}:{part}:{currency}"

    def hold_facts(self, person: PersonId, hold_id: Any, amount: Money) -> dict[str, Any]:
        """What a hold and its release are told."""
        return {
            "specialist_id": person,
            "amount": amount,
            "hold_id": hold_id,
            "reason": HoldReason.REVIEW,
            "owner_person_id": self.people[0],
        }

    @invariant()
    def the_book_is_the_model(self) -> None:
        for code, minor in getattr(self, "model", {}).items():
            if ":" in code:
                assert minor == queries.balance(self.session, code).minor, code

    def teardown(self) -> None:
        if hasattr(self, "model"):
            rows = queries.trial_balance(self.session, SYSTEM)
            for currency in ("USD", "JPY", "EUR"):
                sums = [row.raw for row in rows if row.currency == currency]
                assert zero(currency) == sum(sums, start=zero(currency))
            self.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            assert [] == queries.broken_invariants(self.session)
            assert [] == queries.broken_links(self.session)


def run(machine: type[Book], database: Engine, *, examples: int, steps: int) -> None:
    """Run a machine, each book in a transaction of its own, which is rolled back."""

    class Own(machine):  # type: ignore[misc, valid-type]
        """A book in a transaction of its own."""

        def __init__(self) -> None:
            super().__init__()
            self.session = Session(database)

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.session.close()

    Own.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    Own.TestCase("runTest").debug()


def test_any_sequence_of_postings_keeps_the_book_sound(database: Engine) -> None:
    run(Book, database, examples=8, steps=30)
