"""Judged runs as records of PRM800K."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from marketplace.tasktypes import TASK_TYPES, Counts, Json, Record
from tests.tasktypes.examples import record

TRAJECTORY = TASK_TYPES["trajectory"]
TEMPLATE: Json = {"steps": "all"}


def judged(texts: list[str], ratings: list[int | None], **more: object) -> Record:
    """A run of these steps with their ratings."""
    steps = [{"id": f"s{at}", "kind": "agent", "content": text} for at, text in enumerate(texts)]
    marks = {
        f"s{at}": {"correctness": rating} for at, rating in enumerate(ratings) if rating is not None
    }
    payload = {"goal": "How many?", "steps": steps, **more}
    one = record("trajectory", {"outcome": "no", "steps": marks}, payload=payload)
    return replace(one, template=TEMPLATE)


def exported(one: Record) -> tuple[Json, Counts]:
    counts = Counts()
    (row,) = TRAJECTORY.exports["prm800k"].rows([one], "all", counts)
    return row, counts


def test_the_published_record_comes_out_as_it_went_in(sample_data: Path) -> None:
    published = orjson.loads((sample_data / "prm800k_example/example.jsonl").read_bytes())
    question, label = published["question"], published["label"]
    turns = [
        each["completions"][each["chosen_completion"] or 0]
        for each in label["steps"]
        if each["completions"]
    ]
    texts, ratings = [each["text"] for each in turns], [each["rating"] for each in turns]
    facts = {key: value for key, value in question.items() if key.startswith("ground_truth")}

    row, counts = exported(judged(texts, ratings, goal=question["problem"], metadata=facts))

    assert published.keys() <= row.keys()
    assert question.keys() == row["question"].keys()
    assert label.keys() == row["label"].keys()
    assert facts.items() <= row["question"].items()
    told = [each["completions"][0] for each in row["label"]["steps"]]
    assert list(zip(texts, ratings, strict=True)) == [
        (each["text"], each["rating"]) for each in told
    ]
    assert label["steps"][0].keys() == row["label"]["steps"][0].keys()
    assert turns[0].keys() == told[0].keys()
    assert (1, 1) == (counts.read, counts.kept)


@pytest.mark.parametrize(
    ("ratings", "outcome", "ended"),
    [
        ([1, -1, None], "no", "found_error"),
        ([1, 0, 1], "yes", "solution"),
        ([1, None, None], "unsure", "give_up"),
    ],
)
def test_a_record_says_how_it_ended(ratings: list[int | None], outcome: str, ended: str) -> None:
    one = judged(["a", "b", "c"], ratings)
    (given,) = one.judgements
    given = replace(given, judgement={**given.judgement, "outcome": outcome}, active_seconds=7)

    row, _ = exported(replace(one, judgements=(given,)))

    assert ended == row["label"]["finish_reason"]
    assert 7_000 == row["label"]["total_time"]
    rated = [rating for rating in ratings if rating is not None]
    assert len(rated) == len(row["label"]["steps"])
    assert [None if rating == -1 else 0 for rating in rated] == [
        each["chosen_completion"] for each in row["label"]["steps"]
    ]


def test_a_bad_problem_and_a_step_without_a_rating_are_told() -> None:
    one = judged(["a", "b", "c"], [1, None, 1])
    (given,) = one.judgements

    row, counts = exported(replace(one, judgements=(replace(given, flags=("bad_item",)),)))

    assert "bad_problem" == row["label"]["finish_reason"]
    assert [1, None, 1] == [each["completions"][0]["rating"] for each in row["label"]["steps"]]
    assert {"step_not_rated": 1} == dict(counts.noted)


def test_a_run_of_which_no_step_is_rated_is_counted() -> None:
    counts = Counts()
    rows = list(TRAJECTORY.exports["prm800k"].rows([judged(["a"], [None])], "all", counts))

    assert ([], {"no_step_judged": 1}) == (rows, dict(counts.dropped))
