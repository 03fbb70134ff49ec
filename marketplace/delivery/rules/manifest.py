"""What became of what an export read, added up over its parts, and the manifest of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marketplace.tasktypes import Counts

VERSION = 1


@dataclass(slots=True)
class Tally:
    """What was read and written. judgements: read, or items under the policy `model`;
    labelled_by: whose word the labels are; changes: items that are new, changed or withdrawn."""

    counts: Counts = field(default_factory=Counts)
    judgements: int = 0
    labelled_by: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """To be kept with a part; `read` reads it."""
        return {
            "counts": self.counts.as_json(),
            "judgements": self.judgements,
            "labelled_by": dict(self.labelled_by),
            "changes": dict(self.changes),
        }

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Tally:
        """What `as_json` told."""
        told = kept["counts"]
        counts = Counts(
            read=told["read"],
            kept=told["kept"],
            rows=told["rows"],
            dropped=Counter(told["dropped"]),
            noted=Counter(told["noted"]),
        )
        return cls(
            counts, kept["judgements"], Counter(kept["labelled_by"]), Counter(kept["changes"])
        )

    def add(self, other: Tally) -> None:
        """Count what another part counted."""
        self.counts.add(other.counts)
        self.judgements += other.judgements
        self.labelled_by.update(other.labelled_by)
        self.changes.update(other.changes)

    def told(self) -> dict[str, Any]:
        """For the manifest and the page: sums, reasons in their order."""
        found = self.counts.as_json()
        for name in ("labelled_by", "changes"):
            several: Counter[str] = getattr(self, name)
            if several:
                found[name] = dict(sorted(several.items()))
        return found


def added_up(parts: Iterable[Mapping[str, Any]]) -> Tally:
    """The sum of what parts kept."""
    whole = Tally()
    for part in parts:
        whole.add(Tally.read(part))
    return whole


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A file of an export: its name, its size in bytes, its SHA-256 as text."""

    name: str
    bytes: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "bytes": self.bytes, "sha256": self.sha256}


def manifest(
    asked: Mapping[str, Any], files: Sequence[MemberFile], tally: Tally, checks: Mapping[str, Any]
) -> dict[str, Any]:
    """What an export is and holds: as it was asked for, its files (its own first), what was read,
    kept and left out, and the sums of the database that it was compared with."""
    return {
        "version": VERSION,
        **asked,
        "rows": tally.counts.rows,
        "judgements": tally.judgements,
        "counts": tally.told(),
        "files": [each.as_json() for each in files],
        "checks": dict(checks),
    }
