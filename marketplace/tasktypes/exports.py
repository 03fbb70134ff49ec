"""Exports: records in, rows out, every dropped record counted with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import orjson

from marketplace.errors import Refused
from marketplace.tasktypes.packing import zipped
from marketplace.tasktypes.records import Record

ExportRow: TypeAlias = dict[str, Any]


class Policy(StrEnum):
    """How several judgements of one item become rows.

    Under `model` a record comes with one judgement, the one that is believed most by what models
    and specialists said together, and is told as it stands.
    """

    MAJORITY = "majority"
    MODEL = "model"
    ALL = "all"


class PolicyUnavailable(Refused):
    """This export cannot follow the policy that was asked for."""

    code = "policy_unavailable"


@dataclass(slots=True)
class Counts:
    """What became of what was read; `read == kept + sum(dropped.values())` at the end.

    read: units looked at (items under `majority`, judgements under `all`; pairs of responses for
    rankings, claims for fact checks); kept: units that gave rows; rows: rows written; noted: what
    the format could not say, or said in another way, of units that were kept.
    """

    read: int = 0
    kept: int = 0
    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    noted: Counter[str] = field(default_factory=Counter)

    @property
    def ties(self) -> int:
        """Ties that were read, whether the format has a place for them or not."""
        return self.dropped["tie"] + self.noted["tie"]

    @property
    def both_bad(self) -> int:
        return self.dropped["both_bad"] + self.noted["both_bad"]

    def keep(self) -> None:
        self.read += 1
        self.kept += 1

    def drop(self, reason: str) -> None:
        self.read += 1
        self.dropped[reason] += 1

    def note(self, reason: str, times: int = 1) -> None:
        """Tell of something within a unit that is kept; no unit more."""
        if times:
            self.noted[reason] += times

    def add(self, other: Counts) -> None:
        """Count what another part of the same file counted."""
        self.read, self.kept = self.read + other.read, self.kept + other.kept
        self.rows += other.rows
        self.dropped.update(other.dropped)
        self.noted.update(other.noted)

    def as_json(self) -> dict[str, Any]:
        """For manifests and data cards."""
        return {
            "read": self.read,
            "kept": self.kept,
            "rows": self.rows,
            "ties": self.ties,
            "both_bad": self.both_bad,
            "dropped": {reason: self.dropped[reason] for reason in sorted(self.dropped)},
            "noted": {reason: self.noted[reason] for reason in sorted(self.noted)},
        }


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a format's rows. kind: what stands in it, in words; says: what that means.

    A name that ends with `*` stands for all columns that begin so; may_lack: some rows do not have
    it.
    """

    name: str
    kind: str
    says: str
    may_lack: bool = False


Convert: TypeAlias = Callable[[Iterable[Record], Policy, Counts], Iterator[ExportRow]]
Members: TypeAlias = Callable[[Iterable[ExportRow]], Iterator[tuple[str, bytes]]]
Document: TypeAlias = Callable[[Iterable[ExportRow]], Iterator[bytes]]


def line(row: ExportRow) -> bytes:
    """One line of JSONL: keys sorted, UTF-8, floats in their shortest form, ended by LF.

    The same row always gives the same bytes.
    """
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


MEDIA: Mapping[str, str] = {
    ".jsonl": "application/x-ndjson",
    ".json": "application/json",
    ".csv": "text/csv",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """One export format of one task type.

    help: one paragraph, what reads the file and what it cannot hold; columns: those of the rows.
    `convert` is a pure generator; it keeps or drops every unit it reads in the counts. `encode`
    makes the bytes of one row; a line of JSONL unless the format is a text of its own. `frame`
    stands before the rows, between two of them and after them. `document` writes all rows as one
    text, and `members` as the files of a ZIP, `(name, content)` each, where a row by itself says
    too little.
    """

    key: str
    title: str
    convert: Convert
    help: str = ""
    columns: tuple[Column, ...] = ()
    policies: frozenset[Policy] = frozenset({Policy.MAJORITY, Policy.ALL})
    suffix: str = ".jsonl"
    encode: Callable[[ExportRow], bytes] = line
    frame: tuple[bytes, bytes, bytes] = (b"", b"", b"")
    document: Document | None = None
    members: Members | None = None

    @property
    def media(self) -> str:
        """The media type of the file."""
        return MEDIA.get(self.suffix, "text/plain")

    @property
    def stateful(self) -> bool:
        """Whether the file can only be written in one go, since it knows of all its rows."""
        return self.document is not None or self.members is not None

    def file(self, records: Iterable[Record], policy: str, counts: Counts) -> Iterator[bytes]:
        """The bytes of the file, piece by piece; otherwise as `rows`."""
        rows = self.rows(records, policy, counts)
        if self.members is not None:
            return zipped(self.members(rows))
        return self.document(rows) if self.document is not None else self._framed(rows)

    def _framed(self, rows: Iterable[ExportRow]) -> Iterator[bytes]:
        before, between, after = self.frame
        yield before
        for number, row in enumerate(rows):
            yield (between if number else b"") + self.encode(row)
        yield after

    def rows(self, records: Iterable[Record], policy: str, counts: Counts) -> Iterator[ExportRow]:
        """The rows, one after another in constant memory; `counts` is complete at the end.

        Raises PolicyUnavailable at once, before a record is read.
        """
        return self._counted(records, self.policy(policy), counts)

    def policy(self, wanted: str) -> Policy:
        """The policy of this name, or a refusal that says which ones there are."""
        offered = ", ".join(sorted({*self.policies, Policy.MODEL}))
        if wanted not in self.policies and wanted != Policy.MODEL:
            raise PolicyUnavailable(
                f"“{self.title}” cannot follow the policy “{wanted}”. Choose {offered}."
            )
        return Policy(wanted)

    def _counted(
        self, records: Iterable[Record], policy: Policy, counts: Counts
    ) -> Iterator[ExportRow]:
        for row in self.convert(records, Policy.ALL if policy is Policy.MODEL else policy, counts):
            counts.rows += 1
            yield row


def catalogue(*exporters: Exporter) -> Mapping[str, Exporter]:
    return {exporter.key: exporter for exporter in exporters}
