"""What the other types check and export, beyond what every type promises."""

from __future__ import annotations

from typing import Any

import pytest

from marketplace.tasktypes import TASK_TYPES, Counts, Json, PolicyUnavailable
from marketplace.tasktypes.diffs import lines_of
from tests.tasktypes.examples import DIFF, EXAMPLES, RESPONSE, record


def pointers(key: str, judgement: Json, **template: Any) -> list[str]:
    example = EXAMPLES[key]
    faults = TASK_TYPES[key].check_judgement(
        {**example.template, **template}, example.payload, judgement
    )
    return [fault.pointer for fault in faults]


def rows(key: str, exporter: str, policy: str, *judgements: Json) -> tuple[list[Any], Counts]:
    counts = Counts()
    chosen = TASK_TYPES[key].exports[exporter]
    return list(chosen.rows([record(key, *judgements)], policy, counts)), counts


def test_every_response_is_ranked_once() -> None:
    assert ["/tiers"] == pointers("ranking", {"tiers": [["r1"], ["r2"]]})
    assert ["/tiers"] == pointers("ranking", {"tiers": [["r1"], ["r2", "r1"], ["r3"]]})
    assert ["/tiers"] == pointers("ranking", {"tiers": [["r1", "r2", "r3", "r9"]]})
    assert [] == pointers("ranking", {"tiers": [["r1", "r2"]], "unrankable": ["r3"]})


def test_a_job_may_forbid_ties_and_unrankable() -> None:
    tied: Json = {"tiers": [["r1", "r2"]], "unrankable": ["r3"]}

    assert ["/tiers", "/unrankable"] == pointers(
        "ranking", tied, allow_ties=False, allow_unrankable=False
    )


def test_a_ranking_may_be_written_as_text() -> None:
    read = TASK_TYPES["ranking"].from_form(
        {"tiers": "r3 > r1 = r2"}, {}, EXAMPLES["ranking"].payload
    )

    assert {"tiers": [["r3"], ["r1", "r2"]]} == read


def test_half_a_ranking_comes_back_as_it_was_left() -> None:
    ranking, payload = TASK_TYPES["ranking"], EXAMPLES["ranking"].payload
    left = {"ranks.r1": "2", "ranks.r3": "3"}

    read = ranking.from_form(left, {}, payload)
    back = ranking.to_form(read)

    assert {"tiers": [[], ["r1"], ["r3"]]} == read
    assert left == {name: rank for name, rank in back.items() if name != "tiers"}
    assert [["r2"], ["r1"], ["r3"]] == ranking.from_form(back | {"ranks.r2": "1"}, {}, payload)[
        "tiers"
    ]
    assert ["/tiers"] == pointers("ranking", read)
    assert ["/tiers/1"] == pointers("ranking", {"tiers": [["r1", "r2"], [], ["r3"]]})


def test_places_beyond_the_last_are_no_gaps() -> None:
    read = TASK_TYPES["ranking"].from_form(
        {"ranks.r1": "999999999"}, {}, EXAMPLES["ranking"].payload
    )

    assert {"tiers": [["r1"]]} == read


def test_a_ranking_becomes_all_pairs_across_tiers() -> None:
    pairs, counts = rows("ranking", "trl_preference", "all", {"tiers": [["r2"], ["r1", "r3"]]})

    texts = [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in pairs]
    assert [("Draft 2", "Draft 1"), ("Draft 2", "Draft 3")] == texts
    assert [0.5, 0.5] == [row["weight"] for row in pairs]
    assert {"tie": 1} == counts.dropped


def test_pairs_of_a_ranking_are_voted_on_one_by_one() -> None:
    ballots: list[Json] = [
        {"tiers": [["r1"], ["r2"], ["r3"]]},
        {"tiers": [["r1"], ["r3"], ["r2"]]},
        {"tiers": [["r1", "r2"]], "unrankable": ["r3"]},
    ]

    pairs, counts = rows("ranking", "trl_preference", "majority", *ballots)

    texts = [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in pairs]
    assert [("Draft 1", "Draft 2"), ("Draft 1", "Draft 3")] == texts
    assert {"no_majority": 1} == counts.dropped


