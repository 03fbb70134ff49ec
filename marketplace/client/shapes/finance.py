"""Shapes of finance; written by `python -m tests.client.shapes`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, Required, TypedDict

from marketplace.client.records import AnyId, Money, Record
from marketplace.client.shapes.billing import InvoiceLine


class LabInvoice(Record):
    """What the API calls LabInvoiceShown."""

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
    organisation_id: str


class Correction(Record):
    """What the API calls CorrectionShown."""

    id: str
    invoice_id: str
    state: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    credit_note_id: str | None
    anew_id: str | None


class LabInvoiceInFull(Record):
    """What the API calls LabInvoiceInFull."""

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
    organisation_id: str
    corrections: list[Correction]


class TaxTotal(Record):
    """What the API calls TaxTotalShown."""

    entity: str
    month: date
    country: str
    treatment: str
    rate_basis_points: int
    net: Money
    tax: Money
    documents: int


class TaxTotals(Record):
    """What the API calls TaxTotalsShown."""

    totals: list[TaxTotal]


class Run(Record):
    """What the API calls RunShown."""

    id: str
    reference: str
    state: str
    total: Money
    line_count: int
    content_sha256: str
    prepared_by: str
    prepared_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    released_by: str | None
    released_at: datetime | None
    ended_at: datetime | None
    approvals_needed: int
    paused_at: datetime | None
    funding_gap_minor: int | None


class Line(Record):
    """What the API calls LineShown."""

    id: str
    specialist_id: str
    amount: Money
    state: str
    reason: str | None
    transfer_id: str | None
    bank_state: str | None
    withheld_minor: int
    reversed_minor: int


class RunWithLines(Record):
    """What the API calls RunWithLines."""

    id: str
    reference: str
    state: str
    total: Money
    line_count: int
    content_sha256: str
    prepared_by: str
    prepared_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    released_by: str | None
    released_at: datetime | None
    ended_at: datetime | None
    approvals_needed: int
    paused_at: datetime | None
    funding_gap_minor: int | None
    lines: list[Line]
    next: str | None


class TrialRow(Record):
    """What the API calls TrialRowShown."""

    code: str
    kind: str
    debit: Money | None
    credit: Money | None


class TrialTotal(Record):
    """What the API calls TrialTotalShown."""

    debit: Money
    credit: Money


class Trial(Record):
    """What the API calls TrialShown."""

    at: datetime | None
    items: list[TrialRow]
    totals: dict[str, TrialTotal]
    next: str | None


class LedgerMoney(Record):
    """What the API calls LedgerMoney."""

    amount_minor: int
    currency: str


class Entry(Record):
    """What the API calls EntryShown."""

    transaction_id: str
    number: int | None
    source_kind: str
    source_id: str
    effective_on: date
    posted_at: datetime
    amount: LedgerMoney
    balance_after: LedgerMoney


class StatementSource(Record):
    """What the API calls StatementSourceShown."""

    id: str
    kind: str
    name: str
    account: str
    currency: str
    holds: str
    ledger_account: str


class Statement(Record):
    """What the API calls StatementShown."""

    id: str
    source_id: str
    number: str
    from_on: date
    to_on: date
    opening: dict[str, Any]
    closing: dict[str, Any]
    entry_count: int
    taken_at: datetime


class StatementFile(Record):
    """What the API calls StatementFileShown."""

    id: str
    statements: list[str]
    entries_new: int
    entries_known: int
    matched: int
    again: bool


class EntryMatched(Record):
    """What the API calls EntryMatched."""

    id: str
    natural_id: str
    booked_on: date
    amount: dict[str, Any]
    bank_reference: str
    end_to_end: str
    rule: str | None
    evidence: dict[str, Any] | None
    transaction_id: str | None


class Reconciliation(Record):
    """What the API calls ReconciliationShown."""

    id: str
    as_of: datetime
    made_at: datetime
    matched: dict[str, Any]
    breaks: dict[str, Any]
    outcome: dict[str, Any]


class CorrectionAsked(TypedDict, total=False):
    """What the API calls CorrectionAsked."""

    reason: Required[str]


class CorrectionDecision(TypedDict, total=False):
    """What the API calls CorrectionDecision."""

    approve: Required[bool]


class RunAsked(TypedDict, total=False):
    """What the API calls RunAsked."""

    currency: str
    minimum_minor: int | None
    only: list[AnyId] | None
    without: list[AnyId]
    country: str | None


class Approval(TypedDict, total=False):
    """What the API calls Approval."""

    content_sha256: Required[str]
    totp_code: Required[str]


class StatementSourceAsked(TypedDict, total=False):
    """What the API calls StatementSourceAsked."""

    kind: Required[Literal["camt053", "mt940", "csv", "stripe_balance"]]
    account: Required[str]
    currency: Required[str]
    holds: Literal["client_funds", "operating"]
    name: str
