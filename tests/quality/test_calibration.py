"""Calibration: confidence becomes how often it is right, and the answer itself stays."""

from __future__ import annotations

import numpy as np
import pytest

from marketplace.quality.rules.calibration import (
    DEFAULT,
    NONE,
    Calibration,
    apply,
    expected_error,
    fit,
    log_loss,
)
from marketplace.quality.rules.crowd import Floats, Ints


def overconfident(tasks: int) -> tuple[Floats, Ints]:
    """Posteriors that are right as often as their logits over three would be."""
    rng = np.random.default_rng(2)
    logit = rng.normal(0, 1.5, tasks)
    truth = (rng.random(tasks) < 1 / (1 + np.exp(-logit))).astype(np.int32)
    told = 1 / (1 + np.exp(-3 * logit))
    return np.stack([1 - told, told], 1), truth


def test_truths_bring_confidence_down_to_what_it_is_worth() -> None:
    posterior, truth = overconfident(4_000)
    known = truth.copy()
    known[400:] = -1

    tuned = fit(posterior, known, default=NONE)
    calibrated = apply(posterior, tuned)

    rest = truth.copy()
    rest[:400] = -1
    assert 3 == pytest.approx(tuned.temperature, rel=0.4)
    assert expected_error(posterior, rest) > 0.09
    assert expected_error(calibrated, rest) < 0.04
    assert log_loss(calibrated, rest) < log_loss(posterior, rest)
    assert posterior.argmax(1).tolist() == calibrated.argmax(1).tolist()


def test_few_truths_leave_the_default_nearly_as_it_is() -> None:
    posterior, truth = overconfident(3)

    tuned = fit(posterior, truth)

    assert DEFAULT == fit(posterior, np.full(3, -1, dtype=np.int32))
    assert 0.5 < tuned.temperature / DEFAULT.temperature < 2


def test_more_votes_are_cut_harder() -> None:
    posterior = np.array([[0.99, 0.01], [0.99, 0.01]])

    found = apply(posterior, Calibration(1.0, 0.1, 0.0), np.array([1.0, 31.0]))

    assert 0.99 == pytest.approx(found[0, 0])
    assert 0.6 < found[1, 0] < 0.9


def test_error_and_loss_of_known_figures() -> None:
    posterior = np.array([[0.8, 0.2]] * 10)
    truth = np.array([0] * 6 + [1] * 4, dtype=np.int32)

    assert 0.2 == pytest.approx(expected_error(posterior, truth))
    assert -(0.6 * np.log(0.8) + 0.4 * np.log(0.2)) == pytest.approx(log_loss(posterior, truth))
    assert 0.0 == expected_error(posterior, truth * 0 - 1)


def test_parameters_go_through_json() -> None:
    assert DEFAULT == Calibration.from_json(DEFAULT.to_json())
