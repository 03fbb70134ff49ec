"""How a lab's balance fills itself, and when its people are warned."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.billing.rules.automatic import AutomaticState
from marketplace.db import Root, one_of, text_enum
from marketplace.ids import OrganisationId, PersonId
from marketplace.money import Money


class AutomaticTopUp(Root):
    """What fills a lab's balance in one currency by itself, and from which card.

    threshold_minor: a top-up is due below it; month_max_minor: the most of a calendar month in the
    book's zone; setup_number: counts the checkouts that save a card; note: why it stopped.
    """

    __tablename__ = "automatic_top_up"
    organisation_id: Mapped[OrganisationId] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True
    )
    currency: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    state: Mapped[AutomaticState] = mapped_column(text_enum(AutomaticState))
    threshold_minor: Mapped[int]
    amount_minor: Mapped[int]
    month_max_minor: Mapped[int]
    payment_method_id: Mapped[str | None]
    card_label: Mapped[str]
    setup_number: Mapped[int]
    setup_session_id: Mapped[str | None] = mapped_column(unique=True)
    setup_url: Mapped[str | None]
    note: Mapped[str]
    set_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]
    next_look_at: Mapped[datetime]

    __table_args__ = (
        one_of("state", AutomaticState),
        CheckConstraint("threshold_minor >= 0", name="threshold"),
        CheckConstraint("amount_minor > 0", name="amount"),
        CheckConstraint("month_max_minor >= amount_minor", name="month_max"),
        CheckConstraint("state <> 'on' OR payment_method_id IS NOT NULL", name="card"),
        Index(
            "ix_automatic_top_up_looked",
            "next_look_at",
            postgresql_where=text("state IN ('on', 'setting_up')"),
        ),
    )

    @property
    def threshold(self) -> Money:
        """Below this a top-up is due."""
        return Money(self.threshold_minor, self.currency)

    @property
    def amount(self) -> Money:
        """What one top-up brings."""
        return Money(self.amount_minor, self.currency)

    @property
    def month_max(self) -> Money:
        """The most of a month."""
        return Money(self.month_max_minor, self.currency)


class BalanceWatch(Root):
    """When a lab is warned of a low balance, and whether jobs resume after a top-up.

    warned_at: since when the balance is known to be low; empty once it was above again.
    """

    __tablename__ = "balance_watch"
    organisation_id: Mapped[OrganisationId] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True
    )
    currency: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    low_minor: Mapped[int]
    resumes_jobs: Mapped[bool]
    warned_at: Mapped[datetime | None]
    set_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("low_minor >= 0", name="low"),)

    @property
    def low(self) -> Money:
        """Below this the lab is warned; zero: never."""
        return Money(self.low_minor, self.currency)