@pytest.mark.parametrize(
    ("rating", "place"),
    [
        ({"score": 6}, ["/ratings/clarity/score"]),
        ({}, ["/ratings/clarity/score"]),
        ({"na": True}, ["/ratings/clarity/na"]),
        ({"score": 3}, []),
    ],
)
def test_a_rating_stays_on_its_scale(rating: Json, place: list[str]) -> None:
    assert place == pointers("rubric", {"ratings": {"clarity": rating, "dosing": {"na": True}}})


def test_a_scale_and_its_anchors_fit() -> None:
    aspect = {"key": "x", "title": "X", "scale": {"min": 3, "max": 3, "anchors": {"9": "?"}}}

    faults = TASK_TYPES["rubric"].check_template({"aspects": [aspect]})

    assert ["/aspects/0/scale/max", "/aspects/0/scale/anchors"] == [f.pointer for f in faults]


def test_rubric_majorities_fill_the_columns() -> None:
    ballots = [
        {"ratings": {"clarity": {"score": score}, "dosing": dosing}}
        for score, dosing in [(4, {"na": True}), (4, {"score": 1}), (2, {"score": 2})]
    ]

    [row], _ = rows("rubric", "helpsteer2", "majority", *ballots)

    assert (4, None) == (row["clarity"], row["dosing"])
    assert EXAMPLES["rubric"].payload["messages"][0]["content"] == row["prompt"]


def test_gold_tolerance_is_the_template_s() -> None:
    kind = TASK_TYPES["rubric"]
    gold: Json = {"ratings": {"clarity": {"score": 4}, "dosing": {"score": 1}}}
    given: Json = {"ratings": {"clarity": {"score": 5}, "dosing": {"score": 1}}}

    assert 0.5 == kind.gold_agrees(given, gold, {})
    assert 1.0 == kind.gold_agrees(given, gold, {"gold_tolerance": 1})


def test_a_demonstration_is_reviewed_and_not_voted_on() -> None:
    judgement = EXAMPLES["demonstration"].judgement
    with pytest.raises(PolicyUnavailable, match="Choose all"):
        rows("demonstration", "trl_messages", "majority", judgement)

    [row], _ = rows("demonstration", "trl_messages", "all", judgement)

    assert ["user", "assistant"] == [message["role"] for message in row["messages"]]
    assert None is TASK_TYPES["demonstration"].gold_agrees(judgement, judgement, {})


def test_a_demonstration_keeps_its_promises() -> None:
    said: Json = {"messages": [{"role": "assistant", "content": "No."}]}

    assert ["/messages", "/self_check/own_words"] == pointers("demonstration", said)


def test_a_claim_must_lie_where_it_says() -> None:
    marked = EXAMPLES["fact_check"].judgement["claims"][0]

    assert ["/claims"] == pointers("fact_check", {"claims": []})
    assert ["/claims/1/end"] == pointers(
        "fact_check", {"claims": [marked, {"start": 50, "end": 900, "verdict": "unverifiable"}]}
    )
    assert ["/claims/0/text"] == pointers("fact_check", {"claims": [{**marked, "text": "Fees"}]})


def test_a_claim_is_judged_once() -> None:
    [marked, further] = EXAMPLES["fact_check"].judgement["claims"]

    assert ["/claims/2"] == pointers("fact_check", {"claims": [marked, further, further]})


def test_a_quote_must_stand_in_its_source() -> None:
    marked = EXAMPLES["fact_check"].judgement["claims"][0]
    invented = {**marked, "sources": [{"doc_id": "s1", "quote": "in 30 days"}]}
    elsewhere = {**marked, "sources": [{"doc_id": "s7", "quote": "in 20 days"}]}
    bare = {key: marked[key] for key in ("start", "end", "verdict")}

    assert ["/claims/0/sources/0/quote"] == pointers("fact_check", {"claims": [invented]})
    assert ["/claims/0/sources/0/doc_id"] == pointers("fact_check", {"claims": [elsewhere]})
    assert ["/claims/0/sources"] == pointers("fact_check", {"claims": [bare]})


