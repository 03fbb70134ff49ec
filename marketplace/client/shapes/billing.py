"""Shapes of billing; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Required, TypedDict

from marketplace.client.records import AnyMoney, Money, Record


class Balance(Record):
    """What the API calls BalanceShown."""

    available: Money
    reserved: Money
    pending: Money
    dispute_hold: Money
    owed: Money
    total: Money


class TopUp(Record):
    """What the API calls TopUpShown."""

    id: str
    amount: Money
    state: str
    checkout_url: str | None
    note: str | None
    asked_at: datetime
    posted_at: datetime | None


class Refund(Record):
    """What the API calls RefundShown."""

    id: str
    request_id: str
    amount: Money
    state: str
    note: str
    asked_at: datetime
    ended_at: datetime | None


class RefundsMade(Record):
    """What the API calls RefundsMade."""

    data: list[Refund]


class PaymentDispute(Record):
    """What the API calls PaymentDisputeShown."""

    id: str
    amount: Money
    state: str
    reason: str
    evidence_due_at: datetime | None
    opened_at: datetime


class ContestedPayments(Record):
    """What the API calls ContestedPaymentsShown."""

    data: list[PaymentDispute]


class SpendLimit(Record):
    """What the API calls SpendLimitShown."""

    person_id: str
    month_max: Money | None
    spent: Money


class SpendLimits(Record):
    """What the API calls SpendLimitsShown."""

    data: list[SpendLimit]


class Budget(Record):
    """What the API calls BudgetShown."""

    budget: Money | None
    reserved: Money


class Bonus(Record):
    """What the API calls BonusShown."""

    id: str
    submission_id: str
    amount: Money
    fee: Money
    words: str
    given_at: datetime


class Invoice(Record):
    """What the API calls InvoiceShown."""

    id: str
    reference: str
    kind: str
    state: str
    issued_on: date
    due_on: date | None
    month: str | None
    net: Money
    tax: Money
    total: Money


class InvoiceLine(Record):
    """What the API calls InvoiceLineShown."""

    kind: str
    words: str
    job_id: str | None
    net: Money
    tax: Money
    rate_basis_points: int
    treatment: str


class InvoiceInFull(Record):
    """What the API calls InvoiceInFull."""

    id: str
    reference: str
    kind: str
    state: str
    issued_on: date
    due_on: date | None
    month: str | None
    net: Money
    tax: Money
    total: Money
    paid: Money
    open: Money
    payment_reference: str | None
    buyer: dict[str, str]
    seller: dict[str, str]
    note: str
    lines: list[InvoiceLine]
    credited_by: str | None


class LabStanding(Record):
    """What the API calls LabStandingShown."""

    available: Money
    pending: Money
    reserved: Money
    dispute_hold: Money
    owed: Money
    total: Money


class LabMovement(Record):
    """What the API calls LabMovementShown."""

    on: date
    posted_at: datetime
    kind: str
    words: str
    reference: str
    amount: Money
    available_change: Money
    balance_after: Money
    transaction_id: str
    job_id: str | None


class LabStatement(Record):
    """What the API calls LabStatementShown."""

    month: str
    over: bool
    opening: LabStanding
    closing: LabStanding
    movements: list[LabMovement]
    next: int | None


class TopUpAsked(TypedDict, total=False):
    """What the API calls TopUpAsked."""

    amount: Required[AnyMoney]


class RefundAsked(TypedDict, total=False):
    """What the API calls RefundAsked."""

    amount: Required[AnyMoney]


class SpendLimitAsked(TypedDict, total=False):
    """What the API calls SpendLimitAsked."""

    currency: Required[str]
    month_max: Required[AnyMoney | None]


class BudgetAsked(TypedDict, total=False):
    """What the API calls BudgetAsked."""

    budget: Required[AnyMoney | None]


class BonusAsked(TypedDict, total=False):
    """What the API calls BonusAsked."""

    amount: Required[AnyMoney]
    words: Required[str]


class PrepaymentAsked(TypedDict, total=False):
    """What the API calls PrepaymentAsked."""

    amount: Required[AnyMoney]
