"""What specialists were paid in a year, on a paid basis, out of the book; see `rules.paid`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.ledger.models import LedgerAccount, LedgerEntry, LedgerTransaction
from marketplace.ledger.rules import SourceKind
from marketplace.money import Money, zero
from marketplace.payouts.models import PayoutLine, TaxFormRow
from marketplace.payouts.queries.tax_table import tax_table
from marketplace.payouts.rules.paid import Move, Moved, paid_changes

PAGE = 50
_MOVES = {
    SourceKind.TRANSFER: Move.TRANSFER,
    SourceKind.TRANSFER_REVERSAL: Move.TAKEN_BACK,
    SourceKind.PO_CREATED: Move.TO_BANK,
    SourceKind.PO_FAILED: Move.RETURNED,
    SourceKind.PO_RETURNED: Move.RETURNED,
    SourceKind.PO_REVERSED: Move.RETURNED,
}
_WITHHELD = (SourceKind.WITHHOLDING, SourceKind.WITHHOLDING_BACK)


class What(StrEnum):
    """What changed a total."""

    SENT = "sent"
    AGAIN = "again"
    RETURNED = "returned"
    TAKEN_BACK = "taken_back"
    WITHHELD = "withheld"
    NOT_WITHHELD = "not_withheld"


WHAT_LABELS = {
    What.SENT: "Sent to you",
    What.AGAIN: "Sent to your bank again",
    What.RETURNED: "Came back from your bank",
    What.TAKEN_BACK: "Taken back into your balance",
    What.WITHHELD: "Withheld for the tax office",
    What.NOT_WITHHELD: "No longer withheld",
}
_NAMED = {
    Move.TRANSFER: What.SENT,
    Move.TO_BANK: What.AGAIN,
    Move.RETURNED: What.RETURNED,
    Move.TAKEN_BACK: What.TAKEN_BACK,
}


@dataclass(frozen=True, slots=True)
class PaidEntry:
    """One change of what somebody was paid, on the book's day; below zero where it came back."""

    on: date
    what: What
    amount: Money
    transaction_id: UUID

    @property
    def withheld(self) -> bool:
        """Whether it went to the tax office instead of to them."""
        return self.what in {What.WITHHELD, What.NOT_WITHHELD}


@dataclass(frozen=True, slots=True)
class YearTotal:
    """A year's pay by one payer in one currency. paid: sent, less what came back; withheld: beside
    it, for the tax office; gross: both, which is what a tax office is told.
    """

    person_id: PersonId
    year: int
    payer: str
    currency: str
    paid: Money
    withheld: Money

    @property
    def gross(self) -> Money:
        """All that counts as paid."""
        return self.paid + self.withheld


def paid_entries(session: Session, person_ids: Collection[UUID]) -> dict[PersonId, list[PaidEntry]]:
    """Every change of what these people were paid, oldest first; for code that has authorised the
    reader."""
    owners = _accounts(session, person_ids)
    entries: dict[PersonId, list[_Legs]] = defaultdict(list)
    for legs in _legs(session, owners):
        entries[legs.person_id].append(legs)
    return {person_id: _changes(found) for person_id, found in entries.items()}


def totals_of(person_id: PersonId, entries: Iterable[PaidEntry]) -> list[YearTotal]:
    """Entries summed by year, payer and currency, the latest year first."""
    table = tax_table()
    sums: dict[tuple[int, str, str], list[Money]] = {}
    for each in entries:
        currency = each.amount.currency
        key = (each.on.year, table.payer_on(each.on).name, currency)
        found = sums.setdefault(key, [zero(currency), zero(currency)])
        found[each.withheld] = found[each.withheld] + each.amount
    return [
        YearTotal(person_id, year, payer, currency, paid, withheld)
        for (year, payer, currency), (paid, withheld) in sorted(
            sums.items(), key=lambda item: (-item[0][0], item[0][1:])
        )
    ]


def years_of(session: Session, viewer: Actor) -> list[YearTotal]:
    """The viewer's own totals, the latest year first."""
    viewer.require(Permission.EARNINGS_VIEW)
    person = viewer.person()
    return totals_of(person, paid_entries(session, [person]).get(person, []))


def own_entries(session: Session, viewer: Actor) -> list[PaidEntry]:
    """Every change of what the viewer was paid, oldest first."""
    viewer.require(Permission.EARNINGS_VIEW)
    person = viewer.person()
    return paid_entries(session, [person]).get(person, [])


def yearly_totals(
    session: Session, viewer: Actor, year: int, *, after: UUID | None = None, limit: int = PAGE
) -> tuple[list[YearTotal], UUID | None]:
    """Everybody's totals of a year, by person, and the last id looked at, None at the end."""
    viewer.require(Permission.FINANCE_VIEW)
    ids = select(PayoutLine.specialist_id).distinct().order_by(PayoutLine.specialist_id)
    if after is not None:
        ids = ids.where(PayoutLine.specialist_id > after)
    people = list(session.scalars(ids.limit(limit)))
    found = paid_entries(session, people)
    totals = [
        total
        for person in people
        for total in totals_of(PersonId(person), found.get(PersonId(person), []))
        if total.year == year
    ]
    return totals, people[-1] if len(people) == limit else None


