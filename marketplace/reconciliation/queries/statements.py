"""Statements as people look at them: accounts, files, statements, and how each line was matched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, func, select, text
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.reconciliation.models import (
    BankStatement,
    Match,
    Reconciliation,
    StatementEntry,
    StatementFile,
    StatementMapping,
    StatementSource,
    StripePayoutSeen,
)
from marketplace.reconciliation.queries.candidates import BANK_KINDS, SAID, SETTLED

PAGE = 50
PAGE_MAX = 1_000

_POSTED = text(
    f"""
    SELECT t.source_id AS natural_id, t.id, t.source_kind FROM ledger_transaction t
    WHERE t.source_kind IN {BANK_KINDS} AND t.source_id = ANY(:ids)
    UNION ALL
    SELECT t.balance_transaction_id, t.id, t.source_kind FROM ledger_transaction t
    WHERE t.balance_transaction_id = ANY(:ids)"""  # noqa: S608 - constants of ours.
).bindparams(bindparam("ids", type_=ARRAY(Text())))
_OPEN = text(
    f"""
    SELECT count(*) FROM statement_entry entry
    WHERE entry.statement_id = :statement AND NOT ({SETTLED})"""  # noqa: S608 - constants of ours.
)


@dataclass(frozen=True, slots=True)
class EntryShown:
    """One line and what it is. stage, rule: by which it was matched, "" while nothing explains
    it; said: the rule in words; evidence: what was equal; people: counterparty, account, text.
    """

    entry: StatementEntry
    people: dict[str, str]
    stage: str = ""
    rule: str = ""
    said: str = ""
    evidence: dict[str, Any] | None = None
    transaction_id: UUID | None = None

    @property
    def matched(self) -> bool:
        """Whether something explains it."""
        return bool(self.rule)


def sources(session: Session, viewer: Actor) -> list[StatementSource]:
    """Every account that sends statements, by name."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(StatementSource).order_by(StatementSource.name, StatementSource.id)
    return list(session.scalars(rows.limit(PAGE_MAX)))


def source(session: Session, viewer: Actor, source_id: UUID) -> StatementSource:
    """One account; Missing without it."""
    viewer.require(Permission.FINANCE_VIEW)
    found = session.get(StatementSource, source_id)
    if found is None:
        raise Missing("There is no such account.")
    return found


