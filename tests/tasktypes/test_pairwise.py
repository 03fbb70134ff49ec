"""Pairwise preference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.tasktypes import TASK_TYPES, Counts, Json, Record, line
from tests.tasktypes.examples import EXAMPLES, authored, record
from tests.tasktypes.strategies import JUDGEMENTS

PAIRWISE = TASK_TYPES["pairwise"]
PAYLOAD = EXAMPLES["pairwise"].payload


def exported(
    key: str, records: Iterable[Record], policy: str = "majority"
) -> tuple[list[Any], Counts]:
    counts = Counts()
    return list(PAIRWISE.exports[key].rows(records, policy, counts)), counts


def chose(*choices: str, strength: int = 1) -> list[Json]:
    return [{"choice": choice, "strength": strength if choice in "ab" else 0} for choice in choices]


@pytest.mark.parametrize(
    ("template", "judgement", "pointers"),
    [
        ({}, {"choice": "a"}, []),
        ({}, {"choice": "a", "strength": 0}, []),
        ({}, {"choice": "tie", "strength": 1}, ["/strength"]),
        ({}, {"choice": "both_bad", "strength": 0}, []),
        ({"strength": True}, {"choice": "b"}, ["/strength"]),
        ({"strength": True}, {"choice": "tie"}, []),
        ({"strength": False}, {"choice": "b", "strength": 2}, ["/strength"]),
        ({}, {"choice": "b", "strength": 4}, ["/strength"]),
        ({"allow_tie": False}, {"choice": "tie"}, ["/choice"]),
        ({"allow_both_bad": False}, {"choice": "both_bad"}, ["/choice"]),
        ({}, {"choice": "c"}, ["/choice"]),
        ({}, {"choice": "a", "aspects": {"depth": "a"}}, ["/aspects/depth"]),
        ({}, {"choice": "a", "rationale": "x"}, ["/rationale"]),
    ],
)
def test_the_judgement_follows_the_template(
    template: Json, judgement: Json, pointers: list[str]
) -> None:
    assert [] == PAIRWISE.check_template(template)
    faults = PAIRWISE.check_judgement(template, PAYLOAD, judgement)

    assert pointers == [fault.pointer for fault in faults]


def test_a_mind_changed_to_a_tie_leaves_the_strength_behind() -> None:
    sent = {"choice": "tie", "strength": "2", "aspects.safety": "a"}

    read = TASK_TYPES["pairwise"].from_form(sent, {}, EXAMPLES["pairwise"].payload)

    assert {"choice": "tie", "aspects": {"safety": "a"}} == read


def test_a_required_aspect_is_asked_for() -> None:
    template = EXAMPLES["pairwise"].template
    [fault] = PAIRWISE.check_judgement(template, PAYLOAD, {"choice": "a", "strength": 1})

    assert ("/aspects/safety", "Answer “Safety” too.") == (fault.pointer, fault.message)


def test_gold_may_be_the_choice_alone() -> None:
    template = EXAMPLES["pairwise"].template

    assert [] == PAIRWISE.check_gold(template, PAYLOAD, {"judgement": {"choice": "b"}})


def test_aspects_have_one_key_each() -> None:
    twice = [{"key": "depth", "title": "Depth"}, {"key": "depth", "title": "More depth"}]

    assert ["/aspects/1/key"] == [
        fault.pointer for fault in PAIRWISE.check_template({"aspects": twice})
    ]


def test_half_of_the_seeds_show_b_first() -> None:
    first = [PAIRWISE.presented_order(PAYLOAD, seed)[0] for seed in range(2_000)]

    # Three standard deviations of a fair coin on either side.
    assert 933 <= first.count("b") <= 1_067


def test_a_preference_is_traced_to_the_place_where_it_was_shown() -> None:
    positions = [
        PAIRWISE.favoured_position({"choice": choice}, ["b", "a"])
        for choice in ("a", "b", "tie", "both_bad")
    ]

    assert [1, 0, None, None] == positions


def test_trl_preference_has_exactly_the_documented_columns() -> None:
    [row], counts = exported("trl_preference", [record("pairwise", *chose("b", "a", "b"))])

    assert {
        "external_id": "ext-1",
        "prompt": PAYLOAD["messages"],
        "chosen": [{"role": "assistant", "content": "Never."}],
        "rejected": [{"role": "assistant", "content": "Yes, steadily."}],
        "margin": 1.0,
    } == row
    assert isinstance(row["margin"], float)
    assert (1, 1, 1) == (counts.read, counts.kept, counts.rows)


def test_the_margin_is_the_mean_strength_of_those_who_agree() -> None:
    judgements = [*chose("a", strength=3), *chose("a", strength=2), *chose("b", strength=1)]

    [row], _ = exported("trl_preference", [record("pairwise", *judgements)])

    assert 2.5 == row["margin"]


def test_an_unstated_strength_is_the_neutral_margin() -> None:
    [row], _ = exported("trl_preference", [record("pairwise", {"choice": "a"})])

    assert b'"margin":0.0' in line(row)


def test_every_dropped_item_is_counted_with_its_reason() -> None:
    records = [
        record("pairwise", *chose("a", "a", "tie")),
        record("pairwise", *chose("tie", "tie", "a")),
        record("pairwise", *chose("both_bad")),
        record("pairwise", *chose("a", "b", "tie")),
        record("pairwise", *chose("a", "a", "b", "tie")),
        record("pairwise"),
    ]

    rows, counts = exported("trl_preference", records)

    assert 1 == len(rows)
    assert {
        "read": 6,
        "kept": 1,
        "rows": 1,
        "ties": 1,
        "both_bad": 1,
        "dropped": {"both_bad": 1, "no_judgement": 1, "no_majority": 2, "tie": 1},
        "noted": {},
    } == counts.as_json()


@given(judgements=st.lists(JUDGEMENTS["pairwise"], max_size=5))
@settings(max_examples=100, deadline=None)
def test_under_all_ties_never_become_pairs(judgements: list[Json]) -> None:
    rows, counts = exported("trl_preference", [record("pairwise", *judgements)], "all")

    choices = [judgement["choice"] for judgement in judgements]
    preferred = [PAYLOAD[choice] for choice in choices if choice in {"a", "b"}]
    assert preferred == [row["chosen"][0]["content"] for row in rows]
    assert choices.count("tie") == counts.ties
    assert choices.count("both_bad") == counts.both_bad


def test_a_rationale_stays_out_of_the_training_text() -> None:
    given_in = authored({"choice": "a", "strength": 1}, rationale="SECRET REASON")
    one = record("pairwise")
    one = Record(
        item_id=one.item_id,
        external_id=one.external_id,
        task_type="pairwise",
        payload=one.payload,
        judgements=(given_in,),
    )

    told = {
        key: b"SECRET REASON" in b"".join(map(line, exported(key, [one], policy)[0]))
        for key in PAIRWISE.exports
        for policy in ["all" if key == "label_studio" else "majority"]
    }

    assert {
        "raw": True,
        "helpsteer3": True,
        "label_studio": True,
        "trl_preference": False,
        "trl_unpaired": False,
        "openai_dpo": False,
        "hh_rlhf": False,
        "helpsteer2_preference": True,
    } == told


def test_openai_takes_one_pair_a_line() -> None:
    [row], _ = exported("openai_dpo", [record("pairwise", *chose("a"))])

    assert {"input", "preferred_output", "non_preferred_output"} == set(row)
    assert PAYLOAD["messages"] == row["input"]["messages"]
    assert [{"role": "assistant", "content": "Never."}] == row["non_preferred_output"]


@pytest.mark.parametrize(
    ("choice", "labels"),
    [("a", [True, False]), ("b", [False, True]), ("tie", [True, True]), ("both_bad", [False] * 2)],
)
def test_unpaired_rows_speak_of_ties_too(choice: str, labels: list[bool]) -> None:
    rows, _ = exported("trl_unpaired", [record("pairwise", *chose(choice))])

    assert labels == [row["label"] for row in rows]


def test_helpsteer3_keeps_every_voice() -> None:
    judgements = [*chose("b", strength=3), *chose("b", strength=2), *chose("tie", "both_bad", "b")]

    [row], _ = exported("helpsteer3", [record("pairwise", *judgements)])

    assert [3, 2, 0, 1] == [each["score"] for each in row["individual_preference"]]
    assert 2 == row["overall_preference"]


def test_lines_are_sorted_and_utf_8() -> None:
    assert '{"a":1.5,"b":"🥬"}\n'.encode() == line({"b": "🥬", "a": 1.5})
