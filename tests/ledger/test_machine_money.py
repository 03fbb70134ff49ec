"""Any sequence of all the rules against a model: money that waits, comes back, is contested, and
what is owed and netted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from sqlalchemy import Engine

from marketplace.ids import OrganisationId, PayoutLineId, PersonId, new_id
from marketplace.ledger import service
from marketplace.money import Money, zero
from tests.ledger.test_machine import AMOUNTS, CURRENCIES, TWO, Book, Movement, run

Payment = tuple[OrganisationId, Money, str]


class Whole(Book):
    """The book with every rule that moves money of labs and specialists."""

    @initialize()
    def start_more(self) -> None:
        self.waiting: list[Payment] = []
        self.there: list[Payment] = []
        self.gone: list[Payment] = []
        self.refunds: list[Payment] = []
        self.refunded: list[Payment] = []
        self.disputes: list[tuple[OrganisationId, Money, str, int]] = []
        self.payouts: list[tuple[PersonId, str, Money]] = []
        self.paid: list[tuple[PersonId, str, Money]] = []
        self.kept: list[tuple[PersonId, PayoutLineId, Money]] = []
        self.back: dict[PayoutLineId, int] = {}

    def settle(self, after: dict[str, int]) -> None:
        """What a lab owes is taken from what became available to it."""
        for lab in self.labs:
            for currency in ("USD", "JPY"):
                owed, free = self.owes(lab, currency), self.of(lab, "available", currency)
                taken = max(0, min(after.get(owed, 0), after.get(free, 0)))
                if taken:
                    after[owed] -= taken
                    after[free] -= taken

    def of(self, lab: OrganisationId, part: str, currency: str) -> str:
        """The code of one of a lab's accounts."""
        return f"L:lab:{lab}:{part}:{currency}"

    def owes(self, lab: OrganisationId, currency: str) -> str:
        """The code of what a lab owes."""
        return f"A:receivable:lab:{lab}:{currency}"

    def one_of(self, data: st.DataObject, some: list[Any]) -> Any:
        """Take one of a list out of it."""
        return some.pop(data.draw(st.integers(0, len(some) - 1)))

    @rule(lab=TWO, minor=AMOUNTS, currency=CURRENCIES, pending=st.booleans())
    def paid_in(self, lab: int, minor: int, currency: str, pending: bool) -> None:
        payment = (self.labs[lab], Money(minor, currency), f"txn_{new_id().hex}")
        part = "pending" if pending else "available"
        self.try_to(
            service.record_top_up,
            ("in", self.of(payment[0], part, currency), minor),
            ("in", f"A:stripe:balance:{currency}", minor),
            lab_id=payment[0],
            gross=payment[1],
            fee=zero(currency),
            balance_transaction_id=payment[2],
            effective_on=service.book_today(),
            pending=pending,
        )
        (self.waiting if pending else self.there).append(payment)

    @rule(data=st.data())
    def cleared(self, data: st.DataObject) -> None:
        if self.waiting:
            payment = self.one_of(data, self.waiting)
            lab, amount, bt = payment
            ends = (self.of(lab, part, amount.currency) for part in ("pending", "available"))
            self.try_to(
                service.clear_top_up,
                (*ends, amount.minor),
                lab_id=lab,
                amount=amount,
                balance_transaction_id=bt,
            )
            self.there.append(payment)

    @rule(data=st.data(), waiting=st.booleans())
    def comes_back(self, data: st.DataObject, waiting: bool) -> None:
        payments = self.waiting if waiting else self.there
        if not payments:
            return
        lab, amount, bt = self.one_of(data, payments)
        currency, minor = amount.currency, amount.minor
        free = self.of(lab, "available", currency)
        from_free = 0 if waiting else min(minor, self.model[free])
        owed = 0 if waiting else minor - from_free
        self.try_to(
            service.return_top_up,
            (self.of(lab, "pending", currency), "out", minor if waiting else 0),
            (free, "out", from_free),
            ("in", self.owes(lab, currency), owed),
            (f"A:stripe:balance:{currency}", "out", minor),
            lab_id=lab,
            amount=amount,
            balance_transaction_id=f"txn_back_{bt}",
            original_balance_transaction_id=bt,
            effective_on=service.book_today(),
        )
        if waiting:
            self.gone.append((lab, amount, bt))

    @rule(data=st.data())
    def what_came_back_never_clears(self, data: st.DataObject) -> None:
        if self.gone:
            lab, amount, bt = data.draw(st.sampled_from(self.gone))
            with pytest.raises(service.NothingToAnswer):
                service.clear_top_up(
                    self.session, lab_id=lab, amount=amount, balance_transaction_id=bt
                )

    @rule(lab=TWO, minor=AMOUNTS, currency=CURRENCIES)
    def refund(self, lab: int, minor: int, currency: str) -> None:
        refund = (self.labs[lab], Money(minor, currency), new_id().hex)
        move = (self.of(refund[0], "available", currency), f"L:refund_inflight:{currency}", minor)
        if self.try_to(
            service.reserve_refund, move, lab_id=refund[0], amount=refund[1], refund_id=refund[2]
        ):
            self.refunds.append(refund)

    @rule(data=st.data(), sent=st.booleans())
    def refund_ends(self, data: st.DataObject, sent: bool) -> None:
        if not self.refunds:
            return
        refund = self.one_of(data, self.refunds)
        lab, amount, name = refund
        inflight = f"L:refund_inflight:{amount.currency}"
        cancel = {"lab_id": lab, "refund_id": name, "amount": amount}
        sending = {
            "refund_id": name,
            "amount": amount,
            "balance_transaction_id": f"txn_{name}",
            "effective_on": service.book_today(),
        }
        if sent:
            stripe = f"A:stripe:balance:{amount.currency}"
            moves: list[Movement] = [(code, "out", amount.minor) for code in (inflight, stripe)]
            self.try_to(service.confirm_refund, *moves, **sending)
            self.ended.append((service.cancel_refund, cancel))
            self.refunded.append(refund)
        else:
            free = self.of(lab, "available", amount.currency)
            self.try_to(service.cancel_refund, (inflight, free, amount.minor), **cancel)
            self.ended.append((service.confirm_refund, sending))

    @rule(data=st.data())
    def refund_fails_later(self, data: st.DataObject) -> None:
        if self.refunded:
            lab, amount, name = self.one_of(data, self.refunded)
            self.try_to(
                service.return_refund,
                ("in", self.of(lab, "available", amount.currency), amount.minor),
                ("in", f"A:stripe:balance:{amount.currency}", amount.minor),
                lab_id=lab,
                refund_id=name,
                amount=amount,
                balance_transaction_id=f"txn_failed_{name}",
                effective_on=service.book_today(),
            )

    @rule(lab=TWO, minor=AMOUNTS, fee=st.integers(0, 20), currency=CURRENCIES)
    def dispute(self, lab: int, minor: int, fee: int, currency: str) -> None:
        who, name, stripe = self.labs[lab], new_id().hex, f"A:stripe:balance:{currency}"
        free = self.of(who, "available", currency)
        held = min(minor, self.model[free])
        self.try_to(
            service.open_dispute,
            (stripe, f"A:dispute_receivable:{currency}", minor),
            (stripe, f"E:stripe:dispute_fee:{currency}", fee),
            (free, self.of(who, "dispute_hold", currency), held),
            lab_id=who,
            dispute_id=name,
            amount=Money(minor, currency),
            fee=Money(fee, currency),
            balance_transaction_id=f"txn_{name}",
            effective_on=service.book_today(),
        )
        self.disputes.append((who, Money(minor, currency), name, held))

    @rule(data=st.data(), won=st.booleans())
    def dispute_ends(self, data: st.DataObject, won: bool) -> None:
        if not self.disputes:
            return
        lab, amount, name, held = self.one_of(data, self.disputes)
        contested = f"A:dispute_receivable:{amount.currency}"
        hold = self.of(lab, "dispute_hold", amount.currency)
        lose = {"lab_id": lab, "dispute_id": name, "amount": amount}
        win = lose | {
            "balance_transaction_id": f"txn_won_{name}",
            "effective_on": service.book_today(),
        }
        if won:
            stripe = f"A:stripe:balance:{amount.currency}"
            moves = [(contested, stripe, amount.minor)]
            moves.append((hold, self.of(lab, "available", amount.currency), held))
            self.try_to(service.win_dispute, *moves, **win)
            self.ended.append((service.lose_dispute, lose))
        else:
            moves = [(contested, self.owes(lab, amount.currency), amount.minor - held)]
            moves += [(contested, "out", held), (hold, "out", held)]
            self.try_to(service.lose_dispute, *moves, **lose)
            self.ended.append((service.win_dispute, win))

    @rule(who=TWO, lab=st.sampled_from([0, 1, None]), minor=AMOUNTS, currency=CURRENCIES)
    def bonus(self, who: int, lab: int | None, minor: int, currency: str) -> None:
        fee = 0 if lab is None else minor // 10
        moves: list[Movement] = [("in", self.pot(who, "pending", currency), minor)]
        if lab is None:
            moves.append(("in", f"E:goodwill:{currency}", minor))
        else:
            moves.append((self.of(self.labs[lab], "available", currency), "out", minor))
            free = self.of(self.labs[lab], "available", currency)
            moves.append((free, f"I:platform_fee:{currency}", fee))
        self.try_to(
            service.pay_bonus,
            *moves,
            lab_id=None if lab is None else self.labs[lab],
            specialist_id=self.people[who],
            bonus=Money(minor, currency),
            fee=Money(fee, currency),
            source_id=new_id().hex,
        )

    @rule(who=TWO, minor=st.integers(1, 200))
    def to_their_bank(self, who: int, minor: int) -> None:
        name = f"po_{new_id().hex}"
        there = f"C:A:connected:acct_{who}:EUR"
        move = (there, f"C:A:to_bank:acct_{who}:EUR", minor)
        if self.step("created", (self.people[who], name, Money(minor, "EUR")), move):
            self.payouts.append((self.people[who], name, Money(minor, "EUR")))

    @rule(data=st.data(), arrived=st.booleans())
    def at_their_bank(self, data: st.DataObject, arrived: bool) -> None:
        if not self.payouts:
            return
        payout = self.one_of(data, self.payouts)
        person, _, amount = payout
        who = self.people.index(person)
        leaving = f"C:A:to_bank:acct_{who}:EUR"
        if arrived:
            theirs = f"C:L:in_connected:{person}:EUR"
            self.step("paid", payout, (leaving, "out", amount.minor), (theirs, "out", amount.minor))
            self.paid.append(payout)
        else:
            self.step("failed", payout, (leaving, f"C:A:connected:acct_{who}:EUR", amount.minor))

    @rule(data=st.data(), step=st.sampled_from(["failed_after_paid", "reversed"]))
    def back_from_their_bank(self, data: st.DataObject, step: str) -> None:
        if self.paid:
            payout = self.one_of(data, self.paid)
            person, _, amount = payout
            there = f"C:A:connected:acct_{self.people.index(person)}:EUR"
            theirs = f"C:L:in_connected:{person}:EUR"
            moves = [("in", code, amount.minor) for code in (there, theirs)]
            self.step(step, payout, *moves)

    def step(self, step: str, payout: tuple[PersonId, str, Money], *moves: Movement) -> bool:
        """A step of a payout from a connected account."""
        person, name, amount = payout
        return self.try_to(
            service.record_connected_payout,
            *moves,
            step=step,
            payout_id=name,
            specialist_id=person,
            connected_account=f"acct_{self.people.index(person)}",
            amount=amount,
        )

    @rule(data=st.data(), minor=AMOUNTS, back=st.integers(0, 50), held=st.booleans())
    def transfer_comes_back(self, data: st.DataObject, minor: int, back: int, held: bool) -> None:
        if not self.sent:
            return
        person, line, amount = data.draw(st.sampled_from(self.sent))
        who, name = self.people.index(person), f"trr_{new_id().hex}"
        facts = {
            "specialist_id": person,
            "line_id": line,
            "reversal_id": name,
            "amount": Money(minor, amount.currency),
            "balance_transaction_id": f"txn_{name}",
            "connected_account": f"acct_{who}",
            "destination_amount": Money(back, "EUR"),
            "held": held,
        }
        if self.back.get(line, 0) + minor > amount.minor:
            with pytest.raises(service.NothingToAnswer):
                service.record_transfer_reversal(self.session, **facts)  # type: ignore[arg-type]
            return
        part = "held" if held else "available"
        if self.try_to(
            service.record_transfer_reversal,
            ("in", self.pot(who, part, amount.currency), minor),
            ("in", f"A:stripe:balance:{amount.currency}", minor),
            (f"C:A:connected:acct_{who}:EUR", "out", back),
            (f"C:L:in_connected:{person}:EUR", "out", back),
            **facts,
        ):
            self.back[line] = self.back.get(line, 0) + minor

    @rule(who=TWO, minor=AMOUNTS, currency=CURRENCIES)
    def tax(self, who: int, minor: int, currency: str) -> None:
        line, person = PayoutLineId(new_id()), self.people[who]
        amount = Money(minor, currency)
        move = (self.pot(who, "available", currency), f"L:tax_withheld:{person}:{currency}", minor)
        facts = {"specialist_id": person, "line_id": line, "amount": amount}
        if self.try_to(service.withhold_tax, move, **facts):
            self.kept.append((person, line, amount))

    @rule(data=st.data())
    def tax_back(self, data: st.DataObject) -> None:
        if self.kept:
            person, line, amount = self.one_of(data, self.kept)
            free = self.pot(self.people.index(person), "available", amount.currency)
            kept = f"L:tax_withheld:{person}:{amount.currency}"
            facts = {"specialist_id": person, "line_id": line, "amount": amount}
            self.try_to(service.return_withholding, (kept, free, amount.minor), **facts)


def test_any_sequence_of_all_rules_keeps_the_book_sound(database: Engine) -> None:
    run(Whole, database, examples=8, steps=40)


@pytest.mark.slow
def test_many_sequences_of_all_rules_keep_the_book_sound(database: Engine) -> None:
    run(Whole, database, examples=150, steps=80)
