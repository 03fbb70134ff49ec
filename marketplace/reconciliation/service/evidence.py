"""Evidence behind proposals: checked by content, stored before the row, hashed, kept for ever."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from marketplace import storage
from marketplace.db import outside_transaction
from marketplace.ids import new_id
from marketplace.reconciliation.models import BreakProposal
from marketplace.reconciliation.rules.evidence import media_type_of, plain_name

FOLDER = "break-evidence"


class EvidenceAltered(AssertionError):
    """The stored file is not the one that was proposed with: somebody changed the store."""


@dataclass(slots=True)
class StoredEvidence:
    """A file in the store that no row owns until `taken` is set. sha256: of its content."""

    reference: str
    name: str
    media_type: str
    size_bytes: int
    sha256: bytes
    taken: bool = False


@contextmanager
def evidence_in_store(content: bytes, name: str) -> Iterator[StoredEvidence]:
    """The file, checked and stored; deleted again at the end unless `taken` was set.

    Raises Faulty at /file or TooLarge for what is no evidence file.
    """
    media_type = media_type_of(content)
    file = StoredEvidence(
        reference=f"{FOLDER}/{new_id()}",
        name=plain_name(name, media_type),
        media_type=media_type,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).digest(),
    )
    _put(file.reference, content)
    try:
        yield file
    finally:
        if not file.taken:
            _delete(file.reference)


@outside_transaction
def _put(reference: str, content: bytes) -> None:
    storage.current().put(reference, io.BytesIO(content))


@outside_transaction
def _delete(reference: str) -> None:
    storage.current().delete(reference)


@outside_transaction
def evidence_content(proposal: BreakProposal) -> bytes:
    """The file as it was proposed with; EvidenceAltered when its hash no longer fits."""
    with storage.current().open(proposal.evidence_reference or "") as stream:
        content = stream.read()
    if hashlib.sha256(content).digest() != proposal.evidence_sha256:
        raise EvidenceAltered(f"The evidence of proposal {proposal.id} is not what was stored.")
    return content
