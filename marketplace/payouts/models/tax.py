"""Tables of tax forms, of holds on pay with an owner and a history, and of remittances."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, Date, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.ids import PersonId
from marketplace.ledger.rules import HoldReason
from marketplace.money import Money
from marketplace.payouts.rules.pay_holds import HoldEvent, LiftReason, PayHoldState
from marketplace.payouts.rules.tax import TaxForm, TaxFormState
from marketplace.payouts.rules.withholding import RemittanceState
from marketplace.secrets import EncryptedText


class TaxFormRow(Root):
    """One tax form as a specialist signed it.

    facts: what it asks, as JSON, with the statements that were certified; tin: the whole number,
    and tin_end its last four signs; both are encrypted. country: of residence. kept_until: since
    the person was erased, the day on which the facts go for good; purged_at: when they went.
    """

    __tablename__ = "tax_form"
    id: Mapped[IdKey]
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[TaxForm] = mapped_column(text_enum(TaxForm))
    state: Mapped[TaxFormState] = mapped_column(text_enum(TaxFormState))
    country: Mapped[str] = mapped_column(CHAR(2))
    facts: Mapped[str | None] = mapped_column(EncryptedText)
    tin: Mapped[str | None] = mapped_column(EncryptedText)
    tin_end: Mapped[str | None] = mapped_column(EncryptedText)
    told_to_withhold: Mapped[bool]
    signed_name: Mapped[str | None] = mapped_column(EncryptedText)
    signed_at: Mapped[datetime]
    valid_until: Mapped[date | None] = mapped_column(Date)
    decided_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None] = mapped_column(EncryptedText)
    kept_until: Mapped[date | None] = mapped_column(Date)
    purged_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("kind", TaxForm),
        one_of("state", TaxFormState),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        CheckConstraint("decided_by <> person_id", name="not_by_oneself"),
        CheckConstraint(
            "state NOT IN ('verified', 'refused') OR decided_by IS NOT NULL", name="decided_by"
        ),
        CheckConstraint(
            "purged_at IS NULL OR num_nonnulls(facts, tin, tin_end, signed_name, note) = 0",
            name="purged",
        ),
        Index("ix_tax_form_person_id", "person_id", "id"),
        Index(
            "uq_tax_form_standing",
            "person_id",
            "kind",
            "state",
            unique=True,
            postgresql_where=text("state IN ('submitted', 'verified')"),
        ),
        Index("ix_tax_form_waiting", "id", postgresql_where=text("state = 'submitted'")),
    )


class PayHold(Root):
    """Available pay that is held, for a reason, by somebody who answers for it.

    note: words for the specialist; look_due_at: when somebody looks at it again, or the hold is
    stale.
    """

    __tablename__ = "pay_hold"
    id: Mapped[IdKey]
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    reason: Mapped[HoldReason] = mapped_column(text_enum(HoldReason))
    owner_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    state: Mapped[PayHoldState] = mapped_column(text_enum(PayHoldState))
    note: Mapped[str | None] = mapped_column(EncryptedText)
    placed_at: Mapped[datetime]
    look_due_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[LiftReason | None] = mapped_column(text_enum(LiftReason))

    __table_args__ = (
        one_of("reason", HoldReason),
        one_of("state", PayHoldState),
        one_of("lift_reason", LiftReason),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("owner_id <> person_id", name="not_by_oneself"),
        CheckConstraint(
            "(state = 'lifted') = (lifted_at IS NOT NULL)"
            " AND (lifted_at IS NULL) = (lift_reason IS NULL)",
            name="lifted",
        ),
        Index("ix_pay_hold_person_id", "person_id", "id"),
        Index("ix_pay_hold_open", "look_due_at", postgresql_where=text("state = 'open'")),
    )

    @property
    def amount(self) -> Money:
        """What is held."""
        return Money(self.amount_minor, self.currency)


class PayHoldEvent(Root):
    """One step in a hold's history, by whom; no words about people, so that it may stay."""

    __tablename__ = "pay_hold_event"
    id: Mapped[IdKey]
    hold_id: Mapped[UUID] = mapped_column(ForeignKey("pay_hold.id"), index=True)
    event: Mapped[HoldEvent] = mapped_column(text_enum(HoldEvent))
    by_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    owner_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    look_due_at: Mapped[datetime]
    lift_reason: Mapped[LiftReason | None] = mapped_column(text_enum(LiftReason))

    __table_args__ = (one_of("event", HoldEvent), one_of("lift_reason", LiftReason))


class TaxRemittance(Root):
    """Withheld tax that was paid to a tax office: written down by one person, confirmed by another.

    period_on: the last day of what it covers; reference: how the tax office names the payment.
    """

    __tablename__ = "tax_remittance"
    id: Mapped[IdKey]
    jurisdiction: Mapped[str] = mapped_column(CHAR(2))
    currency: Mapped[str] = mapped_column(CHAR(3))
    amount_minor: Mapped[int]
    line_count: Mapped[int]
    year: Mapped[int] = mapped_column(SmallInteger)
    paid_on: Mapped[date] = mapped_column(Date)
    reference: Mapped[str]
    state: Mapped[RemittanceState] = mapped_column(text_enum(RemittanceState))
    proposed_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", RemittanceState),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("state <> 'confirmed' OR decided_by <> proposed_by", name="two_people"),
        CheckConstraint("(state = 'proposed') = (decided_by IS NULL)", name="decided_by"),
        CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="decided"),
        # A second one would count the same money again.
        Index(
            "uq_tax_remittance_proposed",
            "currency",
            unique=True,
            postgresql_where=text("state = 'proposed'"),
        ),
    )

    @property
    def amount(self) -> Money:
        """All that was paid."""
        return Money(self.amount_minor, self.currency)


class TaxRemittanceLine(Root):
    """What of a remittance was withheld from one specialist."""

    __tablename__ = "tax_remittance_line"
    remittance_id: Mapped[UUID] = mapped_column(ForeignKey("tax_remittance.id"), primary_key=True)
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"), primary_key=True)
    amount_minor: Mapped[int]

    __table_args__ = (CheckConstraint("amount_minor > 0", name="amount"),)
