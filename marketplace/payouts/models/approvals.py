"""Who approved which content of a run, by which limit; and runs that are drafted on a schedule."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, text_enum
from marketplace.ids import PersonId
from marketplace.money import Money
from marketplace.payouts.rules import Every


class PayoutApproval(Root):
    """One person's signature under one content of a run; append-only.

    total_minor: what the content pays; day_used_minor: what the person had approved in the 24
    hours before; day_limit_minor: the most they may, None for no limit. What it was judged by
    stays, whatever the limit is later.
    """

    __tablename__ = "payout_approval"
    id: Mapped[IdKey]
    run_id: Mapped[UUID] = mapped_column(ForeignKey("payout_run.id"))
    person_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    content_sha256: Mapped[str]
    at: Mapped[datetime]
    total_minor: Mapped[int]
    day_used_minor: Mapped[int]
    day_limit_minor: Mapped[int | None]

    __table_args__ = (
        UniqueConstraint("run_id", "content_sha256", "person_id"),
        CheckConstraint(
            "day_limit_minor IS NULL OR day_used_minor + total_minor <= day_limit_minor",
            name="within_limit",
        ),
        Index("ix_payout_approval_person_at", "person_id", "at"),
    )


class PayoutSchedule(Root):
    """That a run is drafted every week or month; it is approved and released as any other.

    on_day: 1 (Monday) to 7 for a week, 1 to 28 for a month, in the book's zone; owner_id: whoever
    prepares by it, and so never approves; last_outcome: what came of it last, in words.
    """

    __tablename__ = "payout_schedule"
    id: Mapped[IdKey]
    currency: Mapped[str] = mapped_column(CHAR(3))
    every: Mapped[Every] = mapped_column(text_enum(Every))
    on_day: Mapped[int] = mapped_column(SmallInteger)
    minimum_minor: Mapped[int]
    country: Mapped[str | None] = mapped_column(CHAR(2))
    enabled: Mapped[bool]
    next_at: Mapped[datetime]
    last_outcome: Mapped[str | None]
    last_at: Mapped[datetime | None]
    owner_id: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    changed_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint("every IN ('week', 'month')", name="every"),
        CheckConstraint(
            "on_day BETWEEN 1 AND CASE every WHEN 'week' THEN 7 ELSE 28 END", name="on_day"
        ),
        CheckConstraint("minimum_minor > 0", name="minimum_minor"),
    )

    @property
    def minimum(self) -> Money:
        """The smallest payout that its runs make."""
        return Money(self.minimum_minor, self.currency)
