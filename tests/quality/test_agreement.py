"""Agreement statistics against known figures."""

from __future__ import annotations

import json
import os
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.quality.rules import (
    cohen_kappa,
    krippendorff_alpha_nominal,
    percent_agreement,
)
from marketplace.tasktypes.votes import majority

label_pairs = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=30)


def test_kappa_of_the_textbook_table() -> None:
    # 20 + 15 agreements and 5 + 10 disagreements of two raters: 0.7 observed, 0.5 by chance.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15

    assert 0.4 == pytest.approx(cohen_kappa(pairs), abs=1e-12)
    assert 0.7 == percent_agreement(pairs)


def test_alpha_of_krippendorff_s_own_example() -> None:
    # Krippendorff's (2011) reliability data of four observers, nominal alpha 0.743.
    units = [
        [1, 1, 1],
        [2, 2, 3, 2],
        [3, 3, 3, 3],
        [3, 3, 3, 3],
        [2, 2, 2, 2],
        [1, 2, 3, 4],
        [4, 4, 4, 4],
        [1, 1, 2, 1],
        [2, 2, 2, 2],
        [5, 5, 5],
        [1, 1],
        [3],
    ]

    assert 0.743 == pytest.approx(krippendorff_alpha_nominal(units), abs=5e-4)


def test_nothing_is_known_of_no_labels() -> None:
    assert [None] * 4 == [
        cohen_kappa([]),
        percent_agreement([]),
        krippendorff_alpha_nominal([["a"], []]),
        majority([]),
    ]


def test_one_class_throughout_is_full_agreement() -> None:
    assert 1.0 == cohen_kappa([("a", "a")] * 7)
    assert 1.0 == krippendorff_alpha_nominal([["a", "a"], ["a", "a", "a"]])


@given(label_pairs)
def test_kappa_does_not_ask_who_came_first(pairs: list[tuple[str, str]]) -> None:
    turned = [(second, first) for first, second in pairs]

    assert cohen_kappa(pairs) == cohen_kappa(turned)


@given(label_pairs.filter(bool))
def test_kappa_is_one_exactly_where_nobody_differs(pairs: list[tuple[str, str]]) -> None:
    kappa = cohen_kappa(pairs)

    assert kappa is not None
    assert -1 <= kappa <= 1
    assert all(first == second for first, second in pairs) == (kappa == 1.0)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [("a", "a"), ("aab", "a"), ("ab", None), ("aabc", None), ("aaabc", "a"), ("abc", None)],
)
def test_a_majority_is_more_than_half(labels: str, wanted: str | None) -> None:
    assert wanted == majority(labels)


def test_the_kappas_of_three_people_on_real_preferences() -> None:
    folder = os.environ.get("SAMPLE_DATA")
    if not folder:
        pytest.skip("SAMPLE_DATA is not set; it names the folder that holds the real input.")
    rows = json.loads((Path(folder) / "pandalm_pairwise" / "testset-v1.json").read_text("utf-8"))

    kappas = [
        cohen_kappa([(row[f"annotator{one}"], row[f"annotator{two}"]) for row in rows])
        for one, two in combinations((1, 2, 3), 2)
    ]

    assert [0.852, 0.879, 0.862] == pytest.approx(kappas, abs=5e-4)
