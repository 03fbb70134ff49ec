"""Whatever somebody in finance has a reference or an amount of: runs, lines, invoices, payments,
what Stripe and banks told, breaks. The book itself is searched by `ledger.queries.find`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, case, literal, or_, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models import CashReceipt, Invoice, TopUp
from marketplace.billing.models.disputes import Dispute
from marketplace.billing.models.invoices import PaymentReference
from marketplace.billing.models.refunds import Refund
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.money import Money
from marketplace.payouts.models import (
    ConnectedPayout,
    PayeeAccount,
    PayoutLine,
    PayoutReversal,
    PayoutRun,
)
from marketplace.reconciliation.models import (
    Break,
    StatementEntry,
    StripePayoutSeen,
    StripeStatementLine,
)

EACH_MAX = 20
REFERENCE_MAX = 120


class HitKind(StrEnum):
    """What was found."""

    RUN = "run"
    LINE = "line"
    REVERSAL = "reversal"
    BANK_PAYOUT = "bank_payout"
    PAYEE = "payee"
    INVOICE = "invoice"
    CASH = "cash"
    TOP_UP = "top_up"
    REFUND = "refund"
    DISPUTE = "dispute"
    STRIPE_LINE = "stripe_line"
    STRIPE_PAYOUT = "stripe_payout"
    BANK_LINE = "bank_line"
    BREAK = "break"


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found. subject: its id as pages know it; owner_id: whose it is, a person
    or a lab; state: a word of its own lifecycle, or nothing."""

    kind: HitKind
    subject: str
    reference: str
    amount: Money | None
    state: str
    at: datetime | None
    owner_id: UUID | None


