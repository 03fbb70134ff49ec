"""Tax forms: one's own, those that wait for a look, and all that the law wants exported."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.ledger.models import LedgerAccount
from marketplace.money import Money
from marketplace.payouts.models import PayeeAccount, PayoutLine, TaxFormRow, TaxRemittance
from marketplace.payouts.rules import ENDED
from marketplace.payouts.rules.tax import TaxFormState
from marketplace.payouts.rules.withholding import RemittanceState

PAGE = 50


def own_forms(session: Session, viewer: Actor, *, limit: int = PAGE) -> list[TaxFormRow]:
    """The viewer's own forms, newest first."""
    viewer.require(Permission.EARNINGS_VIEW)
    rows = select(TaxFormRow).where(TaxFormRow.person_id == viewer.person())
    return list(session.scalars(rows.order_by(TaxFormRow.id.desc()).limit(limit)))


def waiting_forms(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = PAGE
) -> list[TaxFormRow]:
    """Forms that nobody has looked at, oldest first; never one's own."""
    viewer.require(Permission.TAX_VERIFY)
    rows = select(TaxFormRow).where(TaxFormRow.state == TaxFormState.SUBMITTED)
    if viewer.person_id is not None:
        rows = rows.where(TaxFormRow.person_id != viewer.person_id)
    if after is not None:
        rows = rows.where(TaxFormRow.id > after)
    return list(session.scalars(rows.order_by(TaxFormRow.id).limit(limit)))


def form_of(session: Session, viewer: Actor, form_id: UUID) -> TaxFormRow:
    """One form of somebody else's; Missing where there is none, or it was emptied."""
    viewer.require(Permission.TAX_VERIFY)
    row = session.get(TaxFormRow, form_id)
    if row is None or row.purged_at is not None or row.person_id == viewer.person_id:
        raise Missing("There is no such tax form.")
    return row


def payee_country(session: Session, viewer: Actor, person_id: UUID) -> str:
    """The country of somebody's bank account, to compare a form with; empty without one."""
    viewer.require(Permission.TAX_VERIFY)
    row = select(PayeeAccount.country).where(PayeeAccount.person_id == person_id)
    return session.scalar(row) or ""


def withheld_now(session: Session, viewer: Actor) -> list[tuple[UUID, Money]]:
    """What is withheld and not remitted yet, by specialist, largest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = (
        select(LedgerAccount.owner_id, LedgerAccount.balance, LedgerAccount.currency)
        .where(LedgerAccount.code.startswith("L:tax_withheld:"), LedgerAccount.balance > 0)
        .order_by(LedgerAccount.currency, LedgerAccount.balance.desc())
        .limit(1_000)
    )
    return [
        (owner, Money(minor, currency))
        for owner, minor, currency in session.execute(rows)
        if owner is not None and minor is not None
    ]


def remittances(session: Session, viewer: Actor, *, limit: int = PAGE) -> list[TaxRemittance]:
    """Payments to tax offices, newest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(TaxRemittance).order_by(TaxRemittance.id.desc()).limit(limit)
    return list(session.scalars(rows))


def open_remittances(session: Session, viewer: Actor) -> list[TaxRemittance]:
    """Those that wait for a second person."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(TaxRemittance).where(TaxRemittance.state == RemittanceState.PROPOSED)
    return list(session.scalars(rows.order_by(TaxRemittance.id).limit(PAGE)))


def remittable(session: Session, currency: str) -> dict[PersonId, int]:
    """What of withheld tax can be remitted now, in minor units by specialist; for code that has
    authorised the reader."""
    rows = (
        select(LedgerAccount.owner_id, LedgerAccount.balance)
        .where(LedgerAccount.code.startswith("L:tax_withheld:"))
        .where(LedgerAccount.currency == currency, LedgerAccount.balance > 0)
        .order_by(LedgerAccount.owner_id)
    )
    held = {PersonId(owner): minor for owner, minor in session.execute(rows) if owner and minor}
    # A payout that has not ended may still give back what was withheld of it.
    under_way = (
        select(PayoutLine.specialist_id, func.sum(PayoutLine.withheld_minor))
        .where(PayoutLine.currency == currency, PayoutLine.state.not_in(ENDED))
        .group_by(PayoutLine.specialist_id)
    )
    for person, minor in session.execute(under_way):
        if person in held:
            held[person] -= int(minor)
    return {person: minor for person, minor in held.items() if minor > 0}
