"""What is believed of one task after its votes changed, in time that hangs on its votes only; pure.

The statistics are those of `online`; here units, authors and labels have their names.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.special import betaincinv

from marketplace.quality.rules import calibration, estimates, online
from marketplace.quality.rules.ballots import LABELS_MAX, AuthorKind, Scheme, labels_of
from marketplace.quality.rules.calibration import Calibration
from marketplace.quality.rules.categorical.prior import Floats, Prior
from marketplace.quality.rules.crowd import UNKNOWN
from marketplace.quality.rules.ordinal import WITHIN_90

# A task with more units than that (a long run, a long text) waits for the fit.
UNITS_MAX = 40
# A person who accepted an answer is nearly always right about its labels.
REVIEW_ACCURACY = 0.95
TAIL = 0.05


@dataclass(frozen=True, slots=True)
class Vote:
    """One judgement of a task. accepted: whether a person looked at it and accepted it."""

    kind: AuthorKind
    author: str
    judgement: Any
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What the last fit says of a question: its labels in order, what to expect of an author
    unheard of, and how sure a posterior really is."""

    labels: list[str]
    population: Prior
    calibration: Calibration
    fit: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with the bounds that hold 90 %."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Known:
    """What stands before a change.

    authors: expected counts (K by K, row by row) by question, kind, author and only of the fit that
    `questions` names; before: what was believed of each unit, with its labels; noises: of authors
    in questions that ask for a number, biases included.
    """

    questions: Mapping[str, Question] = field(default_factory=dict)
    authors: Mapping[tuple[str, AuthorKind, str], Sequence[float]] = field(default_factory=dict)
    before: Mapping[str, tuple[Sequence[str], Sequence[float]]] = field(default_factory=dict)
    noises: Mapping[tuple[str, AuthorKind, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Belief:
    """What is believed of one unit. labels, probabilities: side by side, in the question's order.

    decided: whether gold says it; population: what to expect of an author unheard of; estimate: of
    a unit that is a number; stands: the place of the legal label nearest to it, else the likeliest.
    """

    unit: str
    question: str
    labels: list[str]
    probabilities: Floats
    humans: int
    models: int
    decided: bool
    fit: int
    population: Prior
    estimate: Estimate | None = None
    stands: int | None = None

    @property
    def confusion(self) -> Floats:
        """Of an author to be expected next, float64[K, K]; rows = truth."""
        return online.Author.unknown(self.population).confusion()

    @property
    def best(self) -> int:
        """The place of the label that stands."""
        return int(self.probabilities.argmax()) if self.stands is None else self.stands

    @property
    def confidence(self) -> float:
        return min(1.0, float(self.probabilities[self.best]))


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a task newly taught of one author: counts to be added, and their reliability then."""

    question: str
    kind: AuthorKind
    author: str
    added: Floats
    n: int
    reliability: float
    lower: float
    upper: float
    fit: int


def believed(
    scheme: Scheme,
    votes: Sequence[Vote],
    known: Known,
    *,
    newest: str | None = None,
    gold: Any = None,
) -> tuple[list[Belief], list[Lesson]]:
    """What is believed of each unit of a task, and what its newest author's labels teach of them.

    newest: a person whose vote has just come, who alone is taught; None teaches nobody. gold: a
    judgement that is known to be true. Nothing where a task has more units than `UNITS_MAX`.
    """
    known_true = [gold] if gold is not None else []
    ballots = scheme.ballots([*(vote.judgement for vote in votes), *known_true])
    truth = ballots.pop() if gold is not None else {}
    by_unit: dict[str, list[tuple[Vote, str]]] = {}
    for vote, ballot in zip(votes, ballots, strict=True):
        for unit, label in ballot.items():
            by_unit.setdefault(unit, []).append((vote, label))
    if len(by_unit) > UNITS_MAX:
        return [], []
    beliefs: list[Belief] = []
    lessons: dict[str, Lesson] = {}
    for unit, given in sorted(by_unit.items()):
        belief, lesson = _unit(scheme, unit, given, known, newest=newest, truth=truth.get(unit))
        if belief is not None:
            beliefs.append(belief)
        if lesson is not None:
            former = lessons.get(lesson.question)
            lessons[lesson.question] = lesson if former is None else _sum(former, lesson)
    return beliefs, list(lessons.values())


def _unit(
    scheme: Scheme,
    unit: str,
    given: Sequence[tuple[Vote, str]],
    known: Known,
    *,
    newest: str | None,
    truth: str | None,
) -> tuple[Belief | None, Lesson | None]:
    name = scheme.question(unit)
    question = known.questions.get(name)
    labels, settled = _labels(scheme, name, question, [label for _, label in given], truth)
    if labels is None:
        return None, None
    prior = question.population if question and settled else _newcomers(len(labels))
    # Their own vote comes last: `online` takes the last for the one that is not counted yet.
    ordered = sorted(given, key=lambda each: each[0].author == newest)
    counts = np.stack([_counts(known, name, vote, len(labels)) for vote, _ in ordered])
    said = np.array([labels.index(label) for _, label in ordered])
    numbers = estimates.numbers_of(scheme, name, labels)
    # What is believed of numbers is no posterior of classes, which alone can be gone on from.
    before = None if numbers else _before(known, unit, scheme.shown(unit, labels))
    taught = newest is not None and ordered[-1][0].author == newest
    counted = None if taught else np.ones(len(ordered), dtype=np.bool_)
    gold = labels.index(truth) if truth is not None else UNKNOWN
    after, then = online.update(counts, said, prior, before, gold, counted=counted)
    # Counts hold calibrated posteriors, as the fit's do.
    if gold == UNKNOWN:
        tuned = question.calibration if question else calibration.DEFAULT
        after = calibration.apply(after[None], tuned, np.array([float(len(ordered))]))[0]
        then[-1] = counts[-1]
        then[-1, :, said[-1]] += after
        after = _reviewed(after, ordered, labels)
    belief = Belief(
        unit=unit,
        question=name,
        labels=scheme.shown(unit, labels),
        probabilities=after,
        humans=sum(vote.kind is AuthorKind.HUMAN for vote, _ in ordered),
        models=sum(vote.kind is AuthorKind.MODEL for vote, _ in ordered),
        decided=gold != UNKNOWN,
        fit=question.fit if question else 0,
        population=prior,
    )
    if numbers:
        belief = _as_number(belief, scheme, numbers, ordered, known, truth=truth)
    if not taught or not settled:
        return belief, None
    return belief, _lesson(belief, ordered[-1][0], counts[-1], then[-1])


def _lesson(belief: Belief, vote: Vote, before: Floats, after: Floats) -> Lesson:
    """What a vote adds to its author's counts, and how far they are relied on from here."""
    known = reliability_of(after, belief.population)
    name, fit = belief.question, belief.fit
    return Lesson(name, vote.kind, vote.author, after - before, 1, *known, fit)


def _as_number(
    belief: Belief,
    scheme: Scheme,
    numbers: Mapping[str, float],
    given: Sequence[tuple[Vote, str]],
    known: Known,
    *,
    truth: str | None,
) -> Belief:
    """The mean of a few scores with its interval; the fit takes biases off where that is better."""
    told = [(vote, numbers[label]) for vote, label in given if label in numbers]
    if truth is not None:
        told = [(vote, numbers[truth]) for vote, _ in told if truth in numbers]
    if not told:
        return belief
    scale = scheme.scale(belief.question)
    values = np.array([number for _, number in told])
    expected = estimates.newcomer_noise(scale, values)
    noises = [
        known.noises.get((belief.question, vote.kind, vote.author), expected) for vote, _ in told
    ]
    value, error = estimates.mean_of(values, np.array(noises))
    error = 0.0 if truth is not None else error
    reach = WITHIN_90 * error
    ends = (-np.inf, np.inf)
    if scale.values is not None:
        ends = (min(numbers.values()), max(numbers.values()))
        chances, best = estimates.over_scale(
            belief.labels,
            numbers,
            belief.probabilities[None],
            np.array([value]),
            np.array([error]),
        )
        labels, place = belief.labels, int(best[0])
    else:
        said = {label for _, label in given} | ({truth} if truth is not None else set())
        own = estimates.among_given({each: numbers[each] for each in said}, value, error)
        labels, chances, place = own.labels, np.array([own.chances]), own.best
    low, high = np.clip([value - reach, value + reach], *ends)
    return replace(
        belief,
        labels=labels,
        probabilities=chances[0],
        stands=place,
        estimate=Estimate(value, float(low), float(high)),
    )


@functools.lru_cache(maxsize=LABELS_MAX)
def _newcomers(k: int) -> Prior:
    return Prior.flat(k)


def _labels(
    scheme: Scheme, name: str, question: Question | None, given: Sequence[str], truth: str | None
) -> tuple[list[str] | None, bool]:
    """The labels of a question, and whether they are those that authors' counts stand in."""
    seen = dict.fromkeys([*given, *([truth] if truth is not None else [])], 1)
    if question is not None and seen.keys() <= set(question.labels):
        return question.labels, True
    labels = labels_of(scheme, name, seen | dict.fromkeys(question.labels if question else (), 1))
    return labels, question is None and labels == list(scheme.values(name) or ())


def _counts(known: Known, name: str, vote: Vote, k: int) -> Floats:
    held = known.authors.get((name, vote.kind, vote.author))
    if held is None or len(held) != k * k:
        return np.zeros((k, k))
    return np.array(held, dtype=np.float64).reshape(k, k)


def _before(known: Known, unit: str, shown: list[str]) -> Floats | None:
    former = known.before.get(unit)
    if former is None or list(former[0]) != shown:
        return None
    return np.array(former[1], dtype=np.float64)


def _reviewed(after: Floats, ordered: Sequence[tuple[Vote, str]], labels: list[str]) -> Floats:
    """A review is a strong author, not an infallible one (Raykar et al. 2010)."""
    wrong = (1 - REVIEW_ACCURACY) / max(1, len(labels) - 1)
    said = [labels.index(label) for vote, label in ordered if vote.accepted]
    if not said or len(labels) < 2:
        return after
    chances = np.log(np.maximum(after, 1e-12))
    for label in said:
        chances[label] += np.log(REVIEW_ACCURACY / wrong)
    chances = np.exp(chances - chances.max())
    found: Floats = chances / chances.sum()
    return found


def reliability_of(counts: Floats, prior: Prior) -> tuple[float, float, float]:
    """An author's share of right labels with the interval that holds 90 %, from their counts."""
    right = float(np.trace(counts)) + prior.accuracy_strength * prior.accuracy
    total = float(counts.sum()) + prior.accuracy_strength
    wrong = max(total - right, 1e-6)
    low, high = betaincinv(right, wrong, np.array([TAIL, 1 - TAIL]))
    return right / total, float(low), float(high)


def _sum(one: Lesson, other: Lesson) -> Lesson:
    """Two units of one question; the later says how reliable their author is then."""
    return Lesson(
        one.question,
        one.kind,
        one.author,
        one.added + other.added,
        one.n + other.n,
        other.reliability,
        other.lower,
        other.upper,
        one.fit,
    )
