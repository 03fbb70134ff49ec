"""Spans: offsets in code points, what may overlap, relations, votes, gold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from marketplace.tasktypes import TASK_TYPES, Json
from marketplace.tasktypes.spans import text_sha256
from marketplace.tasktypes.spans_form import nth
from tests.tasktypes.examples import EXAMPLES

SPANS = TASK_TYPES["spans"]
TEMPLATE = EXAMPLES["spans"].template
TEXT = EXAMPLES["spans"].payload["text"]
# A flag of four code points, a family joined by ZWJ, a letter with two combining marks, Arabic.
ODD = "🏴󠁧󠁢󠁥󠁮󠁧󠁿 👩‍👩‍👧 e\u0301\u0323 قرار المحكمة العليا 🏛️ end"


def span(text: str, words: str, label: str = "COURT", **more: Any) -> Json:
    start = text.index(words)
    name = more.pop("id", f"s{start}")
    place = {"start": start, "end": start + len(words), "text": words}
    return {"id": name, "label": label, **place, **more}


def faults(judgement: Json, template: Json = TEMPLATE, text: str = TEXT) -> list[str]:
    return [each.pointer for each in SPANS.check_judgement(template, {"text": text}, judgement)]


@pytest.mark.parametrize("words", ["👩‍👩‍👧", "e\u0301\u0323", "المحكمة العليا", "🏛️", "end"])
def test_offsets_count_code_points_whatever_the_script(words: str) -> None:
    marked = span(ODD, words)

    assert [] == faults({"spans": [marked]}, text=ODD)
    assert ["/spans/0/text"] == faults(
        {"spans": [{**marked, "start": marked["start"] - 1}]}, text=ODD
    )


def test_a_text_that_changed_on_its_way_is_refused() -> None:
    right = {"text": ODD, "text_sha256": text_sha256(ODD)}

    assert [] == SPANS.check_item(TEMPLATE, right)
    composed = {**right, "text": ODD.replace("e\u0301", "é")}
    assert ["/text_sha256"] == [each.pointer for each in SPANS.check_item(TEMPLATE, composed)]


@pytest.mark.parametrize(
    ("allowed", "outer", "inner", "expected"),
    [
        ("none", (0, 5), (5, 9), []),
        ("none", (0, 5), (4, 9), ["/spans/1"]),
        ("none", (0, 9), (2, 4), ["/spans/1"]),
        ("nested", (0, 9), (2, 4), []),
        ("nested", (0, 5), (0, 5), []),
        ("nested", (0, 5), (4, 9), ["/spans/1"]),
        ("any", (0, 5), (4, 9), []),
    ],
)
def test_spans_overlap_as_far_as_the_template_allows(
    allowed: str, outer: tuple[int, int], inner: tuple[int, int], expected: list[str]
) -> None:
    marks = [
        {"id": f"s{at}", "start": one[0], "end": one[1], "label": label, "text": TEXT[slice(*one)]}
        for at, (one, label) in enumerate(((outer, "COURT"), (inner, "JUDGE")))
    ]

    assert expected == faults({"spans": marks}, {**TEMPLATE, "overlap": allowed})


def test_the_same_span_with_the_same_label_stands_once() -> None:
    twice = [span(TEXT, "Delhi", id="x"), span(TEXT, "Delhi", id="y")]

    assert ["/spans/1"] == faults({"spans": twice}, {**TEMPLATE, "overlap": "any"})


def test_what_is_said_of_a_span_must_be_asked_for() -> None:
    judge = span(TEXT, "Wazīri", "JUDGE", attributes={"role": "clerk", "quoted": "yes"})
    assert ["/spans/0/attributes/role", "/spans/0/attributes/quoted"] == faults({"spans": [judge]})
    assert ["/spans/0/label"] == faults({"spans": [span(TEXT, "Delhi", "CITY")]})
    plain = {"labels": TEMPLATE["labels"]}
    said = span(TEXT, "Delhi", negated=True, kb_id="Q987")
    assert ["/spans/0/negated", "/spans/0/kb_id"] == faults({"spans": [said]}, plain)


def test_relations_join_labels_that_their_type_allows() -> None:
    court, judge = span(TEXT, "High Court of Delhi"), span(TEXT, "Wazīri", "JUDGE")
    marks = [court, {**judge, "attributes": {"role": "sole"}}]

    def told(source: Json, target: Json, kind: str = "sits in") -> list[str]:
        relation = {"source": source["id"], "target": target["id"], "type": kind}
        return faults({"spans": marks, "relations": [relation]})

    assert [] == told(judge, court)
    assert ["/relations/0"] == told(court, judge)
    assert ["/relations/0"] == told(judge, {"id": "nowhere"})
    assert ["/relations/0/type"] == told(judge, court, "knows")
    assert [] == told(court, judge, "named with")


def test_an_undirected_relation_stands_once_whichever_way() -> None:
    marks = [span(TEXT, "Delhi"), span(TEXT, "Court")]
    ids = [each["id"] for each in marks]
    ends = [(ids[0], ids[1]), (ids[1], ids[0])]
    relations = [{"source": a, "target": b, "type": "named with"} for a, b in ends]

    assert ["/relations/1"] == faults({"spans": marks, "relations": relations})


def test_a_template_names_what_it_has_and_leaves_the_workbench_its_keys() -> None:
    wrong = {
        "labels": [{"name": "A", "key": "r"}, {"name": "A", "key": "1"}, {"name": "B", "key": "1"}],
        "attributes": [{"key": "x", "title": "X", "kind": "choice", "labels": ["C"]}],
        "relations": [{"name": "of", "pairs": [{"source": "A", "target": "D"}]}],
    }

    assert [
        "/labels/1/name",
        "/labels/0/key",
        "/labels/2/key",
        "/attributes/0/labels",
        "/attributes/0/options",
        "/relations/0/pairs/0",
    ] == [each.pointer for each in SPANS.check_template(wrong)]


def test_rows_without_script_are_found_by_their_words() -> None:
    text = "Delhi, not Delhi 🏛️ Delhi"
    form = {
        "spans.0.quote": ["Delhi"],
        "spans.0.occurrence": ["3"],
        "spans.0.label": ["COURT"],
        "spans.1.start": ["7"],
        "spans.1.end": ["10"],
        "spans.1.label": ["JUDGE"],
        "spans.2.quote": [""],
    }

    read = SPANS.from_form(form, TEMPLATE, {"text": text})

    assert [
        {"id": "s1", "label": "COURT", "start": 20, "end": 25, "text": "Delhi"},
        {"id": "s2", "label": "JUDGE", "start": 7, "end": 10, "text": "not"},
    ] == read["spans"]
    assert -1 == nth(text, "Delhi", 4)


def test_the_island_sends_one_field_and_it_wins() -> None:
    marks = {"spans": [span(TEXT, "Delhi")], "relations": []}
    form = {"marks": [json.dumps(marks)], "spans.0.quote": ["High"], "cats": ["appeal"]}

    read = SPANS.from_form(form, TEMPLATE, {"text": TEXT})

    assert {"spans": marks["spans"], "cats": ["appeal"]} == read


def test_a_form_with_nothing_marked_must_say_so() -> None:
    assert {} == SPANS.from_form({"marks": ['{"spans":[]}']}, TEMPLATE, {"text": TEXT})
    assert {"spans": []} == SPANS.from_form({"nothing": ["true"]}, TEMPLATE, {"text": TEXT})
    assert [] == faults({"spans": []})


def test_a_quotation_over_a_line_break_is_found_as_the_text_has_it() -> None:
    form = {"spans.0.quote": ["Justice\nNajmi"], "spans.0.label": ["JUDGE"]}

    (read,) = SPANS.from_form(form, TEMPLATE, {"text": TEXT})["spans"]

    assert "Justice\r\nNajmi" == read["text"] == TEXT[read["start"] : read["end"]]


def test_gold_counts_every_span_once_and_overlap_only_where_it_is_asked_for() -> None:
    gold = {"spans": [span(TEXT, "High Court of Delhi"), span(TEXT, "Wazīri", "JUDGE")]}
    near = {"spans": [span(TEXT, "High Court"), span(TEXT, "Court of Delhi")]}
    overlapping = {**TEMPLATE, "gold_match": "overlap"}

    assert 0.0 == SPANS.gold_agrees(near, gold, TEMPLATE)
    # One of two given spans finds one of two wanted ones.
    assert 0.5 == SPANS.gold_agrees(near, gold, overlapping)
    assert 1.0 == SPANS.gold_agrees({"spans": []}, {"spans": []}, TEMPLATE)
    assert 0.0 == SPANS.gold_agrees(near, {"spans": []}, TEMPLATE)


def test_votes_are_on_extents_tokens_and_the_whole() -> None:
    judgement = {"spans": [span(TEXT, "of Delhi")], "cats": ["appeal"]}
    start = TEXT.index("of Delhi")

    assert {
        f"spans.{start}-{start + 8}": "COURT",
        f"tokens.{start}-{start + 2}": "COURT",
        f"tokens.{start + 3}-{start + 8}": "COURT",
        "cats": "appeal",
    } == SPANS.units(judgement)
