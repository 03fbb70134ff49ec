"""Published lists as they were loaded, who is on them, and whom that may be here."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import IdKey, Root, one_of, text_enum
from marketplace.secrets import EncryptedText
from marketplace.specialists.rules.lists import HitGrade, HitState, PublishedList, SnapshotState


class ReferenceSnapshot(Root):
    """One edition of a list as it was loaded.

    files: their names; stored: where they wait in the store, emptied once read; sha256: over the
    files' own; source_on: the day of the edition; row_count: rows read so far; entries: people in
    it; added, removed, changed: against the edition before; shrink_accepted: somebody said that
    it may be much smaller; failure: in words; screened_at: when people had been compared with
    what is new in it.
    """

    __tablename__ = "reference_snapshot"
    id: Mapped[IdKey]
    source: Mapped[PublishedList] = mapped_column(text_enum(PublishedList))
    state: Mapped[SnapshotState] = mapped_column(text_enum(SnapshotState))
    files: Mapped[list[str]]
    stored: Mapped[list[str]]
    sha256: Mapped[str]
    source_on: Mapped[date]
    row_count: Mapped[int]
    entries: Mapped[int | None]
    added: Mapped[int | None]
    removed: Mapped[int | None]
    changed: Mapped[int | None]
    shrink_accepted: Mapped[bool]
    failure: Mapped[str | None]
    loaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    began_at: Mapped[datetime]
    loaded_at: Mapped[datetime | None]
    screened_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("source", PublishedList),
        one_of("state", SnapshotState),
        CheckConstraint("(state = 'loaded') = (loaded_at IS NOT NULL)", name="loaded_at"),
        CheckConstraint("(state = 'failed') = (failure IS NOT NULL)", name="failure"),
        # The same files are loaded once; two editions never load at the same time.
        Index(
            "uq_reference_snapshot_sha256",
            "source",
            "sha256",
            unique=True,
            postgresql_where=text("state <> 'failed'"),
        ),
        Index(
            "uq_reference_snapshot_loading",
            "source",
            unique=True,
            postgresql_where=text("state = 'loading'"),
        ),
    )


class ListRowStaged(Root):
    """A row of a snapshot that is being loaded; emptied once it has become entries."""

    __tablename__ = "list_row_staged"
    snapshot_id: Mapped[UUID] = mapped_column(ForeignKey("reference_snapshot.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID]
    entry_key: Mapped[str]
    content: Mapped[str]
    names: Mapped[list[str]]
    npi: Mapped[str | None]
    born: Mapped[list[str]]
    places: Mapped[list[str]]
    listed_as: Mapped[str]
    listed_on: Mapped[date | None]
    keys: Mapped[list[str]]

    __table_args__ = (
        Index("ix_list_row_staged_entry", "snapshot_id", "entry_key"),
        {"prefixes": ["UNLOGGED"]},
    )


class ListEntry(Root):
    """A person on a list, as one edition after another said, until one said otherwise.

    since_id and until_id: the first edition with it, and the first without; entry_key: the same
    for all that a list ever said of this entry; content: a fingerprint; keys: for finding alike
    names; born: ISO dates or years; places: ISO 3166 codes.
    """

    __tablename__ = "list_entry"
    id: Mapped[IdKey]
    source: Mapped[PublishedList] = mapped_column(text_enum(PublishedList))
    entry_key: Mapped[str]
    content: Mapped[str]
    names: Mapped[list[str]]
    npi: Mapped[str | None]
    born: Mapped[list[str]]
    places: Mapped[list[str]]
    listed_as: Mapped[str]
    listed_on: Mapped[date | None]
    keys: Mapped[list[str]]
    since_id: Mapped[UUID] = mapped_column(ForeignKey("reference_snapshot.id"))
    until_id: Mapped[UUID | None] = mapped_column(ForeignKey("reference_snapshot.id"))

    __table_args__ = (
        one_of("source", PublishedList),
        CheckConstraint("npi <> '0000000000'", name="npi"),
        Index(
            "uq_list_entry_current",
            "source",
            "entry_key",
            unique=True,
            postgresql_where=text("until_id IS NULL"),
        ),
        Index("ix_list_entry_since_id", "since_id"),
        Index("ix_list_entry_until_id", "until_id"),
        Index(
            "ix_list_entry_npi",
            "npi",
            postgresql_where=text("npi IS NOT NULL AND until_id IS NULL"),
        ),
        Index(
            "ix_list_entry_keys",
            "keys",
            postgresql_using="gin",
            postgresql_where=text("until_id IS NULL"),
        ),
    )


class ListScreening(Root):
    """That a person was compared with a list, up to and with an edition of it."""

    __tablename__ = "list_screening"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    source: Mapped[PublishedList] = mapped_column(text_enum(PublishedList), primary_key=True)
    snapshot_id: Mapped[UUID] = mapped_column(ForeignKey("reference_snapshot.id"))
    screened_at: Mapped[datetime]

    __table_args__ = (one_of("source", PublishedList),)


class SanctionHit(Root):
    """That a person here may be one on a list: a risk for a person to look at.

    matched: what agrees (`npi`, `birth`, `birth_year`, `place`, `name`); score: of the names;
    reason: a code for why it is in its state; note: what was written about it, encrypted;
    proposed_*: who says that it is the same person, for a second person to confirm;
    expires_at: until when a clearance holds.
    """

    __tablename__ = "sanction_hit"
    id: Mapped[IdKey]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    source: Mapped[PublishedList] = mapped_column(text_enum(PublishedList))
    entry_key: Mapped[str]
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("list_entry.id"))
    state: Mapped[HitState] = mapped_column(text_enum(HitState))
    grade: Mapped[HitGrade] = mapped_column(text_enum(HitGrade))
    score: Mapped[float] = mapped_column(Float(53))
    matched: Mapped[list[str]]
    reason: Mapped[str | None]
    note: Mapped[str | None] = mapped_column(EncryptedText)
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    proposed_at: Mapped[datetime | None]
    cleared_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]

    __table_args__ = (
        one_of("source", PublishedList),
        one_of("state", HitState),
        one_of("grade", HitGrade),
        CheckConstraint("score BETWEEN 0 AND 1", name="score"),
        CheckConstraint(
            "(state = 'cleared') = (expires_at IS NOT NULL)"
            " AND (state = 'cleared') = (cleared_by IS NOT NULL)",
            name="cleared_in_full",
        ),
        CheckConstraint(
            "state <> 'confirmed' OR coalesce(confirmed_by <> proposed_by, false)",
            name="confirmed_by_two",
        ),
        CheckConstraint(
            "person_id NOT IN (cleared_by, confirmed_by, proposed_by)", name="not_by_oneself"
        ),
        Index(
            "uq_sanction_hit_live",
            "person_id",
            "source",
            "entry_key",
            unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
        Index("ix_sanction_hit_state_id", "state", "id"),
        Index("ix_sanction_hit_entry", "source", "entry_key"),
    )
