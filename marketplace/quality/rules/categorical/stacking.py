"""Stacking: a ridge from votes and features to the known truths (Wolpert 1992).

Where many authors judge the same tasks, as LLM judges do, some always follow others. Models of
independent authors count such voices as often as they speak; a regression on gold does not.
Ridges of several strengths are averaged by how well each foretells the gold that was left out,
which has a closed form, so that no strength is chosen on luck.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from marketplace.quality.rules.categorical.prior import Floats
from marketplace.quality.rules.categorical.votes import Votes
from marketplace.quality.rules.crowd import UNKNOWN, Ints

Places = npt.NDArray[np.intp]
STRENGTHS = 10.0 ** np.arange(-1.5, 3.5, 0.5)
GOLD_MIN = 10
# A kernel of gold against gold is squared in memory; beyond this many gold tasks the first serve.
GOLD_MAX = 2_000
# A regression knows an author by the gold tasks that they answered.
TRUSTED = 20
# Known truths behind each foretold share when it becomes a probability.
LEAST_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class Stack:
    """Posteriors float64[T, K]; those of gold tasks were foretold with their own truth left out.

    trust: the weight to start from, 0 … 1: half where the mean author answered `TRUSTED` gold tasks
    """

    posterior: Floats
    trust: float


def stack(votes: Votes, gold: Ints, features: Floats | None = None) -> Stack | None:
    """Learn from gold; None where there is too little of it, or of one class only.

    features: float64[T, F], numbers known of each task; 0 where unknown.
    """
    known = np.flatnonzero(gold != UNKNOWN)[:GOLD_MAX]
    if len(known) < GOLD_MIN or len(np.unique(gold[known])) < 2:
        return None
    inner, outer = _kernels(votes.matrix, known, features)
    truth = np.eye(votes.class_count)[gold[known]]
    share = (truth.sum(0) + 1) / (len(known) + votes.class_count)
    found = np.zeros((votes.task_count, votes.class_count))
    left_out = np.zeros_like(truth)
    for weight, alpha, without in _ridges(inner, truth - share):
        found += weight * (outer @ alpha)
        left_out += weight * without
    found[known] = left_out
    answered = float(votes.matrix[known].sum()) / max(votes.author_count, 1)
    return Stack(_as_shares(found + share), answered / (answered + TRUSTED))


def _kernels(
    matrix: sparse.csr_array, known: Places, features: Floats | None
) -> tuple[Floats, Floats]:
    """Products of the centred rows: gold by gold, and all by gold; in units of the mean square."""
    chosen = matrix[known].astype(np.float64)
    outer = np.asarray((matrix @ chosen.T).todense(), dtype=np.float64)
    outer = _centred(outer, known)
    outer /= max(float(np.trace(outer[known])) / len(known), 1e-12)
    if features is not None and features.shape[1]:
        spread = features[known].std(0)
        told = (features - features[known].mean(0)) / np.where(spread > 0, spread, 1)
        told /= np.sqrt(features.shape[1])
        outer += told @ told[known].T
    return outer[known], outer


def _centred(outer: Floats, known: Places) -> Floats:
    """The kernel of rows less the mean of the gold rows."""
    of_gold = outer[known]
    found: Floats = outer - outer.mean(1, keepdims=True) - of_gold.mean(0) + of_gold.mean()
    return found


def _ridges(inner: Floats, rest: Floats) -> list[tuple[float, Floats, Floats]]:
    """For each strength its weight, its dual coefficients and what it foretells left out."""
    values, vectors = np.linalg.eigh(inner)
    fits, errors = [], []
    for strength in STRENGTHS:
        inverse = (vectors / (np.maximum(values, 0) + strength)) @ vectors.T
        alpha = inverse @ rest
        missed = alpha / np.diag(inverse)[:, None]
        fits.append((alpha, rest - missed))
        errors.append(float((missed**2).sum(1).mean()))
    logs = -len(inner) / 2 * np.log(np.maximum(errors, 1e-12))
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    return [(float(w), alpha, left) for w, (alpha, left) in zip(weights, fits, strict=True)]


def _as_shares(found: Floats) -> Floats:
    shares = np.clip(found, LEAST_SHARE, None)
    kept: Floats = shares / shares.sum(1, keepdims=True)
    return kept
