"""Collusion: pairs who agree beyond what their skill explains, most of all in errors.

For each task that two judged, the chance of an equal label is worked out from what all the
others and one of the two say, and from the other's confusion; an unlikely agreement weighs more
than a likely one. How near in time the two answered, and how alike their texts are, is measured
beside the tasks they share with nobody in common. Each evidence is standardised by the middle and
the spread over all pairs (as Efron's empirical null, 2004), since honest people too err alike.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr

from marketplace.quality.rules.categorical import Fit
from marketplace.quality.rules.crowd import Labels
from marketplace.quality.rules.integrity.findings import (
    Finding,
    FindingKind,
    Floats,
    false_shares,
)

Longs: TypeAlias = npt.NDArray[np.int64]

SHARED_MIN = 5
FALSE_SHARE = 0.02
# Honest people who err alike look like a pair by labels alone; those must be far less likely.
LABELS_ALONE = 0.01
NEAR_SECONDS = 900.0
CHANCE_LEAST = 0.02
SURE = 1e-6
NORMAL = 1.4826  # The spread of a normal in units of its middle absolute deviation.
PIECES = 20


@dataclass(frozen=True, eq=False)
class Answers:
    """What is held against each other. Beside the labels and their fit, for each row of the labels
    where they are kept: times, float64[n], seconds since any moment; signatures, float32[n, 256]
    of the rationales, zeros where there is none."""

    labels: Labels
    fit: Fit
    times: Floats | None = None
    signatures: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every pair of authors with enough tasks in common: first, second int64[P]; shared: tasks;
    evidence: standardised, by name, float64[P]; score: all of it, standard normal for honest
    pairs; rows: of each meeting (pair, row of the first, row of the second), int64[M, 3]."""

    first: Longs
    second: Longs
    shared: Floats
    evidence: dict[str, Floats]
    score: Floats
    rows: Longs
    expected: Floats = field(repr=False)
    """The chance of an equal label at each meeting, float64[M]."""


def collusion(
    seen: Answers, names: Sequence[Hashable], *, false_share: float = FALSE_SHARE
) -> list[Finding]:
    """Groups of authors joined by pairs whose likeness is beyond chance; names: of the authors."""
    pairs = compared(seen)
    if not len(pairs.first):
        return []
    chances = false_shares(np.asarray(ndtr(-pairs.score), np.float64))
    if len(pairs.evidence) == 1:
        false_share *= LABELS_ALONE
    # Without agreement beyond skill, two who merely work at the same hours would be met.
    found = np.flatnonzero((chances <= false_share) & (pairs.evidence["labels"] > 1))
    number = seen.labels.author_count
    edges = coo_array(
        (np.ones(len(found)), (pairs.first[found], pairs.second[found])), shape=(number, number)
    )
    _, group = connected_components(edges, directed=False)
    result = []
    for each in np.unique(group[pairs.first[found]]):
        inside = found[group[pairs.first[found]] == each]
        result.append(_finding(seen, names, pairs, inside, float(chances[inside].max())))
    return sorted(result, key=lambda finding: finding.chance or 0.0)


def compared(seen: Answers) -> Pairs:
    """Every pair of authors that share SHARED_MIN tasks or more, with what is alike in them."""
    labels = seen.labels
    one, two = _meetings(labels)
    low = np.minimum(labels.authors[one], labels.authors[two]).astype(np.int64)
    high = np.maximum(labels.authors[one], labels.authors[two]).astype(np.int64)
    key = low * labels.author_count + high
    kinds, pair, times = np.unique(key, return_inverse=True, return_counts=True)
    kept = times >= SHARED_MIN
    number = np.cumsum(kept) - 1
    held = kept[pair]
    one, two, pair = one[held], two[held], number[pair[held]]
    shared = times[kept].astype(np.float64)
    expected = _expected(seen, one, two)
    evidence = {"labels": _beyond_skill(labels, one, two, pair, expected)}
    if seen.times is not None and len(shared):
        evidence["times"] = _near(seen, one, two, pair)
    if seen.signatures is not None and len(shared):
        evidence["texts"] = _alike(seen.labels, seen.signatures, one, two, pair)
    evidence = {name: _standard(each) for name, each in evidence.items()}
    score = np.sum(list(evidence.values()), axis=0) / np.sqrt(len(evidence))
    first, second = np.divmod(kinds[kept], labels.author_count)
    rows = np.column_stack([pair, one, two]).astype(np.int64)
    return Pairs(first, second, shared, evidence, score, rows, expected)


def _meetings(labels: Labels) -> tuple[Longs, Longs]:
    """Rows of two authors on one task, each pair of rows once."""
    order = np.argsort(labels.tasks, kind="stable").astype(np.int64)
    tasks = labels.tasks[order]
    most = int(np.bincount(tasks).max()) if len(tasks) else 0
    ones, twos = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for apart in range(1, most):
        at = np.flatnonzero(tasks[:-apart] == tasks[apart:])
        ones.append(order[at])
        twos.append(order[at + apart])
    return np.concatenate(ones), np.concatenate(twos)


