"""Categorical labels: planted truths are found, gold stands, names and order do not matter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from marketplace.quality.rules.categorical import Fit, Prior, Settings, fit, pool
from marketplace.quality.rules.categorical.dawid_skene import (
    STRENGTHS,
    likely_strength,
    strength_chances,
)
from marketplace.quality.rules.categorical.stacking import stack
from marketplace.quality.rules.categorical.votes import Votes
from marketplace.quality.rules.crowd import Ints, Labels

SHORT = Settings(iterations=30, tolerance=1e-4)
FEW = Settings(iterations=20, tolerance=1e-4, members=("dawid-skene", "mace"))


def planted(
    confusions: npt.NDArray[np.float64], tasks: int, votes: int, seed: int = 3
) -> tuple[Labels, Ints]:
    """Labels of authors with these confusions [A, K, K], and the truth of each task."""
    rng = np.random.default_rng(seed)
    count, k, _ = confusions.shape
    truth = rng.integers(0, k, tasks).astype(np.int32)
    task = np.repeat(np.arange(tasks, dtype=np.int32), votes)
    author = np.concatenate([rng.permutation(count)[:votes] for _ in range(tasks)])
    drawn = rng.random(len(task))
    bounds = confusions[author, truth[task]].cumsum(1)
    label = (drawn[:, None] > bounds).sum(1).clip(0, k - 1)
    columns = (task, author.astype(np.int32), label.astype(np.int32))
    return Labels(*columns, tasks, count, k), truth


def some_authors() -> npt.NDArray[np.float64]:
    """Nine authors: six good, one who never says 2 of a 2, one who guesses, one who swaps."""
    good = np.full((3, 3), 0.1) + 0.7 * np.eye(3)
    blind = good.copy()
    blind[2] = [0.8, 0.1, 0.1]
    swaps = np.array([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.1, 0.1, 0.8]])
    return np.array([*([good] * 6), blind, np.full((3, 3), 1 / 3), swaps])


def right(found: Fit, truth: Ints) -> float:
    """The share of tasks whose likeliest label is true."""
    return float((found.posterior.argmax(1) == truth).mean())


def test_planted_confusions_are_recovered() -> None:
    confusions = some_authors()
    labels, truth = planted(confusions, tasks=600, votes=5)

    found = fit(labels, settings=SHORT)

    majority = Votes(labels).shares().argmax(1) == truth
    assert right(found, truth) > float(majority.mean()) + 0.02
    missed = np.abs(found.confusion - confusions)
    assert (float(missed.mean()) < 0.05, float(missed.max()) < 0.22) == (True, True)
    assert [8, 7] == np.argsort(found.reliability)[:2].tolist()
    assert bool(((found.lower < found.reliability) & (found.reliability < found.upper)).all())
    assert np.allclose(1, found.posterior.sum(1))
    assert len(pool.MEMBERS) == len(found.members)


def test_names_and_order_change_nothing() -> None:
    labels, _ = planted(some_authors(), tasks=80, votes=4)
    rng = np.random.default_rng(1)
    tasks, authors, values = rng.permutation(80), rng.permutation(9), rng.permutation(3)
    order = rng.permutation(len(labels))
    renamed = Labels(
        tasks[labels.tasks][order].astype(np.int32),
        authors[labels.authors][order].astype(np.int32),
        values[labels.labels][order].astype(np.int32),
        80,
        9,
        3,
    )

    before, after = fit(labels, settings=SHORT), fit(renamed, settings=SHORT)

    assert np.allclose(before.posterior, after.posterior[tasks][:, values], atol=2e-3)
    assert np.allclose(before.reliability, after.reliability[authors], atol=2e-3)


def test_the_same_labels_give_the_same_bytes() -> None:
    labels, _ = planted(some_authors(), tasks=60, votes=4)

    first, second = fit(labels, settings=SHORT), fit(labels, settings=SHORT)

    assert first.posterior.tobytes() == second.posterior.tobytes()
    assert first.lower.tobytes() == second.lower.tobytes()


def test_gold_stands_against_everybody_and_teaches_who_is_right() -> None:
    """Two thirds of the authors swap two labels; gold alone can tell that they are wrong."""
    good = np.full((2, 2), 0.1) + 0.8 * np.eye(2)
    labels, truth = planted(np.array([good, good, 1 - good, 1 - good, 1 - good]), 300, 5)
    gold = np.full(300, -1, dtype=np.int32)
    gold[:60] = truth[:60]

    blind, told = fit(labels, settings=FEW), fit(labels, gold=gold, settings=FEW)

    assert right(blind, truth) < 0.3
    assert right(told, truth) > 0.9
    assert gold[:60].tolist() == told.posterior[:60].argmax(1).tolist()
    assert 60.0 == told.posterior[:60].max(1).sum()
    assert [True, True, False, False, False] == (told.reliability > 0.5).tolist()


def test_gold_that_nobody_voted_for_is_kept() -> None:
    labels = Labels.of([("a", "one", "x"), ("a", "two", "x"), ("b", "one", "y")], values=["z"])

    found = fit(labels.labels, gold=labels.gold({"a": "z"}))

    assert ("x", "y", "z") == labels.values
    assert [0.0, 0.0, 1.0] == found.posterior[0].tolist()


def test_authors_lean_on_their_group() -> None:
    """A newcomer of the group that is often right is believed more than one of the other."""
    good, poor = np.full((2, 2), 0.05) + 0.9 * np.eye(2), np.full((2, 2), 0.5)
    seen, _ = planted(np.array([good] * 6 + [poor] * 6), 300, 6)
    more = np.array([[0, 12, 0], [0, 13, 0]], dtype=np.int32).T
    task, author, label = (
        np.concatenate([column, new])
        for column, new in zip((seen.tasks, seen.authors, seen.labels), more, strict=True)
    )
    labels = Labels(task, author, label, 300, 14, 2)
    groups = np.array([0] * 6 + [1] * 6 + [0, 1], dtype=np.int32)

    found = fit(labels, groups=groups, settings=FEW)

    assert found.reliability[12] > found.reliability[13] + 0.1


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([("a", "one", "x")], ["x"], id="one label"),
        pytest.param([("a", "one", "x"), ("b", "one", "x")], ["x", "x"], id="one class"),
        pytest.param([("a", "one", "x"), ("b", "one", "y")], ["x", "y"], id="one author"),
        pytest.param([("a", "one", "x"), ("a", "two", "y")], None, id="a tie"),
    ],
)
def test_small_inputs_have_an_answer(rows: list[tuple[str, str, str]], labels: object) -> None:
    named = Labels.of(rows)

    found = fit(named.labels)

    for each in (found.posterior, found.reliability, found.lower, found.upper, found.difficulty):
        assert bool(np.isfinite(each).all())
    if labels is None:
        assert [0.5, 0.5] == pytest.approx(found.posterior[0].tolist())
    else:
        assert labels == [named.values[at] for at in found.posterior.argmax(1)]


def test_tasks_without_votes_get_the_classes_and_authors_without_votes_the_population() -> None:
    labels, _ = planted(some_authors(), tasks=50, votes=5)
    wider = Labels(labels.tasks, labels.authors, labels.labels, 51, 10, 3)

    found = fit(wider, settings=FEW)

    assert 1.0 == pytest.approx(found.posterior[50].sum())
    assert found.posterior[50].max() < 0.6
    assert found.lower[9] < found.reliability[9] < found.upper[9]


def test_contested_tasks_are_harder() -> None:
    rows = [("clear", str(author), "x") for author in range(6)]
    rows += [("contested", str(author), "xy"[author % 2]) for author in range(6)]

    found = fit(Labels.of(rows).labels)

    assert found.difficulty[1] > found.difficulty[0] + 0.3


def test_a_vote_said_twice_counts_once_and_the_last_word_stands() -> None:
    rows = [("a", "one", "x"), ("b", "one", "x"), ("a", "one", "y")]

    named = Labels.of(rows)

    assert (2, 1) == (len(named.labels), named.repeated)
    assert [("b", "x"), ("a", "y")] == [
        (named.tasks[task], named.values[label])
        for task, label in zip(named.labels.tasks, named.labels.labels, strict=True)
    ]


def test_columns_that_do_not_fit_are_refused() -> None:
    one = np.zeros(1, dtype=np.int32)

    with pytest.raises(ValueError, match="outside"):
        Labels(one + 3, one, one, 1, 1, 1)
    with pytest.raises(ValueError, match="length"):
        Labels(one, one[:0], one, 1, 1, 1)


def test_stacking_hears_through_a_choir() -> None:
    """Thirty voices that repeat one mistaken one are one voice; gold shows it."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 300).astype(np.int32)
    lead = np.where(rng.random(300) < 0.55, truth, 1 - truth)
    said = [np.where(rng.random(300) < 0.97, lead, 1 - lead) for _ in range(30)]
    said += [np.where(rng.random(300) < 0.8, truth, 1 - truth) for _ in range(5)]
    task = np.tile(np.arange(300, dtype=np.int32), 35)
    author = np.repeat(np.arange(35, dtype=np.int32), 300)
    labels = Labels(task, author, np.concatenate(said).astype(np.int32), 300, 35, 2)
    gold = np.full(300, -1, dtype=np.int32)
    gold[:60] = truth[:60]

    stacked = stack(Votes(labels), gold)

    assert stacked is not None
    rest = slice(60, None)
    assert float((stacked.posterior.argmax(1) == truth)[rest].mean()) > 0.85
    assert right(fit(labels, gold=gold, settings=FEW), truth) > 0.85


