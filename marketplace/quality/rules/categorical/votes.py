"""Votes as one sparse matrix, and the expectation-maximisation that all table models share.

A row is a task, a column an (author, label) pair. A model of authors is then a table with a row
for each pair and a column for each latent class: `matrix @ table` scores the tasks, and
`matrix.T @ posterior` counts what each author said of what. Both run in blocks of tasks that stay
in the cache, so the posterior of all tasks is never held while the model is fitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import sparse

from marketplace.quality.rules.categorical.prior import Floats
from marketplace.quality.rules.crowd import UNKNOWN, Ints, Labels

Singles = npt.NDArray[np.float32]
BLOCK_VOTES = 200_000
NEVER = -1e9


class TableModel(Protocol):
    """Authors who speak independently of each other once a task's latent class is known."""

    class_of: npt.NDArray[np.intp]
    """int[Z]: the class that each latent class belongs to."""

    def tables(self, counts: Floats, mass: Floats) -> tuple[Floats, Floats]:
        """Log table float64[A, L, Z] and log shares float64[Z] of the latent classes.

        counts: float64[A, L, Z], expected votes; mass: float64[Z], expected tasks.
        """
        ...


@dataclass(frozen=True, eq=False)
class Block:
    """The tasks `first` … `last` - 1."""

    first: int
    last: int
    matrix: sparse.csr_array


class Votes:
    """The labels of tasks in blocks, with the known truths and any other evidence of each task."""

    def __init__(
        self, labels: Labels, gold: Ints | None = None, evidence: Floats | None = None
    ) -> None:
        """evidence: float64[T, K], logarithms that are added to the score of each class."""
        self.task_count = labels.task_count
        self.author_count = labels.author_count
        self.class_count = labels.label_count
        self.size = len(labels)
        self.evidence = evidence
        self.gold = gold if gold is not None and (gold != UNKNOWN).any() else None
        wide = labels.author_count * labels.label_count
        index = np.int32 if wide < np.iinfo(np.int32).max else np.int64
        pairs = labels.authors.astype(index)
        np.multiply(pairs, labels.label_count, out=pairs)
        np.add(pairs, labels.labels, out=pairs)
        ones = np.ones(len(labels), dtype=np.float32)
        cells = (labels.tasks, pairs)
        matrix: sparse.csr_array = sparse.csr_array((ones, cells), shape=(labels.task_count, wide))
        self.matrix = matrix
        self.blocks = list(_cut(matrix))

    def of_authors(self) -> Floats:
        """How many labels each author gave, float64[A]."""
        pairs = np.bincount(self.matrix.indices, self.matrix.data, self.matrix.shape[1])
        found: Floats = pairs.reshape(self.author_count, self.class_count).sum(1)
        return found

    def shares(self, smoothing: float = 0.0) -> Singles:
        """Each label's share of a task's votes, float32[T, K]; even where there is none."""
        k = self.class_count
        found = np.empty((self.task_count, k), dtype=np.float32)
        for block in self.blocks:
            part = block.matrix
            rows = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
            counted = np.bincount(rows * k + part.indices % k, part.data, part.shape[0] * k)
            found[block.first : block.last] = counted.reshape(part.shape[0], k)
        found += np.float32(smoothing)
        total = found.sum(1, keepdims=True)
        np.divide(found, total, out=found, where=total > 0)
        found[total[:, 0] == 0] = 1 / max(k, 1)
        return found

    def counts(self, posterior: Singles) -> Floats:
        """Expected votes float64[A, L, Z] under a posterior float32[T, Z]."""
        z = posterior.shape[1]
        found = np.zeros((self.matrix.shape[1], z))
        for block in self.blocks:
            found += block.matrix.T @ posterior[block.first : block.last]
        return found.reshape(self.author_count, self.class_count, z)

    def score(
        self, block: Block, table: Singles, log_shares: Singles, class_of: npt.NDArray[np.intp]
    ) -> tuple[Singles, Singles]:
        """The posterior float32[t, Z] of a block's tasks, and their log evidence float32[t]."""
        found: Singles = block.matrix @ table
        found += log_shares
        if self.evidence is not None:
            found += self.evidence[block.first : block.last, class_of].astype(np.float32)
        if self.gold is not None:
            truth = self.gold[block.first : block.last, None]
            found[(truth != UNKNOWN) & (truth != class_of)] = NEVER
        return found, _normalised(found)


