"""What a check found: findings with their places, counts, and whether the export is what it was."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

FINDINGS_KEPT = 1_000


class Kind(StrEnum):
    """What is told of a line, an event or a file."""

    ALTERED = "altered"
    MISSING = "missing"
    ADDED = "added"
    REORDERED = "reordered"
    UNSIGNED = "unsigned"
    ERASED = "erased"
    UNPROVEN = "unproven"


# What is no fault of a file: a person was erased, or work came before there were commitments.
HARMLESS = frozenset({Kind.ERASED, Kind.UNPROVEN})


class CannotCheck(Exception):
    """There is nothing to check against, or it cannot be read; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. line: counted from 1, of the file, or the number of an event; None where it
    is about the whole file."""

    kind: Kind
    file: str
    says: str
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"kind": self.kind, "file": self.file, "line": self.line, "says": self.says}


@dataclass(slots=True)
class Report:
    """What was found. findings: the first of them, `counts` has all by kind; rows, events: how
    many were looked at; opened: hand-ins whose commitment fits the row; signed_by: the key that
    signed; trusted: whether that key was given by whoever asked; chain_holds: whether nothing is
    wrong with the chain of events; heads, heads_signed: heads of days in the chain, and those whose
    signature could be checked with a key that was given."""

    findings: list[Finding] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    statement: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    events: int = 0
    opened: int = 0
    verdicts: int = 0
    heads: int = 0
    heads_signed: int = 0
    signed_by: str | None = None
    trusted: bool = False
    chain_holds: bool = True

    @property
    def ok(self) -> bool:
        """Whether nothing was altered, taken out, added, moved, or signed by another."""
        return not any(count for kind, count in self.counts.items() if kind not in HARMLESS)

    @property
    def lines(self) -> list[Finding]:
        """The findings that are about one line or event each."""
        return [each for each in self.findings if each.line is not None]

    def add(self, kind: Kind, file: str, says: str, line: int | None = None) -> None:
        """Take a finding; what comes after the first thousand is counted only."""
        self.counts[kind] += 1
        if len(self.findings) < FINDINGS_KEPT:
            self.findings.append(Finding(kind, file, says, line))

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "ok": self.ok,
            "counts": {kind.value: self.counts[kind] for kind in Kind if self.counts[kind]},
            "findings": [each.as_json() for each in self.findings],
            "notes": self.notes,
            "rows": self.rows,
            "events": self.events,
            "commitments_opened": self.opened,
            "verdicts_opened": self.verdicts,
            "day_heads": self.heads,
            "day_heads_signed": self.heads_signed,
            "signed_by": self.signed_by,
            "key_trusted": self.trusted,
            "statement": self.statement,
        }
