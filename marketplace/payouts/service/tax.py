"""What tax law lets us pay: the gate before each payment, for one specialist or for many."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.money import Money, zero
from marketplace.payouts.models import PayeeAccount, PayoutLine
from marketplace.payouts.queries.tax_table import tax_table
from marketplace.payouts.queries.year import PaidEntry, forms_by_person, paid_entries
from marketplace.payouts.rules import ENDED, thresholds
from marketplace.payouts.rules.tax import TaxForm, TaxFormState
from marketplace.payouts.rules.thresholds import Payee, Standing
from marketplace.payouts.rules.thresholds import PayGate as PayGate

CHANGED_WORDS = (
    "What tax law withholds of this payout has changed since it was prepared. The money is back in "
    "your balance and goes out with the next run."
)


def may_pay(
    session: Session,
    specialist_id: PersonId,
    currency: str,
    amount: Money,
    on: date,
    *,
    withheld: Money | None = None,
    line_id: UUID | None = None,
) -> PayGate:
    """Whether `amount` may be paid to a specialist on `on`, the book's day; posts nothing.

    The caller withholds `withhold` by the ledger's rule 23 in the transaction in which it sets
    the rest aside. For a line that was drafted: amount is what the line sends, withheld what was
    withheld of it, line_id the line; it is then not ok either where another amount is due by now.
    """
    assert currency == amount.currency  # noqa: S101 - one currency a payment.
    but = [line_id] if line_id is not None else []
    payee = _payees(session, [specialist_id], on, but)[specialist_id]
    kept = withheld or zero(currency)
    found = _asked(payee, amount, kept, on)
    return found if line_id is None else _unchanged(found, kept)


def gates_of_lines(session: Session, lines: Sequence[PayoutLine], on: date) -> dict[UUID, PayGate]:
    """The same as `may_pay` says of each of these drafted lines, in a few queries for all."""
    people = [PersonId(line.specialist_id) for line in lines]
    payees = _payees(session, people, on, [line.id for line in lines])
    found = {}
    for line in lines:
        withheld = Money(line.withheld_minor, line.currency)
        answer = _asked(payees[line.specialist_id], line.amount, withheld, on)
        found[line.id] = _unchanged(answer, withheld)
    return found


def _asked(payee: Payee, amount: Money, withheld: Money, on: date) -> PayGate:
    if withheld:
        # It stands in the book already, and would count twice.
        payee = replace(payee, paid=(*payee.paid, -withheld))
    return thresholds.gate(tax_table(), payee, amount + withheld, on)


def _unchanged(found: PayGate, withheld: Money) -> PayGate:
    if not found.ok or found.withhold == withheld:
        return found
    return PayGate(False, thresholds.CHANGED, CHANGED_WORDS, zero(withheld.currency))


def gates(session: Session, amounts: Mapping[PersonId, Money], on: date) -> dict[PersonId, PayGate]:
    """The gate of each of these payments to come, in a few queries for all of them.

    What payout lines of theirs have under way counts as paid.
    """
    table = tax_table()
    payees = _payees(session, list(amounts), on, ())
    return {
        person: thresholds.gate(table, payees[person], amount, on)
        for person, amount in amounts.items()
    }


def payee_state(session: Session, person_id: PersonId, on: date) -> Payee:
    """What decides about one specialist's pay on a day; for code that has authorised."""
    return _payees(session, [person_id], on, ())[person_id]


def own_standings(session: Session, viewer: Actor) -> list[Standing]:
    """What tax law wants of the viewer today; nothing before they said where to be paid."""
    viewer.require(Permission.EARNINGS_VIEW)
    today = clock.book_day(clock.now(), settings.current().book_timezone)
    payee = payee_state(session, viewer.person(), today)
    return thresholds.standings(tax_table(), payee, today) if payee.country else []


def _payees(
    session: Session, people: list[PersonId], on: date, but_lines: Collection[UUID]
) -> dict[PersonId, Payee]:
    accounts = {
        account.person_id: account
        for account in session.scalars(
            select(PayeeAccount).where(PayeeAccount.person_id.in_(people))
        )
    }
    forms = forms_by_person(session, people)
    paid = paid_entries(session, people)
    under_way = _under_way(session, people, but_lines)
    zone = settings.current().book_timezone
    found = {}
    for person in people:
        account, standing = accounts.get(person), forms.get(person, [])
        valid = [
            form
            for form in standing
            if form.state is TaxFormState.VERIFIED
            and (form.valid_until is None or form.valid_until >= on)
        ]
        entries = paid.get(person, [])
        country = valid[0].country if valid else account.country if account else ""
        if any(form.kind is TaxForm.W9 for form in valid):
            country = "US"
        found[person] = Payee(
            country=country,
            verified=frozenset(form.kind for form in valid),
            waiting=frozenset(
                form.kind for form in standing if form.state is TaxFormState.SUBMITTED
            ),
            paid=(*_sums(entries, on.year), *under_way.get(person, [])),
            paid_before=tuple(_sums(entries, on.year - 1)),
            withheld_before=any(e.withheld and e.on.year == on.year - 1 for e in entries),
            asked_on=clock.book_day(account.created_at, zone) if account else on,
            told_to_withhold=any(form.told_to_withhold for form in valid),
        )
    return found


def _sums(entries: list[PaidEntry], year: int) -> list[Money]:
    sums: dict[str, Money] = {}
    for each in entries:
        if each.on.year == year:
            currency = each.amount.currency
            sums[currency] = sums.get(currency, zero(currency)) + each.amount
    return list(sums.values())


def _under_way(
    session: Session, people: list[PersonId], but_lines: Collection[UUID]
) -> dict[PersonId, list[Money]]:
    minor = func.sum(PayoutLine.amount_minor)
    rows = (
        select(PayoutLine.specialist_id, PayoutLine.currency, minor)
        .where(PayoutLine.specialist_id.in_(people), PayoutLine.state.not_in(ENDED))
        .group_by(PayoutLine.specialist_id, PayoutLine.currency)
    )
    if but_lines:
        rows = rows.where(PayoutLine.id.not_in(but_lines))
    found: dict[PersonId, list[Money]] = {}
    for person, currency, amount in session.execute(rows):
        found.setdefault(person, []).append(Money(int(amount), currency))
    return found
