"""What Label Studio asks of a project and of the tasks that it imports, for each of our types.

These are the rules of its own importer and of its SDK's validators, in our words: a configuration
without empty controls, tasks that hold what it shows, results that name its tags, authors that are
accounts of its own or nobody.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from marketplace.errors import Missing
from marketplace.tasktypes import TASK_TYPES, Json
from marketplace.tasktypes.exports import Counts
from marketplace.tasktypes.label_studio.project import NOT_TOLD, configuration_of
from tests.tasktypes.examples import EXAMPLES, record

KINDS = sorted(key for key, kind in TASK_TYPES.items() if "label_studio" in kind.exports)
# What a part of a task's data may be, by the tag that shows it.
TAKES = {"Text": str, "Image": str, "List": list, "Paragraphs": list, "Chat": list}
CHOSEN = {"Choices": "Choice", "Labels": "Label", "RectangleLabels": "Label"}
CHOSEN |= {"PolygonLabels": "Label", "KeyPointLabels": "Label", "Taxonomy": "Choice"}
# A chat is shown and written in by one tag.
KIND_OF = {"chat": "chatmessage"}


def tasks_of(key: str) -> list[Json]:
    example = EXAMPLES[key]
    said = {"model": "m", "version": "1", "payload": example.judgement}
    given = record(key, example.judgement, prelabels=(said,))
    content = b"".join(TASK_TYPES[key].exports["label_studio"].file([given], "all", Counts()))
    found: list[Json] = json.loads(content)
    return found


@pytest.mark.parametrize("key", KINDS)
def test_no_control_of_the_configuration_is_empty_or_about_nothing(key: str) -> None:
    root = fromstring(configuration_of(key, EXAMPLES[key].template))

    names = [tag.get("name") for tag in root.iter() if tag.get("name")]
    assert len(names) == len(set(names))
    for tag in root.iter():
        about = tag.get("toName", "").split(",") if "toName" in tag.attrib else []
        assert [] == [name for name in about if name not in names], tag.attrib
        if tag.tag in CHOSEN:
            assert tag.findall(CHOSEN[tag.tag]), f"{tag.get('name')} offers nothing"
        if tag.tag == "KeyPointLabels":
            order = [each.get("model_index") for each in tag]
            assert [str(at) for at in range(len(order))] == order


@pytest.mark.parametrize("key", KINDS)
def test_tasks_hold_all_that_the_configuration_shows(key: str) -> None:
    root = fromstring(configuration_of(key, EXAMPLES[key].template))

    for task in tasks_of(key):
        for tag in (each for each in root.iter() if each.tag in TAKES):
            shown = task["data"].get(tag.get("value", "").removeprefix("$"))
            assert isinstance(shown, TAKES[tag.tag]), tag.attrib


@pytest.mark.parametrize("key", KINDS)
def test_results_name_the_tags_of_the_configuration(key: str) -> None:
    root = fromstring(configuration_of(key, EXAMPLES[key].template))
    tags = {tag.get("name"): tag for tag in root.iter() if tag.get("name")}

    (task,) = tasks_of(key)
    said = [*task["annotations"], *task.get("predictions", [])]
    results = [one for each in said for one in each["result"]]
    assert results
    regions = {one["id"] for one in results if one["type"] != "relation"}
    for one in results:
        if one["type"] == "relation":
            assert {one["from_id"], one["to_id"]} <= regions
            continue
        tag = tags[one["from_name"]]
        kind = tag.tag.lower()
        assert KIND_OF.get(kind, kind) == one["type"]
        assert one["to_name"] in tag.get("toName", one["from_name"]).split(",")
        if tag.tag in CHOSEN:
            offered = {each.get("value") for each in tag.findall(CHOSEN[tag.tag])}
            assert set(one["value"][kind]) <= offered


@pytest.mark.parametrize("key", KINDS)
def test_nobody_of_ours_is_said_to_be_an_account_of_theirs(key: str) -> None:
    (task,) = tasks_of(key)

    assert [{"author"}] * len(task["annotations"]) == [set(a["meta"]) for a in task["annotations"]]
    assert not any("completed_by" in each for each in task["annotations"])
    scores: list[Any] = [each.get("score") for each in task.get("predictions", [])]
    assert all(score is None or 0 <= score <= 1 for score in scores)


def test_types_without_such_a_file_say_why() -> None:
    assert set(TASK_TYPES) - set(KINDS) == set(NOT_TOLD)
    for key, words in NOT_TOLD.items():
        with pytest.raises(Missing, match=words[:20]):
            configuration_of(key, EXAMPLES[key].template)
