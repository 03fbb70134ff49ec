"""A whole job's votes on one question, and what they say together; pure.

A poll takes votes in as they are read and holds them as whole numbers; nothing but its names is
kept as objects. `fitted` gives posteriors, authors, and what fewer judgements would have given.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules import categorical, estimates, ordinal
from marketplace.quality.rules.ballots import AuthorKind, Scheme, labels_of
from marketplace.quality.rules.believing import REVIEW_ACCURACY
from marketplace.quality.rules.categorical import Fit, Settings, pool
from marketplace.quality.rules.categorical.prior import Floats
from marketplace.quality.rules.crowd import UNKNOWN, Labels
from marketplace.quality.rules.estimates import Chosen, Measured

Author = tuple[AuthorKind, str]
Ints = npt.NDArray[np.int32]
# A task is asked of few; a curve of more points than that says nothing more.
CURVE_MAX = 20
TINY = 1e-12
# Votes above which the slowest model is left out, and above which one alone must do.
QUICK_FROM = 10_000
ONE_MODEL_FROM = 200_000
# What agreement with others counts beside a verdict of somebody who looked.
CONSENSUS = 0.5


@dataclass(slots=True)
class Poll:
    """The votes on one question: in columns, with the names of what their numbers stand for.

    cases: the units of tasks that were voted on; gold: the label that is known to be true of some;
    reviewed: (case, label) of answers that a person accepted.
    """

    question: str
    cases: dict[tuple[UUID, str], int] = field(default_factory=dict)
    authors: dict[Author, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    case: array[int] = field(default_factory=lambda: array("i"))
    author: array[int] = field(default_factory=lambda: array("i"))
    label: array[int] = field(default_factory=lambda: array("i"))
    gold: dict[int, str] = field(default_factory=dict)
    reviewed: list[tuple[int, int]] = field(default_factory=list)

    def add(
        self, task_id: UUID, unit: str, author: Author, label: str, *, accepted: bool = False
    ) -> None:
        """Take in a vote; votes of people in the order in which they came."""
        case = self.cases.setdefault((task_id, unit), len(self.cases))
        said = self.seen.setdefault(label, len(self.seen))
        self.case.append(case)
        self.author.append(self.authors.setdefault(author, len(self.authors)))
        self.label.append(said)
        if accepted:
            self.reviewed.append((case, said))

    def know(self, task_id: UUID, unit: str, label: str) -> None:
        """Take in what gold says of a unit that somebody voted on."""
        case = self.cases.get((task_id, unit))
        if case is not None:
            self.seen.setdefault(label, len(self.seen))
            self.gold[case] = label


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a poll says. labels: the K labels in order; T cases and A authors as the poll has them.

    posterior: float64[T, K], of the fit and of what reviews say besides.
    humans, models: int32[T], votes on each case; curve: `[judgements, confidence, accuracy]` of 1,
    2, … judgements a case, accuracy only where gold tells; consensus: by author who is a person,
    the agreement with what others say, what it counts for, and on how many pieces of work.
    measured: what they say as numbers, where the question asks for one; best: int[T], the place of
    the label that stands; own: by case, the labels of units where any number is allowed.
    Numbers too many to be classes have no `fit`, no `labels` and no `best`.
    """

    labels: list[str]
    posterior: Floats
    fit: Fit | None
    humans: Ints
    models: Ints
    gold: Ints
    curve: list[list[float | None]]
    consensus: dict[str, tuple[float, float, int]]
    measured: Measured | None = None
    best: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    own: Mapping[int, Chosen] = field(default_factory=dict)


def fitted(poll: Poll, scheme: Scheme) -> Fitted | None:
    """The fit of a poll; None where its labels are too many to be classes, and no numbers."""
    if not poll.case:
        return None
    labels = labels_of(scheme, poll.question, poll.seen)
    numbers = estimates.numbers_of(scheme, poll.question, list(poll.seen))
    if labels is None and not numbers:
        return None
    found = _unclassed(poll) if labels is None else _classed(poll, labels)
    return _with_numbers(found, poll, scheme, numbers) if numbers else found


def _unclassed(poll: Poll) -> Fitted:
    """A poll without any fit of classes."""
    people = np.array([kind is AuthorKind.HUMAN for kind, _ in poll.authors])
    cases = np.array(poll.case, dtype=np.int32)
    by_people = people[np.array(poll.author, dtype=np.int32)]
    gold = np.full(len(poll.cases), UNKNOWN, dtype=np.int32)
    gold[list(poll.gold)] = 0
    return Fitted(
        labels=[],
        posterior=np.zeros((len(gold), 0)),
        fit=None,
        humans=np.bincount(cases[by_people], minlength=len(gold)).astype(np.int32),
        models=np.bincount(cases[~by_people], minlength=len(gold)).astype(np.int32),
        gold=gold,
        curve=[],
        consensus={},
    )