def mappings(session: Session, viewer: Actor, source_id: UUID) -> list[StatementMapping]:
    """The versions of an account's mapping, newest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(StatementMapping).where(StatementMapping.source_id == source_id)
    return list(session.scalars(rows.order_by(StatementMapping.version.desc()).limit(PAGE)))


def files(
    session: Session, viewer: Actor, after: UUID | None = None, limit: int = PAGE
) -> list[StatementFile]:
    """Uploaded files, newest first, after the one with the id `after`."""
    viewer.require(Permission.FINANCE_VIEW)
    page = select(StatementFile).order_by(StatementFile.id.desc()).limit(min(limit, PAGE_MAX))
    if after is not None:
        page = page.where(StatementFile.id < after)
    return list(session.scalars(page))


def bank_statements(
    session: Session,
    viewer: Actor,
    *,
    source_id: UUID | None = None,
    file_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[BankStatement]:
    """Statements, the last taken first, of one account or one file or all."""
    viewer.require(Permission.FINANCE_VIEW)
    page = select(BankStatement).order_by(BankStatement.id.desc()).limit(min(limit, PAGE_MAX))
    for column, value in (
        (BankStatement.source_id, source_id),
        (BankStatement.file_id, file_id),
    ):
        if value is not None:
            page = page.where(column == value)
    if after is not None:
        page = page.where(BankStatement.id < after)
    return list(session.scalars(page))


def bank_statement(session: Session, viewer: Actor, statement_id: UUID) -> BankStatement:
    """One statement; Missing without it."""
    viewer.require(Permission.FINANCE_VIEW)
    found = session.get(BankStatement, statement_id)
    if found is None:
        raise Missing("There is no such statement.")
    return found


def matched_of(session: Session, viewer: Actor, statement_id: UUID) -> tuple[int, int]:
    """How many of the lines that a statement brought are matched, and how many it brought."""
    viewer.require(Permission.FINANCE_VIEW)
    own = select(func.count()).where(StatementEntry.statement_id == statement_id)
    brought = int(session.scalar(own) or 0)
    still_open = int(session.scalar(_OPEN, {"statement": statement_id}) or 0)
    return brought - still_open, brought


def statement_entries(
    session: Session,
    viewer: Actor,
    statement_id: UUID,
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[EntryShown]:
    """The lines of a statement's days, in the order in which they were stored, each with how it
    was matched; also those that an earlier statement brought."""
    statement = bank_statement(session, viewer, statement_id)
    page = (
        select(StatementEntry)
        .where(
            StatementEntry.source_id == statement.source_id,
            StatementEntry.booked_on >= statement.from_on,
            StatementEntry.booked_on <= statement.to_on,
        )
        .order_by(StatementEntry.id)
        .limit(min(limit, PAGE_MAX))
    )
    if after is not None:
        page = page.where(StatementEntry.id > after)
    return shown(session, list(session.scalars(page)))


def entry_named(session: Session, viewer: Actor, natural_id: str) -> EntryShown | None:
    """The line with this name (`be_…`) and how it was matched; None for an unknown one."""
    viewer.require(Permission.FINANCE_VIEW)
    row = select(StatementEntry).where(StatementEntry.natural_id == natural_id)
    found = session.scalars(row).first()
    return None if found is None else shown(session, [found])[0]


def shown(session: Session, entries: Sequence[StatementEntry]) -> list[EntryShown]:
    """These lines, each with the rule and the evidence by which it was matched."""
    matches = {
        each.entry_id: each
        for each in session.scalars(
            select(Match).where(Match.entry_id.in_([entry.id for entry in entries]))
        )
    }
    ids = [entry.natural_id for entry in entries]
    posted = {row.natural_id: row for row in session.execute(_POSTED, {"ids": ids})}
    return [_shown(each, matches.get(each.id), posted.get(each.natural_id)) for each in entries]


def _shown(entry: StatementEntry, match: Match | None, posted: Any) -> EntryShown:
    people = dict(json.loads(entry.details)) if entry.details else {}
    if match is not None:
        return EntryShown(
            entry,
            people,
            match.stage,
            match.rule,
            match.explanation or SAID.get(match.rule, ""),
            match.evidence,
            match.transaction_id,
        )
    if posted is None:
        return EntryShown(entry, people)
    evidence = {"line": entry.natural_id, "kind": posted.source_kind}
    rule = "natural_id"
    return EntryShown(entry, people, "S6", rule, SAID[rule], evidence, posted.id)


def reconciliations(session: Session, viewer: Actor, limit: int = PAGE) -> list[Reconciliation]:
    """The comparisons that were made, newest first."""
    viewer.require(Permission.FINANCE_VIEW)
    rows = select(Reconciliation).order_by(Reconciliation.id.desc())
    return list(session.scalars(rows.limit(min(limit, PAGE_MAX))))


def stripe_payouts(
    session: Session, viewer: Actor, account: str = "", limit: int = PAGE
) -> list[StripePayoutSeen]:
    """Payouts of an account as Stripe told them last, newest first; "" is our own."""
    viewer.require(Permission.FINANCE_VIEW)
    newest = (
        select(StripePayoutSeen.id)
        .distinct(StripePayoutSeen.payout_id)
        .where(StripePayoutSeen.account == account)
        .order_by(StripePayoutSeen.payout_id, StripePayoutSeen.id.desc())
    )
    rows = select(StripePayoutSeen).where(StripePayoutSeen.id.in_(newest))
    newest_first = rows.order_by(StripePayoutSeen.created_at.desc(), StripePayoutSeen.id.desc())
    return list(session.scalars(newest_first.limit(min(limit, PAGE_MAX))))
