"""Items, what models said about them, who wrote them, and the images they name."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, JsonText, Root, one_of, text_enum
from marketplace.jobs.rules import ImageFormat, Tones


class Item(Root):
    """One row of a lab's data. position: from 1, dense, in order of arrival.

    payload, gold: JSON text, letter for letter as sent; `payload_text(Item.payload)` in queries
    reads it without decoding. sent_sha256: over everything sent, to tell a repeat from a conflict.
    """

    __tablename__ = "item"
    id: Mapped[IdKey]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    external_id: Mapped[str]
    position: Mapped[int]
    payload: Mapped[dict[str, Any]] = mapped_column(JsonText)
    payload_sha256: Mapped[bytes]
    sent_sha256: Mapped[bytes]
    gold: Mapped[dict[str, Any] | None] = mapped_column(JsonText(none_as_null=True))

    __table_args__ = (
        UniqueConstraint("job_id", "external_id"),
        UniqueConstraint("job_id", "position"),
    )


class ItemAuthor(Root):
    """A specialist who wrote something of an item, under the lab's pseudonym for them.

    Who wrote it does not judge it. The pseudonym is as the lab knows it, so that a claim asks for
    one row by its key, whoever joins later.
    """

    __tablename__ = "item_author"
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    author: Mapped[str]

    __table_args__ = (PrimaryKeyConstraint("item_id", "author"),)


class Prelabel(Root):
    """What a model said about an item; number: from 1, as sent; made_at: when it was added to an
    item that was there already, None for what came with it."""

    __tablename__ = "prelabel"
    item_id: Mapped[UUID] = mapped_column(ForeignKey("item.id"))
    number: Mapped[int]
    model: Mapped[str]
    version: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JsonText)
    confidence: Mapped[float | None]
    made_at: Mapped[datetime | None]

    __table_args__ = (
        PrimaryKeyConstraint("item_id", "number"),
        UniqueConstraint("item_id", "model", "version"),
        CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
    )


class ItemImage(Root):
    """An image that items name. sha256, size_bytes: as it was sent; bits: of one channel.

    low, high: the values of an image of 16 bits; window, level: how it is shown at first.
    """

    __tablename__ = "item_image"
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    name: Mapped[str]
    sha256: Mapped[bytes]
    width: Mapped[int]
    height: Mapped[int]
    bits: Mapped[int]
    format: Mapped[ImageFormat] = mapped_column(text_enum(ImageFormat))
    size_bytes: Mapped[int]
    low: Mapped[int | None]
    high: Mapped[int | None]
    window: Mapped[int | None]
    level: Mapped[int | None]
    created_at: Mapped[datetime]

    __table_args__ = (
        PrimaryKeyConstraint("job_id", "name"),
        one_of("format", ImageFormat),
        CheckConstraint("bits IN (8, 16)", name="bits"),
        CheckConstraint("width >= 1 AND height >= 1 AND size_bytes >= 1", name="sizes"),
        CheckConstraint('(bits = 16) = (num_nulls(low, high, "window", level) = 0)', name="tones"),
    )

    @property
    def tones(self) -> Tones | None:
        """The values of an image of 16 bits."""
        held = (self.low, self.high, self.window, self.level)
        known = [each for each in held if each is not None]
        return Tones(*known) if known else None

    @property
    def facts(self) -> dict[str, Any]:
        """What a task says of its image; `bits` and the tones only where there are 16."""
        facts = {"width": self.width, "height": self.height, "sha256": self.sha256.hex()}
        return facts | ({"bits": self.bits, **asdict(self.tones)} if self.tones else {})
