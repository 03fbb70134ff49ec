"""What routing remembers of a job: how far its money reaches, how much of it waits, who may spend
how much on it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root
from marketplace.ids import JobId, OrganisationId, PersonId
from marketplace.money import Money


class JobReserve(Root):
    """How far a job's items have money: items up to this position may have seats.

    settled_at: when the rest went back to the lab, after the job was closed and all was decided.
    """

    __tablename__ = "job_reserve"
    __table_args__ = (
        CheckConstraint("items_reserved >= 0", name="items_reserved"),
        Index("ix_job_reserve_unsettled", "job_id", postgresql_where=text("settled_at IS NULL")),
    )
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"), primary_key=True)
    items_reserved: Mapped[int]
    settled_at: Mapped[datetime | None]


class JobExposure(Root):
    """How much of an open job waited when it was last counted; for the order of the feed only.

    seats_open: counted up to a limit; seats_total: what was opened so far. A job without a row is
    new, and counts as waiting whole.
    """

    __tablename__ = "job_exposure"
    __table_args__ = (
        CheckConstraint("0 <= seats_open AND seats_open <= seats_total", name="seats"),
    )
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"), primary_key=True)
    seats_open: Mapped[int]
    seats_total: Mapped[int]
    counted_at: Mapped[datetime]


class SpendLimit(Root):
    """What a member of a lab may reserve in a calendar month of the book, in one currency."""

    __tablename__ = "spend_limit"
    __table_args__ = (CheckConstraint("month_max_minor >= 0", name="month_max"),)
    organisation_id: Mapped[OrganisationId] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True
    )
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"), primary_key=True)
    currency: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    month_max_minor: Mapped[int]
    set_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]

    @property
    def month_max(self) -> Money:
        """The most of a month."""
        return Money(self.month_max_minor, self.currency)


class JobBudget(Root):
    """The most that may ever be reserved for a job, whatever is added to it or raised."""

    __tablename__ = "job_budget"
    __table_args__ = (CheckConstraint("budget_minor >= 0", name="budget"),)
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"), primary_key=True)
    budget_minor: Mapped[int]
    set_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class Spending(Root):
    """One reservation or bonus, and the member who decided on it; what limits are counted by.

    job_id: empty for a bonus, which no budget of a job pays.
    """

    __tablename__ = "spending"
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        Index("ix_spending_member", "organisation_id", "person_id", "currency", "spent_on"),
        Index("ix_spending_job_id", "job_id"),
    )
    id: Mapped[IdKey]
    organisation_id: Mapped[OrganisationId] = mapped_column(ForeignKey("organisation.id"))
    person_id: Mapped[PersonId | None] = mapped_column(ForeignKey("person.id"))
    job_id: Mapped[JobId | None] = mapped_column(ForeignKey("job.id"))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(CHAR(3))
    spent_on: Mapped[date]
    spent_at: Mapped[datetime]
