"""Published tasks of Label Studio's own tests come home word for word."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from marketplace.tasktypes import TASK_TYPES, Json
from tests.tasktypes.examples import record
from tests.tasktypes.test_label_studio import exported, read

SAMPLES = "label_studio_samples/tests/custom/converter/data"
# The type, how many results are carried over, and what is left with its reasons.
PUBLISHED: dict[str, tuple[str, int, Json]] = {
    "test_export_coco/data.json": ("regions", 4, {}),
    "test_export_json_min/data.json": ("regions", 1, {}),
    "test_export_json_min/data_repeater.json": ("regions", 2, {"results_with_no_place_here": 1}),
    "test_export_json_min/chat_data.json": ("demonstration", 4, {}),
    "test_export_csv/csv_test.json": ("regions", 3, {}),
    "test_export_csv/csv_test2.json": ("judge_calibration", 1, {}),
    "test_export_csv/csv_test_history.json": ("judge_calibration", 1, {}),
    "test_export_csv/csv_test_colliding_keys_mixed.json": ("judge_calibration", 1, {}),
}


@pytest.mark.parametrize("path", PUBLISHED)
def test_published_tasks_come_home_word_for_word(sample_data: Path, path: str) -> None:
    kind, number, reasons = PUBLISHED[path]
    tasks = json.loads((sample_data / SAMPLES / path).read_bytes())
    template = _template_for(kind, tasks)
    assert [] == TASK_TYPES[kind].check_template(template)
    mine: list[Json] = []
    missed: Counter[str] = Counter()
    for task in tasks:
        item, left = read(kind, template, task, "gold")
        missed.update(left)
        given_by = [item["gold"]["judgement"]] if "gold" in item else []
        one = replace(record(kind, *given_by, payload=item["payload"]), template=template)
        for again in exported(kind, one)[0]:
            mine += again["annotations"].pop()["result"]
            assert task == again

    theirs = [one for task in tasks for each in task["annotations"] for one in each["result"]]
    # A result that a person took over from a prediction comes home as the prediction's.
    theirs += [
        {**one, "origin": "prediction"}
        for task in tasks
        for each in task.get("predictions", [])
        for one in each["result"]
    ]
    assert all(one in theirs for one in mine)
    assert (number, reasons) == (len(mine), dict(missed))


def _template_for(kind: str, tasks: list[Json]) -> Json:
    """Labels and questions from what the results themselves say."""
    results = [one for task in tasks for each in task["annotations"] for one in each["result"]]
    words = sorted({
        word
        for one in results
        for key, part in one["value"].items()
        if key.endswith("labels") or key == "choices"
        for word in part
    })  # fmt: skip
    if kind == "regions":
        labels = [{"key": f"l{at}", "title": word} for at, word in enumerate(words)]
        return {"labels": labels, "start_from_prelabels": True}
    options = [{"key": f"o{at}", "title": word} for at, word in enumerate([*words, "Other"])]
    names = sorted({one["from_name"] for one in results})
    aspects = [{"key": name, "title": name, "kind": "choice", "options": options} for name in names]
    return {"aspects": aspects} if kind == "judge_calibration" else {}
