"""Intervals of a set that is half judged, and the audit where the most that may go bites."""

from __future__ import annotations

import numpy as np

from marketplace.quality.rules import pipeline, ppi
from marketplace.quality.rules.pipeline import ROUTES, Policy, Route


def coverage(audited: int, replicates: int = 300) -> float:
    """How often the interval holds the accuracy of 900 items left alone, of which few were looked
    at, beside 350 doubtful ones, of which 210 are judged by now."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(replicates):
        right = np.concatenate([rng.random(900) < 0.96, rng.random(350) < 0.89]).astype(np.float64)
        seen = np.full(1_250, np.nan)
        seen[:audited], seen[900:1_110] = right[:audited], right[900:1_110]
        strata = np.repeat(np.array([0, 1], dtype=np.int32), [900, 350])
        chance = np.array([audited / 900, 210 / 350])[strata]
        found = ppi.whole(seen, np.full(1_250, 0.9), chance, strata, bounded=True)
        assert found is not None
        held += found.lower <= right.mean() <= found.upper
    return held / replicates


def test_a_few_audits_that_are_all_right_pass_for_no_certainty_beside_other_labels() -> None:
    assert 0.9 <= min(coverage(5), coverage(20))


def test_what_is_unsure_but_beyond_the_most_is_audited_like_the_rest() -> None:
    confidence, slices = np.full(2_000, 0.6), np.zeros(2_000, dtype=np.int32)

    plan = pipeline.first(confidence, slices, Policy(0.9, 0.05, items_max=600), seed=1)

    audited = int((plan.routes == ROUTES.index(Route.AUDIT)).sum())
    assert plan.sent <= 600
    assert 0.04 <= audited / (audited + int(plan.alone.sum()))
