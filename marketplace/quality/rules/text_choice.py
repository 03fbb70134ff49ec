"""Of several texts for one task, the one most like what able authors write.

Labels too rich to vote on are chosen by their distances (Braylan and Lease 2020, Modeling and
Aggregation of Complex Annotations via Annotation Distances). An author's error is the mean
distance to what the others wrote of the same tasks, drawn to that of all; the text taken is the
one nearest to the others', each weighted by how little its author errs. It is a help to a reviewer,
who has the last word; nothing is blended.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Distance: TypeAlias = Callable[[Sequence[Any]], Floats]

STRENGTH = 3.0  # How many of all authors' errors weigh against an author's own.
ROUNDS = 10
SHARPNESS = 4.0
GRAM = 3


@dataclass(frozen=True, slots=True)
class Chosen:
    """author: whose text is taken; confidence: 0..1, its share of the weight; distances: of each
    author's text to the weighted rest, 0 for equal ones, 1 for nothing in common."""

    author: Hashable
    confidence: float
    distances: Mapping[Hashable, float]


def choose(
    tasks: Mapping[Any, Mapping[Any, Any]], distance: Distance | None = None
) -> tuple[dict[Any, Chosen], dict[Any, float]]:
    """For each task the text to take, and each author's error (0..1).

    tasks: {task: {author: text}}; distance: float64[n, n] of a list of them, 0 for equal ones; of
    words and their neighbours where it is None. A task with one text takes it with confidence 0:
    there is nothing to compare. One without any is left out.
    """
    measure = distance or text_distances
    apart = {task: measure(list(texts.values())) for task, texts in tasks.items() if texts}
    errors = _errors({task: list(tasks[task]) for task in apart}, apart)
    chosen = {}
    for task, matrix in apart.items():
        authors = list(tasks[task])
        belief = np.array([_belief(errors[who]) for who in authors])
        left = _to_the_rest(matrix, belief)
        # How near a text is to the others counts beside how able its author was elsewhere.
        likely = np.exp(-SHARPNESS * left) * belief
        likely /= likely.sum()
        at = int(np.argmax(likely))
        sure = float(likely[at]) if len(authors) > 1 else 0.0
        held = dict(zip(authors, left.tolist(), strict=True))
        chosen[task] = Chosen(authors[at], sure, held)
    return chosen, errors


def _errors(authors: Mapping[Any, Sequence[Any]], apart: Mapping[Any, Floats]) -> dict[Any, float]:
    """Each author's mean distance to the believed rest, in rounds, drawn to the mean of all."""
    known = dict.fromkeys([who for each in authors.values() for who in each], 0.5)
    for _ in range(ROUNDS):
        total = dict.fromkeys(known, 0.0)
        number = dict.fromkeys(known, 0)
        for task, matrix in apart.items():
            if len(matrix) < 2:
                continue
            belief = np.array([_belief(known[who]) for who in authors[task]])
            for who, left in zip(authors[task], _to_the_rest(matrix, belief), strict=True):
                total[who] += float(left)
                number[who] += 1
        all_of_them = sum(total.values()) / max(1, sum(number.values()))
        known = {
            who: (total[who] + STRENGTH * all_of_them) / (number[who] + STRENGTH) for who in known
        }
    return known


def _belief(error: float) -> float:
    return float(np.exp(-SHARPNESS * error))


def _to_the_rest(apart: Floats, belief: Floats) -> Floats:
    """Each text's mean distance to the others, weighted by belief; 0 for a single one."""
    weights = np.tile(belief, (len(belief), 1))
    np.fill_diagonal(weights, 0.0)
    whole = weights.sum(axis=1)
    return np.asarray((apart * weights).sum(axis=1) / np.where(whole > 0, whole, 1.0), np.float64)


def text_distances(texts: Sequence[str]) -> Floats:
    """One less the cosine of how often short runs of words and of characters stand in texts."""
    counted = [_runs(text) for text in texts]
    names = {run: at for at, run in enumerate(sorted({run for each in counted for run in each}))}
    table = np.zeros((len(texts), len(names)))
    for row, each in enumerate(counted):
        for run, number in each.items():
            table[row, names[run]] = np.log1p(number)
    length = np.linalg.norm(table, axis=1, keepdims=True)
    table /= np.where(length > 0, length, 1.0)
    return np.clip(1 - table @ table.T, 0, 1) * (1 - np.eye(len(texts)))


def _runs(text: str) -> dict[str, int]:
    words = text.casefold().split()
    joined = " ".join(words)
    runs = words + [" ".join(pair) for pair in pairwise(words)]
    runs += [joined[at : at + GRAM] for at in range(len(joined) - GRAM + 1)]
    found: dict[str, int] = {}
    for run in runs:
        found[run] = found.get(run, 0) + 1
    return found
