"""What models alone and with specialists say: calibrated, and blind to an item's own answer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.crowd import UNKNOWN, Labels
from marketplace.quality.rules.joint import Said, joint

Ints = npt.NDArray[np.int32]


def said(models: Ints, people: Ints, stated: float | None = None) -> Said:
    """models: int32[T, M], people: int32[T], UNKNOWN where nobody looked."""
    size, count = models.shape
    seen = np.flatnonzero(people != UNKNOWN)
    tasks = np.concatenate([np.repeat(np.arange(size), count), seen])
    authors = np.concatenate([np.tile(np.arange(count), size), np.full(len(seen), count)])
    labels = np.concatenate([models.ravel(), people[seen]])
    votes = Labels(
        tasks.astype(np.int32), authors.astype(np.int32), labels.astype(np.int32),
        size, count + 1, 2,
    )  # fmt: skip
    sure = np.full(len(tasks), np.nan if stated is None else stated)
    sure[size * count :] = np.nan
    return Said(votes, sure, np.arange(count + 1) == count)


def crowd(size: int = 1_500, seen: int = 300) -> tuple[Ints, Ints, Ints]:
    """Two models that err together, in a quarter of the items; a specialist who slips seldom."""
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, size).astype(np.int32)
    wrong = rng.random(size) < 0.25
    first = np.where(wrong, 1 - truth, truth)
    second = np.where(rng.random(size) < 0.05, 1 - first, first)
    people = np.where(rng.random(size) < 0.02, 1 - truth, truth)
    people[seen:] = UNKNOWN
    models = np.stack([first, second], axis=1).astype(np.int32)
    return truth, models, people.astype(np.int32)


def test_before_anybody_looked_two_models_that_agree_are_no_surer_than_each() -> None:
    models = np.array([[0, 0], [0, 1]], dtype=np.int32)

    found = joint(said(models, np.full(2, UNKNOWN, dtype=np.int32), stated=0.9))

    assert np.allclose([[0.9, 0.1], [0.5, 0.5]], found.alone)


def test_models_that_err_together_are_believed_as_far_as_they_were_borne_out() -> None:
    truth, models, people = crowd()

    found = joint(said(models, people, stated=0.97))

    right = (found.alone.argmax(axis=1) == truth).mean()
    assert abs(found.alone.max(axis=1).mean() - right) < 0.05


def test_a_specialist_stands_against_models_that_agree() -> None:
    _, models, people = crowd()
    seen = people != UNKNOWN

    found = joint(said(models, people, stated=0.97))

    assert (found.together[seen].argmax(axis=1) == people[seen]).mean() > 0.95


def test_models_that_are_mostly_wrong_do_not_turn_specialists_round() -> None:
    truth, _, people = crowd()
    rng = np.random.default_rng(5)
    common = rng.random(len(truth)) < 0.7  # They err together in seven items of ten.
    models = np.stack(
        [np.where(common ^ (rng.random(len(truth)) < 0.05), 1 - truth, truth) for _ in range(6)],
        axis=1,
    ).astype(np.int32)
    seen = people != UNKNOWN

    found = joint(said(models, people))

    assert (found.together[seen].argmax(axis=1) == people[seen]).mean() > 0.95
    assert (found.alone.argmax(axis=1) == truth).mean() > 0.65


def test_what_models_say_alone_does_not_know_the_items_own_answer() -> None:
    """Of items on which models say the same, those judged one way and the other look alike."""
    _, models, people = crowd()

    alone = joint(said(models, people, stated=0.97)).alone

    same = (models[:, 0] == 0) & (models[:, 1] == 0) & (np.arange(len(models)) % 5 == 0)
    judged = same & (people != UNKNOWN)
    assert {0, 1} == set(people[judged].tolist())
    assert np.ptp(alone[same, 0]) < 1e-9
