"""What a fact check says of a response as a whole: SimpleQA's grade, RAGTruth's quality."""

from __future__ import annotations

import pytest

from marketplace.tasktypes import TASK_TYPES, Counts, Json
from tests.tasktypes.examples import EXAMPLES, record

CHECK = TASK_TYPES["fact_check"]
EXAMPLE = EXAMPLES["fact_check"]
GRADED = {**EXAMPLE.template, "grade": "required", "quality": True}


def judged(**more: str) -> Json:
    return {**EXAMPLE.judgement, **more}


@pytest.mark.parametrize(
    ("template", "said", "expected"),
    [
        (GRADED, {"grade": "correct"}, []),
        (GRADED, {}, ["/grade"]),
        (EXAMPLE.template, {"grade": "correct"}, ["/grade"]),
        (EXAMPLE.template, {"quality": "truncated"}, ["/quality"]),
    ],
)
def test_the_whole_is_said_where_it_is_asked_for(
    template: Json, said: dict[str, str], expected: list[str]
) -> None:
    faults = CHECK.check_judgement(template, EXAMPLE.payload, judged(**said))

    assert expected == [each.pointer for each in faults]


def test_gold_without_a_grade_is_still_gold() -> None:
    assert [] == CHECK.check_gold(GRADED, EXAMPLE.payload, {"judgement": EXAMPLE.judgement})
    gold = judged(grade="correct")
    share = CHECK.gold_agrees(judged(grade="incorrect"), gold, GRADED)
    assert pytest.approx(2 / 3) == share


def test_simpleqa_rows_are_graded_and_every_other_is_counted() -> None:
    counts = Counts()
    judgements = [judged(grade="correct"), judged(), judged(grade="not_attempted")]
    rows = CHECK.exports["simpleqa"].rows([record("fact_check", *judgements)], "all", counts)

    assert ["CORRECT", "NOT_ATTEMPTED"] == [row["grade"] for row in rows]
    assert {"no_grade": 1} == dict(counts.dropped)
    split = Counts()
    most = CHECK.exports["simpleqa"].rows([record("fact_check", *judgements)], "majority", split)
    assert [] == list(most)
    assert {"no_majority": 1} == dict(split.dropped)


def test_ragtruth_says_how_whole_a_response_is() -> None:
    rows = CHECK.exports["ragtruth"].rows(
        [record("fact_check", judged(quality="truncated"))], "all", Counts()
    )

    assert ["truncated"] == [row["quality"] for row in rows]
