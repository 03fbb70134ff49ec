"""What a kind of import is: how its files are known, and how they become lines of items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import IO, Any, Protocol

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.lifecycle import ImportKind, Labels
from marketplace.jobs.rules.ndjson import LINE_LIMIT_BYTES, Line
from marketplace.tasktypes import Json
from marketplace.tasktypes.traces.documents import documents

HEAD_BYTES = 1024 * 1024
BOM = b"\xef\xbb\xbf"
MODEL_MAX = 200


def suffix(name: str) -> str:
    """What stands behind the last dot of a file's name, in small letters; "" for none."""
    last = name.rsplit("/", 1)[-1]
    return last.rpartition(".")[2].lower() if "." in last else ""


class Source(Protocol):
    """A file, wherever it lies. name: with its folders inside an archive; size: in bytes."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int | None: ...

    def open(self, offset: int = 0) -> IO[bytes]:
        """A stream from `offset` on; the caller closes it."""


@dataclass(frozen=True)
class Head:
    """How a file begins. content: its first MiB at most; whole: whether that is all of it."""

    name: str
    content: bytes
    whole: bool

    @property
    def suffix(self) -> str:
        """Of its name."""
        return suffix(self.name)

    @cached_property
    def text(self) -> bytes:
        """The content without a byte order mark and blanks in front."""
        return self.content.removeprefix(BOM).lstrip()

    @cached_property
    def json(self) -> bool:
        """Whether it begins as JSON does: with an object, or with a list of objects."""
        if not self.text.startswith((b"{", b"[")):
            return False
        inner = self.text[1:].lstrip()
        return inner[:1] in (b'"', b"}") if self.text[:1] == b"{" else inner[:1] in (b"{", b"]")

    @cached_property
    def documents(self) -> list[Json]:
        """The first few objects that are whole: of a list, or one after another."""
        found: list[Json] = []
        if not self.json:
            return found
        for row in documents(BytesIO(self.content)):
            document = _parsed(row.content)
            if document is not None:
                found.append(document)
            if len(found) >= 5:
                break
        return found

    @cached_property
    def first(self) -> Json:
        """The first object; of one too long for the head, what its beginning says."""
        return self.documents[0] if self.documents else begun(self.text)


def _parsed(content: bytes | Fault) -> Json | None:
    try:
        document = None if isinstance(content, Fault) else orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def begun(text: bytes) -> Json:
    """The names of an object that is cut off, each with None for what it holds.

    Names are the texts at the depth of the object that a colon follows.
    """
    found: Json = {}
    depth, at = 0, 0
    text = text.removeprefix(b"[")
    while at < len(text):
        sign = text[at : at + 1]
        if sign == b'"':
            end = _closing(text, at + 1)
            name = text[at + 1 : end]
            at = end
            if depth == 1 and text[end + 1 : end + 40].lstrip()[:1] == b":":
                found[name.decode("utf-8", "replace")] = None
        elif sign in b"{[":
            depth += 1
        elif sign in b"}]":
            depth -= 1
        at += 1
    return found


def _closing(text: bytes, at: int) -> int:
    """Where the text that was opened before `at` ends."""
    while at < len(text) and text[at : at + 1] != b'"':
        at += 2 if text[at : at + 1] == b"\\" else 1
    return at


@dataclass(slots=True)
class Reading:
    """What a reader is told, and where it counts what it could not carry over.

    mapping: column → field of the item, of tables only; left: reason → how often.
    """

    task_type: str
    template: Json
    schema: Json
    labels: Labels = Labels.LEAVE
    mapping: Mapping[str, str] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)


Read = Callable[[Source, Reading, Line | None], Iterator[Line]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A form of file. title: one or two words; told: a sentence on what becomes of it.

    fits: whether a file that begins so is of this kind; lines: the NDJSON lines of items that it
    comes to, from its beginning or behind the line `after`; task_types: of which jobs, None for
    all; labels: what its labels may become, the first unless somebody chooses; columns: the names
    of a table's columns, for kinds that map them.
    """

    key: ImportKind
    title: str
    told: str
    fits: Callable[[Head], bool]
    lines: Read
    task_types: frozenset[str] | None = None
    labels: tuple[Labels, ...] = ()
    columns: Callable[[Source], list[str]] | None = None

    def makes(self, task_type: str) -> bool:
        """Whether its files become items of this task type."""
        return self.task_types is None or task_type in self.task_types


def item(
    external_id: object,
    payload: Json,
    *,
    judgement: Json | None = None,
    reading: Reading | None = None,
    model: str = "",
    confidence: float | None = None,
) -> bytes | Fault:
    """The line of an item; its label becomes what `reading.labels` says, or nothing.

    model: who said it, as a pre-label names its author.
    """
    row: dict[str, Any] = {"external_id": str(external_id), "payload": payload}
    if judgement is not None and reading is not None:
        if reading.labels is Labels.GOLD:
            row["gold"] = {"judgement": judgement}
        elif reading.labels is Labels.PRELABELS:
            said = {"model": (model or "import")[:MODEL_MAX], "payload": judgement}
            row["prelabels"] = [said | ({} if confidence is None else {"confidence": confidence})]
    return line_of(row)


def line_of(row: Json) -> bytes | Fault:
    """An item `{external_id, payload, prelabels?, gold?}` as its line, unless it is too long."""
    try:
        content = orjson.dumps(row)
    except (orjson.JSONEncodeError, RecursionError):
        return Fault("", "This row holds something that JSON cannot say.")
    if len(content) > LINE_LIMIT_BYTES:
        most = f"{LINE_LIMIT_BYTES:,}"
        return Fault("", f"This makes an item of {len(content):,} bytes; {most} is the most.")
    return content
