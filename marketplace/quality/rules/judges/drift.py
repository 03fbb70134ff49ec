"""Whether a judge still answers as it did: its verdicts, and its agreement with known verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from marketplace.quality.rules.judges.biases import distribution
from marketplace.quality.rules.judges.kappas import agreement
from marketplace.quality.rules.judges.ratings import (
    SEED,
    Figure,
    Floats,
    Level,
    Ratings,
    weights,
)

ALARM = 0.01  # How seldom chance alone may ring, over all dimensions together.
REPLICATES = 5_000
ITEMS_MIN = 10


@dataclass(frozen=True, slots=True)
class Moved:
    """One dimension then and now. apart: half the sum of the differences of the shares of labels,
    0 to 1; chance: how often chance alone moves them as far; agreement: now, with its interval.

    shifted: the shares moved beyond chance; worse: the interval of the agreement now lies below
    that of the report. chance is None where too few items were asked.
    """

    dimension: str
    items: int
    apart: float
    chance: float | None
    shifted: bool
    agreement: Figure | None
    before: float | None
    before_lower: float | None
    worse: bool

    @property
    def drifted(self) -> bool:
        return self.shifted or self.worse


def moved(
    then: Mapping[str, Sequence[float]],
    now: Mapping[str, Ratings],
    report: Sequence[Mapping[str, Any]],
    *,
    anchored: bool,
) -> list[Moved]:
    """Each dimension against the report. then: the judge's verdicts of the report by dimension.

    anchored: the same items were asked again, so that experts' verdicts are there, and each item
    stands against itself; else other items were asked, and a shift may be theirs.
    """
    before = {each["dimension"]: each["judge"] for each in report if each["slice"] == ""}
    level = ALARM / max(len(now), 1)
    return [
        _moved(key, np.asarray(then.get(key, ()), np.float64), ratings, before.get(key), level,
               anchored=anchored)
        for key, ratings in now.items()
    ]  # fmt: skip


def _moved(
    key: str,
    then: Floats,
    now: Ratings,
    before: Mapping[str, Any] | None,
    level: float,
    *,
    anchored: bool,
) -> Moved:
    apart, chance = shift(then, now.judge, paired=anchored, level=now.level)
    held = None
    worse = False
    if anchored and before is not None:
        drawn = weights(now.judge.size)
        held = agreement(now, drawn).judge
        lower = before["lower"]
        worse = held.n >= ITEMS_MIN and None not in (held.upper, lower) and held.upper < lower
    return Moved(
        dimension=key,
        items=int((~np.isnan(now.judge)).sum()),
        apart=apart,
        chance=chance,
        shifted=chance is not None and chance < level,
        agreement=held,
        before=before["value"] if before else None,
        before_lower=before["lower"] if before else None,
        worse=worse,
    )


def shift(
    then: Floats, now: Floats, *, paired: bool, level: Level = Level.NOMINAL
) -> tuple[float, float | None]:
    """(distance in total variation, how often chance alone moves verdicts as far).

    By permutation (Fisher, 1935): paired, the two verdicts of an item change places; else all are
    dealt anew. On a scale the mean is looked at too, as a small step of every verdict hardly shows
    in the shares; the rarer of the two counts, doubled for having looked twice.
    """
    if paired:
        both = ~np.isnan(then) & ~np.isnan(now)
        then, now = then[both], now[both]
    else:
        then, now = then[~np.isnan(then)], now[~np.isnan(now)]
    labels = np.unique(np.concatenate([then, now]))
    apart = float(np.abs(distribution(then, labels) - distribution(now, labels)).sum() / 2)
    if min(then.size, now.size) < ITEMS_MIN:
        return apart, None
    changes = _paired(then, now, labels) if paired else _dealt(then, now, labels)
    chance = _as_far(np.abs(changes).sum(axis=1) / 2, apart)
    if level is Level.ORDINAL:
        means = _as_far(np.abs(changes @ labels), abs(float(now.mean() - then.mean())))
        chance = min(1.0, 2 * min(chance, means))
    return apart, chance


def _as_far(drawn: Floats, seen: float) -> float:
    return float(((drawn >= seen - 1e-12).sum() + 1) / (drawn.size + 1))


def _paired(then: Floats, now: Floats, labels: Floats) -> Floats:
    """Changes of the shares where each item's two verdicts change places at random."""
    rng = np.random.default_rng(SEED)
    signs = rng.integers(0, 2, (REPLICATES, then.size)).astype(np.float64) * 2 - 1
    change = (now[:, None] == labels).astype(np.float64) - (then[:, None] == labels)
    found: Floats = signs @ change / then.size
    return found


def _dealt(then: Floats, now: Floats, labels: Floats) -> Floats:
    """Changes of the shares where all verdicts are dealt to then and now anew."""
    everything = np.concatenate([then, now])
    counts = (everything[:, None] == labels).sum(axis=0)
    rng = np.random.default_rng(SEED)
    first = rng.multivariate_hypergeometric(counts, then.size, size=REPLICATES)
    found: Floats = (counts - first) / now.size - first / then.size
    return found


def as_json(found: Sequence[Moved]) -> list[dict[str, Any]]:
    """What moved, as JSON."""
    return [asdict(each) | {"drifted": each.drifted} for each in found]
