"""The mailbox: messages that the product wrote to a folder because no mail server is configured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from pathlib import Path

from flask import Blueprint, request
from markupsafe import Markup, escape

from marketplace.sandbox.pages import Page, fault_page, page

SHOWN_MAX = 50
MESSAGE_BYTES_MAX = 5_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,180}\.eml")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")


@dataclass(frozen=True)
class Letter:
    """One message. text: its plain text; at: when it was written."""

    name: str
    sender: str
    to: str
    subject: str
    at: datetime
    text: str


def blueprint(folder: Path | None) -> Blueprint:
    """The list at /mailbox and a page for each message; None shows an empty one that says why."""
    routes = Blueprint("mailbox", __name__, url_prefix="/mailbox")

    def listed() -> Page:
        to = request.args.get("to", "").strip().lower()
        found = [letter for letter in _newest(folder) if to in letter.to.lower()]
        letters = found[:SHOWN_MAX]
        return page("mailbox", letters=letters, to=to, folder=folder, more=len(found) > SHOWN_MAX)

    def letter(name: str) -> Page:
        if folder is None or not _NAME.fullmatch(name):
            return fault_page(404)
        opened = _read(folder / name)
        return fault_page(404) if opened is None else page("letter", letter=opened)

    routes.add_app_template_filter(linked)
    routes.add_url_rule("", "listed", listed)
    routes.add_url_rule("/<name>", "letter", letter)
    return routes


def linked(text: str) -> Markup:
    """The text, escaped, with its addresses as links."""
    parts: list[Markup] = []
    at = 0
    for match in _LINK.finditer(text):
        address = escape(match[0])
        parts.append(escape(text[at : match.start()]))
        parts.append(Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(address))
        at = match.end()
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def _newest(folder: Path | None) -> list[Letter]:
    if folder is None or not folder.is_dir():
        return []
    files = sorted(folder.glob("*.eml"), key=_written, reverse=True)
    # Reading all would grow with the folder's age; the newest thousand are plenty for a person.
    letters = (_read(path) for path in files[:1_000])
    return [letter for letter in letters if letter is not None]


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        # The file went away since the folder was listed.
        return 0


def _read(path: Path) -> Letter | None:
    try:
        if path.stat().st_size > MESSAGE_BYTES_MAX:
            return None
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        written = path.stat().st_mtime
    except OSError:
        return None
    return Letter(
        name=path.name,
        sender=_header(message, "From"),
        to=_header(message, "To"),
        subject=_header(message, "Subject") or "(no subject)",
        at=_date(message, written),
        text=_body(message),
    )


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _date(message: EmailMessage, written: float) -> datetime:
    try:
        return parsedate_to_datetime(str(message["Date"])).astimezone(UTC)
    except (TypeError, ValueError):
        return datetime.fromtimestamp(written, UTC)


def _body(message: EmailMessage) -> str:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content())
    except (LookupError, UnicodeDecodeError, KeyError):
        # An unknown charset still has bytes to look at.
        content = bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")
    return _plain(content) if part.get_content_subtype() == "html" else content


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in {"style", "script"}
        if tag in {"p", "br", "div", "tr", "h1", "h2", "li"}:
            self.texts.append("\n")
        if tag == "a":
            self.texts.append(f"{dict(attrs).get('href') or ''} ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.texts.append(data)


def _plain(html: str) -> str:
    parser = _Texts()
    parser.feed(html)
    return "".join(parser.texts).strip()
