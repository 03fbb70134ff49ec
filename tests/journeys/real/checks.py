"""What the files of each type must hold, in the words of the sets that they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import orjson

from marketplace.tasktypes import Json
from tests.journeys.real.sets import RealRow

Rows = tuple[RealRow, ...]


@dataclass(frozen=True)
class Exported:
    """A finished file and its counts: rows kept and dropped by reason."""

    content: bytes
    counts: Mapping[str, Any]

    def lines(self) -> list[Json]:
        """The rows of a JSONL file."""
        return [orjson.loads(line) for line in self.content.splitlines()]

    def document(self) -> Any:
        """A file that is one JSON document."""
        return orjson.loads(self.content)

    def members(self) -> dict[str, str]:
        """The texts in a ZIP by name."""
        with ZipFile(BytesIO(self.content)) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}

    def by_id(self) -> dict[str, Json]:
        """The rows by external id."""
        return {row["external_id"]: row for row in self.lines()}


Files = Mapping[str, Exported]


def holds(found: Any, wanted: Any) -> bool:
    """Whether all that was wanted is there as it was; more may stand beside it in objects."""
    if isinstance(wanted, dict):
        return all(key in found and holds(found[key], each) for key, each in wanted.items())
    if isinstance(wanted, list):
        pairs = zip(found, wanted, strict=False)
        return len(found) == len(wanted) and all(holds(one, each) for one, each in pairs)
    return bool(found == wanted)


def said(messages: list[Json]) -> str:
    """The words of the last message."""
    return str(messages[-1]["content"])


def pairwise(rows: Rows, files: Files) -> None:
    """A tie is no pair, but two answers of equal worth; the chosen text is the chosen one's."""
    ties = [row for row in rows if row.answer["choice"] == "tie"]
    pairs = files["trl_preference"]
    assert {row.external_id for row in rows if row not in ties} == set(pairs.by_id())
    assert len(ties) == pairs.counts["ties"]
    for row in rows:
        choice = row.answer["choice"]
        if choice != "tie":
            found = pairs.by_id()[row.external_id]
            other = {"a": "b", "b": "a"}[choice]
            expected = (row.payload[choice], row.payload[other])
            assert expected == (said(found["chosen"]), said(found["rejected"]))
    wanted = sorted((row.external_id, row.payload[slot], row.answer["choice"] in (slot, "tie"))
                    for row in rows for slot in "ab")  # fmt: skip
    unpaired = files["trl_unpaired"].lines()
    assert wanted == sorted(
        (each["external_id"], said(each["completion"]), each["label"]) for each in unpaired
    )


