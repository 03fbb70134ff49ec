"""Cash that came by transfer, for the finance desk; and what of it reached a lab."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models import CashApplication, CashProposal, CashReceipt
from marketplace.billing.rules.cash import CashState, ProposalState
from marketplace.errors import Missing
from marketplace.identity.models import Organisation
from marketplace.identity.rules import OrganisationKind, Permission
from marketplace.money import Money

PAGE = 50
LABS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class CashView:
    """A payment with what was proposed for it and what was done."""

    receipt: CashReceipt
    proposals: list[CashProposal]
    applications: list[CashApplication]

    @property
    def waiting(self) -> CashProposal | None:
        """The proposal that waits for another person."""
        return next((one for one in self.proposals if one.state is ProposalState.PROPOSED), None)


def cash_receipts(
    session: Session,
    viewer: Actor,
    *,
    state: CashState | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[CashReceipt]:
    """Payments by transfer, newest first, of one state or all."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(CashReceipt)
    if state is not None:
        rows = rows.where(CashReceipt.state == state)
    if after is not None:
        rows = rows.where(CashReceipt.id < after)
    return list(session.scalars(rows.order_by(CashReceipt.id.desc()).limit(limit)))


def cash_receipt(session: Session, viewer: Actor, receipt_id: UUID) -> CashView:
    """One payment; Missing when it is not there."""
    viewer.require(Permission.FINANCE_VIEW)
    receipt = session.get(CashReceipt, receipt_id)
    if receipt is None:
        raise Missing("There is no such payment.")
    proposals = select(CashProposal).where(CashProposal.receipt_id == receipt.id)
    applied = select(CashApplication).where(CashApplication.receipt_id == receipt.id)
    return CashView(
        receipt,
        list(session.scalars(proposals.order_by(CashProposal.id.desc()))),
        list(session.scalars(applied.order_by(CashApplication.id))),
    )


def unapplied_totals(session: Session, viewer: Actor) -> list[tuple[Money, int]]:
    """What waits for its owner, by currency, with how many payments it is."""
    viewer.require(Permission.FINANCE_VIEW)
    waiting = (
        select(CashReceipt.currency, func.sum(CashReceipt.left_minor), func.count())
        .where(CashReceipt.state.in_((CashState.UNAPPLIED, CashState.PROPOSED)))
        .group_by(CashReceipt.currency)
        .order_by(CashReceipt.currency)
    )
    return [(Money(int(left), code), number) for code, left, number in session.execute(waiting)]


def labs(session: Session, viewer: Actor) -> list[tuple[UUID, str]]:
    """Labs by name, for choosing whose a payment is."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(Organisation.id, Organisation.name).where(
        Organisation.kind == OrganisationKind.LAB
    )
    return [
        (lab, name)
        for lab, name in session.execute(rows.order_by(Organisation.name).limit(LABS_MAX))
    ]
