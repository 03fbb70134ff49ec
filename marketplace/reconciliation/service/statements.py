"""Statements of banks: accounts that send them, and storing a file that has proven itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.money import EXPONENT
from marketplace.reconciliation.models import (
    BankStatement,
    Holds,
    StatementEntry,
    StatementFile,
    StatementMapping,
    StatementSource,
)
from marketplace.reconciliation.queries.completeness import Gap as Gap
from marketplace.reconciliation.queries.completeness import completeness as completeness
from marketplace.reconciliation.rules import overlaps
from marketplace.reconciliation.rules.delimited import ColumnMapping
from marketplace.reconciliation.rules.statements import (
    ParsedEntry,
    ParsedStatement,
    SourceKind,
    StatementRefused,
    account_key,
)
from marketplace.secrets import keyed_hash

TOKENS_MAX = 60
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{4,79}")
WORK = Permission.RECONCILIATION_WORK


@dataclass(frozen=True, slots=True)
class SealedStatement:
    """A file that lies in the store and belongs to no row yet. sha256: of what was sent."""

    id: UUID
    kind: SourceKind
    name: str
    sha256: bytes
    size_bytes: int
    reference: str
    file_key: str
    mapping_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an uploaded file. again: it was stored before, and nothing was stored now;
    entries_new: lines that no earlier file had brought; entries_known: those that one had.
    """

    file_id: UUID
    statement_ids: tuple[UUID, ...]
    entries_new: int
    entries_known: int
    again: bool = False


def add_source(
    session: Session,
    actor: Actor,
    *,
    kind: SourceKind,
    account: str,
    currency: str,
    holds: str = Holds.CLIENT_FUNDS,
    name: str = "",
) -> StatementSource:
    """Say which account sends statements, and which of the ledger's it is.

    Raises StatementRefused for an account that is known already, or a currency that is not.
    """
    actor.require(WORK)
    key = account_key(account)
    if not key or currency not in EXPONENT:
        raise StatementRefused("Give the account's number and its currency, such as USD.")
    if source_named(session, account, currency) is not None:
        raise StatementRefused(f"Account {account} in {currency} is known already.")
    source = StatementSource(
        id=new_id(),
        kind=SourceKind(kind),
        name=name.strip()[:120] or account,
        account=account.strip()[:80],
        account_key=key,
        currency=currency,
        holds=Holds(holds),
        added_by=actor.person_id,
        added_at=clock.now(),
    )
    session.add(source)
    session.flush()  # The audit line names it.
    audit.record(session, actor, "added a bank account", source.id, currency=currency)
    return source


def source_named(session: Session, account: str, currency: str) -> StatementSource | None:
    """The source with this account number, however it is written; None for an unknown one."""
    found = select(StatementSource).where(
        StatementSource.account_key == account_key(account), StatementSource.currency == currency
    )
    return session.scalars(found).first()


def save_mapping(
    session: Session, actor: Actor, source_id: UUID, mapping: ColumnMapping
) -> StatementMapping:
    """Keep a new version of what an account's columns mean; earlier files keep theirs."""
    actor.require(WORK)
    source = session.get(StatementSource, source_id)
    if source is None:
        raise Missing("There is no such account.")
    # Rows of accounts are never altered, so nobody may lock them; versions must follow each other.
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": str(source.id)}
    )
    newest = select(func.coalesce(func.max(StatementMapping.version), 0))
    number = session.scalars(newest.where(StatementMapping.source_id == source_id)).one()
    row = StatementMapping(
        id=new_id(),
        source_id=source_id,
        version=number + 1,
        mapping=mapping.as_json(),
        saved_by=actor.person_id,
        saved_at=clock.now(),
    )
    session.add(row)
    session.flush()  # The audit line names it.
    audit.record(session, actor, "saved a column mapping", source.id, version=row.version)
    return row


def mapping_of(session: Session, source_id: UUID) -> tuple[UUID, ColumnMapping] | None:
    """The newest mapping of an account and its id; None before one was saved."""
    newest = select(StatementMapping).where(StatementMapping.source_id == source_id)
    row = session.scalars(newest.order_by(StatementMapping.version.desc()).limit(1)).first()
    return None if row is None else (row.id, ColumnMapping.of(row.mapping))


def file_with(session: Session, sha256: bytes) -> StatementFile | None:
    """The stored file with exactly these bytes; None when it is new."""
    return session.scalars(select(StatementFile).where(StatementFile.sha256 == sha256)).first()


def taken_before(session: Session, file: StatementFile) -> Taken:
    """What a file brought when it was stored."""
    statements = session.execute(
        select(BankStatement.id, BankStatement.entry_count).where(BankStatement.file_id == file.id)
    ).all()
    known = sum(each.entry_count for each in statements)
    return Taken(file.id, tuple(each.id for each in statements), 0, known, again=True)


def record_file(session: Session, actor: Actor, sealed: SealedStatement) -> StatementFile:
    """The row of a file that lies in the store."""
    actor.require(WORK)
    row = StatementFile(
        id=sealed.id,
        kind=sealed.kind,
        name=sealed.name[:200],
        sha256=sealed.sha256,
        size_bytes=sealed.size_bytes,
        reference=sealed.reference,
        file_key=sealed.file_key,
        mapping_id=sealed.mapping_id,
        taken_by=actor.person_id,
        taken_at=clock.now(),
    )
    session.add(row)
    session.flush()  # Statements refer to it.
    return row


