"""Ordinal probit: how likely each point of a scale is, where authors lean and scatter.

A task lies somewhere on a line, z ~ N(0, 1); an author sees z + bias + noise and names the point
between whose cuts that falls (McKelvey and Zavoina 1975; authors as in Rogers, Girolami and
Polajnar 2010). Cuts are everybody's, bias and noise each author's own, drawn towards none and
one. Marginal likelihood by expectation-maximisation over a grid of z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int32]

GRID = np.linspace(-3.5, 3.5, 29)
ROUNDS = 25
STEPS = 8
STILL = 1e-4
BIAS_SPREAD, NOISE_SPREAD = 0.5, 0.5
FAR = 30.0
TINY = 1e-290


@dataclass(frozen=True, eq=False)
class Graded:
    """posterior: float64[T, K], how likely each point is what an author without bias and noise
    would say; value: its mean, in places from 0; bias, noise: float64[A] on the line of z, where
    tasks have a spread of one; cuts: float64[K - 1], rising."""

    posterior: Floats
    value: Floats
    bias: Floats
    noise: Floats
    cuts: Floats


def grade(tasks: Ints, authors: Ints, points: Ints, *, shape: tuple[int, int, int]) -> Graded:
    """Labels in columns, int32[n] each; points from 0 to K - 1. shape: (tasks, authors, K)."""
    task_count, author_count, width = shape
    told = np.bincount(points, minlength=width) + 0.5
    cuts = ndtri(np.cumsum(told)[:-1] / told.sum()) * 1.2
    words = np.concatenate([[cuts[0]], np.log(np.maximum(np.diff(cuts), 0.05))])
    asked = np.concatenate([words, np.zeros(author_count), np.full(author_count, -0.5)])
    belief = np.zeros((task_count, len(GRID)))
    for _ in range(ROUNDS):
        chances = _log_chances(asked, author_count, width)
        before, belief = belief, _belief(chances, tasks, authors, points, task_count)
        if np.abs(belief - before).max() < STILL:
            break
        cells = np.zeros((author_count * width, len(GRID)))
        np.add.at(cells, authors * width + points, belief[tasks])
        met = cells.reshape(author_count, width, len(GRID))
        asked = minimize(_loss, asked, (met,), "L-BFGS-B", jac=True, options={"maxiter": STEPS}).x
    cuts, bias, scatter = _read(asked, author_count, width)
    point = np.searchsorted(cuts, GRID)
    posterior = np.stack([belief[:, point == k].sum(axis=1) for k in range(width)], axis=1)
    return Graded(posterior, posterior @ np.arange(width), bias, np.exp(scatter), cuts)


def _belief(chances: Floats, tasks: Ints, authors: Ints, points: Ints, task_count: int) -> Floats:
    logs = np.repeat(-(GRID**2)[np.newaxis] / 2, task_count, axis=0)
    for at in range(len(GRID)):
        logs[:, at] += np.bincount(tasks, chances[authors, points, at], task_count)
    logs -= logs.max(axis=1, keepdims=True)
    found = np.exp(logs)
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float64)


def _read(asked: Floats, author_count: int, width: int) -> tuple[Floats, Floats, Floats]:
    cuts = asked[0] + np.concatenate([[0.0], np.cumsum(np.exp(asked[1 : width - 1]))])
    bias = asked[width - 1 : width - 1 + author_count]
    return cuts, bias, asked[width - 1 + author_count :]


def _edges(asked: Floats, author_count: int, width: int) -> Floats:
    """Standardised distances from z + bias to each cut, float64[A, K - 1, Q]."""
    cuts, bias, scatter = _read(asked, author_count, width)
    seen = GRID + bias[:, np.newaxis]
    apart = cuts[np.newaxis, :, np.newaxis] - seen[:, np.newaxis, :]
    return np.asarray(apart / np.exp(scatter)[:, np.newaxis, np.newaxis], np.float64)


def _log_chances(asked: Floats, author_count: int, width: int) -> Floats:
    """The log probability of each point, float64[A, K, Q]; from whichever tail is the smaller."""
    edges = np.clip(_edges(asked, author_count, width), -FAR, FAR)
    low, high = np.full_like(edges[:, :1], -np.inf), np.full_like(edges[:, :1], np.inf)
    start = np.concatenate([low, edges], axis=1)
    end = np.concatenate([edges, high], axis=1)
    turned = start > 0
    start, end = np.where(turned, -end, start), np.where(turned, -start, end)
    chance = np.asarray(ndtr(end) - ndtr(start), np.float64)
    return np.log(np.maximum(chance, TINY))


def _loss(asked: Floats, met: Floats) -> tuple[float, Floats]:
    """Minus the expected log likelihood with the authors' priors, and its slope."""
    author_count, width, _ = met.shape
    edges = np.clip(_edges(asked, author_count, width), -FAR, FAR)
    logs = _log_chances(asked, author_count, width)
    _, bias, scatter = _read(asked, author_count, width)
    slope = met / np.exp(logs)
    # An edge lies above one point and below the next.
    by_edge = -(slope[:, :-1] - slope[:, 1:]) * np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    by_edge = np.where(np.abs(edges) < FAR, by_edge, 0.0)
    noise = np.exp(scatter)[:, np.newaxis, np.newaxis]
    by_cut = (by_edge / noise).sum(axis=(0, 2))
    gaps = np.exp(asked[1 : width - 1])
    above = np.cumsum(by_cut[::-1])[::-1]
    told = np.concatenate([above[:1], gaps * above[1:]])
    by_bias = -(by_edge / noise).sum(axis=(1, 2)) + bias / BIAS_SPREAD**2
    by_scatter = -(by_edge * edges).sum(axis=(1, 2)) + scatter / NOISE_SPREAD**2
    prior = (bias**2).sum() / BIAS_SPREAD**2 + (scatter**2).sum() / NOISE_SPREAD**2
    loss = float(prior / 2 - (met * logs).sum())
    return loss, np.concatenate([told, by_bias, by_scatter])
