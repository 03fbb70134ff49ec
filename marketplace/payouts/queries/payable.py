"""Who can be paid now, and who cannot and why. Pages go by ids, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.ledger.models import LedgerAccount
from marketplace.money import Money
from marketplace.payouts.models import PayeeAccount
from marketplace.payouts.queries.holds import held_of, held_words
from marketplace.stripe_client import sendable

PAGE = 50
_Rows = Select[UUID | None, int | None, PayeeAccount | None]


@dataclass(frozen=True, slots=True)
class Filters:
    """Whom a run is limited to. only: these people, None for everybody; without: not these;
    country: of the account at Stripe, two capital letters, None for any."""

    only: frozenset[UUID] | None = None
    without: frozenset[UUID] = frozenset()
    country: str | None = None

    def plain(self) -> dict[str, object]:
        """As JSON; what is not limited is left out."""
        found: dict[str, object] = {}
        if self.only is not None:
            found["only"] = sorted(str(one) for one in self.only)
        if self.without:
            found["without"] = sorted(str(one) for one in self.without)
        if self.country is not None:
            found["country"] = self.country
        return found

    def limit(self, rows: _Rows) -> _Rows:
        """The rows of `_worth_paying` that are left by them."""
        owner = LedgerAccount.owner_id
        if self.only is not None:
            rows = rows.where(owner.in_(self.only))
        if self.without:
            rows = rows.where(owner.not_in(self.without))
        if self.country is not None:
            rows = rows.where(PayeeAccount.country == self.country)
        return rows


EVERYBODY = Filters()


@dataclass(frozen=True, slots=True)
class Payable:
    """A specialist who can be paid now; payee_currency: of their account at Stripe."""

    specialist_id: PersonId
    stripe_account_id: str
    payee_version: int
    payee_currency: str
    available: Money


@dataclass(frozen=True, slots=True)
class Unpayable:
    """A specialist with money to pay out whom a run leaves out, and why."""

    specialist_id: PersonId
    available: Money
    reason: str


def payable(
    session: Session,
    viewer: Actor,
    *,
    minimum: Money,
    filters: Filters = EVERYBODY,
    limit: int = PAGE,
) -> list[Payable]:
    """Specialists with an active account and at least `minimum` available, largest first; what
    Stripe does not pay out of an odd amount is not counted."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = filters.limit(_worth_paying(minimum)).where(
        PayeeAccount.transfers_active,
        PayeeAccount.disabled_reason.is_(None),
        _held(session).is_(None),
    )
    return [
        Payable(
            specialist_id=PersonId(owner_id),
            stripe_account_id=payee.stripe_account_id or "",
            payee_version=payee.version,
            payee_currency=payee.currency,
            available=part,
        )
        for owner_id, balance, payee in session.execute(rows.limit(limit))
        if owner_id is not None and balance is not None and payee is not None
        if (part := sendable(Money(balance, minimum.currency)))
    ]


def unpayable(
    session: Session,
    viewer: Actor,
    *,
    minimum: Money,
    filters: Filters = EVERYBODY,
    limit: int = PAGE,
) -> list[Unpayable]:
    """Specialists with at least `minimum` available whom no run can pay yet, with the reason."""
    viewer.require(Permission.FINANCE_VIEW)
    active = PayeeAccount.transfers_active.is_(True) & PayeeAccount.disabled_reason.is_(None)
    left_out = func.coalesce(active, False).is_(False) | _held(session).is_not(None)
    rows = filters.limit(_worth_paying(minimum)).where(left_out)
    found = session.execute(rows.limit(limit)).all()
    held = held_of(session, viewer, [owner_id for owner_id, _, _ in found if owner_id])
    return [
        Unpayable(
            PersonId(owner_id),
            Money(balance, minimum.currency),
            held.get(owner_id) or _reason_of(payee),
        )
        for owner_id, balance, payee in found
        if owner_id is not None and balance is not None
    ]


@dataclass(frozen=True, slots=True)
class Group:
    """Specialists with money to pay out, together. reason: why no run can pay them, or None."""

    reason: str | None
    count: int
    total: Money


def groups(
    session: Session, viewer: Actor, *, minimum: Money, filters: Filters = EVERYBODY
) -> list[Group]:
    """All who have at least `minimum` available: those who can be paid, then by reason why not."""
    viewer.require(Permission.FINANCE_VIEW)
    worth = (
        filters.limit(_worth_paying(minimum))
        .add_columns(_held(session).label("held"))
        .order_by(None)
        .subquery()
    )
    no_account = worth.c.stripe_account_id.is_(None)
    parts = (no_account, worth.c.transfers_active, worth.c.disabled_reason, worth.c.held)
    rows = session.execute(select(*parts, func.count(), func.sum(worth.c.balance)).group_by(*parts))
    sums: dict[str | None, list[int]] = {}
    for absent, active, disabled, held, count, minor in rows:
        payable = active and disabled is None
        reason = held or (None if payable else _reason(absent=absent, disabled=disabled))
        found = sums.setdefault(reason, [0, 0])
        found[0] += count
        found[1] += int(minor)
    ordered = sorted(sums.items(), key=lambda item: (item[0] is not None, -item[1][1], item[0]))
    return [Group(why, count, Money(minor, minimum.currency)) for why, (count, minor) in ordered]


def _worth_paying(minimum: Money) -> _Rows:
    code = func.concat("L:spec:", LedgerAccount.owner_id, ":available:", minimum.currency)
    return (
        select(LedgerAccount.owner_id, LedgerAccount.balance, PayeeAccount)
        .outerjoin(PayeeAccount, PayeeAccount.person_id == LedgerAccount.owner_id)
        .where(LedgerAccount.code == code, LedgerAccount.balance > 0)
        .where(LedgerAccount.balance >= minimum.minor)
        .order_by(LedgerAccount.balance.desc(), LedgerAccount.owner_id)
    )


def _held(session: Session) -> ColumnElement[str | None]:
    return held_words(session, LedgerAccount.__table__.c.owner_id)


def _reason_of(payee: PayeeAccount | None) -> str:
    absent = payee is None or payee.stripe_account_id is None
    return _reason(absent=absent, disabled=payee.disabled_reason if payee else None)


# Stripe's reasons, which are codes, in words.
_DISABLED = {
    "rejected": "Stripe rejected the account",
    "requirements": "Stripe wants more details of the person",
    "under_review": "Stripe is reviewing the account",
    "listed": "Stripe found the name on a list and is reviewing it",
    "action_required": "Stripe waits for something that the person must do",
    "platform_paused": "we paused the account at Stripe",
}


def _reason(*, absent: bool, disabled: str | None) -> str:
    if absent:
        return "has not said where to be paid"
    if disabled:
        words = _DISABLED.get(disabled.partition(".")[0], "Stripe holds the account back")
        return f"{words} ({disabled})"
    return "has not finished Stripe's form"
