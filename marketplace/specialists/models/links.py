"""What two people may have in common: a household, a device."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root, one_of, text_enum
from marketplace.specialists.rules.links import LinkKind


class PersonLink(Root):
    """One mark that a person carries; two people with the same mark are linked.

    link_hash: keyed, over a household's code or a browser's cookie, never the thing itself.
    """

    __tablename__ = "person_link"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[LinkKind] = mapped_column(text_enum(LinkKind))
    link_hash: Mapped[bytes]
    linked_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("person_id", "kind", "link_hash"),
        Index("ix_person_link_kind_link_hash", "kind", "link_hash"),
        one_of("kind", LinkKind),
    )
