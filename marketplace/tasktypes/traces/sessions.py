"""Session traces in Hugging Face's simple format: a header line, then a line for each message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from marketplace.errors import Fault
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.traces import chat
from marketplace.tasktypes.traces.documents import DOCUMENT_BYTES_MAX, Readable, Row, lines
from marketplace.tasktypes.traces.values import (
    NotThis,
    fingerprint,
    members,
    named,
    present,
    text,
    written,
)


@dataclass(slots=True)
class _Session:
    """A session being read. number, end: of the last line that belongs to it."""

    header: Json
    number: int
    end: int
    messages: list[Json] = field(default_factory=list)
    size: int = 0


def rows(stream: Readable, *, name: str = "", after: Row | None = None) -> Iterator[Row]:
    """One item a session; a file may hold several. A line that cannot be read is a row by itself.

    name: the file's, for sessions whose header has no id.
    """
    session: _Session | None = None
    for number, content, end in lines(stream, after=after):
        line = content if isinstance(content, Fault) else _parsed(content)
        if isinstance(line, Fault):
            yield Row(number, line, end)
        elif line.get("type") == "session":
            if session:
                yield _row(session, name)
            session = _Session(line, number, end)
        elif session is None:
            yield Row(number, Fault("", "A line with “type”: “session” must come first."), end)
        else:
            session.number, session.end = number, end
            session.size += len(content) if isinstance(content, bytes) else 0
            if line.get("type") == "message" and session.size <= DOCUMENT_BYTES_MAX:
                session.messages.append(members(line.get("message")))
    if session:
        yield _row(session, name)


def _parsed(content: bytes) -> Json | Fault:
    try:
        line = orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        return Fault("", f"This line is not JSON: {wrong}.")
    return line if isinstance(line, dict) else Fault("", "A line must be an object.")


def _row(session: _Session, name: str) -> Row:
    return Row(session.number, _item(session, name), session.end)


def _item(session: _Session, name: str) -> bytes | Fault:
    if session.size > DOCUMENT_BYTES_MAX:
        advice = f"This session is longer than {DOCUMENT_BYTES_MAX:,} bytes. Shorten it."
        return Fault("", advice)
    try:
        read = chat.read(session.messages)
    except NotThis as wrong:
        return Fault("", str(wrong))
    header = session.header
    goal = read.goal or text(header.get("name"))
    own = text(header.get("id")) or name or fingerprint(session.messages)
    payload = {
        "goal": goal if goal.strip() else "What was asked is not in this session.",
        "policies": read.policies,
        "steps": read.steps,
        "metadata": {key: header[key] for key in ("harness", "id", "name") if key in header},
    }
    return written(named(own), present(payload))
