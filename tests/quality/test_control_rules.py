"""The pure side of rules: bounds along a history, first crossings, gold's signs, likeness."""

from __future__ import annotations

from uuid import UUID, uuid4

import numpy as np
import pytest

from marketplace.quality.rules import gold
from marketplace.quality.rules.control import (
    Bound,
    Condition,
    Observations,
    Outlook,
    Side,
    first_crossings,
    standing,
)
from marketplace.quality.rules.likeness import nearly_repeated
from marketplace.quality.rules.posterior import beta_quantile, posterior

ASKED = Condition(Side.ABOVE, Bound.LOWER, 0.4, 5)
SAME = "The first answer names the dose and the interval at which it is to be given."


def history(seed: int, people: int = 12, pieces: int = 40) -> Observations:
    """Work of people, each with an own share of errors."""
    draw = np.random.default_rng(seed)
    rows = []
    for share in draw.random(people):
        person = UUID(bytes=draw.bytes(16), version=4)
        for at in range(pieces):
            rows.append((person, float(at), float(draw.random() < share), uuid4()))
    draw.shuffle(rows)
    return Observations.of(rows)


@pytest.mark.parametrize("window", [None, 10])
@pytest.mark.parametrize("side", [Side.ABOVE, Side.BELOW])
def test_first_crossings_are_those_that_a_walk_through_history_finds(
    side: Side, window: int | None
) -> None:
    seen = history(seed=3)
    bound = Bound.LOWER if side is Side.ABOVE else Bound.UPPER
    asked = Condition(side, bound, 0.4, 5, window)
    walked = {}
    for number, person in enumerate(seen.people):
        values = seen.value[seen.who == number]
        for n in range(5, len(values) + 1):
            part = values[max(0, n - window) : n] if window else values[:n]
            right, size = float(part.sum()), len(part)
            edge = 0.1 if side is Side.ABOVE else 0.9
            limit = beta_quantile(edge, 1 + right, 1 + size - right)
            if (limit > 0.4) if side is Side.ABOVE else (limit < 0.4):
                walked[person] = (n - 1.0, size)
                break

    found = {each.person_id: (each.at, each.figures.n) for each in first_crossings(seen, asked)}

    assert walked == found
    assert 2 <= len(found) < len(seen.people)


def test_only_what_came_later_says_whether_somebody_was_caught_wrongly() -> None:
    person, other = uuid4(), uuid4()
    errors = Observations.of(
        [(who, float(at), 1.0, uuid4()) for who in (person, other) for at in range(5)]
    )
    right = [(person, float(at), float(at > 4), uuid4()) for at in range(15)]
    wrong = [(other, float(at), 0.0, uuid4()) for at in range(15)]

    caught = first_crossings(errors, ASKED, Observations.of(right + wrong))

    assert {(person, 10, Outlook.FINE), (other, 10, Outlook.NOT_FINE)} == {
        (each.person_id, each.later_n, each.outlook) for each in caught
    }


def test_the_bound_and_not_the_raw_share_decides() -> None:
    person = uuid4()
    three_of_five = [(person, float(at), float(at < 3), uuid4()) for at in range(5)]
    forty_of_fifty = [(person, float(at), float(at % 5 > 0), uuid4()) for at in range(50)]

    assert {} == standing(Observations.of(three_of_five), ASKED)
    figures, _ = standing(Observations.of(forty_of_fifty), ASKED)[person]
    assert (0.8, 50) == (figures.value, figures.n)
    assert posterior(40, 50)[1] == pytest.approx(figures.lower, abs=1e-9)
    assert {} == standing(Observations.of([]), ASKED)


def test_gold_is_put_in_doubt_by_one_other_answer_and_not_by_several() -> None:
    alike = {(one, two): 1.0 for one in range(4) for two in range(4) if one != two}

    assert gold.against([0, 1, 2, 3], alike, people=4).puts_in_doubt
    assert not gold.against([0, 1, 2, 3], {}, people=4).puts_in_doubt
    assert not gold.against([0, 1, 2, 3], alike, people=9).puts_in_doubt


def test_a_leap_needs_a_past_that_it_stands_out_from() -> None:
    assert gold.leap(10, 10, elsewhere_right=12, elsewhere_n=30).is_sudden
    assert not gold.leap(10, 10, elsewhere_right=26, elsewhere_n=30).is_sudden
    assert not gold.leap(10, 10, elsewhere_right=0, elsewhere_n=0).is_sudden


def test_nearly_the_same_words_again() -> None:
    other = "Nothing in the second one says how often the patient is to take the tablets."
    assert [False, None, False, True, True] == nearly_repeated(
        [SAME, "Too short.", other, SAME.upper(), f"{SAME} Really."]
    )
