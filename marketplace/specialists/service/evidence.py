"""Evidence files: sealed before they are stored, shown with a trace, destroyed in the end.

A file is under a key of its own, which stands encrypted in its row. Storing and reading use the
network and happen outside any transaction; the row is written and read inside one.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, storage
from marketplace.actor import SYSTEM, Actor
from marketplace.db import outside_transaction
from marketplace.errors import Conflict, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.secrets import new_file_key, open_file, seal_file
from marketplace.specialists.models import CredentialClaim, EvidenceFile
from marketplace.specialists.queries.catalogue import known_type
from marketplace.specialists.queries.credentials import evidence_file
from marketplace.specialists.queries.invariants import StoredFile
from marketplace.specialists.rules import CredentialState
from marketplace.specialists.rules.evidence import FILES_MAX, media_type_of, plain_name
from marketplace.specialists.service.steps import locked_claim

FOLDER = "evidence"


@dataclass(slots=True)
class SealedFile:
    """A file in the store that no row owns yet. sha256: of what was sent, hexadecimal."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    reference: str
    file_key: str
    taken: bool = False


@contextmanager
def sealed_in_store(content: bytes, name: str) -> Iterator[SealedFile]:
    """The file, checked, sealed and stored; deleted again at the end unless `taken` was set.

    Raises Faulty or TooLarge for what is no evidence file.
    """
    media_type = media_type_of(content)
    file_id, key = new_id(), new_file_key()
    file = SealedFile(
        id=file_id,
        name=plain_name(name, media_type),
        media_type=media_type,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        reference=f"{FOLDER}/{file_id}",
        file_key=key,
    )
    _put(file.reference, seal_file(content, key, str(file_id)))
    try:
        yield file
    finally:
        if not file.taken:
            delete_stored(file.reference)


@outside_transaction
def _put(reference: str, sealed: bytes) -> None:
    storage.current().put(reference, io.BytesIO(sealed))


@outside_transaction
def delete_stored(reference: str) -> None:
    """Delete a stored file; nothing happens when it is gone already."""
    storage.current().delete(reference)


def add_evidence(session: Session, actor: Actor, claim_id: UUID, file: SealedFile) -> EvidenceFile:
    """Add a stored file to a claim: its holder's, or what operations saw at the source.

    Raises Missing for a stranger, Conflict for a withdrawn claim or one that has 20 files. The
    caller sets `file.taken` once the transaction has ended well.
    """
    claim = locked_claim(session, claim_id)
    own = actor.person() == claim.person_id and actor.may(Permission.CREDENTIALS_CLAIM)
    if not own and not actor.may(Permission.CREDENTIALS_VERIFY):
        raise Missing("There is no such credential.")
    _refuse_more(session, claim)
    now = clock.now()
    days = known_type(session, claim.type).evidence_days
    row = EvidenceFile(
        id=file.id,
        claim_id=claim.id,
        person_id=actor.person(),
        name=file.name,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        reference=file.reference,
        file_key=file.file_key,
        created_at=now,
        kept_until=now.date() + timedelta(days=days),
    )
    session.add(row)
    session.flush()  # Whoever reads it next in this transaction may do so by SQL.
    facts = {"file_id": row.id, "media_type": row.media_type, "size_bytes": row.size_bytes}
    audit.record(session, actor, "added evidence", claim.id, **facts)
    return row


def _refuse_more(session: Session, claim: CredentialClaim) -> None:
    if claim.state is CredentialState.WITHDRAWN:
        raise Conflict("This claim was withdrawn; nothing is added to it.")
    kept = select(func.count()).where(
        EvidenceFile.claim_id == claim.id, EvidenceFile.purged_at.is_(None)
    )
    if (session.scalar(kept) or 0) >= FILES_MAX:
        raise Conflict(f"A credential keeps at most {FILES_MAX} files.")


def view_evidence(session: Session, actor: Actor, claim_id: UUID, file_id: UUID) -> EvidenceFile:
    """A file for its holder or operations to open, with a line in the audit trail.

    Read what is in it by `content_of`, after the transaction. Raises Missing for strangers, and
    once it was purged.
    """
    file = evidence_file(session, actor, claim_id, file_id)
    audit.record(session, actor, "viewed evidence", claim_id, file_id=file.id)
    return file


@outside_transaction
def content_of(file: EvidenceFile) -> bytes:
    """What was sent. Raises Undecryptable for a stored file that was changed, Missing once gone."""
    if file.file_key is None:
        raise Missing("There is no such file.")
    with storage.current().open(file.reference) as stream:
        return open_file(stream.read(), file.file_key, str(file.id))


def evidence_due(session: Session, *, limit: int = 100) -> Sequence[EvidenceFile]:
    """Files whose last day has passed, the longest past first."""
    today = clock.now().date()
    due = select(EvidenceFile).where(
        EvidenceFile.purged_at.is_(None), EvidenceFile.kept_until < today
    )
    return session.scalars(due.order_by(EvidenceFile.kept_until).limit(limit)).all()


def forget_evidence(session: Session, file_id: UUID) -> None:
    """Destroy the key and the name of a file that is deleted from the store; its hash stays."""
    file = session.get(EvidenceFile, file_id, with_for_update=True, populate_existing=True)
    if file is not None and file.purged_at is None:
        file.purged_at, file.file_key, file.name = clock.now(), None, None
        session.flush()
        audit.record(session, SYSTEM, "purged evidence", file.claim_id, file_id=file.id)


@outside_transaction
def files_missing(files: Sequence[StoredFile]) -> list[str]:
    """One sentence for each file that the store does not have."""
    return [
        f"The evidence file {file.id} is neither in the store nor destroyed."
        for file in files
        if not _is_there(file)
    ]


def _is_there(file: StoredFile) -> bool:
    try:
        storage.current().size(file.reference)
    except Missing:
        return False
    return True
