"""Adaptive overlap: when another label is worth its price, and what overlap can reach."""

from __future__ import annotations

import numpy as np
import pytest

from marketplace.quality.rules import overlap
from marketplace.quality.rules.categorical import Settings, fit
from marketplace.quality.rules.categorical.prior import Floats
from tests.quality.test_categorical import planted, some_authors

GOOD = np.full((2, 2), 0.2) + 0.6 * np.eye(2)


def asked(sure: float, *, price: float = 1.0, value: float = 100.0, taken: int = 3) -> bool:
    """Whether a task of two classes with this confidence gets another label."""
    posterior = np.array([sure, 1 - sure])
    return overlap.another(posterior, price, value, confusion=GOOD, taken=taken, most=7).wanted


def test_doubt_is_worth_a_label_and_certainty_is_not() -> None:
    assert asked(0.6)
    assert not asked(0.999)
    assert not asked(0.6, value=2.0)
    assert not asked(0.6, taken=7)
    assert asked(0.999, taken=2)


def test_a_target_that_is_met_buys_nothing_more() -> None:
    posterior = np.array([0.93, 0.07])

    said = overlap.another(posterior, 0.0, 1.0, confusion=GOOD, taken=3, most=9, target=0.9)

    assert (False, 0.0) == (said.wanted, said.gain)
    assert "target" in said.why


def test_two_labels_can_turn_what_one_cannot() -> None:
    """One label of 80 % against 0.85 changes nothing whatever it says; several may."""
    posterior = np.array([0.85, 0.15])

    assert 0.0 == pytest.approx(overlap.gain_per_label(posterior, GOOD, 1), abs=1e-12)
    assert overlap.gain_per_label(posterior, GOOD, 3) > 0.005


def test_the_gain_is_that_of_every_sequence_weighed() -> None:
    posterior = np.array([0.5, 0.3, 0.2])
    confusion = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.25, 0.25, 0.5]])
    best = 0.0
    for steps in (1, 2, 3):
        total = 0.0
        for place in np.ndindex(*([3] * steps)):
            chance = posterior.copy()
            for label in place:
                chance = chance * confusion[:, label]
            total += float(chance.max())
        best = max(best, (total - 0.5) / steps)

    assert best == pytest.approx(overlap.gain_per_label(posterior, confusion, 3))


def test_labels_go_where_they_are_needed() -> None:
    labels, _ = planted(some_authors(), tasks=200, votes=5)
    found = fit(labels, settings=Settings(members=("dawid-skene",)))

    gain = overlap.gains(found.posterior, overlap.next_author(found), np.full(200, 4))

    sure = found.posterior.max(1)
    assert float(gain[sure < 0.6].min()) > float(gain[sure > 0.9].max())


@pytest.mark.parametrize(("classes", "votes"), [(2, 1), (2, 5), (3, 4), (5, 7)])
def test_plurality_is_what_simulation_says(classes: int, votes: int) -> None:
    rng = np.random.default_rng(4)
    shares: Floats = np.full(classes, 0.35 / (classes - 1))
    shares[0] = 0.65
    counts = rng.multinomial(votes, shares, 200_000)
    top = counts == counts.max(1, keepdims=True)

    simulated = float((top[:, 0] / top.sum(1)).mean())

    assert simulated == pytest.approx(overlap.plurality(0.65, votes, classes), abs=0.005)


def test_what_cannot_be_reached_is_said_with_figures() -> None:
    fine = overlap.feasible(0.9, 0.8, 5, 2)
    never = overlap.feasible(0.99, 0.6, 3, 2)

    assert (True, 5) == (fine.reachable, fine.labels_needed)
    assert 0.942 == pytest.approx(fine.accuracy, abs=0.001)
    assert (False, None) == (never.reachable, never.labels_needed)
    assert "65%" in never.why