def _expected(seen: Answers, one: Longs, two: Longs) -> Floats:
    """The chance that honest work makes the two labels equal, from either side, float64[M]."""
    labels = seen.labels
    confusion = np.asarray(seen.fit.confusion, np.float64)
    belief = np.log(seen.fit.posterior + SURE)

    def of(mine: Longs, other: Longs) -> Floats:
        who = labels.authors[mine]
        # What is believed without this author's own vote.
        left = belief[labels.tasks[mine]] - np.log(confusion[who, :, labels.labels[mine]] + SURE)
        left = np.exp(left - left.max(axis=1, keepdims=True))
        left /= left.sum(axis=1, keepdims=True)
        return np.asarray((left * confusion[who, :, labels.labels[other]]).sum(axis=1), np.float64)

    return np.clip((of(one, two) + of(two, one)) / 2, CHANCE_LEAST, 1 - CHANCE_LEAST)


def _beyond_skill(labels: Labels, one: Longs, two: Longs, pair: Longs, expected: Floats) -> Floats:
    """The score test of copying at all: agreements beyond those expected, the rare ones first."""
    equal = (labels.labels[one] == labels.labels[two]).astype(np.float64)
    beyond = np.bincount(pair, (equal - expected) / expected)
    spread = np.bincount(pair, (1 - expected) / expected)
    return np.asarray(beyond / np.sqrt(np.maximum(spread, SURE)), np.float64)


def _near(seen: Answers, one: Longs, two: Longs, pair: Longs) -> Floats:
    """Answers to shared tasks within a quarter of an hour, beyond what their hours explain."""
    times, labels = np.asarray(seen.times), seen.labels
    near = (np.abs(times[one] - times[two]) <= NEAR_SECONDS).astype(np.float64)
    met, number = np.bincount(pair, near), np.bincount(pair).astype(np.float64)
    order = np.lexsort((times, labels.authors))
    starts = np.searchsorted(labels.authors[order], np.arange(labels.author_count + 1))
    own = [times[order[a:b]] for a, b in pairwise(starts)]
    _, first_row = np.unique(pair, return_index=True)
    chance = np.array(
        [
            _chance_near(own[labels.authors[one[row]]], own[labels.authors[two[row]]])
            for row in first_row
        ]
    )
    # One half is added, so that a pair that never worked at the same hours is not certain.
    spread = np.sqrt(number * chance * (1 - chance) + 0.5)
    return np.asarray((met - number * chance) / spread, np.float64)


def _chance_near(first: Floats, second: Floats) -> float:
    """How often any answer of one lies near any of the other."""
    low = np.searchsorted(second, first - NEAR_SECONDS, side="left")
    high = np.searchsorted(second, first + NEAR_SECONDS, side="right")
    return float((high - low).sum() / (len(first) * len(second)))


def _alike(
    labels: Labels, signatures: npt.NDArray[np.float32], one: Longs, two: Longs, pair: Longs
) -> Floats:
    """How alike the texts of shared tasks are, beside those of all pairs on the same task."""
    written = (signatures[one] != 0).any(axis=1) & (signatures[two] != 0).any(axis=1)
    cosine = np.where(written, np.einsum("ij,ij->i", signatures[one], signatures[two]), 0.0)
    tasks = labels.tasks[one]
    number = np.bincount(tasks, written, labels.task_count)
    usual = np.bincount(tasks, cosine, labels.task_count) / np.maximum(number, 1)
    left = np.where(written, cosine - usual[tasks], 0.0)
    spread = float(np.sqrt(np.mean(left[written] ** 2))) if written.any() else 1.0
    both = np.bincount(pair, written)
    total = np.bincount(pair, left)
    return np.asarray(total / (np.sqrt(np.maximum(both, 1)) * max(spread, SURE)), np.float64)


def _standard(values: Floats) -> Floats:
    """In spreads from the middle over all pairs, never wider than a standard normal makes it."""
    if not len(values):
        return values
    middle = float(np.median(values))
    spread = max(1.0, NORMAL * float(np.median(np.abs(values - middle))))
    return np.asarray((values - max(middle, 0.0)) / spread, np.float64)


def _finding(
    seen: Answers, names: Sequence[Hashable], pairs: Pairs, inside: Longs, chance: float
) -> Finding:
    labels, rows = seen.labels, np.flatnonzero(np.isin(pairs.rows[:, 0], inside))
    _, one, two = pairs.rows[rows].T
    equal = labels.labels[one] == labels.labels[two]
    best = seen.fit.posterior.argmax(axis=1)[labels.tasks[one]]
    wrong = equal & (labels.labels[one] != best)
    numbers: dict[str, float | int | str] = {
        "pairs": len(inside),
        "tasks_shared": len(np.unique(labels.tasks[one])),
        "agreement": float(equal.mean()),
        "agreement_usual": float(pairs.expected[rows].mean()),
        "errors_shared": int(wrong.sum()),
        **{f"{name}_score": float(each[inside].mean()) for name, each in pairs.evidence.items()},
    }
    if seen.times is not None:
        apart = np.abs(seen.times[one] - seen.times[two])
        numbers["minutes_between_median"] = float(np.median(apart)) / 60
        numbers["within_quarter_hour"] = float((apart <= NEAR_SECONDS).mean())
    people = sorted({*pairs.first[inside].tolist(), *pairs.second[inside].tolist()})
    # Shared errors, then the least likely agreements, show best what is meant.
    order = np.lexsort((pairs.expected[rows], ~wrong, ~equal))[:PIECES]
    shown = tuple((int(one[at]), int(two[at])) for at in order if equal[at])
    who = tuple(names[at] for at in people)
    return Finding(FindingKind.COLLUSION, who, chance, numbers, shown)
