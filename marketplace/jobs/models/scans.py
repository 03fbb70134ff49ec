"""What the scan for personal details found in a job's items, and what the lab said of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, PrimaryKeyConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.jobs.rules.scan import Declaration, Personal


class ItemScan(Root):
    """How far a job's items were looked through.

    position: items up to this one; found: likely details; items: how many hold any; waiting:
    whether work is under way or asked for; declared_found: how many details were known when the
    lab declared.
    """

    __tablename__ = "item_scan"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    scanner_version: Mapped[str]
    position: Mapped[int]
    found: Mapped[int]
    items: Mapped[int]
    waiting: Mapped[bool]
    scanned_at: Mapped[datetime | None]
    declaration: Mapped[Declaration | None] = mapped_column(text_enum(Declaration))
    declared_found: Mapped[int | None]
    declared_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    declared_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("declaration", Declaration),
        CheckConstraint(
            "num_nulls(declaration, declared_found, declared_by, declared_at) IN (0, 4)",
            name="declared",
        ),
    )


class ScanFinding(Root):
    """Likely details of one kind in one field of a job's items; never a value.

    field: a pointer into the item, `*` for any row of a list; places: the first few,
    `{external_id, position, shown}` each, `shown` with nearly all of it covered.
    """

    __tablename__ = "scan_finding"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    kind: Mapped[Personal] = mapped_column(text_enum(Personal))
    field: Mapped[str]
    found: Mapped[int]
    items: Mapped[int]
    places: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)

    __table_args__ = (PrimaryKeyConstraint("job_id", "kind", "field"), one_of("kind", Personal))
