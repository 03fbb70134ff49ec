"""Payees: where a specialist's pay goes, and what holds it back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, Float, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import PersonId
from marketplace.payouts.rules import HoldState
from marketplace.secrets import EncryptedText


class PayeeAccount(Root):
    """Where a specialist's pay goes: an account at Stripe, as Stripe said at `checked_at`.

    account_key: the idempotency key of the account's creation; version counts the changes of the
    payee, the last by changed_by; requirements: what Stripe still wants, in Stripe's words;
    paid_to: a fingerprint of the bank account or card behind it, which was another until
    paid_to_changed_at; name_check: how the account's name
    compared with the licence's at `name_checked_at` (`same`, `differs`, or `no_licence`).
    """

    __tablename__ = "payee_account"
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"), primary_key=True)
    account_key: Mapped[UUID]
    stripe_account_id: Mapped[str | None] = mapped_column(unique=True)
    payee_name: Mapped[str] = mapped_column(EncryptedText)
    country: Mapped[str] = mapped_column(CHAR(2))
    currency: Mapped[str] = mapped_column(CHAR(3))
    transfers_active: Mapped[bool]
    details_submitted: Mapped[bool]
    disabled_reason: Mapped[str | None]
    requirements: Mapped[list[str]]
    paid_to: Mapped[str | None]
    paid_to_changed_at: Mapped[datetime | None]
    name_check: Mapped[str | None]
    name_checked_at: Mapped[datetime | None]
    version: Mapped[int]
    changed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint(
            "NOT transfers_active OR stripe_account_id IS NOT NULL", name="active_has_account"
        ),
        CheckConstraint("name_check IN ('same', 'differs', 'no_licence')", name="name_check"),
    )


class PayeeHold(Root):
    """That a specialist is not paid while the account's name differs from the licence's.

    compared: a keyed hash of each pair of names that differ, so that what was settled once stays
    settled for these names only; score: how alike they are, 0 to 1; account_name: what the account
    says, encrypted, emptied once it is settled; note: why it was, encrypted.
    """

    __tablename__ = "payee_hold"
    id: Mapped[IdKey]
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    state: Mapped[HoldState] = mapped_column(text_enum(HoldState))
    compared: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))
    score: Mapped[float] = mapped_column(Float(53))
    account_name: Mapped[str | None] = mapped_column(EncryptedText)
    note: Mapped[str | None] = mapped_column(EncryptedText)
    opened_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))

    __table_args__ = (
        one_of("state", HoldState),
        CheckConstraint("(state = 'open') = (settled_at IS NULL)", name="settled_at"),
        CheckConstraint("(state = 'cleared') = (settled_by IS NOT NULL)", name="settled_by"),
        CheckConstraint("settled_by <> person_id", name="not_by_oneself"),
        Index(
            "uq_payee_hold_open", "person_id", unique=True, postgresql_where=text("state = 'open'")
        ),
        Index("ix_payee_hold_person_id", "person_id"),
    )
