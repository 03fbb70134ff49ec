"""Online updates: right at once, and in the limit where the batch is."""

from __future__ import annotations

import time

import numpy as np
import pytest

from marketplace.quality.rules import online
from marketplace.quality.rules.categorical import Prior, Settings, fit
from marketplace.quality.rules.categorical.prior import Floats
from tests.quality.test_categorical import planted, some_authors


def one(labels: list[int], prior: Prior | None = None) -> Floats:
    """The posterior of a task that unknown authors gave these labels."""
    counts = np.zeros((len(labels), 2, 2))
    return online.posterior(counts, np.array(labels, dtype=np.int32), prior or Prior.flat(2))


def test_a_first_label_is_believed_more_than_not() -> None:
    assert [0.5, 0.5] == one([]).tolist()
    assert one([0])[0] > 0.65
    assert one([0, 0])[0] > one([0])[0]
    assert 0.5 == pytest.approx(one([0, 1])[0])


def test_an_update_gives_the_task_to_its_authors_once() -> None:
    prior, labels = Prior.flat(2), np.array([0, 1, 0], dtype=np.int32)
    counts = np.random.default_rng(1).random((3, 2, 2)) * 5
    untouched = counts.copy()

    first, with_first = online.update(counts, labels, prior)
    again, with_again = online.update(
        with_first, labels, prior, first, counted=np.array([True, True, True])
    )

    assert untouched.tolist() == counts.tolist()
    assert np.allclose(first, again)
    assert np.allclose(with_first, with_again)
    assert np.allclose(counts.sum((1, 2)) + 1, with_first.sum((1, 2)))


def test_gold_is_the_posterior() -> None:
    labels = np.array([0, 0], dtype=np.int32)

    after, counts = online.update(np.zeros((2, 2, 2)), labels, Prior.flat(2), gold=1)

    assert [0.0, 1.0] == after.tolist()
    assert [1.0, 1.0] == counts[:, 1, 0].tolist()


def test_an_author_who_is_always_wrong_is_read_backwards() -> None:
    prior = Prior.flat(2)
    wrong = online.Author(np.array([[1.0, 40.0], [40.0, 1.0]]), prior)

    found = online.posterior(wrong.counts[None], np.array([0], dtype=np.int32), prior)

    assert found[1] > 0.85
    assert online.Author.unknown(prior).confusion()[0, 0] == pytest.approx(0.75)
    assert wrong.confusion()[0, 1] > 0.85


def test_repeated_passes_come_to_where_the_batch_is() -> None:
    labels, truth = planted(some_authors(), tasks=250, votes=5)
    alone = Settings(members=("dawid-skene",), iterations=200, tolerance=1e-8)
    batch = fit(labels, settings=alone)
    prior = batch.population
    votes = [np.flatnonzero(labels.tasks == task) for task in range(250)]
    counts, posterior = np.zeros((9, 3, 3)), np.zeros((250, 3))
    accuracy = []
    for turn in range(8):
        for task in np.random.default_rng(turn).permutation(250):
            mine = votes[task]
            authors, said = labels.authors[mine], labels.labels[mine]
            before, counted = (posterior[task], np.ones(5, bool)) if turn else (None, None)
            after, newer = online.update(counts[authors], said, prior, before, counted=counted)
            posterior[task], counts[authors] = after, newer
        accuracy.append(float((posterior.argmax(1) == truth).mean()))

    agreed = float((posterior.argmax(1) == batch.posterior.argmax(1)).mean())
    settled = float((batch.posterior.argmax(1) == truth).mean())
    assert accuracy[0] > settled - 0.03
    assert accuracy[-1] == pytest.approx(settled, abs=0.012)
    assert agreed > 0.985


def test_an_update_costs_what_its_task_has() -> None:
    prior, labels = Prior.flat(4), np.array([0, 1, 2, 0, 0], dtype=np.int32)
    counts, before = np.zeros((5, 4, 4)), np.full(4, 0.25)
    took = []
    for _ in range(300):
        began = time.perf_counter()
        online.update(counts, labels, prior, before)
        took.append(time.perf_counter() - began)

    # The target is 50 µs on a quiet machine; a busy one gets ten times that.
    assert sorted(took)[150] < 500e-6