def _normalised(score: Singles) -> Singles:
    """Turn scores float32[t, Z] into shares, in place; the logarithms of what they summed to.

    Columns are compared one by one, and summed by a product with ones: NumPy's reductions along
    a short last axis take several times as long.
    """
    top = score[:, 0].copy()
    for column in range(1, score.shape[1]):
        np.maximum(top, score[:, column], out=top)
    score -= top[:, None]
    np.exp(score, out=score)
    total = score @ np.ones(score.shape[1], dtype=np.float32)
    score *= (1 / total)[:, None]
    found: Singles = top + np.log(total)
    return found


def _cut(matrix: sparse.csr_array) -> Iterator[Block]:
    """Blocks of whole tasks, each with votes enough to be worth a pass over the table."""
    wanted = max(BLOCK_VOTES, 2 * matrix.shape[1])
    starts, last = matrix.indptr, matrix.shape[0]
    first = 0
    while first < last:
        end = int(np.searchsorted(starts, int(starts[first]) + wanted, side="right"))
        end = min(max(end - 1, first + 1), last, first + wanted)
        held = slice(int(starts[first]), int(starts[end]))
        part = sparse.csr_array(
            (matrix.data[held], matrix.indices[held], starts[first : end + 1] - starts[first]),
            shape=(end - first, matrix.shape[1]),
        )
        yield Block(first, end, part)
        first = end


@dataclass(frozen=True, eq=False)
class Outcome:
    """A fitted table model: expected votes [A, L, Z], tasks [Z], its tables, log evidence."""

    counts: Floats
    mass: Floats
    table: Singles
    log_shares: Singles
    evidence: float
    iterations: int


def maximise(
    votes: Votes, model: TableModel, start: Singles, *, iterations: int, tolerance: float
) -> Outcome:
    """Run expectation-maximisation until the counts stand still.

    start: float32[T, Z], a first posterior. It stops after `iterations`, or when an iteration
    moves less than the share `tolerance` of all expected votes.
    """
    counts, mass = votes.counts(start), start.sum(0, dtype=np.float64)
    z = len(model.class_of)
    turns = 0
    while turns < iterations:
        turns += 1
        log_table, log_shares = model.tables(counts, mass)
        table = log_table.reshape(votes.matrix.shape[1], z).astype(np.float32)
        shares = log_shares.astype(np.float32)
        flat, mass, evidence = np.zeros((len(table), z)), np.zeros(z), 0.0
        for block in votes.blocks:
            found, logs = votes.score(block, table, shares, model.class_of)
            flat += block.matrix.T @ found
            mass += found.sum(0, dtype=np.float64)
            evidence += float(logs.sum(dtype=np.float64))
        newer = flat.reshape(counts.shape)
        moved = float(np.abs(newer - counts).sum()) / max(2 * votes.size, 1)
        counts = newer
        if moved < tolerance:
            break
    return Outcome(counts, mass, table, shares, evidence, turns)


def posterior(votes: Votes, model: TableModel, outcome: Outcome) -> Floats:
    """The posterior of every task, float64[T, K], latent classes added up into theirs."""
    found = np.empty((votes.task_count, votes.class_count))
    member = np.zeros((len(model.class_of), votes.class_count), dtype=np.float32)
    member[np.arange(len(model.class_of)), model.class_of] = 1
    for block in votes.blocks:
        scored, _ = votes.score(block, outcome.table, outcome.log_shares, model.class_of)
        found[block.first : block.last] = scored @ member
    return found
