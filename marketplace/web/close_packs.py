"""Close packs over HTTP: the stored ZIP, as it was made."""

from __future__ import annotations

from flask import Response

from marketplace import storage
from marketplace.errors import Conflict
from marketplace.reconciliation.models import MonthClose


class PackPending(Conflict):
    """The pack of a close is not made yet."""

    code = "pack_not_ready"


def sent_pack(close: MonthClose) -> Response:
    """An answer with a close's pack, saved under its month; call it outside any transaction.

    Raises PackPending while it is being made.
    """
    if close.pack_reference is None or close.pack_sha256 is None:
        raise PackPending("The pack is being made; it takes a moment. Try again soon.")
    stream = storage.pieces(storage.current().open(close.pack_reference))
    answer = Response(stream, mimetype="application/zip")
    name = f"close-{close.month:%Y-%m}-{close.round}.zip"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Content-SHA256"] = close.pack_sha256.hex()
    answer.headers["Content-Length"] = str(close.pack_bytes)
    return answer