def ranking(rows: Rows, files: Files) -> None:
    """Pairs across tiers only, better before worse; those of one prompt weigh one."""
    texts = {row.external_id: {one["id"]: one["text"] for one in row.payload["responses"]}
             for row in rows}  # fmt: skip
    wanted = []
    ties = 0
    for row in rows:
        tiers = row.answer["tiers"]
        words = texts[row.external_id]
        ties += sum(len(tier) * (len(tier) - 1) // 2 for tier in tiers)
        wanted += [
            (row.external_id, words[better], words[worse])
            for at, tier in enumerate(tiers)
            for better in tier
            for below in tiers[at + 1 :]
            for worse in below
        ]
    found = files["trl_preference"].lines()
    assert sorted(wanted) == sorted(
        (each["external_id"], said(each["chosen"]), said(each["rejected"])) for each in found
    )
    assert 1 == ties == files["trl_preference"].counts["dropped"]["tie"]
    for row in rows:
        weights = [each["weight"] for each in found if each["external_id"] == row.external_id]
        assert abs(1 - sum(weights)) < 1e-4


def rubric(rows: Rows, files: Files) -> None:
    """One column an aspect."""
    found = files["helpsteer2"].by_id()
    for row in rows:
        scores = {key: one["score"] for key, one in row.answer["ratings"].items()}
        assert scores == {key: found[row.external_id][key] for key in scores}
        assert row.payload["response"] == found[row.external_id]["response"]


def demonstration(rows: Rows, files: Files) -> None:
    """The prompt, and after it what the clinician wrote, to the letter."""
    found = files["trl_messages"].by_id()
    for row in rows:
        expected = [*row.payload["messages"], *row.answer["messages"]]
        assert expected == found[row.external_id]["messages"]


def fact_check(rows: Rows, files: Files) -> None:
    """Only what the abstract does not bear out, and at its place in the response."""
    labels = [
        (label["text"], label["start"], label["end"])
        for each in files["ragtruth"].lines()
        for label in each["labels"]
    ]
    wanted = [
        (claim["text"], claim["start"], claim["end"])
        for row in rows
        for claim in row.answer["claims"]
        if claim["verdict"] != "supported"
    ]
    assert sorted(wanted) == sorted(labels)
    assert {"no_grade": len(rows)}.items() <= files["simpleqa"].counts["dropped"].items()


def spans(rows: Rows, files: Files) -> None:
    """Offsets count code points, also behind emoji and combining characters."""
    doccano, studio = files["doccano"].lines(), files["label_studio"].document()
    assert any(ord(sign) > 0xFFFF for row in rows for sign in row.payload["text"])
    by_text = {row.payload["text"]: row for row in rows}
    assert len(by_text) == len(doccano) == len(studio)
    for each in doccano:
        marks = by_text[each["text"]].answer["spans"]
        wanted = sorted([one["start"], one["end"], one["label"]] for one in marks)
        assert wanted == sorted(each["label"])
        assert all(each["text"][one["start"] : one["end"]] == one["text"] for one in marks)
    for task in studio:
        marks = by_text[task["data"]["text"]].answer["spans"]
        results = [result["value"] for result in task["annotations"][0]["result"]]
        assert sorted((one["start"], one["end"], one["text"]) for one in marks) == sorted(
            (value["start"], value["end"], value["text"]) for value in results
        )


def rubric_writing(rows: Rows, files: Files) -> None:
    """Criteria with their points, and the ideal answer."""
    found = {each["prompt_id"]: each for each in files["healthbench"].lines()}
    for row in rows:
        each = found[row.payload["prompt_id"]]
        assert row.answer["rubrics"] == each["rubrics"]
        ideal = each["ideal_completions_data"]
        assert row.answer["ideal_completion"] == ideal["ideal_completion"]


def critique_revise(rows: Rows, files: Files) -> None:
    """Only what was written anew is better than what was there."""
    revised = [row for row in rows if "revision" in row.answer]
    pairs = files["trl_preference"].lines()
    assert revised
    assert [(row.answer["revision"], row.payload["response"]) for row in revised] == [
        (said(each["chosen"]), said(each["rejected"])) for each in pairs
    ]
    assert len(rows) - len(revised) == files["trl_preference"].counts["dropped"]["no_revision"]


def judge_calibration(rows: Rows, files: Files) -> None:
    """Each dimension of each judge beside the expert's, on the judges' own scale."""
    wanted = {
        (row.external_id, key, judge["model"]): (human, judge["payload"]["verdicts"][key])
        for row in rows
        for judge in row.prelabels
        for key, human in row.answer["verdicts"].items()
    }
    found = files["agreement_pairs"].lines()
    assert wanted == {
        (each["external_id"], each["dimension"], each["judge_model"]): (
            each["human"], each["judge"])
        for each in found
    }  # fmt: skip
    assert all(each["agrees"] is (each["human"] == each["judge"]) for each in found)


def correction(rows: Rows, files: Files) -> None:
    """What became of each field of the model's, and the pair of both."""
    found = files["corrected"].by_id()
    pairs = files["trl_preference"].by_id()
    for row in rows:
        values, was = row.answer["values"], row.prelabels[0]["payload"]["values"]
        edited = sum(values[key] != was[key] for key in values)
        assert edited == found[row.external_id]["ops"]["edited"]
        pair = pairs[row.external_id]
        assert values == orjson.loads(said(pair["chosen"]))
        assert was == orjson.loads(said(pair["rejected"]))


def trajectory(rows: Rows, files: Files) -> None:
    """The step and the agent of the set, under the names that the set gives them."""
    found = files["who_and_when"].lines()
    wanted = [row.payload["metadata"] for row in rows]
    for name in ("mistake_agent", "mistake_step", "mistake_reason"):
        assert [str(each[name]) for each in wanted] == [each[name] for each in found]
    stepwise = files["trl_stepwise"].lines()
    assert [len(row.payload["steps"]) for row in rows] == [len(each["labels"]) for each in stepwise]
    assert all(each["labels"].count(False) == 1 for each in stepwise)


def code(rows: Rows, files: Files) -> None:
    """Verdicts as the unit tests have it; a comment stands on the line that it speaks of."""
    found = files["code_review"].by_id()
    for row in rows:
        each = found[row.external_id]
        assert row.answer["verdict"] == each["verdict"]
        assert row.answer.get("comments", []) == [
            {key: one[key] for key in row.answer["comments"][0]} for one in each["comments"]
        ]


def red_team(rows: Rows, files: Files) -> None:
    """The whole dialogue in one text, with what was said of it; what withstood is a good answer."""
    names = {"user": "Human", "assistant": "Assistant"}
    found = files["hh_red_team"].by_id()
    for row in rows:
        turns = [f"\n\n{names[one['role']]}: {one['content']}" for one in row.payload["messages"]]
        assert "".join(turns) == found[row.external_id]["transcript"]
        assert row.answer["task_description"] == found[row.external_id]["task_description"]
    answers = [said(row.payload["messages"]) for row in rows]
    unpaired = files["trl_unpaired"].by_id()
    assert answers == [said(unpaired[row.external_id]["completion"]) for row in rows]
    assert all(each["label"] for each in unpaired.values())


def regions(rows: Rows, files: Files) -> None:
    """The same boxes in pixels (COCO), in shares (YOLO) and in percent (Label Studio)."""
    coco = files["coco"].document()
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    yolo = files["yolo"].members()
    studio = {task["data"]["image"].rpartition("/")[2]: task for task in _tasks(files)}
    for row in rows:
        boxes = sorted(one["box"] for one in row.answer["regions"])
        image = row.payload["image"]
        assert boxes == sorted(
            one["bbox"] for one in coco["annotations"] if names[one["image_id"]] == image
        )
        assert _near(boxes, [_from_shares(line) for line in yolo[_labels_of(image)].splitlines()])
        results = studio[image]["annotations"][0]["result"]
        assert _near(boxes, [_from_percent(each) for each in results])


def _labels_of(image: str) -> str:
    return f"labels/{image.rpartition('.')[0]}.txt"


def _tasks(files: Files) -> list[Json]:
    found: list[Json] = files["label_studio"].document()
    return found


def _from_shares(line: str) -> list[float]:
    """A YOLO line, whose middle and size are shares of 640 by 480 pixels, as a box."""
    x, y, wide, high = (float(part) for part in line.split()[1:])
    return [(x - wide / 2) * 640, (y - high / 2) * 480, wide * 640, high * 480]


def _from_percent(result: Json) -> list[float]:
    """A rectangle of Label Studio in pixels."""
    value, size = result["value"], (result["original_width"], result["original_height"])
    parts = (("x", 0), ("y", 1), ("width", 0), ("height", 1))
    return [value[name] * size[axis] / 100 for name, axis in parts]


def _near(boxes: list[list[float]], others: list[list[float]]) -> bool:
    """Whether both are the same boxes to a hundredth of a pixel."""
    rounded = sorted([round(side, 2) for side in each] for each in others)
    return sorted([round(float(side), 2) for side in each] for each in boxes) == rounded


CHECKS: Mapping[str, Callable[[Rows, Files], None]] = {
    each.__name__: each
    for each in (
        pairwise, ranking, rubric, demonstration, fact_check, spans, rubric_writing,
        critique_revise, judge_calibration, correction, trajectory, code, regions, red_team,
    )
}  # fmt: skip
