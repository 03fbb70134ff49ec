"""Label Studio's tasks: a judgement there and back, a task here and home, word for word."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Fault, Missing
from marketplace.tasktypes import TASK_TYPES, Counts, Json, Record
from marketplace.tasktypes.label_studio.config import carried
from marketplace.tasktypes.label_studio.controls import config_of
from marketplace.tasktypes.label_studio.project import configuration, configuration_of
from marketplace.tasktypes.label_studio.reading import DIALECTS, item_of
from tests.tasktypes.examples import EXAMPLES, authored, record
from tests.tasktypes.strategies import JUDGEMENTS

# What a type works out itself, and fills in again.
WORKED_OUT = frozenset({"image", "presence", "elements", "corrected"})
SIDES: Json = {"original_width": 500, "original_height": 320, "image_rotation": 0}
BOX: Json = {"x": 31.941923774954628, "y": 4.113475177304964, "width": 6.352087114337568}
BOX |= {"height": 9.929078014184398, "rotation": 0, "rectanglelabels": ["Car"]}


def exported(key: str, *records: Record, policy: str = "all") -> tuple[list[Any], Counts]:
    counts = Counts()
    exporter = TASK_TYPES[key].exports["label_studio"]
    content = b"".join(exporter.file(records, policy, counts))
    assert content == b"".join(exporter.file(records, policy, Counts()))
    return json.loads(content), counts


def read(key: str, template: Json, task: Json, labels: str = "prelabels") -> tuple[Json, Json]:
    left: Counter[str] = Counter()
    item = item_of(TASK_TYPES[key], template, task, left, labels=labels)
    assert isinstance(item, dict), item
    assert [] == TASK_TYPES[key].check_item(template, item["payload"])
    return item, dict(left)


def bare(judgement: Json) -> Json:
    """What people said: spans in any order, and no “applies” that is said twice."""
    told = {name: part for name, part in judgement.items() if name not in WORKED_OUT}
    if "spans" in told:
        told["spans"] = sorted(told["spans"], key=lambda span: str(span["id"]))
    for key, rating in told.get("ratings", {}).items():
        said = {name: part for name, part in rating.items() if part is not False}
        told["ratings"] = {**told["ratings"], key: said}
    return told


@pytest.mark.parametrize("key", sorted(DIALECTS))
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_judgement_goes_there_and_back(key: str, data: st.DataObject) -> None:
    example = EXAMPLES[key]
    judgement = data.draw(JUDGEMENTS[key])

    (task,), counts = exported(key, record(key, judgement))
    item, left = read(key, example.template, task, "gold")

    assert {} == left
    own = {name: part for name, part in item["payload"].items() if name != "metadata"}
    assert {name: part for name, part in example.payload.items() if name != "metadata"} == own
    assert bare(judgement) == bare(item["gold"]["judgement"])
    assert ("ext-1", 1) == (item["external_id"], counts.kept)


def through(key: str, template: Json, task: Json) -> tuple[Json, Json]:
    """What a task becomes that was accepted as its first pre-label says: (task, what is left)."""
    item, left = read(key, template, task)
    (said, *_) = item["prelabels"]
    payload = item["payload"] | {"metadata": json.loads(json.dumps(item["payload"]["metadata"]))}
    one = replace(record(key, said["payload"], payload=payload), template=template)
    (again,), _ = exported(key, one)
    return again, left


def task_of(data: Json, *results: Json, **more: Any) -> Json:
    said = {"id": 3, "model_version": "m-1", "score": 0.7, "result": list(results)}
    return {"id": 41, "data": data, "annotations": [], "predictions": [said], **more}


TURNED: Json = {"id": "t1", "from_name": "box", "to_name": "img", "type": "rectanglelabels"}
TURNED |= {"value": {**BOX, "rotation": 12.5}, **SIDES}
SPAN_CONFIG = """<View><Text name="t" value="$note"/><Labels name="l" toName="t">
<Label value="Drug"/><Label value="Dose"/></Labels><Relations><Relation value="of"/></Relations>
<Choices name="urgency" toName="t"><Choice value="Now"/><Choice value="Later"/></Choices></View>"""
NOTE = "🩺 5 mg Warfarin at nïght"


def region(name: str, start: int, end: int, *labels: str, kind: str = "labels") -> Json:
    value = {"start": start, "end": end, "text": NOTE[start:end], kind: list(labels)}
    return {"id": name, "from_name": "l", "to_name": "t", "type": kind, "value": value}


LINK = {"type": "relation", "from_id": "b", "to_id": "a", "direction": "left", "labels": ["of"]}
URGENT: Json = {"id": "x9", "from_name": "urgency", "to_name": "t", "type": "choices"}
URGENT |= {"value": {"choices": ["Now"]}}


def test_marks_relations_and_choices_come_home_as_they_were() -> None:
    template = carried(SPAN_CONFIG).template
    came = [region("a", 2, 6, "Dose"), region("b", 7, 15, "Drug", "Dose"), LINK, URGENT]
    task = task_of({"note": NOTE, "ward": [1, {"b": None}]}, *came, meta={"k": 1}, inner_id=7)

    again, left = through("spans", template, task)

    assert {} == left
    (annotation,) = again.pop("annotations")
    assert {key: part for key, part in task.items() if key != "annotations"} == again
    assert [{**each, "origin": "prediction"} for each in came] == annotation["result"]


def test_what_was_changed_keeps_its_id_and_the_labs_own_names() -> None:
    template = carried(SPAN_CONFIG).template
    item, _ = read("spans", template, task_of({"note": NOTE}, region("a", 2, 6, "Dose"), URGENT))
    assert NOTE == item["payload"]["text"]
    moved = {"id": "a", "start": 2, "end": 3, "label": "Dose", "text": "5"}
    judgement = {"spans": [moved], "cats": ["Later"]}
    payload = item["payload"]

    (task,), _ = exported(
        "spans", replace(record("spans", judgement, payload=payload), template=template)
    )

    mark, choice = task["annotations"][0]["result"]
    assert ("a", "l", "t", "prediction-changed") == tuple(
        mark[name] for name in ("id", "from_name", "to_name", "origin")
    )
    assert {"start": 2, "end": 3, "text": "5", "labels": ["Dose"]} == mark["value"]
    assert ("x9", {"choices": ["Later"]}) == (choice["id"], choice["value"])


def test_a_job_may_start_from_what_a_model_marked() -> None:
    template = carried(SPAN_CONFIG).template | {"start_from_prelabels": True}
    of = TASK_TYPES["spans"]
    task = task_of({"note": NOTE}, region("a", 2, 6, "Dose"), URGENT)
    task["annotations"] = [{"id": 5, "result": [region("b", 7, 15, "Drug")]}]
    item, _ = read("spans", template, task)
    assert ["m-1", "Label Studio annotation"] == [each["model"] for each in item["prelabels"]]

    seen = of.with_prelabels(template, item["payload"], item["prelabels"])
    first = of.first_answer(template, seen)

    assert item["prelabels"][0]["payload"] == first
    assert first == of.from_form(of.to_form(first), template, seen)
    closed = {**template, "start_from_prelabels": False}
    assert {} == of.first_answer(closed, of.with_prelabels(closed, seen, item["prelabels"]))


def test_places_counted_as_utf_16_or_in_lines_or_in_html_are_found() -> None:
    shifted = region("a", 7, 15, "Drug")
    shifted["value"] |= {"start": 8, "end": 16}
    _, left = read("spans", carried(SPAN_CONFIG).template, task_of({"note": NOTE}, shifted))
    assert {} == left

    lines = [{"author": "Dr", "text": "5 mg"}, {"author": "Pt", "text": "of Warfarin?"}]
    config = SPAN_CONFIG.replace("<Text", "<Paragraphs").replace("<Labels", "<ParagraphLabels")
    config = config.replace("</Labels", "</ParagraphLabels")
    template = carried(config).template
    value = {"start": "1", "end": "1", "startOffset": 3, "endOffset": 11, "text": "Warfarin"}
    said = {**region("p", 0, 1, "Drug", kind="paragraphlabels")}
    said["value"] = {**value, "paragraphlabels": ["Drug"]}
    again, left = through("spans", template, task_of({"note": lines}, said))
    assert ({}, {**said, "origin": "prediction"}) == (left, again["annotations"][0]["result"][0])
    assert lines == again["data"]["note"]

    page = "<p>Take <b>5&nbsp;mg</b><br/>of Warfarin</p><script>no()</script>"
    config = SPAN_CONFIG.replace("<Text", "<HyperText").replace("<Labels", "<HyperTextLabels")
    template = carried(config.replace("</Labels", "</HyperTextLabels")).template
    value = {"start": "/p[1]/text()[2]", "end": "/p[1]/text()[2]", "startOffset": 3}
    value |= {"endOffset": 11, "globalOffsets": {"start": 14, "end": 22}, "text": "Warfarin"}
    said["type"], said["value"] = "hypertextlabels", {**value, "hypertextlabels": ["Drug"]}
    again, left = through("spans", template, task_of({"note": page}, said))
    assert ({}, {**said, "origin": "prediction"}) == (left, again["annotations"][0]["result"][0])


def test_what_has_no_place_is_counted_and_comes_home_all_the_same() -> None:
    template = carried(SPAN_CONFIG).template
    far = region("c", 2, 900, "Dose")
    other = {**region("d", 2, 6, "Dose")}
    other["value"] = {**other["value"], "text": "zz"}
    lost = {**LINK, "from_id": "nowhere"}
    stars: Json = {
        "id": "e",
        "from_name": "q",
        "to_name": "t",
        "type": "rating",
        "value": {"rating": 3},
    }
    task = task_of({"note": NOTE}, region("a", 2, 6, "Dose"), far, other, lost, stars)
    task["predictions"].append({"result": [region("a", 2, 6, "Mood")]})

    again, left = through("spans", template, task)

    # Ends beyond the text are found by their words, where these are told.
    assert {
        "marks_whose_words_stand_elsewhere": 2,
        "relations_without_an_end": 1,
        "results_with_no_place_here": 1,
        "labels_that_the_template_lacks": 1,
    } == left
    assert task["predictions"] == again["predictions"]


def test_boxes_keep_their_decimals_and_what_is_no_box_of_ours_is_told() -> None:
    config = """<View><Image name="img" value="$image"/><RectangleLabels name="box" toName="img">
    <Label value="Car"/></RectangleLabels><KeyPointLabels name="dot" toName="img">
    <Label value="Wheel hub"/></KeyPointLabels></View>"""
    template = carried(config).template | {"start_from_prelabels": True}
    box = {**TURNED, "id": "b-1", "value": BOX, "score": 0.23}
    over = {**TURNED, "id": "b_2", "value": {**BOX, "x": 92.93, "width": 7.5}}
    dot = {**TURNED, "id": "d1", "from_name": "dot", "type": "keypointlabels"}
    dot["value"] = {"x": 1.5, "y": 2.25, "width": 0.18, "keypointlabels": ["Wheel hub"]}
    task = task_of({"image": "/data/upload/29/a%20b.png"}, box, TURNED, over, dot)

    item, _ = read("regions", template, task)
    again, left = through("regions", template, task)

    assert {"turned_boxes": 1} == left
    payload = item["payload"]
    assert ("a b.png", 500, 320) == (payload["image"], payload["width"], payload["height"])
    assert [{**each, "origin": "prediction"} for each in (box, over, dot)] == (
        again["annotations"][0]["result"]
    )


def test_a_tie_goes_out_as_a_choice_beside_the_pair() -> None:
    config = """<View><Text name="q" value="$ask"/><Text name="one" value="$x"/>
    <Text name="two" value="$y"/><Pairwise name="p" toName="one,two"/></View>"""
    template = carried(config).template
    data = {"ask": "Which?", "x": "1", "y": "2"}
    item, _ = read("pairwise", template, {"id": 1, "data": data})
    payload = item["payload"]
    assert ("Which?", "1", "2") == (
        payload["messages"][0]["content"], payload["a"], payload["b"],
    )  # fmt: skip

    said = []
    for choice in ("a", "b", "tie", "both_bad"):
        judgement = {"choice": choice}
        one = replace(record("pairwise", judgement, payload=payload), template=template)
        (task,), _ = exported("pairwise", one)
        (result,) = task["annotations"][0]["result"]
        said.append((result["from_name"], result["type"], result["value"]))
        again, _ = read("pairwise", template, task, "gold")
        assert judgement == again["gold"]["judgement"]

    assert [
        ("p", "pairwise", {"selected": "left"}),
        ("p", "pairwise", {"selected": "right"}),
        ("p_tie", "choices", {"choices": ["tie"]}),
        ("p_tie", "choices", {"choices": ["both_bad"]}),
    ] == said


@pytest.mark.parametrize(
    ("ranker", "tiers", "home"),
    [
        (["r2", "r1", "r3"], [["r2"], ["r1"], ["r3"]], None),
        ({"k": ["r2", "r1", "r3"]}, [["r2"], ["r1"], ["r3"]], None),
        ({"tier_1": ["r3"], "tier_2": ["r1", "r2"]}, [["r3"], ["r1", "r2"]], None),
        ({"_": ["r2"], "k": ["r1", "r3"]}, [["r1"], ["r3"]], None),
    ],
)
def test_both_forms_of_a_ranking_are_read(ranker: Any, tiers: list[Any], home: None) -> None:
    config = '<View><List name="l" value="$drafts"/><Ranker name="k" toName="l"/></View>'
    template = carried(config).template
    drafts = [{"id": f"r{n}", "title": f"Draft {n}", "body": "…"} for n in (1, 2, 3)]
    said: Json = {"id": "z", "from_name": "k", "to_name": "l", "type": "ranker"}
    said["value"] = {"ranker": ranker}
    task = task_of({"drafts": drafts, "about": "Rank these."}, said)

    item, left = read("ranking", template, task)
    again, _ = through("ranking", template, task)

    assert home is None
    assert ({}, tiers) == (left, item["prelabels"][0]["payload"]["tiers"])
    assert [{**said, "origin": "prediction"}] == again["annotations"][0]["result"]


def test_gold_predictions_and_annotations_each_become_what_they_are() -> None:
    config = '<View><Text name="t" value="$q"/><TextArea name="a" toName="t"/></View>'
    template = {"fields": [{"key": "a", "title": "Answer", "kind": "text"}]}
    text: Json = {"id": "q", "from_name": "a", "to_name": "t", "type": "textarea"}
    task = task_of({"q": "Why?"}, {**text, "value": {"text": ["as a model says"]}})
    task["annotations"] = [
        {"id": 8, "was_cancelled": True, "result": []},
        {"id": 9, "ground_truth": True, "result": [{**text, "value": {"text": ["so"]}}]},
        {"id": 10, "result": [{**text, "value": {"text": ["because"]}}]},
    ]

    item, left = read("correction", template | {"label_studio": config}, task)

    assert {"cancelled_annotations": 1} == left
    assert {"values": {"a": "so"}} == item["gold"]["judgement"]
    assert [("m-1", "", 0.7), ("Label Studio annotation", "10", None)] == [
        (each["model"], each["version"], each.get("confidence")) for each in item["prelabels"]
    ]
    none, _ = read("correction", template, task, "leave")
    assert {"external_id", "payload"} == none.keys()
    plain, _ = read("demonstration", {}, task)
    assert "because" not in json.dumps(plain["prelabels"])


@pytest.mark.parametrize("key", sorted(DIALECTS))
def test_a_project_can_be_set_up_for_what_goes_out(key: str) -> None:
    example = EXAMPLES[key]
    text = configuration(DIALECTS[key], example.template)
    (task,), _ = exported(key, record(key, example.judgement))

    config = config_of(text)
    asked = {each.name for each in config.controls} | config.shown.keys()
    said = {each.get("from_name") for each in task["annotations"][0]["result"]}
    assert said - {None} <= asked
    own = "<View><Text name='t' value='$q'/></View>"
    assert own == configuration_of(key, {**example.template, "label_studio": own})
    with pytest.raises(Missing):
        configuration_of("trajectory", {})


def test_what_is_no_task_is_a_fault_that_says_what_to_do() -> None:
    left: Counter[str] = Counter()
    for key, task, words in (
        ("spans", 7, "no task"),
        ("spans", {"data": []}, "must be an object"),
        ("spans", {"data": {"text": " "}}, "no text to mark"),
        ("regions", {"data": {"image": 5}}, "no image"),
        ("pairwise", {"data": {"a": "only one"}}, "no two texts"),
        ("trajectory", {"data": {}}, "another type"),
    ):
        fault = item_of(TASK_TYPES[key], EXAMPLES[key].template, task, left, labels="prelabels")
        assert isinstance(fault, Fault)
        assert words in fault.message


def test_a_reason_goes_out_as_a_text_and_is_nobodys_prelabel() -> None:
    example = EXAMPLES["pairwise"]
    given_by = authored(example.judgement, rationale="Shorter, and safe.")
    one = replace(record("pairwise", example.judgement), judgements=(given_by,))

    (task,), _ = exported("pairwise", one)
    item, left = read("pairwise", example.template, task, "gold")

    assert "Shorter, and safe." in json.dumps(task["annotations"])
    assert ({"reasons_in_words": 1}, example.judgement) == (left, item["gold"]["judgement"])
