"""What agreement in a job is measured from, kept up to date item by item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeAlias

from marketplace.quality.rules.agreement import measures
from marketplace.quality.rules.agreement.measures import Level
from marketplace.quality.rules.agreement.rows import DRAWS, Agreement, Rows, key_of

Kind: TypeAlias = tuple[tuple[Hashable, int], ...]


class Tally:
    """Items counted by the labels they received: an item is added, and taken out when it changes.

    An item with another label is `remove(before)` and `add(after)`; both cost the same however
    many items there are. Two tallies of different items can be merged. Items that received equal
    labels share one entry, so that a job's tally stays small: five authors and four labels have
    56 of them.
    """

    def __init__(self, level: Level = "nominal", values: Sequence[Hashable] | None = None) -> None:
        """level: of measurement; values: every label that could be given, for AC1."""
        self.level: Level = level
        self.values = tuple(values) if values is not None else None
        self.kinds: Counter[Kind] = Counter()

    def add(self, row: Sequence[Hashable]) -> None:
        """Counts an item in. row: the labels it received, in any order; an empty one is nothing."""
        if row:
            self.kinds[key_of(row)] += 1

    def remove(self, row: Sequence[Hashable]) -> None:
        """Takes back what `add` counted in; KeyError where no item has these labels."""
        if not row:
            return
        kind = key_of(row)
        if not self.kinds[kind]:
            del self.kinds[kind]
            raise KeyError(kind)
        self.kinds[kind] -= 1
        if not self.kinds[kind]:
            del self.kinds[kind]

    def merge(self, other: Tally) -> None:
        """Counts in all items of another tally of the same level."""
        if other.level != self.level:
            raise ValueError("Tallies of different levels cannot be merged.")
        self.kinds += other.kinds

    def rows(self) -> Rows:
        return Rows.of_kinds(self.kinds)

    def measures(self, *, draws: int = DRAWS) -> dict[str, Agreement]:
        """`alpha` at the tally's level, `ac1`, `fleiss` and `observed`, each with its interval."""
        rows = self.rows()
        return {
            "alpha": measures.alpha(rows, self.level, draws=draws),
            "ac1": measures.ac1(rows, values=self.values, draws=draws),
            "fleiss": measures.fleiss(rows, draws=draws),
            "observed": measures.observed(rows, draws=draws),
        }

    def as_json(self) -> dict[str, Any]:
        """`{"level", "values", "kinds": [[[[label, count], …], times], …]}`; labels as they are."""
        ordered = sorted(self.kinds.items(), key=lambda each: repr(each[0]))
        return {
            "level": self.level,
            "values": None if self.values is None else list(self.values),
            "kinds": [[[list(cell) for cell in kind], times] for kind, times in ordered],
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Tally:
        tally = cls(written["level"], written["values"])
        for cells, times in written["kinds"]:
            tally.kinds[tuple((label, int(count)) for label, count in cells)] = int(times)
        return tally
