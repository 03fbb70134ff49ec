"""Payout runs, their lines, and each attempt to send one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CHAR,
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import PersonId
from marketplace.money import Money
from marketplace.payouts.rules import AttemptState, BankState, LineContent, LineState, RunState


class PayoutRun(Root):
    """Lines that are approved and released together.

    content_sha256 is of the lines that are to be sent; approved_sha256 is what was approved.
    paused_at: sending waits, for money at Stripe, and funding_gap_minor says how much is missing,
    or until paused_by goes on. asked: the filters it was prepared by; schedule_id: the schedule
    that drafted it; approvals_needed: how many people sign it.
    """

    __tablename__ = "payout_run"
    id: Mapped[IdKey]
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    reference: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str] = mapped_column(CHAR(3))
    minimum_minor: Mapped[int]
    state: Mapped[RunState] = mapped_column(text_enum(RunState))
    content_sha256: Mapped[str]
    line_count: Mapped[int]
    total_minor: Mapped[int]
    prepared_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    prepared_at: Mapped[datetime]
    approved_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    approved_at: Mapped[datetime | None]
    approved_sha256: Mapped[str | None]
    released_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    released_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    funding_gap_minor: Mapped[int | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[int]
    asked: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    approvals_needed: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    paused_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    schedule_id: Mapped[UUID | None] = mapped_column(ForeignKey("payout_schedule.id"))

    __table_args__ = (
        UniqueConstraint("year", "number"),
        one_of("state", RunState),
        CheckConstraint("approved_by <> prepared_by", name="two_people"),
        CheckConstraint(
            "(approved_by IS NULL) = (approved_sha256 IS NULL)"
            " AND (approved_by IS NULL) = (approved_at IS NULL)",
            name="approved_in_full",
        ),
        CheckConstraint(
            "state NOT IN ('approved', 'releasing', 'sent', 'partially_sent')"
            " OR coalesce(approved_sha256 = content_sha256, false)",
            name="approved_content",
        ),
        CheckConstraint(
            "released_by IS NULL OR released_by = prepared_by"
            " OR coalesce(released_by = approved_by, false)",
            name="released_by_one_of_two",
        ),
        CheckConstraint(
            "state NOT IN ('releasing', 'sent', 'partially_sent')"
            " OR (released_by IS NOT NULL AND released_at IS NOT NULL)",
            name="released_in_full",
        ),
        CheckConstraint("approvals_needed IN (1, 2)", name="approvals_needed"),
        CheckConstraint("funding_gap_minor IS NULL OR paused_at IS NOT NULL", name="paused_gap"),
        CheckConstraint("paused_by IS NULL OR paused_at IS NOT NULL", name="paused_by"),
        CheckConstraint(
            "(state IN ('sent', 'partially_sent', 'cancelled')) = (ended_at IS NOT NULL)",
            name="ended_at",
        ),
    )

    @property
    def total(self) -> Money:
        """The sum of the lines that are to be sent."""
        return Money(self.total_minor, self.currency)


class PayoutLine(Root):
    """One specialist's money in a run.

    reason_code and reason: why it was rejected, the latter in words for the specialist;
    since: when the present state began; frozen_at: nothing is called until a person has looked.
    payee_currency: of the account at Stripe, so that an approver sees a conversion;
    destination_payment_id: the payment that the transfer became there; bank_state: where a
    transferred line's money is, None for still at Stripe; reversed_minor: how much of it was taken
    back; withheld_minor: the tax withheld beside it.
    """

    __tablename__ = "payout_line"
    id: Mapped[IdKey]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("payout_run.id"))
    specialist_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"), index=True)
    stripe_account_id: Mapped[str]
    payee_version: Mapped[int]
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    state: Mapped[LineState] = mapped_column(text_enum(LineState))
    since: Mapped[datetime]
    next_look_at: Mapped[datetime]
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    transfer_id: Mapped[str | None] = mapped_column(unique=True)
    balance_transaction_id: Mapped[str | None] = mapped_column(unique=True)
    destination_amount_minor: Mapped[int | None]
    destination_currency: Mapped[str | None] = mapped_column(CHAR(3))
    frozen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    payee_currency: Mapped[str | None] = mapped_column(CHAR(3))
    destination_payment_id: Mapped[str | None] = mapped_column(unique=True)
    bank_state: Mapped[BankState | None] = mapped_column(text_enum(BankState))
    bank_since: Mapped[datetime | None]
    reversed_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    withheld_minor: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        UniqueConstraint("run_id", "specialist_id"),
        one_of("state", LineState),
        CheckConstraint(
            "bank_state IN ('bank_pending', 'bank_paid', 'bank_failed', 'reversed')"
            " AND (bank_state IS NULL OR state = 'transferred')"
            " AND (bank_state IS NULL) = (bank_since IS NULL)",
            name="bank_state",
        ),
        CheckConstraint("reversed_minor BETWEEN 0 AND amount_minor", name="reversed_minor"),
        CheckConstraint("withheld_minor >= 0", name="withheld_minor"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint(
            "(state = 'transferred') = (transfer_id IS NOT NULL"
            " AND balance_transaction_id IS NOT NULL AND destination_amount_minor IS NOT NULL"
            " AND destination_currency IS NOT NULL)",
            name="transferred_in_full",
        ),
        CheckConstraint("(state = 'rejected') = (reason_code IS NOT NULL)", name="rejected_reason"),
        CheckConstraint(
            "(state IN ('transferred', 'rejected', 'cancelled')) = (ended_at IS NOT NULL)",
            name="ended_at",
        ),
        Index(
            "ix_payout_line_waiting",
            "next_look_at",
            postgresql_where=text("state IN ('approved', 'submitting', 'unknown')"),
        ),
        Index("ix_payout_line_stripe_account_id", "stripe_account_id"),
        Index("ix_payout_line_open", "run_id", postgresql_where=text("ended_at IS NULL")),
        Index(
            "ix_payout_line_at_bank",
            "stripe_account_id",
            postgresql_where=text("state = 'transferred'"),
        ),
    )

    @property
    def amount(self) -> Money:
        """What leaves our balance."""
        return Money(self.amount_minor, self.currency)

    @property
    def destination_amount(self) -> Money | None:
        """What reached the specialist's account, once it is known."""
        if self.destination_amount_minor is None or self.destination_currency is None:
            return None
        return Money(self.destination_amount_minor, self.destination_currency)

    @property
    def content(self) -> LineContent:
        """What the line promises, for the run's hash."""
        return LineContent(
            line_id=self.id,
            specialist_id=self.specialist_id,
            account=self.stripe_account_id,
            payee_version=self.payee_version,
            amount=self.amount,
            payee_currency=self.payee_currency,
            withheld_minor=self.withheld_minor,
        )


class PayoutAttempt(Root):
    """One try to send a line; its id is Stripe's idempotency key.

    params_sha256: the fingerprint of the call; deadline_at: until when the key may be sent;
    error_code: Stripe's last code for it; request_id: Stripe's name for the last answer.
    """

    __tablename__ = "payout_attempt"
    id: Mapped[IdKey]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("payout_line.id"))
    number: Mapped[int] = mapped_column(SmallInteger)
    params_sha256: Mapped[str]
    state: Mapped[AttemptState] = mapped_column(text_enum(AttemptState))
    started_at: Mapped[datetime]
    deadline_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    error_code: Mapped[str | None]
    request_id: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("line_id", "number"),
        one_of("state", AttemptState),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended_at"),
        # A line has at most one transfer, live or possible.
        Index(
            "uq_payout_attempt_live",
            "line_id",
            unique=True,
            postgresql_where=text("state IN ('open', 'transferred')"),
        ),
    )