def test_words_of_a_claim_are_found_in_code_points() -> None:
    form = {"claims.0.text": "Fees are capped.", "claims.0.verdict": "unverifiable"}

    read = TASK_TYPES["fact_check"].from_form(form, {}, EXAMPLES["fact_check"].payload)

    [claim] = read["claims"]
    assert "Fees are capped." == RESPONSE[claim["start"] : claim["end"]]
    assert "🏛" in RESPONSE[: claim["start"]]


def test_ragtruth_labels_what_the_sources_do_not_bear_out() -> None:
    judgement = EXAMPLES["fact_check"].judgement

    [row], counts = rows("fact_check", "ragtruth", "majority", judgement, judgement)

    assert ["Evident Conflict", "Evident Baseless Info"] == [
        label["label_type"] for label in row["labels"]
    ]
    assert 2 == counts.kept


def test_gold_claims_match_by_overlap() -> None:
    kind = TASK_TYPES["fact_check"]
    gold: Json = {"claims": [{"start": 0, "end": 10, "verdict": "supported"}]}
    near: Json = {"claims": [{"start": 2, "end": 10, "verdict": "supported"}]}
    far: Json = {"claims": [{"start": 9, "end": 20, "verdict": "supported"}]}

    assert [1.0, 0.0] == [kind.gold_agrees(given, gold, {}) for given in (near, far)]


def test_a_diff_knows_its_lines() -> None:
    assert {
        ("shop/cart.py", "new"): {1, 2, 3, 4, 5},
        ("shop/cart.py", "old"): {1, 2, 3, 4},
    } == lines_of(DIFF)


def test_a_removed_line_of_dashes_is_no_header() -> None:
    diff = "--- a/q.sql\n+++ b/q.sql\n@@ -1,2 +1 @@\n--- a remark\n select 1;\n"

    assert {("q.sql", "old"): {1, 2}, ("q.sql", "new"): {1}} == lines_of(diff)


def test_a_comment_stands_on_a_line_of_the_diff() -> None:
    comment = EXAMPLES["code"].judgement["comments"][0]
    lost = {"verdict": "comment", "comments": [{**comment, "line": 99}]}
    odd = {"verdict": "comment", "comments": [{**comment, "category": "taste"}]}

    assert ["/comments/0/line"] == pointers("code", lost)
    assert ["/comments/0/category"] == pointers("code", odd)
    assert ["/comments"] == pointers("code", {"verdict": "request_changes"})
    assert ["/patch"] == pointers("code", {"verdict": "approve"}, patch="required")


def test_what_is_no_diff_is_no_item() -> None:
    faults = TASK_TYPES["code"].check_item({}, {"title": "x", "diff": "just text"})

    assert ["/diff"] == [fault.pointer for fault in faults]


def test_a_review_row_holds_the_comments_of_the_majority() -> None:
    changes = EXAMPLES["code"].judgement
    approve: Json = {"verdict": "approve"}

    [row], _ = rows("code", "code_review", "majority", changes, changes, approve)

    assert ("request_changes", 2) == (row["verdict"], len(row["comments"]))


def test_a_model_promises_nothing_and_may_have_left_things_out() -> None:
    written = {"messages": [{"role": "assistant", "content": "Rest."}]}
    required: Json = {"required": True, "title": "A", "key": "a"}
    scored = {**required, "scale": {"min": 1, "max": 5}, "rationale": "required"}

    for kind, template, said in (
        ("demonstration", EXAMPLES["demonstration"].template | {"characters_min": 900}, written),
        ("pairwise", {"strength": True, "aspects": [required]}, {"choice": "a"}),
        ("rubric", {"aspects": [scored]}, {"ratings": {"a": {"score": 3}}}),
    ):
        of, payload = TASK_TYPES[kind], EXAMPLES[kind].payload
        assert [] == of.check_template(template)
        assert [] == of.check_prelabel(template, payload, said)
        assert [] != of.check_judgement(template, payload, said)