_Where = Callable[[str], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to look: the columns of a hit, and what has to be true of a reference, of an amount."""

    kind: HitKind
    subject: Any
    reference: Any
    minor: Any
    currency: Any
    state: Any
    at: Any
    owner: Any
    named: _Where
    by_amount: bool = False


def _is(*columns: Any, ident: Any = None) -> _Where:
    """That one of the columns is the reference, or `ident` the id that it says."""

    def where(plain: str) -> ColumnElement[bool]:
        parts = [column == plain for column in columns]
        known = parse_id(plain)
        if ident is not None and known is not None:
            parts.append(ident == known)
        return or_(literal(False), *parts)

    return where


_RUN = _Place(
    HitKind.RUN, PayoutRun.id, PayoutRun.reference, PayoutRun.total_minor, PayoutRun.currency,
    PayoutRun.state, PayoutRun.prepared_at, None,
    lambda plain: or_(_is(PayoutRun.reference)(plain.upper()), _is(ident=PayoutRun.id)(plain)),
    by_amount=True,
)  # fmt: skip
_LINE = _Place(
    HitKind.LINE, PayoutLine.id, PayoutLine.transfer_id, PayoutLine.amount_minor,
    PayoutLine.currency, PayoutLine.state, PayoutLine.since, PayoutLine.specialist_id,
    _is(PayoutLine.transfer_id, PayoutLine.balance_transaction_id,
        PayoutLine.destination_payment_id, PayoutLine.stripe_account_id, ident=PayoutLine.id),
    by_amount=True,
)  # fmt: skip
_REVERSAL = _Place(
    HitKind.REVERSAL, PayoutReversal.line_id, PayoutReversal.reversal_id,
    PayoutReversal.amount_minor, PayoutReversal.currency, PayoutReversal.state,
    PayoutReversal.asked_at, None,
    _is(PayoutReversal.reversal_id, PayoutReversal.balance_transaction_id,
        ident=PayoutReversal.id),
)  # fmt: skip
_BANK_PAYOUT = _Place(
    HitKind.BANK_PAYOUT, ConnectedPayout.payout_id, ConnectedPayout.payout_id,
    ConnectedPayout.amount_minor, ConnectedPayout.currency, ConnectedPayout.state,
    ConnectedPayout.made_at, ConnectedPayout.specialist_id,
    _is(ConnectedPayout.payout_id, ConnectedPayout.trace_id),
)  # fmt: skip
_PAYEE = _Place(
    HitKind.PAYEE, PayeeAccount.person_id, PayeeAccount.stripe_account_id, None, None, None,
    PayeeAccount.created_at, PayeeAccount.person_id,
    _is(PayeeAccount.stripe_account_id, ident=PayeeAccount.person_id),
)  # fmt: skip
_INVOICE = _Place(
    HitKind.INVOICE, Invoice.id, Invoice.reference, Invoice.gross_minor, Invoice.currency,
    Invoice.state, Invoice.issued_at, Invoice.organisation_id,
    lambda plain: or_(
        _is(Invoice.reference)(plain.upper()),
        _is(ident=Invoice.id)(plain),
        Invoice.id.in_(
            select(PaymentReference.invoice_id).where(
                PaymentReference.reference == plain.upper().replace(" ", "")
            )
        ),
    ),
    by_amount=True,
)  # fmt: skip
_CASH = _Place(
    HitKind.CASH, CashReceipt.id, CashReceipt.remittance, CashReceipt.amount_minor,
    CashReceipt.currency, CashReceipt.state, CashReceipt.received_at, None,
    _is(CashReceipt.source_id, CashReceipt.remittance, ident=CashReceipt.id),
    by_amount=True,
)  # fmt: skip
_TOP_UP = _Place(
    HitKind.TOP_UP, TopUp.id, TopUp.payment_intent_id, TopUp.amount_minor, TopUp.currency,
    TopUp.state, TopUp.asked_at, TopUp.organisation_id,
    _is(TopUp.checkout_session_id, TopUp.payment_intent_id, TopUp.balance_transaction_id,
        ident=TopUp.id),
    by_amount=True,
)  # fmt: skip
_REFUND = _Place(
    HitKind.REFUND, Refund.id, Refund.stripe_refund_id, Refund.amount_minor, Refund.currency,
    Refund.state, Refund.asked_at, Refund.organisation_id,
    _is(Refund.stripe_refund_id, Refund.balance_transaction_id, Refund.return_transaction_id,
        Refund.payment_intent_id, ident=Refund.id),
    by_amount=True,
)  # fmt: skip
_DISPUTE = _Place(
    HitKind.DISPUTE, Dispute.id, Dispute.stripe_dispute_id, Dispute.amount_minor,
    Dispute.currency, Dispute.state, Dispute.opened_at, Dispute.organisation_id,
    _is(Dispute.stripe_dispute_id, Dispute.charge_id, Dispute.withdrawal_id,
        Dispute.reinstatement_id, ident=Dispute.id),
    by_amount=True,
)  # fmt: skip
_STRIPE_LINE = _Place(
    HitKind.STRIPE_LINE, StripeStatementLine.id,
    case((StripeStatementLine.source_id.is_(None), StripeStatementLine.id),
         else_=StripeStatementLine.source_id),
    StripeStatementLine.amount, StripeStatementLine.currency, StripeStatementLine.kind,
    StripeStatementLine.created_at, None,
    _is(StripeStatementLine.id, StripeStatementLine.source_id),
)  # fmt: skip
_STRIPE_PAYOUT = _Place(
    HitKind.STRIPE_PAYOUT, StripePayoutSeen.payout_id, StripePayoutSeen.payout_id,
    StripePayoutSeen.amount, StripePayoutSeen.currency, StripePayoutSeen.status,
    StripePayoutSeen.created_at, None,
    _is(StripePayoutSeen.payout_id, StripePayoutSeen.trace_id),
)  # fmt: skip
_BANK_LINE = _Place(
    HitKind.BANK_LINE, StatementEntry.statement_id,
    case((StatementEntry.bank_reference != "", StatementEntry.bank_reference),
         else_=StatementEntry.natural_id),
    StatementEntry.amount_minor, StatementEntry.currency, None, StatementEntry.taken_at, None,
    _is(StatementEntry.natural_id, StatementEntry.bank_reference, StatementEntry.end_to_end,
        StatementEntry.payment_id, ident=StatementEntry.id),
    by_amount=True,
)  # fmt: skip
_BREAK = _Place(
    HitKind.BREAK, Break.id, Break.reference, Break.difference_minor, Break.currency, Break.state,
    Break.since, None,
    lambda plain: or_(
        _is(Break.reference)(plain.upper()),
        _is(Break.key, Break.balance_transaction_id, ident=Break.id)(plain),
    ),
    by_amount=True,
)  # fmt: skip
PLACES = (
    *(_RUN, _LINE, _REVERSAL, _BANK_PAYOUT, _PAYEE, _INVOICE, _CASH, _TOP_UP, _REFUND),
    *(_DISPUTE, _STRIPE_LINE, _STRIPE_PAYOUT, _BANK_LINE, _BREAK),
)


def look_up(
    session: Session,
    viewer: Actor,
    *,
    reference: str = "",
    amounts: tuple[Money, ...] = (),
    limit: int = EACH_MAX,
) -> dict[HitKind, list[Hit]]:
    """What a whole reference names, or what is of one of the amounts (either sign), by kind; the
    newest `limit` of each kind, kinds without any left out."""
    viewer.require(Permission.FINANCE_VIEW)
    plain = reference.strip()[:REFERENCE_MAX]
    found = {}
    for place in PLACES:
        conditions = list(_conditions(place, plain, amounts))
        if not conditions:
            continue
        hits = _hits(session, place, or_(*conditions), min(limit, EACH_MAX))
        if hits:
            found[place.kind] = hits
    return found


def _conditions(
    place: _Place, plain: str, amounts: tuple[Money, ...]
) -> Iterator[ColumnElement[bool]]:
    if plain:
        yield place.named(plain)
    if place.by_amount:
        for each in amounts:
            wanted = (each.minor, -each.minor)
            yield place.minor.in_(wanted) & (place.currency == each.currency)


def _hits(session: Session, place: _Place, condition: ColumnElement[bool], limit: int) -> list[Hit]:
    none = literal(None)
    parts = (
        place.subject, place.reference, place.minor, place.currency,
        none if place.state is None else sql_cast(place.state, String), place.at, place.owner,
    )  # fmt: skip
    columns = [none if part is None else part for part in parts]
    labelled = [column.label(f"part_{at}") for at, column in enumerate(columns)]
    rows = session.execute(
        select(*labelled).where(condition).order_by(place.at.desc()).limit(limit)
    )
    return [_hit(place.kind, row) for row in rows]


def _hit(kind: HitKind, row: Any) -> Hit:
    subject, reference, minor, currency, state, at, owner = row
    amount = None if minor is None or currency is None else Money(int(minor), currency)
    return Hit(kind, str(subject), str(reference or subject), amount, state or "", at, owner)