def _with_numbers(
    found: Fitted, poll: Poll, scheme: Scheme, numbers: Mapping[str, float]
) -> Fitted:
    """The estimates of a poll that asks for numbers, and the legal labels beside them."""
    scale = scheme.scale(poll.question)
    placed = np.array([numbers.get(text, np.nan) for text in poll.seen])
    values = placed[np.array(poll.label, dtype=np.int32)]
    rows = np.flatnonzero(np.isfinite(values))
    cases = np.array(poll.case, dtype=np.int32)[rows]
    authors = np.array(poll.author, dtype=np.int32)[rows]
    scores = ordinal.Scores(
        cases,
        authors,
        values[rows],
        len(poll.cases),
        len(poll.authors),
        estimates.newcomer_noise(scale, values[rows]),
    )
    gold = np.full(len(poll.cases), np.nan)
    for case, label in poll.gold.items():
        gold[case] = numbers.get(label, np.nan)
    told = list(numbers.values())
    ends = (min(told), max(told)) if scale.values is not None else (-np.inf, np.inf)
    measured = estimates.measured(scores, gold, ends=ends)
    value, error = measured.found.value, measured.error
    if scale.values is None:
        own = _own(poll, rows, numbers, measured)
        return replace(found, measured=measured, own=own)
    posterior, best = estimates.over_scale(found.labels, numbers, found.posterior, value, error)
    return replace(found, measured=measured, posterior=posterior, best=best)


def _own(
    poll: Poll, rows: npt.NDArray[np.int64], numbers: Mapping[str, float], measured: Measured
) -> dict[int, Chosen]:
    seen = list(poll.seen)
    given: dict[int, dict[str, float]] = {}
    for row in rows.tolist():
        text = seen[poll.label[row]]
        given.setdefault(poll.case[row], {})[text] = numbers[text]
    for case, text in poll.gold.items():
        if text in numbers:
            given.setdefault(case, {})[text] = numbers[text]
    value, error = measured.found.value, measured.error
    return {
        case: estimates.among_given(each, float(value[case]), float(error[case]))
        for case, each in given.items()
    }


def _classed(poll: Poll, labels: list[str]) -> Fitted:
    """The fit of a poll whose labels are classes."""
    place = {label: at for at, label in enumerate(labels)}
    order = np.array([place[label] for label in poll.seen], dtype=np.int32)
    columns = Labels(
        np.array(poll.case, dtype=np.int32),
        np.array(poll.author, dtype=np.int32),
        order[np.array(poll.label, dtype=np.int32)],
        len(poll.cases),
        len(poll.authors),
        len(labels),
    )
    gold = np.full(len(poll.cases), UNKNOWN, dtype=np.int32)
    for case, label in poll.gold.items():
        gold[case] = place[label]
    people = np.array([kind is AuthorKind.HUMAN for kind, _ in poll.authors])
    reviews = _reviews(poll, order, len(labels))
    fit = categorical.fit(
        columns,
        gold=gold if poll.gold else None,
        groups=np.where(people, 0, 1).astype(np.int32) if not people.all() else None,
        settings=Settings(members=_members(len(columns))),
    )
    by_people = people[columns.authors]
    told = Columns(columns, by_people, fit, reviews)
    posterior = _with_reviews(fit.posterior, reviews, gold)
    return Fitted(
        labels=labels,
        posterior=posterior,
        best=posterior.argmax(1),
        fit=fit,
        humans=np.bincount(columns.tasks[by_people], minlength=len(gold)).astype(np.int32),
        models=np.bincount(columns.tasks[~by_people], minlength=len(gold)).astype(np.int32),
        gold=gold,
        curve=_curve(told, gold),
        consensus=_consensus(told, poll, gold),
    )


def _members(votes: int) -> tuple[str, ...]:
    """The models that a job of this size is fitted by: it is fitted again and again."""
    if votes > ONE_MODEL_FROM:
        return (pool.DAWID_SKENE,)
    if votes > QUICK_FROM:
        return tuple(name for name in pool.MEMBERS if name != pool.ABILITIES)
    return pool.MEMBERS


