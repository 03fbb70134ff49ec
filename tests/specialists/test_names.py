"""How alike two names are: what must not matter, and what must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.specialists.rules.names import name_score, name_words, same_person_name

WORDS = st.text("abcdefghijklmnopqrstuvwxyzéüñøłç", min_size=2, max_size=12)
NAMES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
ANY_TEXT = st.text(max_size=60)


@given(NAMES, NAMES)
def test_the_order_of_the_two_does_not_matter(one: str, other: str) -> None:
    """Who is compared with whom says nothing."""
    assert name_score(one, other) == name_score(other, one)


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_gives_a_ratio(one: str, other: str) -> None:
    """Whatever a register sends, the score stays between nothing and certainty."""
    assert 0.0 <= name_score(one, other) <= 1.0
    assert name_score(one, other) == name_score(other, one)


@given(ANY_TEXT)
def test_every_name_with_a_letter_is_like_itself(name: str) -> None:
    """And a name without one is like none."""
    assert name_score(name, name) == (1.0 if name_words(name) else 0.0)


@given(NAMES, st.data())
def test_writing_does_not_matter(name: str, data: st.DataObject) -> None:
    """Capitals, order and punctuation between the words are only writing."""
    words = data.draw(st.permutations(name.split()))
    mark = data.draw(st.sampled_from([" ", ", ", "-", ". ", "  ", " / "]))
    other = mark.join(words).upper()

    assert name_score(name, other) == 1.0


@given(NAMES, NAMES, st.data())
def test_writing_does_not_matter_to_others_either(
    name: str, third: str, data: st.DataObject
) -> None:
    """Two spellings of one name are equally like a third."""
    other = ", ".join(data.draw(st.permutations(name.split()))).title()

    assert name_score(other, third) == name_score(name, third)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ana Sofía Núñez", "NUNEZ, ANA SOFIA"),
        ("Jürgen Müller", "Juergen Mueller"),
        ("Søren Kjær", "Soren Kjaer"),
        ("Siobhán O\u2019Brien", "SIOBHAN O'BRIEN"),
        ("Siobhan O Brien", "SIOBHAN OBRIEN"),
        ("Pieter van den Berg", "Pieter Vandenberg"),
        ("Pieter van den Berg", "Berg, Pieter"),
        ("Jean-Pierre Dubois", "Jeanpierre Dubois"),
        ("Dr. Mara Lindqvist, MD", "Lindqvist, Mara"),
        ("M. Lindqvist", "Mara Lindqvist"),
        ("Mara K. Lindqvist", "Mara Lindqvist"),
        ("Mara K. Lindqvist", "Mara Katarina Lindqvist"),
        ("Mara Katarina Lindqvist", "Mara Lindqvist"),
        ("Mara Lindqvist", "Mara Lindqvist-Okafor"),
        ("María García", "Maria Garcia Lopez"),
        ("Jon Lindqvist", "John Lindqvist"),
        ("Van Le", "LE, VAN THI HOA"),
    ],
)
def test_one_person_however_it_is_written(one: str, other: str) -> None:
    """The same person, as forms and registers write them."""
    assert same_person_name(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mara Lindqvist", "Mara Okafor"),
        ("Mara Lindqvist", "Jane Lindqvist"),
        ("John Harrow", "Joan Harrow"),
        ("Mario Belli", "Maria Belli"),
        ("Mara Anna Lindqvist", "Mara Judith Lindqvist"),
        ("Mara A. Lindqvist", "Mara J. Lindqvist"),
        ("Pieter van der Meer", "Klaas van der Heijden"),
        ("M. L.", "Mara Lindqvist"),
        ("Lindqvist", "Mara Lindqvist"),
        ("", "Mara Lindqvist"),
        ("李 明", "Li Ming"),
    ],
)
def test_two_people_however_alike_they_are(one: str, other: str) -> None:
    """Not enough to take one for the other."""
    assert not same_person_name(one, other)


FIRST_HALF = st.text("abcdefghijkl", min_size=2, max_size=12)
SECOND_HALF = st.text("mnopqrstuvwxyz", min_size=2, max_size=12)


@given(
    st.lists(FIRST_HALF, min_size=1, max_size=4),
    st.lists(SECOND_HALF, min_size=1, max_size=4),
)
def test_names_without_a_common_letter_score_nothing(one: list[str], other: list[str]) -> None:
    """Different people, as different as can be."""
    assert name_score(" ".join(one), " ".join(other)) == 0.0


@pytest.mark.parametrize("middle", ["Katarina", "K."])
def test_what_is_left_out_costs_less_than_what_contradicts(middle: str) -> None:
    """A missing middle name is weaker evidence of two people than another one."""
    name = f"Mara {middle} Lindqvist"

    assert (
        name_score(name, "Mara Judith Lindqvist")
        < name_score(name, "Mara Lindqvist")
        < name_score(name, name)
    )
