"""Exports: records in, rows out, every dropped record counted with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import orjson

from marketplace.errors import Refused
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
    rankings, claims for fact checks); kept: units that gave rows; rows: rows written.
    """

    read: int = 0
    kept: int = 0
    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def ties(self) -> int:
        return self.dropped["tie"]

    @property
    def both_bad(self) -> int:
        return self.dropped["both_bad"]

    def keep(self) -> None:
        self.read += 1
        self.kept += 1

    def drop(self, reason: str) -> None:
        self.read += 1
        self.dropped[reason] += 1

    def as_json(self) -> dict[str, Any]:
        """For manifests and data cards."""
        return {
            "read": self.read,
            "kept": self.kept,
            "rows": self.rows,
            "ties": self.ties,
            "both_bad": self.both_bad,
            "dropped": {reason: self.dropped[reason] for reason in sorted(self.dropped)},
        }


Convert: TypeAlias = Callable[[Iterable[Record], Policy, Counts], Iterator[ExportRow]]


def line(row: ExportRow) -> bytes:
    """One line of JSONL: keys sorted, UTF-8, floats in their shortest form, ended by LF.

    The same row always gives the same bytes.
    """
    return orjson.dumps(row, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """One export format of one task type.

    `convert` is a pure generator; it keeps or drops every unit it reads in the counts. `encode`
    makes the bytes of one row; a line of JSONL unless the format is a text of its own. `frame`
    stands before the rows, between two of them and after them, where the file is one document.
    """

    key: str
    title: str
    convert: Convert
    policies: frozenset[Policy] = frozenset({Policy.MAJORITY, Policy.ALL})
    suffix: str = ".jsonl"
    encode: Callable[[ExportRow], bytes] = line
    frame: tuple[bytes, bytes, bytes] = (b"", b"", b"")

    def file(self, records: Iterable[Record], policy: str, counts: Counts) -> Iterator[bytes]:
        """The bytes of the file, piece by piece; otherwise as `rows`."""
        before, between, after = self.frame
        yield before
        for number, row in enumerate(self.rows(records, policy, counts)):
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
