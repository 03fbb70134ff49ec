"""Scores: the plain mean where nothing better is known, biases and gold where they are."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import approx_fprime

from marketplace.quality.rules import ordinal_probit
from marketplace.quality.rules.ordinal import Estimates, Method, Scores, estimate

Floats = npt.NDArray[np.float64]


def planted(seed: int, *, bias: float, tasks: int = 300, seats: int = 3) -> tuple[Scores, Floats]:
    """Truth within 0..100, 20 authors whose biases spread as told, noise from 3 to 12."""
    source = np.random.default_rng(seed)
    truth = source.uniform(0, 100, tasks)
    lean, noise = source.normal(0, bias, 20), source.uniform(3, 12, 20)
    who = np.stack([source.permutation(20)[:seats] for _ in range(tasks)])
    value = truth[:, None] + lean[who] + source.normal(size=(tasks, seats)) * noise[who]
    number = np.repeat(np.arange(tasks), seats).astype(np.int32)
    columns = (number, who.reshape(-1).astype(np.int32), value.reshape(-1))
    return Scores(*columns, tasks, 20), truth


def missed(found: Estimates, truth: Floats) -> float:
    return float(np.nanmean(np.abs(found.value - truth)))


def test_the_mean_is_the_mean() -> None:
    scores = Scores(
        np.array([0, 0, 0, 1], np.int32),
        np.array([0, 1, 2, 0], np.int32),
        np.array([1.0, 2.0, 9.0, 5.0]),
        3,
        3,
    )

    found = estimate(scores)

    assert Method.MEAN == found.method
    assert [4.0, 5.0] == found.value[:2].tolist()
    assert np.isnan(found.value[2])
    assert found.lower[0] < 4 < found.upper[0]


def test_biases_are_taken_off_only_where_that_promises_much() -> None:
    leaning, truth = planted(1, bias=15)
    upright, _ = planted(1, bias=1)

    found = estimate(leaning)

    assert Method.UNBIASED == found.method
    assert Method.MEAN == estimate(upright).method
    assert 0.7 * missed(estimate(leaning, method=Method.MEAN), truth) > missed(found, truth)
    held = float(np.mean((found.lower <= truth) & (truth <= found.upper)))
    assert 0.8 < held < 0.97


def test_gold_is_kept_and_settles_who_is_to_be_believed() -> None:
    scores, truth = planted(2, bias=1)
    gold = np.where(np.arange(len(truth)) % 5 == 0, truth, np.nan)

    found = estimate(scores, gold=gold)

    known = np.isfinite(gold)
    assert truth[known].tolist() == found.value[known].tolist()
    assert Method.MEAN != found.method
    assert missed(estimate(scores), truth) > missed(found, truth)


def test_a_scale_that_everybody_misreads_is_put_right_by_gold() -> None:
    scores, truth = planted(3, bias=1)
    bent = Scores(scores.tasks, scores.authors, 20 + 0.5 * scores.values, scores.task_count, 20)
    gold = np.where(np.arange(len(truth)) % 5 == 0, truth, np.nan)

    found = estimate(bent, gold=gold)

    assert Method.RECALIBRATED == found.method
    assert 0.8 * missed(estimate(bent), truth) > missed(found, truth)


def test_nothing_scored_is_nothing_known() -> None:
    none = np.zeros(0, np.int32)
    found = estimate(Scores(none, none, np.zeros(0), 2, 0))

    assert np.isnan(found.value).all()


def test_points_of_leaning_authors_are_read_by_probit() -> None:
    source = np.random.default_rng(4)
    where = source.normal(size=400)
    cuts = np.array([-1.2, -0.4, 0.4, 1.2])
    truth = np.searchsorted(cuts, where)
    lean, noise = source.normal(0, 0.6, 12), source.uniform(0.2, 0.9, 12)
    who = np.stack([source.permutation(12)[:4] for _ in range(400)])
    seen = where[:, None] + lean[who] + source.normal(size=who.shape) * noise[who]
    points = np.searchsorted(cuts, seen)
    tasks = np.repeat(np.arange(400), 4).astype(np.int32)

    found = ordinal_probit.grade(
        tasks,
        who.reshape(-1).astype(np.int32),
        points.reshape(-1).astype(np.int32),
        shape=(400, 12, 5),
    )

    assert np.allclose(1, found.posterior.sum(axis=1))
    assert (np.diff(found.cuts) > 0).all()
    assert 0.9 < np.corrcoef(lean, found.bias)[0, 1]
    assert 0.6 < np.corrcoef(noise, found.noise)[0, 1]
    mean_point = points.mean(axis=1)
    assert np.abs(found.value - truth).mean() < 0.85 * np.abs(mean_point - truth).mean()


def test_the_slope_of_the_probit_is_its_own() -> None:
    source = np.random.default_rng(5)
    met = source.random((3, 4, len(ordinal_probit.GRID)))
    asked = source.normal(size=3 + 6) * 0.3

    _, slope = ordinal_probit._loss(asked, met)

    def loss(at: Floats) -> float:
        return ordinal_probit._loss(at, met)[0]

    wanted = approx_fprime(asked, loss, 1e-6)
    assert wanted == pytest.approx(slope, rel=1e-3, abs=1e-2)


@pytest.mark.slow
def test_real_emotions_are_met_as_well_as_by_the_mean_and_better_with_gold() -> None:
    folder = os.environ.get("SAMPLE_DATA")
    if not folder:
        pytest.skip("SAMPLE_DATA is not set; it names the folder that holds the real input.")
    place = Path(folder) / "crowd" / "n_emotion"
    with (place / "labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (place / "truth.csv").open(encoding="utf-8") as file:
        known = {row["task"]: float(row["label"]) for row in csv.DictReader(file)}
    names = {name: at for at, name in enumerate(sorted(known))}
    people = {name: at for at, name in enumerate(sorted({row["worker"] for row in rows}))}
    truth = np.array([known[name] for name in sorted(known)])
    scores = Scores(
        np.array([names[row["task"]] for row in rows], np.int32),
        np.array([people[row["worker"]] for row in rows], np.int32),
        np.array([float(row["label"]) for row in rows]),
        len(names),
        len(people),
    )
    assert 12.025 > missed(estimate(scores), truth)

    errors = []
    for seed in range(4):
        gold = np.full(len(truth), np.nan)
        shown = np.random.default_rng(seed).permutation(len(truth))[: len(truth) // 10]
        gold[shown] = truth[shown]
        found = estimate(scores, gold=gold)
        errors.append(np.abs(found.value - truth)[np.isnan(gold)].mean())
    assert 11.9 > np.mean(errors)
