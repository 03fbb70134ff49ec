"""Taking a bank's file: read and prove it, seal it in the store, then record it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from marketplace import outbox, storage
from marketplace.actor import Actor
from marketplace.db import outside_transaction, transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.money import Money
from marketplace.reconciliation import queries, service
from marketplace.reconciliation.models import StatementSource
from marketplace.reconciliation.rules import camt, delimited, mt940, stripe_report
from marketplace.reconciliation.rules.statements import (
    ParsedStatement,
    SourceKind,
    StatementRefused,
    checked_size,
)
from marketplace.reconciliation.service.statements import SealedStatement, Taken
from marketplace.secrets import new_file_key, open_file, seal_file

FOLDER = "statements"
ENTRIES_AT_ONCE = 200
ROUNDS_MAX = 5
READERS = {SourceKind.CAMT053: camt.read, SourceKind.MT940: mt940.read}


def take_statement(
    actor: Actor,
    content: bytes,
    *,
    kind: SourceKind,
    name: str,
    source_id: UUID | None = None,
    opening: Money | None = None,
    closing: Money | None = None,
) -> Taken:
    """Read a file, prove it, keep it, and post what its lines explain. Call it outside a
    transaction.

    kind: camt053, mt940, csv (with the source whose mapping reads it, and the two balances where
    its export has no running one) or stripe_balance. A file that was taken before changes
    nothing. Raises StatementRefused, with nothing stored, for whatever cannot be believed.
    """
    actor.require(Permission.RECONCILIATION_WORK)
    digest = hashlib.sha256(checked_size(content)).digest()
    with transaction() as session:
        known = service.file_with(session, digest)
        if known is not None:
            return service.taken_before(session, known)
    kind = SourceKind(kind)
    if kind is SourceKind.STRIPE_BALANCE:
        return _take_report(actor, content, name, digest)
    mapping_id, parsed = _parsed(content, kind, source_id, opening, closing)
    with _sealed(content, kind, name, digest, mapping_id) as sealed, transaction() as session:
        taken = service.record_statements(session, actor, sealed, parsed)
    settle()
    return taken


def _parsed(
    content: bytes,
    kind: SourceKind,
    source_id: UUID | None,
    opening: Money | None,
    closing: Money | None,
) -> tuple[UUID | None, Sequence[ParsedStatement]]:
    reader = READERS.get(kind)
    if reader is not None:
        return None, reader(content)
    if kind is not SourceKind.CSV or source_id is None:
        raise StatementRefused("Say which account a CSV file is of, so that its mapping is known.")
    with transaction() as session:
        source = session.get(StatementSource, source_id)
        mapped = service.mapping_of(session, source_id)
    if source is None:
        raise Missing("There is no such account.")
    if mapped is None:
        raise StatementRefused(
            f"Nobody has said what the columns of {source.name} mean. Save a mapping first."
        )
    mapping_id, mapping = mapped
    one = delimited.read(
        content,
        mapping,
        account=source.account,
        currency=source.currency,
        opening=opening,
        closing=closing,
    )
    return mapping_id, [one]


def _take_report(actor: Actor, content: bytes, name: str, digest: bytes) -> Taken:
    days = stripe_report.read(content)
    kind = SourceKind.STRIPE_BALANCE
    with _sealed(content, kind, name, digest, None) as sealed, transaction() as session:
        return service.record_report(session, actor, sealed, days)


@contextmanager
def _sealed(
    content: bytes, kind: SourceKind, name: str, digest: bytes, mapping_id: UUID | None
) -> Iterator[SealedStatement]:
    """The file, sealed in the store; deleted again where what follows fails."""
    file_id, key = new_id(), new_file_key()
    reference = f"{FOLDER}/{file_id}"
    _put(reference, seal_file(content, key, str(file_id)))
    try:
        yield SealedStatement(
            id=file_id,
            kind=kind,
            name=name,
            sha256=digest,
            size_bytes=len(content),
            reference=reference,
            file_key=key,
            mapping_id=mapping_id,
        )
    except BaseException:
        _delete(reference)
        raise


@outside_transaction
def _put(reference: str, sealed: bytes) -> None:
    storage.current().put(reference, io.BytesIO(sealed))


@outside_transaction
def _delete(reference: str) -> None:
    storage.current().delete(reference)


@outside_transaction
def content_of(reference: str, file_key: str, file_id: UUID) -> bytes:
    """A stored file's bytes; Undecryptable when they are not what was stored, Missing when gone."""
    with storage.current().open(reference) as stream:
        return open_file(stream.read(), file_key, str(file_id))


def settle() -> int:
    """Post, in batches, what the lines of banks explain by themselves; how many there were.

    What is settled may leave only one thing that another line can be, so it goes round again.
    """
    posted = 0
    for _ in range(ROUNDS_MAX):
        settled = _settle_once()
        posted += settled
        if not settled:
            break
    return posted


def _settle_once() -> int:
    posted = 0
    after: UUID | None = None
    with transaction() as session:
        service.note_adjusted(session)
        found = queries.candidates_of(session, None)
    while True:
        with transaction() as session:
            batch = service.settle_entries(session, after=after, limit=ENTRIES_AT_ONCE, found=found)
        posted += batch.posted
        after = batch.last
        if after is None:
            return posted


@outbox.background("reconciliation.settle_entries", time_limit_seconds=280)
def settle_entries(work: outbox.Work) -> None:
    """Post what banks' lines explain; a file whose upload was cut short is caught up with."""
    settle()
    with transaction() as session:
        outbox.done(session, work)
