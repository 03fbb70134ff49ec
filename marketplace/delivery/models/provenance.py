"""The table of days' heads."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root


class DayHead(Root):
    """A chain's head as it was kept on a day, signed; never changed.

    scope: the chain's name, such as `job:<id>`; number, hash: of the link; signature: of the key
    with `key_id`, over scope, day, number and hash (`verify.proof.head_statement`).
    """

    __tablename__ = "day_head"
    __table_args__ = (CheckConstraint("number >= 1", name="number"),)
    scope: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int]
    hash: Mapped[bytes]
    key_id: Mapped[str]
    signature: Mapped[bytes]
    signed_at: Mapped[datetime]
