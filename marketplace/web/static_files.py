"""Our own static files: texts compressed as hard as can be, once, and kept in memory.

They never change under one address, so what each file costs at its first request is spent once in
a process, and saved for every browser that comes with an empty cache.
"""

from __future__ import annotations

import mimetypes
from functools import lru_cache
from pathlib import Path

import brotli  # type: ignore[import-untyped]
from flask import Flask, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from marketplace.web.guards import public

TEXTS = frozenset({"text/javascript", "text/css", "image/svg+xml"})
QUALITY = 11
FILES_MAX = 512


def register(app: Flask) -> None:
    """Answer `/static/…` with the compressed text where the browser takes it."""
    folder = app.static_folder or ""

    @public
    def static(filename: str) -> Response:
        kind = mimetypes.guess_type(filename)[0] or ""
        if kind not in TEXTS or not request.accept_encodings["br"]:
            return app.send_static_file(filename)
        path = safe_join(folder, filename)
        if path is None or not Path(path).is_file():
            raise NotFound
        answer = Response(_compressed(path, Path(path).stat().st_mtime_ns), mimetype=kind)
        answer.headers["Content-Encoding"] = "br"
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    app.view_functions["static"] = static


@lru_cache(maxsize=FILES_MAX)
def _compressed(path: str, changed: int) -> bytes:
    """A file's text; changed: its time, so that an edited file is compressed anew."""
    del changed
    text = Path(path).read_bytes()
    return bytes(brotli.compress(text, mode=brotli.MODE_TEXT, quality=QUALITY))
