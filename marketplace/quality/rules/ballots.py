"""From judgements to votes: which question each unit answers, and its labels as text; pure."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum

import orjson

from marketplace.quality.rules import matching
from marketplace.tasktypes import Json, Scale, ScaleKind, TaskType, scales

# More labels than that of one question are words, not classes: nobody's confusion of them is known.
LABELS_MAX = 40
# Marks of one task that are matched; a text with more is compared by its reviewers.
MARKS_MAX = 400
ABSENT = "absent"
_PLACES = ("first", "second")


class AuthorKind(StrEnum):
    """Whether a person or a model gave a label."""

    HUMAN = "human"
    MODEL = "model"


class Scheme:
    """How the judgements of one type under one template become votes.

    A question is a unit as its scale names it: `choice`, or `steps.*` for all units that begin so.
    """

    def __init__(self, kind: TaskType, template: Json) -> None:
        self._kind = kind
        self._template = template
        self._scales = kind.scales_of(template)
        self._silences = any(scale.silence is not None for scale in self._scales.values())
        self._known: dict[str, tuple[str, Scale]] = {}

    def ballots(self, judgements: Sequence[Json]) -> list[dict[str, str]]:
        """What each author of one task says of each unit that can be voted on, in their order.

        What people mark in places of their own choosing is matched first; who marked nothing where
        somebody else did votes `ABSENT` there.
        """
        given = [self._kind.units(each) for each in judgements]
        if self._silences:
            given = scales.filled(self._scales, given)
        found = [
            {
                unit: self._vote(unit, label)
                for unit, label in ballot.items()
                if self.scale(unit).voted
            }
            for ballot in given
        ]
        if self.matches:
            self._match(judgements, found)
        return found

    @property
    def apart(self) -> bool:
        """Whether each author's ballot is read from their own judgement, whatever others say."""
        return not self._silences and not self.matches

    @property
    def converses(self) -> bool:
        """Whether judgements hold a conversation, whose replies name who wrote them."""
        return self._kind.conversation is not None

    @functools.cached_property
    def matches(self) -> bool:
        """Whether people mark places, so that units get their names by what was marked so far."""
        return any(scale.kind in scales.MATCHED for scale in self._scales.values())

    def _match(self, judgements: Sequence[Json], found: Sequence[dict[str, str]]) -> None:
        marks = {at: self._kind.marks(self._template, each) for at, each in enumerate(judgements)}
        if sum(map(len, marks.values())) > MARKS_MAX:
            return
        asked = list(marks)
        for unit in matching.units_of(marks):
            place = matching.middle_of(list(unit.marks.values())).place
            name = f"{unit.group}.{place_name(place)}"
            while name in found[0]:
                name += "+"  # Two things in one place.
            for at, label in unit.labels(asked, ABSENT).items():
                found[int(str(at))][name] = said(label)

    def questions(self) -> list[str]:
        """The questions of the type, as its scales name them."""
        return list(self._scales)

    def question(self, unit: str) -> str:
        """The question that a unit answers."""
        return self._of(unit)[0]

    def scale(self, unit: str) -> Scale:
        """The scale of a unit."""
        return self._of(unit)[1]

    def values(self, question: str) -> tuple[str, ...] | None:
        """Every vote there may be on a question, in its order; None where they are open."""
        scale = self._scales.get(question, scales.NOMINAL)
        if scale.kind is ScaleKind.RANKING:
            return (*_PLACES, "tie")
        if scale.values is None:
            return None
        absent = (ABSENT,) if scale.kind in scales.MATCHED else ()
        return (*(said(label) for label in (*scale.values, *scale.apart)), *absent)

    def shown(self, unit: str, votes: Sequence[str]) -> list[str]:
        """Votes as people read them: of a ranked pair, the names of its two responses."""
        if self.scale(unit).kind is not ScaleKind.RANKING:
            return list(votes)
        names = dict(zip(_PLACES, unit.split("|", 1), strict=False))
        return [names.get(vote, vote) for vote in votes]

    def _vote(self, unit: str, label: Hashable) -> str:
        if self.scale(unit).kind is not ScaleKind.RANKING:
            return said(label)
        names = unit.split("|", 1)
        return _PLACES[names.index(str(label))] if label in names else said(label)

    def _of(self, unit: str) -> tuple[str, Scale]:
        known = self._known.get(unit)
        if known is None:
            fitting = [pattern for pattern in self._scales if scales.fits(unit, pattern)]
            # A whole name goes before a beginning, a longer beginning before a shorter one.
            best = max(fitting, key=lambda each: (not each.endswith("*"), len(each)), default=None)
            known = (best or unit, self._scales[best] if best else scales.NOMINAL)
            self._known[unit] = known
        return known


def place_name(place: object) -> str:
    """A place as a part of a unit's name: `12-40` of an extent, its numbers of a region."""
    if isinstance(place, tuple):
        return "-".join(str(round(each)) for each in place)
    region = place if isinstance(place, dict) else {}
    if "box" in region:
        return "-".join(str(round(each)) for each in region["box"])
    return "-".join(str(round(each)) for point in region.get("points", []) for each in point[:2])


def said(label: Hashable) -> str:
    """A label as text: words as they are, all else as JSON."""
    return label if isinstance(label, str) else orjson.dumps(label).decode()


def labels_of(scheme: Scheme, question: str, seen: Mapping[str, int]) -> list[str] | None:
    """The labels of a question in a fixed order: its scale's, then others as they are spelled.

    None where there are too many to be classes.
    """
    named = scheme.values(question) or ()
    found = [*named, *sorted(seen.keys() - set(named))]
    return found if len(found) <= LABELS_MAX else None
