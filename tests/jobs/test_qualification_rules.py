"""Dealing items to parallel forms, and reading the terms of a qualification."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Faulty
from marketplace.jobs.rules.qualification import (
    BankItem,
    cleaned_terms,
    corner,
    deal,
    form_faults,
    quotas,
)


def items(counts: dict[str, int], *, form: int | None = None, first: int = 1) -> list[BankItem]:
    names = [concept for concept, n in counts.items() for _ in range(n)]
    return [BankItem(UUID(int=first + n), f"q-{first + n}", c, form) for n, c in enumerate(names)]


banks = st.dictionaries(st.sampled_from("abcde"), st.integers(0, 40), min_size=1)


@settings(max_examples=200, deadline=None)
@given(counts=banks, forms=st.integers(1, 6), items_a_form=st.integers(1, 25), seed=st.text())
def test_forms_are_parallel_or_refused(
    counts: dict[str, int], forms: int, items_a_form: int, seed: str
) -> None:
    bank = items(counts)
    room = sum(n // forms for n in counts.values())

    faults = form_faults(bank, forms=forms, items_a_form=items_a_form)

    assert (room < items_a_form) == bool(faults)
    if faults:
        return
    dealt = deal(bank, forms=forms, items_a_form=items_a_form, seed=seed)
    assert list(range(1, forms + 1)) == sorted(dealt)
    assert 1 == len({tuple(sorted(Counter(i.concept for i in f).items())) for f in dealt.values()})
    assert {items_a_form} == {len(form) for form in dealt.values()}
    ids = [item.id for form in dealt.values() for item in form]
    assert len(ids) == len(set(ids))
    assert dealt == deal(list(reversed(bank)), forms=forms, items_a_form=items_a_form, seed=seed)


def test_another_seed_deals_other_forms() -> None:
    bank = items({"a": 30})

    one, other = (deal(bank, forms=2, items_a_form=10, seed=seed) for seed in ("x", "y"))

    assert one != other


def test_concepts_get_their_share_by_largest_remainder() -> None:
    # 60 % and 30 % and 10 % of ten items, over two forms.
    assert {"a": 6, "b": 3, "c": 1} == quotas({"a": 60, "b": 30, "c": 10}, forms=2, items_a_form=10)


def test_a_rare_concept_makes_room_for_the_others() -> None:
    # Each form can hold one b only, so two a stand in for what b lacks.
    assert {"a": 3, "b": 1} == quotas({"a": 8, "b": 3}, forms=2, items_a_form=4)


def test_forms_that_the_lab_said_are_kept() -> None:
    bank = items({"a": 1, "b": 1}, form=1) + items({"a": 1, "b": 1}, form=2, first=11)

    assert [] == form_faults(bank, forms=2, items_a_form=2)
    assert {1: bank[:2], 2: bank[2:]} == deal(bank, forms=2, items_a_form=2, seed="any")


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (items({"a": 2}, form=2, first=11), "other concepts"),
        (items({"a": 2}, form=3, first=11), "not one of 1 to 2"),
        (items({"a": 1, "b": 1}, first=11), "names no form"),
    ],
)
def test_forms_that_are_not_parallel_are_refused(second: list[BankItem], words: str) -> None:
    bank = items({"a": 1, "b": 1}, form=1) + second

    faults = form_faults(bank, forms=2, items_a_form=2)

    assert any(words in fault.message for fault in faults)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"concept": " dosing ", "form": 2}, ("dosing", 2)),
        ({"concept": "dosing", "form": "02"}, ("dosing", 2)),
        ({"form": 0}, ("general", None)),
        ({"form": True, "concept": 7}, ("general", None)),
        (None, ("general", None)),
        ("dosing", ("general", None)),
    ],
)
def test_the_corner_of_an_item(metadata: object, expected: tuple[str, int | None]) -> None:
    assert expected == corner({"metadata": metadata})


def test_terms_have_defaults() -> None:
    terms = cleaned_terms({"forms": 3})

    assert (3, 10, "0.800") == (terms["forms"], terms["items_a_form"], str(terms["pass_ratio"]))


def test_every_wrong_term_is_told_at_once() -> None:
    with pytest.raises(Faulty) as faulty:
        cleaned_terms({"forms": 0, "pass_ratio": 1.2, "feedback": "all", "colour": "red"})

    assert ["/forms", "/pass_ratio", "/feedback", "/colour"] == [
        fault.pointer for fault in faulty.value.faults
    ]
