"""What routing remembers of a job: how far its money reaches, how much of it waits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root
from marketplace.ids import JobId


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
