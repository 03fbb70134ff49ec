"""The policy of hybrid pipelines: what must hold whatever the items are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.quality.rules import pipeline, ppi, rounds
from marketplace.quality.rules.pipeline import ROUTES, Floats, Ints, Plan, Policy, Route
from marketplace.quality.rules.rounds import Finding


def items(
    seed: int, size: int = 4_000, slices: int = 4, poor: int | None = 3
) -> tuple[Floats, Ints, Floats]:
    """Confidences, slices, and whether the models are right; in the poor slice they are right less
    often than they say."""
    rng = np.random.default_rng(seed)
    of = rng.integers(0, slices, size).astype(np.int32)
    confidence = rng.beta(12, 1.2, size)
    chance = np.where(of == poor, confidence * 0.75, confidence)
    return confidence, of, (rng.random(size) < chance).astype(np.float64)


def run(seed: int, policy: Policy, **more: int) -> tuple[Plan, Floats, Ints, Floats]:
    """A whole pipeline: the first routes, then rounds until nothing else goes."""
    confidence, of, right = items(seed, **more)
    plan = pipeline.first(confidence, of, policy, seed=seed)
    for number in range(2, 99):
        judged = np.where(plan.alone, np.nan, right)
        found = rounds.looked_at(plan, of, judged, policy.target, slice_count=int(of.max()) + 1)
        after, _ = rounds.further(
            plan, confidence, of, found, policy, round_number=number, seed=seed
        )
        if after is plan:
            break
        assert after.sent > plan.sent
        plan = after
    return plan, confidence, of, right


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(1, 400),
    slices=st.integers(1, 12),
    policy=st.builds(
        Policy,
        st.sampled_from([0.0, 0.8, 0.95, 1.0]),
        st.sampled_from([0.0, 0.02, 0.3, 1.0]),
        st.one_of(st.none(), st.integers(0, 450)),
    ),
)
def test_the_cap_holds_and_every_chance_is_known(
    seed: int, size: int, slices: int, policy: Policy
) -> None:
    plan, *_ = run(seed, policy, size=size, slices=slices)

    assert plan.sent <= (size if policy.items_max is None else policy.items_max)
    assert np.all((0 <= plan.inclusion) & (plan.inclusion <= 1))
    whole = plan.complete
    assert not plan.alone[whole].any()
    for stratum in np.unique(plan.strata[~whole]):
        members = plan.strata == stratum
        assert pytest.approx((~plan.alone[members]).mean()) == plan.inclusion[members].mean()
    assert np.array_equal(plan.alone, plan.rounds == 0)


def test_the_same_seed_gives_the_same_routes_and_another_draws_others() -> None:
    policy = Policy(0.85, 0.05, 1_500)

    first, again = run(1, policy)[0], run(1, policy)[0]
    confidence, of, _ = items(1)
    other = pipeline.first(confidence, of, policy, seed=2)

    assert np.array_equal(first.routes, again.routes)
    assert not np.array_equal(pipeline.first(confidence, of, policy, seed=1).routes, other.routes)


def test_the_worst_come_first_within_the_cap() -> None:
    confidence, of, _ = items(3)
    plan = pipeline.first(confidence, of, Policy(0.95, 0.05, 400), seed=3)

    unsure = plan.routes == ROUTES.index(Route.UNSURE)

    assert confidence[unsure].max() <= confidence[plan.alone].min()
    assert 340 == plan.sent  # Of the 120 that are kept, half are for later rounds.


def test_unsure_items_leave_room_for_the_audit_and_a_round() -> None:
    """Models are unsure of far more than may be paid for, and err where they seem surer, too."""
    confidence, of, right = items(6)
    policy = Policy(0.995, 0.02, 600, kept_share=0.4)
    plan = pipeline.first(confidence, of, policy, seed=6)
    judged = np.where(plan.alone, np.nan, right)
    found = rounds.looked_at(plan, of, judged, policy.target, slice_count=4)
    after, _ = rounds.further(plan, confidence, of, found, policy, round_number=2, seed=6)

    routes = np.bincount(plan.routes, minlength=len(ROUTES))
    assert 360 >= routes[ROUTES.index(Route.UNSURE)]
    assert 80 <= routes[ROUTES.index(Route.AUDIT)]
    assert 480 >= plan.sent
    assert plan.sent < after.sent <= 600


def test_nothing_is_kept_where_all_may_be_judged() -> None:
    assert (0, 0) == Policy(0.9, 0.1, 50).kept(50) == Policy(0.9, 0.1).kept(50)
    assert (0, 0) == Policy(0.9, 0.1, 50, kept_share=0.0).kept(500)
    assert (8, 7) == Policy(0.9, 0.1, 50).kept(500)


def test_a_slice_in_which_models_err_is_found_and_mended() -> None:
    policy = Policy(0.85, 0.05)
    plan, _, of, right = run(5, policy)
    left = [1 - right[plan.alone & (of == each)].mean() for each in range(4)]
    share = [plan.alone[of == each].mean() for each in range(4)]

    assert share[3] < 0.6 * min(share[:3])
    assert max(left[:3]) < 0.15


def test_an_audit_that_says_enough_sends_nothing_more() -> None:
    confidence, of, _ = items(8, poor=None)
    policy = Policy(0.8, 0.2)
    plan = pipeline.first(confidence, of, policy, seed=8)
    found = rounds.looked_at(plan, of, np.where(plan.alone, np.nan, 1.0), 0.8, slice_count=4)

    after, _ = rounds.further(plan, confidence, of, found, policy, round_number=2, seed=8)

    assert {Finding.GOOD} == {each.finding for each in found}
    assert after is plan


def test_rounds_are_bounded() -> None:
    confidence, of, _ = items(9)
    policy = Policy(0.99, 0.02, rounds_max=2)
    plan = pipeline.first(confidence, of, policy, seed=9)
    found = rounds.looked_at(plan, of, np.where(plan.alone, np.nan, 0.5), 0.99, slice_count=4)

    after, _ = rounds.further(plan, confidence, of, found, policy, round_number=3, seed=9)

    assert after is plan


def accuracy(plan: Plan, confidence: Floats, right: Floats) -> ppi.Estimate:
    """The accuracy of the models' verdicts on all items, from those that specialists saw."""
    truth = np.where(plan.alone, np.nan, right)
    found = ppi.whole(truth, confidence, plan.inclusion, plan.strata, bounded=True)
    assert found is not None
    return found


@pytest.mark.slow
def test_after_rounds_that_hang_on_the_audit_the_interval_still_covers() -> None:
    hits, away, runs = 0, 0.0, 1_500
    for seed in range(runs):
        plan, confidence, _, right = run(seed, Policy(0.88, 0.05, 1_600))
        found = accuracy(plan, confidence, right)
        hits += found.lower <= right.mean() <= found.upper
        away += (found.value - right.mean()) / runs
    assert 0.88 <= hits / runs <= 0.93
    assert abs(away) < 0.002  # Stopping when it looks good does not flatter much.
