"""What a lab says of a job for its cards, and the facts that an export's card tells."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from marketplace.db import Root, one_of, text_enum
from marketplace.delivery.rules.licences import Licence
from marketplace.ids import ExportId, JobId, PersonId


class DataCard(Root):
    """What a lab says of a job's data, for the cards of exports to come; all of it optional.

    languages: BCP 47 codes of the texts; licence_words: what another licence is called.
    """

    __tablename__ = "data_card"
    __table_args__ = (
        one_of("licence", Licence),
        CheckConstraint("(licence = 'other') = (licence_words <> '')", name="other_has_words"),
    )
    job_id: Mapped[JobId] = mapped_column(ForeignKey("job.id"), primary_key=True)
    title: Mapped[str]
    licence: Mapped[Licence] = mapped_column(text_enum(Licence))
    licence_words: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    intended_use: Mapped[str]
    limits: Mapped[str]
    contact: Mapped[str]
    updated_by: Mapped[PersonId] = mapped_column(ForeignKey("person.id"))
    updated_at: Mapped[datetime]


class ExportCard(Root):
    """The facts of one export's card, as they were when it was first written.

    Kept, so that the file is the same bytes whenever it is written again; numbers and names of
    classes only, never a payload or a judgement. readme: of a folder, as it stands in it.
    """

    __tablename__ = "export_card"
    export_id: Mapped[ExportId] = mapped_column(ForeignKey("export.id"), primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    frozen_at: Mapped[datetime]
    readme: Mapped[str | None]
