"""Evidence files over HTTP: taken from a form, and given back to be kept, never shown in place."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Fault, Faulty
from marketplace.specialists import queries, service
from marketplace.specialists.models import EvidenceFile
from marketplace.specialists.rules.evidence import BYTES_MAX

# A little more than the file, for the form around it.
REQUEST_BYTES_MAX = BYTES_MAX + 64 * 1024


def sent_file() -> tuple[bytes, str]:
    """The form's file with its name; Faulty at /file where there is none."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Faulty("There is no file.", [Fault("/file", "Choose a PDF, PNG or JPEG file.")])
    return sent.stream.read(BYTES_MAX + 1), sent.filename


def kept_evidence(actor: Actor, claim_id: UUID) -> EvidenceFile:
    """Take the form's file for a claim; it is in the store before the row says so."""
    content, name = sent_file()
    with transaction() as session:
        queries.claim_of(session, actor, claim_id)  # Nobody stores files at another's claim.
    with service.sealed_in_store(content, name) as file:
        with transaction() as session:
            row = service.add_evidence(session, actor, claim_id, file)
        file.taken = True
    return row


def download(actor: Actor, claim_id: UUID, file_id: UUID) -> Response:
    """A file to be saved, with a line in the audit trail before anything is sent."""
    with transaction() as session:
        file = service.view_evidence(session, actor, claim_id, file_id)
    answer = Response(service.content_of(file), mimetype=file.media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=file.name or "evidence")
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "no-store"
    return answer
