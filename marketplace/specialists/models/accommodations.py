"""What somebody works with, said privately."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Root
from marketplace.secrets import EncryptedText


class Accommodation(Root):
    """That a person works with dictation or other assistive means; gone when they say so.

    kinds: words of `rules.accommodations`, separated by blanks and encrypted: nobody but the person
    reads which they are.
    """

    __tablename__ = "accommodation"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    kinds: Mapped[str] = mapped_column(EncryptedText)
    said_at: Mapped[datetime]
