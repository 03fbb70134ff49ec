"""HelpSteer, hh-rlhf, OpenAI's files and trees of OpenAssistant, for every type that has them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.tasktypes import TASK_TYPES, Counts, Json, Record
from tests.tasktypes.examples import EXAMPLES, MESSAGES, authored, record
from tests.tasktypes.test_real_preferences import CHOICES, payload_of

TURN = re.compile(r"\n\n(Human|Assistant): ")
ROLES = {"Human": "user", "Assistant": "assistant"}
WORDS = st.text(st.sampled_from("ab é🏛\n:"), min_size=1, max_size=12)


def rows_of(
    kind: str, form: str, one: Record, policy: str = "all"
) -> tuple[list[dict[str, Any]], Counts]:
    counts = Counts()
    return list(TASK_TYPES[kind].exports[form].rows([one], policy, counts)), counts


def strong(*scores: int) -> list[Json]:
    """Judgements with these scores: below 0 for a, above it for b."""
    return [
        {"choice": "tie" if not each else "a" if each < 0 else "b", "strength": abs(each)}
        for each in scores
    ]


def turns_of(dialogue: str) -> list[tuple[str, str]]:
    """A dialogue of hh-rlhf taken apart again, as its readers do."""
    _, *parts = TURN.split(dialogue)
    return [(ROLES[who], said) for who, said in zip(parts[::2], parts[1::2], strict=True)]


def test_helpsteer2_rests_on_the_three_that_are_nearest() -> None:
    one = record("pairwise", *strong(-3, 1, 2, 2), {"choice": "both_bad"})

    ((row,), counts) = rows_of("pairwise", "helpsteer2_preference", one)

    assert 2 == row["preference_strength"]
    assert [1, 2, 2] == [each["strength"] for each in row["three_most_similar_preferences"]]
    assert [-3, 1, 2, 2] == [each["strength"] for each in row["all_preferences_unprocessed"]]
    assert "Response 2 is better than Response 1." == row["preference_statement"]
    assert {"both_bad": 1} == dict(counts.noted)


@pytest.mark.parametrize(
    ("scores", "strength", "statement"),
    [
        ((-1,), -1, "Response 1 is slightly better than Response 2."),
        ((-3, -3, 3), -1, "Response 1 is slightly better than Response 2."),
        ((0, 0, 1), 0, "Responses 1 and 2 are about the same."),
    ],
)
def test_helpsteer2_says_its_strength_in_words(
    scores: tuple[int, ...], strength: int, statement: str
) -> None:
    ((row,), _) = rows_of("pairwise", "helpsteer2_preference", record("pairwise", *strong(*scores)))

    assert (strength, statement) == (row["preference_strength"], row["preference_statement"])


def test_helpsteer3_tells_of_a_ranking_how_many_places_lie_between() -> None:
    one = record("ranking", {"tiers": [["r2"], ["r1"], ["r3"]]}, {"tiers": [["r2", "r1"]]})

    rows, counts = rows_of("ranking", "helpsteer3", one)

    scores = [[each["score"] for each in row["individual_preference"]] for row in rows]
    assert [[1, 0], [-1], [-2]] == scores  # r1 and r2, r1 and r3, r2 and r3.
    assert [1, -1, -2] == [row["overall_preference"] for row in rows]
    assert (3, 1) == (counts.kept, counts.ties)


def test_a_tie_makes_two_good_rows_and_both_bad_two_bad_ones_and_both_are_counted() -> None:
    one = record("pairwise", *strong(0, -2), {"choice": "both_bad"})

    rows, counts = rows_of("pairwise", "trl_unpaired", one)

    assert [True, True, True, False, False, False] == [row["label"] for row in rows]
    assert (3, 3, 6) == (counts.read, counts.kept, counts.rows)
    assert {"tie": 1, "both_bad": 1} == dict(counts.noted)
    assert (1, 1) == (counts.ties, counts.both_bad)


@given(said=st.lists(WORDS, min_size=1, max_size=4), chosen=WORDS, rejected=WORDS, told=WORDS)
@settings(max_examples=60, deadline=None)
def test_dialogues_of_hh_rlhf_are_the_conversation_again(
    said: list[str], chosen: str, rejected: str, told: str
) -> None:
    roles = ["user" if number % 2 == 0 else "assistant" for number in range(len(said))]
    spoken = [{"role": r, "content": text} for r, text in zip(roles, said, strict=True)]
    messages = [{"role": "system", "content": told}, *spoken]
    payload = {"messages": messages, "a": chosen, "b": rejected}

    ((row,), counts) = rows_of(
        "pairwise", "hh_rlhf", record("pairwise", *strong(-1), payload=payload)
    )

    asked = list(zip(roles, said, strict=True))
    assert [*asked, ("assistant", chosen)] == turns_of(row["chosen"])
    assert [*asked, ("assistant", rejected)] == turns_of(row["rejected"])
    assert row["chosen"].startswith(told)
    assert {"system_opens": 1} == dict(counts.noted)


@pytest.mark.parametrize(
    ("messages", "answer", "reason"),
    [
        (MESSAGES, "Yes.\n\nHuman: And then?", "mark_of_a_turn_in_text"),
        ([{"role": "user", "content": "A\n\nAssistant: B"}], "Yes.", "mark_of_a_turn_in_text"),
        ([*MESSAGES, {"role": "tool", "content": "4"}], "Yes.", "not_a_dialogue"),
    ],
)
def test_a_dialogue_that_would_be_read_otherwise_is_left_out(
    messages: list[Json], answer: str, reason: str
) -> None:
    payload = {"messages": messages, "a": answer, "b": "No."}

    rows, counts = rows_of("pairwise", "hh_rlhf", record("pairwise", *strong(-1), payload=payload))

    assert ([], {reason: 1}) == (rows, dict(counts.dropped))


def test_real_pairs_go_into_hh_rlhf_and_come_out_as_they_were(sample_data: Path) -> None:
    path = sample_data / "pandalm_pairwise" / "testset-v1.json"
    found = kept = 0
    for row in json.loads(path.read_text("utf-8")):
        choice = CHOICES[row["annotator1"]]
        payload = payload_of(row)
        one = Record(
            item_id="x",
            external_id="x",
            task_type="pairwise",
            payload=payload,
            judgements=(authored({"choice": choice}, 1),),
        )
        rows, counts = rows_of("pairwise", "hh_rlhf", one)
        kept += counts.kept
        for each in rows:
            other = {"a": "b", "b": "a"}[choice]
            asked = ("user", payload["messages"][0]["content"])
            assert [asked, ("assistant", payload[choice])] == turns_of(each["chosen"])
            assert [asked, ("assistant", payload[other])] == turns_of(each["rejected"])
            found += 1
    assert kept == found > 800


def test_earlier_answers_weigh_nothing_and_the_specialists_do() -> None:
    asked = [*MESSAGES, {"role": "assistant", "content": "Hm."}, {"role": "user", "content": "So?"}]
    payload = {**EXAMPLES["demonstration"].payload, "messages": asked}
    one = record("demonstration", EXAMPLES["demonstration"].judgement, payload=payload)

    ((row,), _) = rows_of("demonstration", "openai_sft", one)

    assert [None, 0, None, None] == [each.get("weight") for each in row["messages"]]
    written = EXAMPLES["demonstration"].judgement["messages"]
    assert written == row["messages"][-len(written) :]


def test_responses_of_a_ranking_are_replies_by_rank() -> None:
    one = record("ranking", {"tiers": [["r2"], ["r1"]], "unrankable": ["r3"]})

    ((row,), counts) = rows_of("ranking", "oasst", one)

    replies = row["prompt"]["replies"]
    assert [("Draft 1", 1), ("Draft 2", 0), ("Draft 3", None)] == [
        (each["text"], each["rank"]) for each in replies
    ]
    assert {"assistant"} == {each["role"] for each in replies}
    assert {row["prompt"]["message_id"]} == {each["parent_id"] for each in replies}
    assert {"unrankable": 1} == dict(counts.noted)