def record_statements(
    session: Session,
    actor: Actor,
    sealed: SealedStatement,
    statements: Sequence[ParsedStatement],
) -> Taken:
    """Store a file's statements, all or none; StatementRefused for what contradicts earlier ones.

    Its accounts must be known. What they have in common with earlier files is proven equal.
    """
    actor.require(WORK)
    row = record_file(session, actor, sealed)
    made: list[UUID] = []
    new = known = 0
    for parsed in sorted(statements, key=lambda each: (each.from_on, each.sequence or 0)):
        source = _source_of(session, parsed)
        statement, fresh = _record(session, row, source, parsed)
        made.append(statement.id)
        new += fresh
        known += len(parsed.entries) - fresh
    audit.record(session, actor, "took a bank's file", row.id, lines=new, known=known)
    outbox.enqueue(session, "reconciliation.settle_entries")
    return Taken(row.id, tuple(made), new, known)


def _source_of(session: Session, parsed: ParsedStatement) -> StatementSource:
    source = source_named(session, parsed.account, parsed.currency)
    if source is None:
        raise StatementRefused(
            f"The file is of account {parsed.account} in {parsed.currency}, which is none of ours "
            "yet. Add the account first, or choose the file of another one."
        )
    # Two files of one account at once must see each other.
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": str(source.id)}
    )
    return source


def _record(
    session: Session, file: StatementFile, source: StatementSource, parsed: ParsedStatement
) -> tuple[BankStatement, int]:
    meeting = session.scalars(
        select(BankStatement).where(
            BankStatement.source_id == source.id,
            BankStatement.from_on <= parsed.to_on,
            BankStatement.to_on >= parsed.from_on,
        )
    ).all()
    stored = _entries_of(session, source, meeting)
    taken = overlaps.place(parsed, meeting, stored)
    statement = BankStatement(
        id=new_id(),
        file_id=file.id,
        source_id=source.id,
        number=parsed.number,
        sequence=parsed.sequence,
        pages=parsed.pages,
        opening_minor=parsed.opening.minor,
        closing_minor=parsed.closing.minor,
        currency=parsed.currency,
        from_on=parsed.from_on,
        to_on=parsed.to_on,
        entry_count=len(parsed.entries),
        left_out=parsed.left_out,
        variant=parsed.variant,
        taken_at=clock.now(),
    )
    session.add(statement)
    session.flush()  # Its lines refer to it.
    known = {} if taken else Counter(each.fingerprint for each in stored)
    rows = _rows(source, statement, parsed.entries, taken, known)
    if rows:
        session.execute(insert(StatementEntry), rows)
    return statement, len(rows)


def _entries_of(
    session: Session, source: StatementSource, meeting: Sequence[BankStatement]
) -> list[overlaps.KnownEntry]:
    if not meeting:
        return []
    found = session.scalars(
        select(StatementEntry).where(
            StatementEntry.source_id == source.id,
            StatementEntry.booked_on >= min(each.from_on for each in meeting),
            StatementEntry.booked_on <= max(each.to_on for each in meeting),
        )
    )
    return [overlaps.KnownEntry(each.booked_on, each.fingerprint, each.amount) for each in found]


def _rows(
    source: StatementSource,
    statement: BankStatement,
    entries: Sequence[ParsedEntry],
    taken: dict[str, int],
    known: dict[str, int],
) -> list[dict[str, object]]:
    """The rows of the lines that no earlier file brought."""
    seen: Counter[str] = Counter()
    rows = []
    for entry in entries:
        fingerprint = entry.fingerprint
        seen[fingerprint] += 1
        occurrence = seen[fingerprint] + taken.get(fingerprint, 0)
        if not taken and occurrence <= known.get(fingerprint, 0):
            continue
        rows.append(_row(source, statement, entry, fingerprint, occurrence))
    return rows


def _row(
    source: StatementSource,
    statement: BankStatement,
    entry: ParsedEntry,
    fingerprint: str,
    occurrence: int,
) -> dict[str, object]:
    named = f"{source.account_key}|{source.currency}|{fingerprint}|{occurrence}"
    people = {
        "counterparty": entry.counterparty,
        "account": entry.counterparty_account,
        "text": entry.text,
    }
    payer = account_key(entry.counterparty_account) or entry.counterparty.casefold()
    return {
        "id": new_id(),
        "source_id": source.id,
        "statement_id": statement.id,
        "natural_id": f"be_{hashlib.sha256(named.encode()).hexdigest()[:32]}",
        "fingerprint": fingerprint,
        "occurrence": occurrence,
        "amount_minor": entry.amount.minor,
        "currency": entry.amount.currency,
        "booked_on": entry.booked_on,
        "value_on": entry.value_on,
        "bank_reference": entry.bank_reference[:140],
        "end_to_end": entry.end_to_end[:140],
        "payment_id": entry.payment_id[:140],
        "code": entry.code[:40],
        "reversal": entry.reversal,
        "return_reason": entry.return_reason[:40],
        "charges_minor": None if entry.charges is None else entry.charges.minor,
        "tokens": tokens_of(entry),
        "payer_hash": keyed_hash("payer", payer) if payer else None,
        "details": json.dumps(people, ensure_ascii=False) if any(people.values()) else None,
        "line": entry.line,
        "taken_at": statement.taken_at,
    }


def tokens_of(entry: ParsedEntry) -> list[str]:
    """Words with a digit in them, in capitals: what may name a payout, a top-up, an invoice.

    Words that name people seldom have one, so that they stay out of plain columns.
    """
    written = " ".join((entry.end_to_end, entry.payment_id, entry.bank_reference, entry.text))
    # Banks break and space references as they like; a reference in groups of four is one.
    words = _WORD.findall(written) + _WORD.findall(re.sub(r"(?<=\w{4}) (?=\w{4})", "", written))
    marked = [word.upper() for word in words if any(char.isdigit() for char in word)]
    special = ["STRIPE"] if "stripe" in f"{written} {entry.counterparty}".casefold() else []
    return [*special, *dict.fromkeys(marked)][:TOKENS_MAX]
