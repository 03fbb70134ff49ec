"""Accounts that send statements, what they sent, and how each line was matched; for pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.reconciliation.models import BankStatement, StatementEntry, StatementSource
from marketplace.reconciliation.models.matches import Match, Reconciliation
from marketplace.reconciliation.models.statements import StatementFile, StatementMapping

PAGE = 50
PAGE_MAX = 500
SOURCES_MAX = 200


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A line of a statement and what it was matched with, if it was."""

    entry: StatementEntry
    match: Match | None


@dataclass(frozen=True, slots=True)
class StatementView:
    """One statement with its account and its file. matched: of its lines."""

    statement: BankStatement
    source: StatementSource
    file: StatementFile
    matched: int


def sources(session: Session, viewer: Actor) -> list[StatementSource]:
    """The accounts that send statements, by name."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(StatementSource).order_by(StatementSource.name, StatementSource.id)
    return list(session.scalars(rows.limit(SOURCES_MAX)))


def source_of(session: Session, viewer: Actor, source_id: UUID) -> StatementSource:
    """One account; Missing where there is none."""
    viewer.require(Permission.FINANCE_VIEW)
    found = session.get(StatementSource, source_id)
    if found is None:
        raise Missing("There is no such account.")
    return found


def newest_mapping(session: Session, viewer: Actor, source_id: UUID) -> StatementMapping | None:
    """What the columns of an account's CSV mean now; None before anybody said so."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(StatementMapping).where(StatementMapping.source_id == source_id)
    return session.scalars(rows.order_by(StatementMapping.version.desc()).limit(1)).first()


def statements(
    session: Session, viewer: Actor, after: UUID | None = None, limit: int = PAGE
) -> list[BankStatement]:
    """Statements of banks, the last taken first; after: the last id of the page before."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(BankStatement)
    if after is not None:
        rows = rows.where(BankStatement.id < after)
    return list(session.scalars(rows.order_by(BankStatement.id.desc()).limit(min(limit, PAGE_MAX))))


def statement_view(session: Session, viewer: Actor, statement_id: UUID) -> StatementView:
    """One statement; Missing where there is none."""
    viewer.require(Permission.FINANCE_VIEW)
    row = session.execute(
        select(BankStatement, StatementSource, StatementFile)
        .join(StatementSource, StatementSource.id == BankStatement.source_id)
        .join(StatementFile, StatementFile.id == BankStatement.file_id)
        .where(BankStatement.id == statement_id)
    ).first()
    if row is None:
        raise Missing("There is no such statement.")
    statement, source, file = row
    return StatementView(statement, source, file, matched_of(session, viewer, [statement_id]))


def matched_of(session: Session, viewer: Actor, statement_ids: Collection[UUID]) -> int:
    """How many lines that these statements brought are matched."""
    viewer.require(Permission.FINANCE_VIEW)
    matched = select(Match.id).where(Match.entry_id == StatementEntry.id).exists()
    rows = (
        select(func.count())
        .select_from(StatementEntry)
        .where(StatementEntry.statement_id.in_(statement_ids), matched)
    )
    return session.scalar(rows) or 0


def matched_by_statement(
    session: Session, viewer: Actor, statement_ids: Collection[UUID]
) -> dict[UUID, tuple[int, int]]:
    """How many lines each of these statements brought, and how many of them are matched."""
    viewer.require(Permission.FINANCE_VIEW)
    matched = select(Match.id).where(Match.entry_id == StatementEntry.id).exists()
    rows = session.execute(
        select(StatementEntry.statement_id, func.count(), func.count().filter(matched))
        .where(StatementEntry.statement_id.in_(statement_ids))
        .group_by(StatementEntry.statement_id)
    )
    return {statement_id: (brought, number) for statement_id, brought, number in rows}


def entries(
    session: Session,
    viewer: Actor,
    statement_id: UUID,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[EntryRow]:
    """The lines that a statement brought, by day, each with its first match."""
    viewer.require(Permission.FINANCE_VIEW)
    if session.get(BankStatement, statement_id) is None:
        raise Missing("There is no such statement.")
    rows = select(StatementEntry).where(StatementEntry.statement_id == statement_id)
    if after is not None:
        mark = session.get(StatementEntry, after)
        if mark is None or mark.statement_id != statement_id:
            raise Faulty("The cursor is none of ours; start from the first page.")
        key = tuple_(StatementEntry.booked_on, StatementEntry.id)
        rows = rows.where(key > tuple_(mark.booked_on, mark.id))
    ordered = rows.order_by(StatementEntry.booked_on, StatementEntry.id)
    found = list(session.scalars(ordered.limit(min(limit, PAGE_MAX))))
    ids = [entry.id for entry in found]
    newest = select(Match).where(Match.entry_id.in_(ids)).order_by(Match.id.desc())
    matches = {match.entry_id: match for match in session.scalars(newest)}
    return [EntryRow(entry, matches.get(entry.id)) for entry in found]


def reconciliations(
    session: Session, viewer: Actor, after: UUID | None = None, limit: int = PAGE
) -> list[Reconciliation]:
    """Comparisons, newest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(Reconciliation)
    if after is not None:
        rows = rows.where(Reconciliation.id < after)
    return list(
        session.scalars(rows.order_by(Reconciliation.id.desc()).limit(min(limit, PAGE_MAX)))
    )