def test_features_are_learned_from_gold() -> None:
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 200).astype(np.int32)
    told = (truth + rng.normal(0, 0.3, 200))[:, None]
    guesses = rng.integers(0, 2, 400).astype(np.int32)
    task = np.repeat(np.arange(200, dtype=np.int32), 2)
    author = np.tile(np.arange(2, dtype=np.int32), 200)
    labels = Labels(task, author, guesses, 200, 2, 2)
    gold = np.full(200, -1, dtype=np.int32)
    gold[:60] = truth[:60]

    without = fit(labels, gold=gold, settings=FEW)
    having = fit(labels, gold=gold, features=told, settings=FEW)

    assert right(having, truth) > right(without, truth) + 0.15


def test_a_prior_goes_through_json() -> None:
    labels, _ = planted(some_authors(), tasks=50, votes=5)
    prior = fit(labels, settings=SHORT).population

    again = Prior.from_json(prior.to_json())

    counts = np.random.default_rng(0).random((2, 3, 3))
    assert prior.expected(counts).tolist() == again.expected(counts).tolist()


def test_how_strongly_authors_lean_is_weighed_and_not_picked() -> None:
    """Two authors leave every strength possible; two hundred who are alike make it a strong one."""
    few, many = np.array([[3.0, 1.0], [4.0, 0.0]]), np.tile([[15.0, 5.0]], (200, 1))
    unsure, sure = (
        strength_chances(counts, np.tile([0.75, 0.25], (len(counts), 1)), 4.0)
        for counts in (few, many)
    )

    assert [1.0, 1.0] == pytest.approx([unsure.sum(), sure.sum()])
    assert 0.5 > unsure.max()
    assert 0.9 < sure[STRENGTHS >= 64].sum()
    assert STRENGTHS[sure.argmax()] == likely_strength(many, np.tile([0.75, 0.25], (200, 1)), 4.0)
