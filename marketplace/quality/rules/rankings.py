"""Rankings of several: the strengths behind them and whom to believe.

Plackett and Luce (Luce 1959, Plackett 1975): the first is chosen from all, the next from what is
left. A tier of several is chosen as if one after another from the same rest (Breslow 1974, as in
survival analysis). Reliabilities and the ridge on strengths as in `comparisons`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.comparisons import (
    RELIABILITY_RIDGE,
    STEPS,
    WITHIN_90,
    Floats,
    Ints,
    Loss,
    Strengths,
    held_out_ridge,
    maximised,
    scaled,
)

Longs: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rankings:
    """One ranked item a row: in ranking `rankings[i]`, item `items[i]` stands in tier `tiers[i]`,
    the best in 0. rankings, items, tiers: int32[n]; authors: int32[R] of each ranking."""

    rankings: Ints
    items: Ints
    tiers: Ints
    authors: Ints
    item_count: int
    author_count: int


@dataclass(frozen=True, eq=False)
class _Stages:
    """What was chosen from what: for each stage (a tier that something stands below) the rows of
    the items still there, and how many were chosen."""

    stage: Longs
    items: Ints
    chosen: Floats
    starts: Longs
    authors: Ints
    rankings: Longs


def plackett_luce(seen: Rankings, *, ridge: float | None = None) -> Strengths:
    """The strengths behind rankings; `side` is zero and `tie` None, which rankings do not tell.

    ridge: None chooses by rankings held out.
    """
    stages = _staged(seen)

    def loss_of(rows: Longs, strength: float) -> Loss:
        return _posterior(seen, stages, np.isin(stages.rankings, rows), strength)

    start = np.concatenate([np.zeros(seen.item_count), np.ones(seen.author_count)])
    number = len(seen.authors)
    chosen = held_out_ridge(number, loss_of, start) if ridge is None else ridge
    asked = maximised(loss_of(np.arange(number), chosen), start, STEPS)
    score, reliability = asked[: seen.item_count], asked[seen.item_count :]
    error = 1 / np.sqrt(chosen + _information(seen, stages, score, reliability))
    met = np.bincount(seen.authors, minlength=seen.author_count) > 0
    score, error, reliability = scaled(score, error, reliability, met)
    reach, side = WITHIN_90 * error, np.zeros(seen.author_count)
    return Strengths(score, score - reach, score + reach, reliability, side, None, chosen)


def _staged(seen: Rankings) -> _Stages:
    """Every ranking as choices, with no loop over rankings: a row for each item and tier above
    which, or in which, it stands."""
    order = np.lexsort((seen.tiers, seen.rankings))
    ranking, item, tier = seen.rankings[order], seen.items[order], seen.tiers[order]
    new = np.ones(len(order), bool)
    new[1:] = (ranking[1:] != ranking[:-1]) | (tier[1:] != tier[:-1])
    place = np.cumsum(new) - 1  # Tiers numbered through all rankings.
    first = np.flatnonzero(new)
    first_of = np.full(len(seen.authors), len(first))
    np.minimum.at(first_of, ranking[first], np.arange(len(first)))
    depth = place - first_of[ranking] + 1
    row = np.repeat(np.arange(len(order)), depth)
    within = np.arange(len(row)) - np.repeat(np.cumsum(depth) - depth, depth)
    stage = first_of[ranking[row]] + within
    sorted_rows = np.argsort(stage, kind="stable")
    row, stage = row[sorted_rows], stage[sorted_rows]
    chosen = (place[row] == stage).astype(np.float64)
    left = np.bincount(stage, 1 - chosen, len(first))
    kept = left[stage] > 0  # The last tier is no choice.
    row, stage, chosen = row[kept], stage[kept], chosen[kept]
    _, starts, number = np.unique(stage, return_index=True, return_inverse=True)
    whose = ranking[row]
    return _Stages(
        number.astype(np.int64),
        item[row],
        chosen,
        starts.astype(np.int64),
        seen.authors[whose][starts],
        whose[starts].astype(np.int64),
    )


def _chances(stages: _Stages, pull: Floats) -> tuple[Floats, Floats]:
    """The chance of each row within its stage, and the log of each stage's whole."""
    top = np.maximum.reduceat(pull, stages.starts) if len(pull) else pull
    lifted = np.exp(pull - top[stages.stage])
    whole = np.bincount(stages.stage, lifted, len(stages.starts))
    return lifted / whole[stages.stage], np.log(whole) + top


def _posterior(seen: Rankings, stages: _Stages, used: npt.NDArray[np.bool_], ridge: float) -> Loss:
    items, authors = seen.item_count, seen.author_count
    prior = np.concatenate([np.full(items, ridge), np.full(authors, RELIABILITY_RIDGE)])
    prior = np.zeros_like(prior) if np.isnan(ridge) else prior
    middle = np.concatenate([np.zeros(items), np.ones(authors)])
    counted = used[stages.stage].astype(np.float64)
    who = stages.authors[stages.stage]
    number = np.bincount(stages.stage, stages.chosen, len(stages.starts))

    def loss(asked: Floats) -> tuple[float, Floats]:
        score, reliability = asked[:items], asked[items:]
        pull = reliability[who] * score[stages.items]
        chance, whole = _chances(stages, pull)
        surprise = (number * whole * used).sum() - (stages.chosen * pull * counted).sum()
        by_pull = counted * (number[stages.stage] * chance - stages.chosen)
        slope = np.concatenate(
            [
                np.bincount(stages.items, by_pull * reliability[who], items),
                np.bincount(who, by_pull * score[stages.items], authors),
            ]
        )
        away = asked - middle
        return float(surprise + (prior * away**2).sum() / 2), slope + prior * away

    return loss


def _information(seen: Rankings, stages: _Stages, score: Floats, reliability: Floats) -> Floats:
    who = stages.authors[stages.stage]
    chance, _ = _chances(stages, reliability[who] * score[stages.items])
    number = np.bincount(stages.stage, stages.chosen, len(stages.starts))[stages.stage]
    told = number * chance * (1 - chance) * reliability[who] ** 2
    return np.bincount(stages.items, told, seen.item_count).astype(np.float64)
