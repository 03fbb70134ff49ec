"""From what models and specialists said of items to verdicts on each item; pure.

Each question of the task type (`choice`, `ratings.*`) is fitted by itself; an item is as sure as
the least sure of its units.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.ballots import Scheme, labels_of
from marketplace.quality.rules.crowd import UNKNOWN, Labels
from marketplace.quality.rules.joint import Joint, Said, joint
from marketplace.tasktypes import Json

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Voice:
    """One author's judgement of an item. author: `model@version`, or a person's id; stated: how
    sure a model says to be, 0..1."""

    author: str
    is_human: bool
    judgement: Json
    stated: float | None = None


@dataclass(eq=False)
class _Votes:
    """What was said on one question, as it comes in."""

    items: array[int] = field(default_factory=lambda: array("i"))
    units: list[str] = field(default_factory=list)
    gold: list[str | None] = field(default_factory=list)
    tasks: array[int] = field(default_factory=lambda: array("i"))
    authors: array[int] = field(default_factory=lambda: array("i"))
    labels: list[str] = field(default_factory=list)
    stated: array[float] = field(default_factory=lambda: array("d"))


@dataclass(frozen=True, eq=False)
class Question:
    """One question with its tasks (an item and a unit each), what was said, and what is believed.

    items: int32[T], the number of each task's item; units: their names; labels: what may be said;
    humans, models: int32[T], how many spoke.
    """

    name: str
    labels: list[str]
    items: Ints
    units: list[str]
    humans: Ints
    models: Ints
    believed: Joint

    @property
    def judged(self) -> npt.NDArray[np.bool_]:
        """Which tasks specialists spoke of."""
        return np.asarray(self.humans > 0)

    @property
    def agrees(self) -> npt.NDArray[np.bool_]:
        """Where models by themselves say what is believed with specialists."""
        alone = self.believed.alone.argmax(axis=1) == self.believed.together.argmax(axis=1)
        return np.asarray(alone & (self.models > 0))


class Collector:
    """Takes items one after another, numbered from 0 as they come."""

    def __init__(self, scheme: Scheme) -> None:
        self.item_count = 0
        self._scheme = scheme
        self._votes: dict[str, _Votes] = {}
        self._authors: dict[str, int] = {}
        self._humans: list[bool] = []

    def add(self, voices: Sequence[Voice], gold: Json | None = None) -> None:
        """The next item, with what was said of it and the known truth, if any."""
        item, self.item_count = self.item_count, self.item_count + 1
        judged = [voice.judgement for voice in voices] + ([gold] if gold is not None else [])
        ballots = self._scheme.ballots(judged)
        known = ballots.pop() if gold is not None else {}
        places: dict[str, int] = {}
        for voice, ballot in zip(voices, ballots, strict=True):
            author = self._author(voice)
            for unit, label in ballot.items():
                votes = self._of(unit)
                if unit not in places:
                    places[unit] = len(votes.units)
                    votes.items.append(item)
                    votes.units.append(unit)
                    votes.gold.append(known.get(unit))
                votes.tasks.append(places[unit])
                votes.authors.append(author)
                votes.labels.append(label)
                votes.stated.append(np.nan if voice.stated is None else voice.stated)

    def _author(self, voice: Voice) -> int:
        number = self._authors.setdefault(voice.author, len(self._authors))
        if number == len(self._humans):
            self._humans.append(voice.is_human)
        return number

    def _of(self, unit: str) -> _Votes:
        return self._votes.setdefault(self._scheme.question(unit), _Votes())

    def questions(self, weights: Floats | None = None) -> list[Question]:
        """Every question whose labels are classes, fitted; by name. weights: of each item, how
        many it stands for where specialists judged it."""
        found = [self._fitted(name, self._votes[name], weights) for name in sorted(self._votes)]
        return [question for question in found if question is not None]

    def _fitted(self, name: str, votes: _Votes, weights: Floats | None) -> Question | None:
        seen = Counter(votes.labels) + Counter(label for label in votes.gold if label is not None)
        labels = labels_of(self._scheme, name, seen)
        if labels is None or len(labels) < 2:
            return None
        number = {label: at for at, label in enumerate(labels)}
        said = Said(
            Labels(
                np.array(votes.tasks, dtype=np.int32),
                np.array(votes.authors, dtype=np.int32),
                np.array([number[label] for label in votes.labels], dtype=np.int32),
                len(votes.units),
                len(self._authors),
                len(labels),
            ),
            np.array(votes.stated, dtype=np.float64),
            np.array(self._humans, dtype=np.bool_),
            None if weights is None else weights[np.array(votes.items, dtype=np.int32)],
        )
        gold = [UNKNOWN if label is None else number[label] for label in votes.gold]
        return Question(
            name,
            labels,
            np.array(votes.items, dtype=np.int32),
            votes.units,
            said.heard_of(humans=True),
            said.heard_of(humans=False),
            joint(said, np.array(gold, dtype=np.int32)),
        )

    def reliabilities(self, question: Question) -> list[tuple[str, float]]:
        """The models of a question, each with its share of right labels as far as is believed."""
        return [
            (author, float(question.believed.reliability[number]))
            for author, number in sorted(self._authors.items())
            if not self._humans[number] and np.isfinite(question.believed.reliability[number])
        ]


def confidence_of(questions: Sequence[Question], item_count: int) -> Floats:
    """How sure models are of each item by themselves: of its least sure unit; 0 where no model
    spoke of it."""
    lowest = np.full(item_count, np.inf)
    for question in questions:
        sure = np.where(question.models > 0, question.believed.alone.max(axis=1), 0.0)
        np.minimum.at(lowest, question.items, sure)
    return np.where(np.isfinite(lowest), lowest, 0.0)


def right_of(questions: Sequence[Question], item_count: int) -> Floats:
    """1 where specialists bear models out in every unit of an item that they spoke of, 0 where
    not, NaN where none spoke of it."""
    lowest = np.full(item_count, np.inf)
    for question in questions:
        judged = question.judged
        np.minimum.at(lowest, question.items[judged], question.agrees[judged].astype(np.float64))
    return np.where(np.isfinite(lowest), lowest, np.nan)
