"""Our own static files: their addresses, and texts compressed as hard as can be, once.

A file's address carries the version of its content, so a browser keeps it for ever, and what it
costs at its first request is spent once in a process. The sheets that every page has travel as one.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import brotli  # type: ignore[import-untyped]
from flask import Flask, Response, current_app, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from marketplace.web.guards import public

TEXTS = frozenset({"text/javascript", "text/css", "image/svg+xml"})
SHEETS = ("tokens", "elements", "frame", "parts", "tables", "material", "print")
JOINED = {"css/pages.css": tuple(f"css/{sheet}.css" for sheet in SHEETS)}
QUALITY = 11
FILES_MAX = 512
ADDRESSES = "marketplace_static_addresses"
VERSION_LETTERS = 10


@dataclass(frozen=True)
class Text:
    """A text file as it travels."""

    plain: bytes

    @cached_property
    def version(self) -> str:
        """Letters that change with the content."""
        return hashlib.sha256(self.plain).hexdigest()[:VERSION_LETTERS]

    @cached_property
    def compressed(self) -> bytes:
        """As small as brotli makes it."""
        return bytes(brotli.compress(self.plain, mode=brotli.MODE_TEXT, quality=QUALITY))


def register(app: Flask) -> None:
    """Answer `/static/…`, and give templates `asset` and `island_modules`."""

    @public
    def static(filename: str) -> Response:
        kind = mimetypes.guess_type(filename)[0] or ""
        if kind not in TEXTS:
            return app.send_static_file(filename)
        text = _text(filename)
        if text is None:
            raise NotFound
        answer = Response(text.plain, mimetype=kind)
        if request.accept_encodings["br"]:
            answer.data = text.compressed
            answer.headers["Content-Encoding"] = "br"
        answer.set_etag(text.version)
        answer.make_conditional(request)
        return answer

    app.view_functions["static"] = static
    app.extensions[ADDRESSES] = {}
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.globals["island_modules"] = island_modules


def asset(name: str) -> str:
    """The address of a static file; it changes with the file's content."""
    addresses: dict[str, str] = current_app.extensions[ADDRESSES]
    if name not in addresses or current_app.jinja_env.auto_reload:
        text = _text(name)
        version = text.version if text else "missing"
        addresses[name] = url_for("static", filename=name, v=version)
    return addresses[name]


def island_modules() -> dict[str, str]:
    """The plain address of each island to the one with its content's version, for import maps."""
    folder = Path(current_app.static_folder or "") / "islands"
    names = sorted(f"islands/{path.name}" for path in folder.glob("*.js"))
    return {f"{current_app.static_url_path}/{name}": asset(name) for name in names}


def _text(name: str) -> Text | None:
    """A file of the static folder by its name, or several that travel as one; None without it."""
    folder = current_app.static_folder or ""
    paths = [Path(safe_join(folder, each) or "") for each in JOINED.get(name, (name,))]
    if not all(path.is_file() for path in paths):
        return None
    return _read(tuple(paths), tuple(path.stat().st_mtime_ns for path in paths))


@lru_cache(maxsize=FILES_MAX)
def _read(paths: tuple[Path, ...], changed: tuple[int, ...]) -> Text:
    """changed: their times, so that an edited file is read anew."""
    del changed
    return Text(b"".join(path.read_bytes() for path in paths))
