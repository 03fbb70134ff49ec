"""Scales: what kind of answer a unit takes, so that statistics need know no type by name.

A type names its units by patterns: a whole name (`choice`), or a beginning and a star
(`ratings.*`). The longest pattern that fits a unit is the one that holds.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeGuard

from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.votes import Units


class ScaleKind(StrEnum):
    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    PAIRWISE = "pairwise"
    """Which of two (or a tie): voted on within a task, and a comparison of two slots."""
    RANKING = "ranking"
    """One pair out of a ranking; the unit is named `first|second`, its labels by these names."""
    SPANS = "spans"
    REGIONS = "regions"
    """Spans and regions: places that people chose themselves, to be matched before a vote."""
    STEPS = "steps"
    """One step of a run, or which step it was."""
    TEXT = "text"
    """Free text: reviewed, not voted on."""
    NONE = "none"


MEASURED = frozenset({ScaleKind.ORDINAL, ScaleKind.INTERVAL, ScaleKind.STEPS})
MATCHED = frozenset({ScaleKind.SPANS, ScaleKind.REGIONS})


@dataclass(frozen=True, slots=True)
class Scale:
    """What labels a unit may have.

    values: every label there is, from the lowest to the highest where they rise; None where the
    labels are open. apart: labels that stand beside the scale, such as `na`. silence: what an
    author means who leaves the unit out where somebody else named it; None where that means
    nothing. heard_by: patterns of units of which an author must have named one before silence
    counts as an answer; none asks for nothing.
    """

    kind: ScaleKind
    values: tuple[Hashable, ...] | None = None
    apart: tuple[Hashable, ...] = ()
    silence: Hashable | None = None
    heard_by: tuple[str, ...] = ()

    @property
    def level(self) -> str | None:
        """The level of measurement for agreement: nominal, ordinal, interval, or None for text."""
        if self.kind in (ScaleKind.TEXT, ScaleKind.NONE):
            return None
        if self.kind is ScaleKind.INTERVAL:
            return "interval"
        rises = self.kind in MEASURED and self.values is not None
        return "ordinal" if rises else "nominal"

    @property
    def voted(self) -> bool:
        """Whether labels of equally named units can be counted as votes as they stand."""
        return self.kind not in MATCHED and self.level is not None

    @property
    def numeric(self) -> bool:
        """Whether labels are numbers on a scale, so that a mean of them says something."""
        if self.kind not in (ScaleKind.ORDINAL, ScaleKind.INTERVAL):
            return False
        return all(is_number(value) for value in self.values or ())

    def number(self, label: Hashable) -> float | None:
        """Where a label lies on a scale that rises; None beside it, and on any other scale.

        Words stand at their places, counted from 0; numbers for themselves.
        """
        if self.level not in ("ordinal", "interval") or label in self.apart:
            return None
        if is_number(label):
            return float(label)
        if self.values is not None and label in self.values:
            return float(self.values.index(label))
        return None


def is_number(label: object) -> TypeGuard[int | float]:
    return isinstance(label, int | float) and not isinstance(label, bool)


Scales: TypeAlias = Mapping[str, Scale]
NOMINAL = Scale(ScaleKind.NOMINAL)
FLAG = Scale(ScaleKind.NOMINAL, (False, True))
TEXT = Scale(ScaleKind.TEXT)


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that a judgement marks in a place of its own choosing.

    group: only marks of one group may be the same thing (`spans`, `claims`). name: what it is
    called in its judgement. place: an extent `(start, end)`, or a region with `kind` and `box` or
    `points` as the type regions has them. least: how much of what both cover two extents or shapes
    must share, 0..1. reach: how far apart two points may lie.
    """

    group: str
    name: str
    label: Hashable
    place: tuple[int, int] | Json
    least: float = 0.5
    reach: float = 10.0


def nominal(*values: Hashable) -> Scale:
    return Scale(ScaleKind.NOMINAL, values)


def ordinal(*values: Hashable, apart: tuple[Hashable, ...] = ()) -> Scale:
    """values: from the lowest to the highest."""
    return Scale(ScaleKind.ORDINAL, values, apart)


def points_of(scale: Json, *, apart: tuple[Hashable, ...] = ()) -> Scale:
    """The scale of a template's `{"min": 1, "max": 5}`."""
    return ordinal(*range(int(scale["min"]), int(scale["max"]) + 1), apart=apart)


def ratings(aspects: Iterable[Json]) -> dict[str, Scale]:
    """The scales of aspects that are scored, `ratings.<key>`, with `na` beside them."""
    return {
        f"ratings.{each['key']}": points_of(
            each["scale"], apart=("na",) if each.get("allow_na") else ()
        )
        for each in aspects
    }


def of_schema(schema: Json) -> Scales:
    """The scales that the schema of a judgement gives away, for a type that names none."""
    return {name: _of_field(field) for name, field in schema.get("properties", {}).items()}


def _of_field(field: Json) -> Scale:
    if "enum" in field:
        return nominal(*field["enum"])
    kind = field.get("type")
    if kind == "boolean":
        return FLAG
    if kind == "integer" and field.get("maximum", 10**9) - field.get("minimum", 0) <= 100:
        return ordinal(*range(field.get("minimum", 0), field["maximum"] + 1))
    if kind in ("integer", "number"):
        return Scale(ScaleKind.INTERVAL)
    return TEXT if kind == "string" else Scale(ScaleKind.NONE)


def found(scales: Scales, unit: str) -> Scale | None:
    """The scale of a unit by the longest pattern that fits it; None where none does."""
    fitting = [pattern for pattern in scales if fits(unit, pattern)]
    return (
        scales[max(fitting, key=lambda each: (not each.endswith("*"), len(each)))]
        if (fitting)
        else None
    )


def fits(unit: str, pattern: str) -> bool:
    return unit.startswith(pattern[:-1]) if pattern.endswith("*") else unit == pattern


def filled(scales: Scales, ballots: Sequence[Units]) -> list[Units]:
    """The ballots of one task, with what silence means written out; in the same order.

    Whoever leaves out a unit that another author named, speaks by it where its scale says how.
    """
    silences = {
        unit: scale
        for unit in sorted({unit for ballot in ballots for unit in ballot})
        if (scale := found(scales, unit)) is not None and scale.silence is not None
    }
    return [
        {
            **ballot,
            **{
                unit: scale.silence
                for unit, scale in silences.items()
                if unit not in ballot and _heard(scale, ballot)
            },
        }
        for ballot in ballots
    ]


def _heard(scale: Scale, ballot: Units) -> bool:
    return not scale.heard_by or any(
        fits(unit, pattern) for unit in ballot for pattern in scale.heard_by
    )
