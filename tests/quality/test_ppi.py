"""Prediction-powered inference: equal to the reference, and its intervals hold what they say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from marketplace.quality.rules import ppi

Floats = npt.NDArray[np.float64]
# ppi-python 0.2.3, ppi_mean_pointestimate(Y, Yhat, Yhat_unlabeled, lam=power) on `waves` below,
# run once in an environment of its own; None lets it tune the weight.
REFERENCE = {
    (1, 40, 900, 0.5): {
        None: -0.019418529097339612,
        1.0: -0.020712821536489776,
        0.5: -0.009916288290311243,
    },
    (2, 25, 300, 3.0): {
        None: 0.08040975355293416,
        1.0: 0.004786250776288323,
        0.5: 0.06071765996989805,
    },
    (3, 200, 250, 1.0): {
        None: -0.004492095334895457,
        1.0: -0.0001159271514412797,
        0.5: -0.004189855051598088,
    },
}


def waves(seed: int, n: int, rest: int, noise: float) -> tuple[Floats, Floats, Floats]:
    at = np.arange(n + rest)
    truth = np.sin(at * 1.7 + seed) * 2 + np.cos(at * 0.31)
    predicted = truth + noise * np.sin(at * 7.3 + 0.5)
    return truth[:n], predicted[:n], predicted[n:]


@pytest.mark.parametrize("case", REFERENCE)
def test_the_mean_is_the_references(case: tuple[int, int, int, float]) -> None:
    truth, predicted, rest = waves(*case)

    found = {
        power: ppi.mean(truth, predicted, rest, power=power).value for power in REFERENCE[case]
    }

    assert REFERENCE[case] == pytest.approx(found, abs=1e-9)


def test_what_is_looked_at_whole_needs_no_interval() -> None:
    truth = np.array([1.0, 0.0, 1.0, 1.0])

    found = ppi.whole(truth, np.ones(4), np.ones(4), np.zeros(4, dtype=np.int32), bounded=True)

    assert found is not None
    assert (0.75, 0.75, 0.75, 4) == (found.value, found.lower, found.upper, found.n)


def test_a_share_stays_within_its_bounds() -> None:
    # Everybody is right where looked, and predictions are higher where nobody did.
    n, size = 60, 600
    right = np.where(np.arange(n) % 6 == 0, 0.0, 1.0)
    truth = np.concatenate([right, np.full(size - n, np.nan)])
    predicted = np.concatenate([np.where(right == 1, 0.55, 0.45), np.full(size - n, 0.99)])

    found = ppi.whole(
        truth, predicted, np.full(size, n / size), np.zeros(size, dtype=np.int32), bounded=True
    )

    assert found is not None
    assert (1.0, 1.0) == (found.value, found.upper)
    assert 1.0 == ppi.plain_interval(found.value, found.n, found.total)[1]


def test_items_without_a_chance_leave_no_estimate() -> None:
    truth = np.array([1.0, np.nan, 1.0, np.nan])
    strata = np.array([0, 1, 0, 1], dtype=np.int32)

    assert ppi.whole(truth, np.ones(4), np.ones(4), strata) is None


def test_chances_are_weighed_within_a_stratum() -> None:
    """Ten doubtful items all looked at, ten sure ones of which one in five was: the mean of the
    labels alone would be 1/3, and each sure one stands for five."""
    truth = np.full(20, np.nan)
    truth[:10], truth[10:12] = 0.0, 1.0
    inclusion = np.where(np.arange(20) < 10, 1.0, 0.2)

    found = ppi.whole(truth, np.zeros(20), inclusion, np.zeros(20, dtype=np.int32))

    assert found is not None
    assert 0.5 == pytest.approx(found.value)


def test_without_an_error_seen_the_interval_still_is_one() -> None:
    truth = np.full(1_000, np.nan)
    truth[:60] = 1.0

    found = ppi.whole(
        truth, np.full(1_000, 0.9), np.full(1_000, 0.06), np.zeros(1_000, np.int32), bounded=True
    )

    assert found is not None
    assert pytest.approx(1.0, abs=1e-12) == found.upper
    assert 0.945 < found.lower < 0.96  # Sixty without an error speak for 95 % at least.


def test_one_label_a_stratum_is_no_certainty() -> None:
    truth = np.full(100, np.nan)
    truth[::10] = 1.0
    strata = (np.arange(100) // 10).astype(np.int32)

    found = ppi.whole(truth, np.full(100, 0.9), np.full(100, 0.1), strata, bounded=True)

    assert found is not None
    assert found.lower < 0.8


def test_good_predictions_are_worth_labels() -> None:
    """PPI++ with a correlation of rho is worth about 1 / (1 - rho²) labels a label."""
    rng = np.random.default_rng(7)
    truth = rng.normal(size=40_000)
    predicted = 0.77 * truth + np.sqrt(1 - 0.77**2) * rng.normal(size=40_000)

    found = ppi.mean(truth[:2_000], predicted[:2_000], predicted[2_000:])

    assert 2.0 < found.gain < 2.7


def hybrid_set(
    rng: np.random.Generator, size: int, right: list[float], shares: list[float]
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.int32], float]:
    """A set as a pipeline leaves it: the unsure all looked at, of each slice of the rest a random
    share; predictions are overconfident. Truth, predictions, chances, strata, the true mean."""
    slices = rng.integers(0, len(right), size)
    chance = np.array(right)[slices]
    likely = np.clip(rng.beta(chance * 8, (1 - chance) * 8), 0.01, 0.999)
    answers = (rng.random(size) < likely).astype(np.float64)
    stated = likely**0.6
    unsure = stated < 0.8
    strata = np.where(unsure, len(right), slices).astype(np.int32)
    inclusion, truth = np.ones(size), np.where(unsure, answers, np.nan)
    for each, share in enumerate(shares):
        members = np.flatnonzero(strata == each)
        chosen = rng.choice(members, int(np.ceil(share * len(members))), replace=False)
        truth[chosen] = answers[chosen]
        inclusion[members] = len(chosen) / len(members)
    return truth, stated, inclusion, strata, float(answers.mean())


def covered(replicates: int, size: int, right: list[float], shares: list[float]) -> float:
    rng = np.random.default_rng(20261123)
    hits = 0
    for _ in range(replicates):
        truth, stated, inclusion, strata, mean = hybrid_set(rng, size, right, shares)
        found = ppi.whole(truth, stated, inclusion, strata, bounded=True)
        assert found is not None
        hits += found.lower <= mean <= found.upper
    return hits / replicates


def test_a_ninety_percent_interval_covers_ninety_percent() -> None:
    # Of 500 replicates the share itself is uncertain by 2.2 points.
    assert 0.865 <= covered(500, 2_000, [0.9, 0.8, 0.95], [0.1, 0.05, 0.2]) <= 0.945


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "right", "shares"),
    [
        (2_000, [0.9], [0.1]),
        (2_000, [0.9, 0.8, 0.95], [0.1, 0.05, 0.2]),
        (10_000, [0.9, 0.8, 0.95, 0.97], [0.02, 0.1, 0.02, 0.05]),
        (5_000, [0.7, 0.6], [0.1, 0.03]),
        (300, [0.9, 0.8], [0.3, 0.3]),
    ],
)
def test_intervals_of_whole_sets_cover(size: int, right: list[float], shares: list[float]) -> None:
    assert 0.88 <= covered(6_000, size, right, shares) <= 0.93


@pytest.mark.slow
@pytest.mark.parametrize(("n", "noise"), [(15, 0.5), (40, 2.0), (200, 1.0)])
def test_intervals_of_means_cover(n: int, noise: float) -> None:
    rng = np.random.default_rng(11)
    hits, replicates = 0, 8_000
    for _ in range(replicates):
        truth = rng.normal(size=n + 1_000)
        predicted = truth + noise * rng.normal(size=n + 1_000)
        found = ppi.mean(truth[:n], predicted[:n], predicted[n:])
        hits += found.lower <= 0.0 <= found.upper
    assert 0.88 <= hits / replicates <= 0.93


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_intervals_of_win_rates_with_ties_cover(share: float) -> None:
    rng = np.random.default_rng(12)
    hits, replicates, size, n = 0, 4_000, 3_000, 150
    for _ in range(replicates):
        wins = rng.choice([1.0, 0.5, 0.0], size, p=[share * 0.8, 0.2, 0.8 - share * 0.8])
        predicted = np.where(rng.random(size) < 0.7, wins, rng.random(size))
        truth = np.full(size, np.nan)
        truth[:n] = wins[:n]  # The order is random already.
        found = ppi.whole(
            truth, predicted, np.full(size, n / size), np.zeros(size, np.int32), bounded=True
        )
        assert found is not None
        hits += found.lower <= wins.mean() <= found.upper
    assert 0.88 <= hits / replicates <= 0.93


def small_set(
    rng: np.random.Generator, sizes: list[int], audited: int, right: float
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.int32], float]:
    """A small set in slices: the least sure tenth looked at, of the rest a few of every slice."""
    strata = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
    likely = np.clip(rng.beta(right * 6, (1 - right) * 6, len(strata)), 0.01, 0.99)
    answers = (rng.random(len(strata)) < likely).astype(np.float64)
    unsure = np.zeros(len(strata), dtype=np.bool_)
    unsure[np.argsort(likely, kind="stable")[: len(strata) // 10]] = True
    strata[unsure] = len(sizes)
    truth, inclusion = np.where(unsure, answers, np.nan), np.ones(len(strata))
    for each in range(len(sizes)):
        members = np.flatnonzero(strata == each)
        number = max(1, audited * len(members) // len(strata))
        chosen = rng.permutation(members)[:number]
        truth[chosen] = answers[chosen]
        inclusion[members] = number / len(members)
    return truth, likely**0.6, inclusion, strata, float(answers.mean())


def covered_where_told(
    replicates: int, sizes: list[int], audited: int, right: float
) -> tuple[float, int]:
    """How often an interval that is told holds the mean, and how many are told."""
    rng = np.random.default_rng(20261124)
    hits = told = 0
    for _ in range(replicates):
        truth, stated, inclusion, strata, mean = small_set(rng, sizes, audited, right)
        if ppi.wanting(truth, inclusion, strata):
            continue
        found = ppi.whole(truth, stated, inclusion, strata, bounded=True)
        assert found is not None
        told += 1
        hits += found.lower <= mean <= found.upper
    return hits / max(1, told), told


def test_a_few_labels_tell_no_estimate_but_how_many_more_would() -> None:
    truth = np.full(400, np.nan)
    truth[::50] = 1.0
    strata = (np.arange(400) // 80).astype(np.int32)
    nobody, all_ = np.full(400, np.nan), np.ones(400)

    assert 12 <= ppi.wanting(truth, np.full(400, 0.02), strata) <= 20
    assert ppi.wanting(nobody, all_, strata) >= 20
    assert 0 == ppi.wanting(all_, all_, strata)
    truth[::10] = 1.0
    assert 0 == ppi.wanting(truth, np.full(400, 0.1), strata)


def test_small_sets_are_honest() -> None:
    share, told = covered_where_told(300, [80] * 5, 30, 0.85)

    assert 300 == told
    assert 0.87 <= share  # Of 300 replicates the share itself is uncertain by 2.8 points.


@pytest.mark.slow
@pytest.mark.parametrize("right", [0.6, 0.85, 0.95, 0.99])
@pytest.mark.parametrize(
    ("sizes", "audited"),
    [([80] * 5, 8), ([80] * 5, 21), ([80] * 5, 30), ([200], 25), ([300, 60, 20], 40), ([30], 15)],
)
def test_an_interval_of_a_small_set_covers_wherever_it_is_told(
    sizes: list[int], audited: int, right: float
) -> None:
    share, told = covered_where_told(1_500, sizes, audited, right)

    assert not told or share >= 0.88