@dataclass(slots=True)
class _Legs:
    """What one transaction did to one person's accounts."""

    person_id: PersonId
    transaction_id: UUID
    kind: SourceKind
    on: date
    reserved: Money | None = None
    there: Money | None = None
    withheld: Money | None = None


def _accounts(session: Session, person_ids: Collection[UUID]) -> dict[UUID, tuple[PersonId, str]]:
    """The accounts that tell what was paid, each with whose it is and its part."""
    ids = list(person_ids)
    lines = select(PayoutLine.specialist_id, PayoutLine.stripe_account_id).distinct()
    at_stripe = {
        account: PersonId(person)
        for person, account in session.execute(lines.where(PayoutLine.specialist_id.in_(ids)))
    }
    owned = LedgerAccount.owner_id.in_(ids) & or_(
        LedgerAccount.code.startswith("L:tax_withheld:"),
        LedgerAccount.code.like("L:spec:%:payout_reserved:%"),
    )
    found: dict[UUID, tuple[PersonId, str]] = {}
    rows = select(LedgerAccount.id, LedgerAccount.code, LedgerAccount.owner_id)
    for account, code, owner in session.execute(rows.where(owned)):
        part = "withheld" if code.startswith("L:tax_withheld:") else "reserved"
        if owner is not None:
            found[account] = (PersonId(owner), part)
    currencies = select(LedgerAccount.currency).distinct()
    codes = {
        f"C:A:connected:{account}:{currency}": person
        for currency in session.scalars(currencies)
        for account, person in at_stripe.items()
    }
    for account, code in session.execute(
        select(LedgerAccount.id, LedgerAccount.code).where(LedgerAccount.code.in_(list(codes)))
    ):
        found[account] = (codes[code], "there")
    return found


def _legs(session: Session, owners: dict[UUID, tuple[PersonId, str]]) -> list[_Legs]:
    rows = (
        select(
            LedgerTransaction.id,
            LedgerTransaction.source_kind,
            LedgerTransaction.effective_on,
            LedgerEntry.account_id,
            LedgerEntry.amount,
            LedgerEntry.currency,
        )
        .join(LedgerEntry, LedgerEntry.transaction_id == LedgerTransaction.id)
        .where(LedgerEntry.account_id.in_(list(owners)))
        .where(LedgerTransaction.source_kind.in_((*_MOVES, *_WITHHELD)))
        .order_by(LedgerTransaction.posted_at, LedgerTransaction.id)
    )
    found: dict[tuple[UUID, PersonId], _Legs] = {}
    for transaction_id, kind, on, account, minor, currency in session.execute(rows):
        person, part = owners[account]
        legs = found.setdefault(
            (transaction_id, person), _Legs(person, transaction_id, SourceKind(kind), on)
        )
        setattr(legs, part, Money(minor, currency))
    return list(found.values())


def _changes(found: Iterable[_Legs]) -> list[PaidEntry]:
    moves: dict[str, list[Moved]] = defaultdict(list)
    entries = []
    for legs in found:
        if legs.withheld is not None:
            what = What.WITHHELD if legs.withheld.minor < 0 else What.NOT_WITHHELD
            entries.append(PaidEntry(legs.on, what, -legs.withheld, legs.transaction_id))
        elif legs.there is not None:
            moves[legs.there.currency].append(
                Moved(
                    _MOVES[legs.kind],
                    legs.on,
                    Money(abs(legs.there.minor), legs.there.currency),
                    legs.transaction_id,
                    sent=legs.reserved,
                )
            )
        elif legs.kind is SourceKind.TRANSFER and legs.reserved is not None:
            # A conversion that came to nothing left no money there; it left us all the same.
            entries.append(PaidEntry(legs.on, What.SENT, legs.reserved, legs.transaction_id))
    for moved in moves.values():
        entries += [
            PaidEntry(each.on, _NAMED[each.what], each.amount, each.transaction_id)
            for each in paid_changes(moved)
        ]
    return sorted(entries, key=lambda each: (each.on, each.transaction_id))


def last_paid_on(session: Session, person_id: PersonId) -> date | None:
    """The day of the last change of what somebody was paid."""
    entries = paid_entries(session, [person_id]).get(person_id, [])
    return max((each.on for each in entries), default=None)


def forms_by_person(
    session: Session, person_ids: Collection[UUID]
) -> dict[PersonId, list[TaxFormRow]]:
    """The forms of these people that stand, the newest first; for code that has authorised."""
    rows = (
        select(TaxFormRow)
        .where(TaxFormRow.person_id.in_(list(person_ids)))
        .where(TaxFormRow.state.in_(("submitted", "verified")))
        .order_by(TaxFormRow.id.desc())
    )
    found: dict[PersonId, list[TaxFormRow]] = defaultdict(list)
    for form in session.scalars(rows):
        found[form.person_id].append(form)
    return found
