"""The statistics of judges: against references, a published table, and odd input."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.proportion import proportion_confint

from marketplace.quality.rules.judges import (
    Level,
    Ratings,
    Standing,
    drift,
    finding,
    findings,
    kappa,
    shift,
    weights,
)
from marketplace.quality.rules.judges.biases import calibration, length_bias, wilson
from marketplace.quality.rules.judges.power import half_width_for, items_for
from marketplace.quality.rules.judges.report import as_json

Floats = npt.NDArray[np.float64]
# By framework: the column of the id, the dimensions in the order of TABLE.
FRAMEWORKS = {
    "lend_an_ear": (
        "conversation_id",
        "validating_emotions encouraging_elaboration demonstrating_understanding advice_giving "
        "self_oriented dismissing_emotions",
    ),
    "perceived_empathy": (
        "id",
        "m_understood m_validated m_accepted m_caredfor m_emotional m_practical",
    ),
    "epitome": ("sp_id", "level_emotional_reactions level_interpretations level_explorations"),
    "empatheticdialogues": ("conv_id", "empathy"),
}
# Experts with each other, then three judges and the crowd's mean with experts; in hundredths.
TABLE = """
39 62 48 68 35
69 68 73 76 42
43 41 25 47 12
69 56 32 53 36
70 61 66 61 39
49 19 20 23 17
60 33 31 54 17
65 33 39 50 24
57  9 33 32 20
55 28 42 43 16
59 60 58 67 36
77 67 71 73 39
53 61 61 50 61
29 22 33 49 33
76 77 71 73 43
53 19 18 30  9
"""
JUDGES = ("gpt", "claude", "gemini", "crowd")


def ordinal(judge: list[float], *experts: list[float]) -> Ratings:
    return Ratings(Level.ORDINAL, np.array(judge, float), np.array(experts, float))


def of_files(folder: Path, framework: str) -> dict[str, dict[str, Floats]]:
    """By dimension and rater, the ratings of the conversations that all raters rated."""
    key, dimensions = FRAMEWORKS[framework]
    rows: dict[str, dict[str, dict[str, str]]] = {}
    for rater in ("expert1", "expert2", "expert3", *JUDGES):
        with (folder / framework / f"{rater}_ratings.csv").open() as file:
            rows[rater] = {row[key]: row for row in csv.DictReader(file)}
    ids = sorted(set.intersection(*(set(each) for each in rows.values())))
    return {
        dimension: {
            rater: np.array([float(each[one][dimension]) for one in ids])
            for rater, each in rows.items()
        }
        for dimension in dimensions.split()
    }


def test_the_published_ratings_of_empathy_give_the_table_of_the_design(sample_data: Path) -> None:
    folder = sample_data / "empathy_judge_calibration" / "annotations"
    found, wanted = [], [
        [int(cell) / 100 for cell in line.split()] for line in TABLE.strip().splitlines()
    ]  # fmt: skip
    for framework in FRAMEWORKS:
        for raters in of_files(folder, framework).values():
            experts = np.vstack([raters[f"expert{number}"] for number in (1, 2, 3)])
            row = [
                finding("empathy", "", Ratings(Level.ORDINAL, raters[judge], experts))
                for judge in JUDGES
            ]
            assert {50} == {each.items for each in row}
            assert {3} == {each.pairs for each in row}
            values = [row[0].experts.value, *(each.judge.value for each in row)]
            found.append([float(f"{value:.2f}") for value in values if value is not None])

    assert wanted == found


@pytest.mark.parametrize("level", Level)
def test_kappa_is_that_of_the_reference(level: Level) -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 5, 200).astype(float)
    second = np.where(rng.random(200) < 0.4, first, rng.integers(0, 5, 200)).astype(float)
    weighted = "quadratic" if level is Level.ORDINAL else None

    reference = cohen_kappa_score(first, second, weights=weighted)

    assert kappa(first, second, level)[0] == pytest.approx(reference, abs=1e-12)


@pytest.mark.parametrize("level", Level)
def test_each_draw_is_the_kappa_of_the_items_drawn(level: Level) -> None:
    rng = np.random.default_rng(2)
    first, second = rng.integers(0, 3, (2, 40)).astype(float)
    drawn = weights(40, replicates=3)
    again = np.repeat(np.arange(40), drawn[2].astype(int))

    alone = kappa(first[again], second[again], level)[0]

    assert kappa(first, second, level, drawn)[2] == pytest.approx(alone, abs=1e-12)


def test_people_who_took_turns_are_pooled_and_agree_as_the_same_people_would() -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 6, 1_000).astype(float)
    experts = np.clip(truth + rng.normal(0, 0.8, (9, 1_000)).round(), 1, 5)
    judge = np.clip(truth + rng.normal(0, 1.2, 1_000).round(), 1, 5)
    fixed = finding("d", "", Ratings(Level.ORDINAL, judge, experts))
    turns = experts.copy()
    for at in range(1_000):
        turns[rng.choice(9, 6, replace=False), at] = np.nan
    keep = rng.integers(0, 40, 1_000)
    spread = np.full((9 * 40, 1_000), np.nan)
    for row in range(9):
        spread[row * 40 + keep, np.arange(1_000)] = turns[row]

    pooled = finding("d", "", Ratings(Level.ORDINAL, judge, spread))

    assert (36, 0) == (fixed.pairs, pooled.pairs)
    assert pooled.judge.value == pytest.approx(fixed.judge.value, abs=0.03)
    assert pooled.experts.value == pytest.approx(fixed.experts.value, abs=0.03)


def test_one_class_has_no_kappa_and_is_no_error() -> None:
    found = finding("d", "", ordinal([3.0] * 12, [3.0] * 12, [3.0] * 12))

    assert (None, None, None) == (found.judge.value, found.experts.value, found.difference.value)
    assert (1.0, 1.0) == (found.judge_ratio.value, found.expert_ratio.value)
    assert Standing.UNKNOWN is found.rule.standing


def test_nothing_at_all_is_no_error() -> None:
    found = finding("d", "", Ratings(Level.NOMINAL, np.zeros(0), np.zeros((0, 0))))

    assert (0, 0, None) == (found.items, found.people, found.judge.value)


@pytest.mark.parametrize(
    ("noise", "standing"), [(0.3, Standing.YES), (2.5, Standing.NO)], ids=["good", "bad"]
)
def test_a_judge_stands_alone_where_it_agrees_as_experts_do(
    noise: float, standing: Standing
) -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(1, 6, 120).astype(float)
    experts = np.clip(truth + rng.normal(0, 0.8, (3, 120)).round(), 1, 5)
    judge = np.clip(truth + rng.normal(0, noise, 120).round(), 1, 5)

    found = finding("d", "", Ratings(Level.ORDINAL, judge, experts))

    assert standing is found.rule.standing
    assert found.rule.more_items is None


def test_what_is_not_settled_says_how_many_items_would_settle_it() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(1, 6, 40).astype(float)
    experts = np.clip(truth + rng.normal(0, 1, (3, 40)).round(), 1, 5)
    judge = np.clip(truth + rng.normal(0, 1.1, 40).round(), 1, 5)

    found = finding("d", "", Ratings(Level.ORDINAL, judge, experts)).rule

    assert Standing.UNKNOWN is found.standing
    assert found.probability is not None
    assert 0.1 < found.probability < 0.9
    assert found.more_items is not None
    assert found.more_items > 0


def test_where_experts_agree_by_chance_only_no_judge_may_stand_alone() -> None:
    rng = np.random.default_rng(12)
    experts = rng.integers(1, 6, (3, 200)).astype(float)

    found = finding("d", "", Ratings(Level.ORDINAL, experts[0], experts[1:])).rule

    assert found.standing is not Standing.YES
    assert Standing.UNKNOWN is found.standing
    assert found.vague


def test_few_items_settle_nothing() -> None:
    found = finding("d", "", ordinal([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 5])).rule

    assert (Standing.UNKNOWN, 6) == (found.standing, found.more_items)


def test_bias_position_and_flips_are_those_put_in() -> None:
    experts = np.array([[2.0, 3, 4, 2, 3, 4, 2, 3]] * 2)
    found = finding("d", "", Ratings(Level.ORDINAL, experts[0] + 1, experts))
    judge = np.array([0.0, 0, 0, 1, 1, 0, 1, 0])
    turned = np.array([1.0, 0, 0, 1, 1, 0, 1, 1])
    pairwise = Ratings(
        Level.NOMINAL,
        judge,
        np.array([judge, judge]),
        reversed_judge=turned,
        first_shown=(judge == 0).astype(float),
        first_shown_reversed=(turned == 1).astype(float),
        labels=("a", "b"),
    )

    ordered = finding("d", "", pairwise)

    assert (1.0, 1.0) == (found.bias.value, found.bias.lower)
    assert 0.25 == ordered.flips.value  # Two of eight.
    assert 0.125 == ordered.position.value  # Both flips went to what was shown first.


def test_a_liking_for_length_is_told_apart_from_better_long_answers() -> None:
    rng = np.random.default_rng(6)
    length = rng.integers(50, 2_000, 200).astype(float)
    worth = rng.integers(1, 6, 200).astype(float)
    liking = np.clip((length / 400).round(), 1, 5)
    drawn = weights(200)
    fond = Ratings(Level.ORDINAL, liking, np.array([worth, worth]), length=length)
    just = Ratings(Level.ORDINAL, liking, np.array([liking, liking]), length=length)

    assert (length_bias(fond, drawn).excess.lower or 0) > 0.7
    assert 0.0 == pytest.approx(length_bias(just, drawn).excess.value)


def test_confidence_is_set_against_being_right() -> None:
    right = np.array([1.0] * 9 + [0.0])
    ratings = Ratings(
        Level.NOMINAL, right, np.ones((3, 10)), confidence=np.full(10, 0.95), labels=("n", "y")
    )

    found = calibration(ratings)

    assert [(0.95, 0.9, 10)] == [(round(b.confidence, 6), b.right, b.n) for b in found.bins]
    assert found.error == pytest.approx(0.05)
    lower, upper = wilson(np.array([9.0]), np.array([10.0]))
    reference = proportion_confint(9, 10, alpha=0.1, method="wilson")
    assert (lower[0], upper[0]) == pytest.approx(reference, abs=1e-12)


def test_slices_are_reported_beside_the_whole_and_small_ones_are_left_out() -> None:
    rng = np.random.default_rng(7)
    ratings = Ratings(
        Level.ORDINAL,
        rng.integers(1, 6, 40).astype(float),
        rng.integers(1, 6, (2, 40)).astype(float),
    )

    found = findings({"d": ratings}, ["ward"] * 30 + ["clinic"] * 7 + [None, "rare", "rare"])

    assert [("", 40), ("ward", 30), ("clinic", 7)] == [(each.slice, each.items) for each in found]
    assert as_json(found) == as_json(
        findings({"d": ratings}, ["ward"] * 30 + ["clinic"] * 7 + [None] * 3)
    )


def test_a_shift_of_verdicts_is_seen_and_chance_is_not() -> None:
    rng = np.random.default_rng(8)
    then = rng.integers(1, 6, 60).astype(float)
    now = then.copy()
    now[:5] = np.clip(now[:5] + rng.choice([-1, 1], 5), 1, 5)
    higher = np.minimum(then + 1, 5)

    calm, alarm = (
        shift(then, now, paired=True, level=Level.ORDINAL),
        shift(then, higher, paired=True, level=Level.ORDINAL),
    )

    assert (calm[1] or 0) > 0.1
    assert (alarm[1] or 1) < 0.001
    assert shift(then[:5], now[:5], paired=True)[1] is None


def test_chance_alone_rings_as_seldom_as_promised() -> None:
    rng = np.random.default_rng(9)
    rung = [
        (shift(*rng.integers(1, 6, (2, 40)).astype(float), paired=False)[1] or 1) < 0.05
        for _ in range(200)
    ]

    assert sum(rung) <= 20


def test_agreement_on_anchors_that_fell_below_the_report_is_an_alarm() -> None:
    rng = np.random.default_rng(10)
    truth = rng.integers(1, 6, 80).astype(float)
    experts = np.array([truth, np.clip(truth + rng.normal(0, 0.5, 80).round(), 1, 5)])
    report = as_json([finding("d", "", Ratings(Level.ORDINAL, truth, experts))])
    worse = {"d": Ratings(Level.ORDINAL, rng.permutation(truth), experts)}

    (found,) = drift.moved({"d": truth.tolist()}, worse, report, anchored=True)

    assert (False, True, True) == (found.shifted, found.worse, found.drifted)


def test_the_power_statement_turns_around() -> None:
    assert 133 == items_for(0.15)
    assert half_width_for(items_for(0.15)) <= 0.15
    assert 20 == items_for(0.9)


@pytest.mark.slow
def test_intervals_of_agreement_cover_what_they_promise() -> None:
    """Against the kappa of a very large sample; 90 % intervals from 60 items, three experts."""
    rng = np.random.default_rng(11)

    def world(n: int) -> Ratings:
        truth = rng.integers(1, 6, n).astype(float)
        experts = np.clip(truth + rng.normal(0, 0.9, (3, n)).round(), 1, 5)
        judge = np.clip(truth + rng.normal(0.3, 1.1, n).round(), 1, 5)
        return Ratings(Level.ORDINAL, judge, experts)

    large = finding("d", "", world(200_000))
    hits = []
    for _ in range(300):
        small = finding("d", "", world(60))
        hits.append(
            [
                (figure.lower or 0) <= (true.value or 0) <= (figure.upper or 0)
                for figure, true in (
                    (small.judge, large.judge),
                    (small.experts, large.experts),
                    (small.difference, large.difference),
                )
            ]
        )

    covered = np.mean(hits, axis=0)

    assert (covered > 0.84).all(), covered
    assert (covered < 0.95).all(), covered