def _reviews(poll: Poll, order: Ints, k: int) -> Floats | None:
    """What reviews say, as logarithms: strong, not infallible (Raykar et al. 2010)."""
    if not poll.reviewed or k < 2:
        return None
    found = np.zeros((len(poll.cases), k))
    cases, labels = np.array(poll.reviewed, dtype=np.int64).T
    weight = np.log(REVIEW_ACCURACY * (k - 1) / (1 - REVIEW_ACCURACY))
    np.add.at(found, (cases, order[labels]), weight)
    return found


def _with_reviews(posterior: Floats, reviews: Floats | None, gold: Ints) -> Floats:
    if reviews is None:
        return posterior
    told = np.flatnonzero((reviews != 0).any(1) & (gold == UNKNOWN))
    found = posterior.copy()
    found[told] = _softmax(np.log(np.maximum(posterior[told], TINY)) + reviews[told])
    return found


class Columns:
    """Votes with what each says for every class, under a fit's confusions."""

    def __init__(
        self, votes: Labels, by_people: npt.NDArray[np.bool_], fit: Fit, evidence: Floats | None
    ) -> None:
        self.votes = votes
        self.by_people = by_people
        self.reliability = fit.reliability
        confusion = np.log(np.maximum(fit.confusion.astype(np.float64), TINY))
        self.says: Floats = confusion[votes.authors, :, votes.labels]
        self.start = np.log(np.maximum(fit.prior, TINY))[None].repeat(votes.task_count, 0)
        if evidence is not None:
            self.start = self.start + evidence

    def turns(self) -> Ints:
        """Which judgement of its case each vote of a person was, from 1; 0 for models."""
        found = np.zeros(len(self.votes), dtype=np.int32)
        rows = np.flatnonzero(self.by_people)
        ordered = rows[np.argsort(self.votes.tasks[rows], kind="stable")]
        cases = self.votes.tasks[ordered]
        first = np.r_[0, np.flatnonzero(np.diff(cases)) + 1]
        starts = np.repeat(first, np.diff(np.r_[first, len(cases)])) if len(cases) else first[:0]
        found[ordered] = np.arange(len(cases)) - starts + 1
        return found


def _curve(told: Columns, gold: Ints) -> list[list[float | None]]:
    """What 1, 2, … judgements a case would have given, under what is known of authors now."""
    turns = told.turns()
    most = int(turns.max(initial=0))
    score = told.start.copy()
    known = np.flatnonzero(gold != UNKNOWN)
    found: list[list[float | None]] = []
    bought = 0
    for turn in range(min(most, CURVE_MAX) + 1):
        rows = np.flatnonzero(turns == turn)
        np.add.at(score, told.votes.tasks[rows], told.says[rows])
        if turn == 0:
            continue  # What models and reviews said stands before any judgement.
        bought += len(rows)
        chances = _softmax(score)
        right = float((chances[known].argmax(1) == gold[known]).mean()) if len(known) else None
        found.append([bought, float(chances.max(1).mean()), right])
    return found


def _consensus(told: Columns, poll: Poll, gold: Ints) -> dict[str, tuple[float, float, int]]:
    """How reliable each person is, as far as others of the same cases can tell.

    A vote counts as much as the others are sure without it, and not at all where gold or a review
    judged it, since they teach by themselves. The reliability is the fit's own: plain agreement
    with others who err too would make everybody look worse than they are.
    """
    k = told.votes.label_count
    tasks, authors = told.votes.tasks, told.votes.authors
    others = np.bincount(tasks, minlength=told.votes.task_count)[tasks] - 1
    judged = gold != UNKNOWN
    judged[[case for case, _ in poll.reviewed]] = True
    rows = np.flatnonzero(told.by_people & (others >= 2) & ~judged[tasks])
    if not len(rows) or k < 2:
        return {}
    score = told.start.copy()
    np.add.at(score, tasks, told.says)
    chances = _softmax(score[tasks[rows]] - told.says[rows])
    sure = (chances.max(1) - 1 / k) / (1 - 1 / k)
    size = len(poll.authors)
    weight = np.bincount(authors[rows], sure, size)
    pieces = np.bincount(authors[rows], minlength=size)
    return {
        name: (float(told.reliability[at]), CONSENSUS * float(weight[at]), int(pieces[at]))
        for (_, name), at in poll.authors.items()
        if weight[at] > TINY
    }


def _softmax(score: Floats) -> Floats:
    chances = np.exp(score - score.max(1, keepdims=True))
    found: Floats = chances / chances.sum(1, keepdims=True)
    return found
