"""Who can be paid now, and who cannot and why. Pages go by ids, newest first."""

from __future__ import annotations

from collections.abc import Collection
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

PAGE = 50


@dataclass(frozen=True, slots=True)
class Payable:
    """A specialist who can be paid now."""

    specialist_id: PersonId
    stripe_account_id: str
    payee_version: int
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
    only: Collection[UUID] | None = None,
    limit: int = PAGE,
) -> list[Payable]:
    """Specialists with an active account and at least `minimum` available, largest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = _worth_paying(minimum).where(
        PayeeAccount.transfers_active,
        PayeeAccount.disabled_reason.is_(None),
        _held(session).is_(None),
    )
    if only is not None:
        rows = rows.where(LedgerAccount.owner_id.in_(only))
    return [
        Payable(
            specialist_id=PersonId(owner_id),
            stripe_account_id=payee.stripe_account_id or "",
            payee_version=payee.version,
            available=Money(balance, minimum.currency),
        )
        for owner_id, balance, payee in session.execute(rows.limit(limit))
        if owner_id is not None and balance is not None and payee is not None
    ]


def unpayable(
    session: Session, viewer: Actor, *, minimum: Money, limit: int = PAGE
) -> list[Unpayable]:
    """Specialists with at least `minimum` available whom no run can pay yet, with the reason."""
    viewer.require(Permission.FINANCE_VIEW)
    active = PayeeAccount.transfers_active.is_(True) & PayeeAccount.disabled_reason.is_(None)
    left_out = func.coalesce(active, False).is_(False) | _held(session).is_not(None)
    found = session.execute(_worth_paying(minimum).where(left_out).limit(limit)).all()
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


def groups(session: Session, viewer: Actor, *, minimum: Money) -> list[Group]:
    """All who have at least `minimum` available: those who can be paid, then by reason why not."""
    viewer.require(Permission.FINANCE_VIEW)
    worth = (
        _worth_paying(minimum).add_columns(_held(session).label("held")).order_by(None).subquery()
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


def _worth_paying(minimum: Money) -> Select[UUID | None, int | None, PayeeAccount | None]:
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


def _reason(*, absent: bool, disabled: str | None) -> str:
    if absent:
        return "has not said where to be paid"
    if disabled:
        return f"Stripe holds the account back: {disabled}"
    return "has not finished Stripe's form"
