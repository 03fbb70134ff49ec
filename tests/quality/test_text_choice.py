"""Of several texts the one that able authors are nearest to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from marketplace.quality.rules.text_choice import choose, text_distances


def apart(numbers: Sequence[Any]) -> npt.NDArray[np.float64]:
    given = np.array(numbers, np.float64)
    return np.minimum(1, np.abs(given[:, None] - given[None, :]))


def test_the_text_in_the_middle_is_taken() -> None:
    texts = {
        "a": "Take the next dose as planned and call the clinic.",
        "b": "Take the next dose as planned, then call your clinic.",
        "c": "Bananas are rich in potassium.",
    }

    chosen, errors = choose({"t": texts})

    assert chosen["t"].author in ("a", "b")
    assert chosen["t"].distances["c"] > chosen["t"].distances["a"]
    assert errors["c"] > errors["a"]


def test_who_wrote_well_elsewhere_is_believed_where_all_differ() -> None:
    # On ten tasks a and b are near each other and c is not; on the last all are equally far.
    tasks = {at: {"a": 0.0, "b": 0.05, "c": 1.0} for at in range(10)}
    tasks[99] = {"b": 0.0, "c": 0.5, "d": 1.0}

    chosen, errors = choose(tasks, apart)

    assert errors["a"] < errors["d"] < errors["c"]
    assert "b" == choose({**tasks, 99: {"b": 0.0, "c": 0.5}}, apart)[0][99].author
    assert chosen[0].author in ("a", "b")


def test_planted_skill_beats_the_plain_middle() -> None:
    source = np.random.default_rng(1)
    noise = {"a": 0.02, "b": 0.05, "c": 0.4, "d": 0.5}
    tasks = {
        task: {who: 0.5 + source.normal(0, size) for who, size in noise.items()}
        for task in range(200)
    }

    chosen, _ = choose(tasks, apart)

    missed = [abs(tasks[task][str(each.author)] - 0.5) for task, each in chosen.items()]
    middles = [
        min(texts.values(), key=lambda x: sum(abs(x - y) for y in texts.values()))
        for texts in tasks.values()
    ]
    assert np.mean(missed) < np.mean([abs(middle - 0.5) for middle in middles])


def test_a_single_text_is_taken_without_confidence() -> None:
    chosen, errors = choose({"t": {"a": "Only this."}, "none": {}})

    assert ("a", 0.0) == (chosen["t"].author, chosen["t"].confidence)
    assert ["t"] == list(chosen)
    assert ["a"] == list(errors)


def test_distances_of_texts() -> None:
    found = text_distances(["The cat sat.", "the  CAT sat.", "Wholly other words", ""])

    assert 0 == pytest.approx(found[0, 1], abs=1e-12)
    assert 0.8 < found[0, 2] <= 1
    assert 1 == found[0, 3]
    assert (found == found.T).all()
