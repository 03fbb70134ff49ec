"""The pure rules of review: chances, the brake, defects, rounds, contested units."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.ids import new_id
from marketplace.review.rules import (
    Facts,
    Reason,
    Tally,
    chance_of,
    contested,
    is_sampled,
    pulled,
    weighted_share,
)
from marketplace.review.rules import defects as named
from marketplace.review.rules.rounds import Change, changes
from marketplace.tasktypes import TASK_TYPES
from tests.tasktypes.examples import EXAMPLES

shares = st.floats(0, 1)
facts = st.builds(
    Facts,
    floor=shares,
    round=st.integers(1, 3),
    flags=st.frozensets(st.sampled_from(["unsure", "outside_competence", "bad_item"])),
    skill_lower=st.none() | shares,
    done_in_job=st.integers(1, 50),
    alike_others=st.none() | shares,
    alike_models=st.none() | shares,
    confidence=st.none() | shares,
    gold_missed=st.booleans(),
    watched=st.booleans(),
)
KNOWN: Mapping[str, Any] = {"floor": 0.1, "done_in_job": 20, "skill_lower": 0.9}


@given(facts)
def test_a_chance_is_never_below_the_share_of_the_job(asked: Facts) -> None:
    chance = chance_of(asked)

    assert asked.floor <= chance.share <= 1
    assert (asked.round > 1) <= (chance.share == 1)


def test_each_thing_to_fear_raises_the_chance_and_says_so() -> None:
    plain = chance_of(Facts(**KNOWN))
    assert () == plain.reasons
    assert pytest.approx(0.1) == plain.share
    for reason, more in (
        (Reason.UNSURE, {"flags": frozenset({"unsure"})}),
        (Reason.NEW_IN_JOB, {"done_in_job": 1}),
        (Reason.SKILL_UNPROVEN, {"skill_lower": 0.3}),
        (Reason.UNLIKE_OTHERS, {"alike_others": 0.0}),
        (Reason.LABEL_UNSURE, {"confidence": 0.5}),
        (Reason.GOLD_MISSED, {"gold_missed": True}),
    ):
        chance = chance_of(Facts(**{**KNOWN, **more}))
        assert (reason,) == chance.reasons
        assert plain.share < chance.share < 1
    assert (1.0, (Reason.WATCHED,)) == _pair(chance_of(Facts(floor=0, watched=True)))
    assert (0.0, ()) == _pair(chance_of(Facts(floor=0, flags=frozenset({"unsure"}))))


def _pair(chance: Any) -> tuple[float, tuple[Reason, ...]]:
    return chance.share, chance.reasons


def test_who_is_drawn_at_one_chance_is_drawn_at_every_higher_one() -> None:
    drawn = [new_id() for _ in range(500)]

    low = {each for each in drawn if is_sampled(each, 0.1)}

    assert low <= {each for each in drawn if is_sampled(each, 0.4)}
    assert low


def test_weights_undo_what_risk_oversamples() -> None:
    """900 careful answers, 95 % good, looked at with 10 %; 300 risky ones, 50 % good, with 60 %."""
    draws = random.Random(7)
    truth, covered, plain = (900 * 0.95 + 300 * 0.5) / 1200, 0, []
    for _ in range(300):
        rows = [(draws.random() < 0.95, 0.1) for _ in range(900)]
        rows += [(draws.random() < 0.5, 0.6) for _ in range(300)]
        seen = [(good, chance) for good, chance in rows if draws.random() < chance]
        found = weighted_share([good for good, _ in seen], [chance for _, chance in seen])
        assert found is not None
        covered += found.lower <= truth <= found.upper
        plain.append(sum(good for good, _ in seen) / len(seen))

    assert 0.9 < covered / 300  # Nine times in ten, rather more often.
    assert truth - sum(plain) / 300 > 0.1  # What a plain share would have said.
    assert weighted_share([], []) is None
    few = weighted_share([False] * 8, [1.0] * 8)
    assert few is not None
    assert few.upper > 0.2  # Eight that agree say little.


def test_the_brake_falls_for_a_rate_that_the_past_does_not_explain() -> None:
    assert pulled(Tally(3, 3), Tally(0, 0)) is None  # Too few to say anything.
    assert pulled(Tally(8, 8), Tally(0, 0)) is not None
    assert pulled(Tally(8, 40), Tally(0, 0)) is None
    assert pulled(Tally(12, 20), Tally(2, 200)) is not None
    assert pulled(Tally(12, 20), Tally(110, 200)) is None  # A job where most is rejected.


def test_units_are_contested_below_the_target() -> None:
    ballots = [{"choice": "a", "aspects.tone": "b"}, {"choice": "b"}, {"choice": "a"}]

    assert {"choice": pytest.approx(2 / 3)} == contested(ballots, 0.8)
    assert {} == contested(ballots, 0.6)
    assert {} == contested(ballots[:1], 1.0)


@pytest.mark.parametrize("key", sorted(EXAMPLES))
def test_every_type_offers_codes_and_places_for_defects(key: str) -> None:
    kind, example = TASK_TYPES[key], EXAMPLES[key]
    codes = named.codes_of(kind, example.template)
    places = named.places_of(kind, example.template, example.judgement)
    every = [
        {"what": "Wrong.", "severity": "minor", "code": code, "place": place.name}
        for (code, _), place in zip(codes * len(places), places, strict=False)
    ]

    assert [] == list(named.faults_of(every, kind, example.template, example.judgement))
    assert len(codes) == len({code for code, _ in codes})
    kept = named.written(every, kind, example.template, 3)
    assert {3} == {row["guideline_version"] for row in kept}
    assert all(row["where"] for row in kept)


def test_defects_that_name_nothing_of_the_answer_are_refused() -> None:
    kind, example = TASK_TYPES["pairwise"], EXAMPLES["pairwise"]
    wrong = [{"code": "nonsense", "place": "step:9", "start": 5, "end": 2}]

    found = named.faults_of(wrong, kind, example.template, example.judgement)

    assert ["/defects/0/code", "/defects/0/place", "/defects/0/start"] == [
        fault.pointer for fault in found
    ]


def test_rounds_are_compared_field_by_field() -> None:
    before = {"choice": "a", "notes": "short and plain", "marks": [{"at": 1}], "gone": True}
    after = {"choice": "b", "notes": "short, not plain", "marks": [{"at": 1}, {"at": 4}]}

    assert [
        Change("choice", "a", "b", is_text=False),
        Change("notes", "short and plain", "short, not plain", is_text=True),
        Change("marks 2 / at", "", "4", is_text=False),
        Change("gone", "yes", "", is_text=False),
    ] == changes(before, after)
    assert [] == changes(after, after)
