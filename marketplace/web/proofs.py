"""The proof of a finished export as a download, for pages and the API alike."""

from __future__ import annotations

from flask import Response

from marketplace import storage
from marketplace.delivery.models import Export
from marketplace.delivery.rules import ExportState, proof_name
from marketplace.errors import Conflict, Missing

MIMETYPE = "application/gzip"


def proof_of(export: Export) -> Response:
    """The proof; Conflict before the file is finished, Missing for a file from before proofs."""
    if export.state is not ExportState.DONE:
        raise Conflict(f"This export is {export.state.value}; its proof is not there.")
    try:
        opened = storage.current().open(export.proof_reference)
    except Missing:
        raise Missing("This export was written before exports carried proofs.") from None
    answer = Response(storage.pieces(opened), mimetype=MIMETYPE)
    name = proof_name(export.filename)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
