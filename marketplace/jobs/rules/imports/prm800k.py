"""PRM800K: solutions of a problem, step by step, each step with its rating."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from marketplace.errors import Fault
from marketplace.jobs.rules.imports.contract import Head, Kind, Reading, Source, item
from marketplace.jobs.rules.imports.objects import documents_of
from marketplace.jobs.rules.imports.traces import asked
from marketplace.jobs.rules.lifecycle import ImportKind, Labels
from marketplace.jobs.rules.ndjson import Line
from marketplace.tasktypes import Json
from marketplace.tasktypes.traces.values import fingerprint, members, named, objects, present, text

MODEL = "prm800k"
KEPT = (
    "labeler",
    "timestamp",
    "generation",
    "is_quality_control_question",
    "is_initial_screening_question",
)
NO_SOLUTION = Fault("", "This is no record of PRM800K: “question” or “label” says no steps.")


def lines(source: Source, reading: Reading, after: Line | None) -> Iterator[Line]:
    """One item a solution: the steps that were chosen, and the wrong one where it ended."""
    for number, content, end in documents_of(source, after):
        yield Line(number, content if isinstance(content, Fault) else _read(content, reading), end)


def _read(content: bytes, reading: Reading) -> bytes | Fault:
    try:
        record = orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        return Fault("", f"This is not JSON: {wrong}.")
    question = members(members(record).get("question"))
    label = members(members(record).get("label"))
    steps: list[Json] = []
    marks: dict[str, Json] = {}
    for turn in objects(label.get("steps")):
        words, rating, passed = _taken(turn)
        reading.left["alternative_of_a_step"] += passed
        if words is None:
            continue
        name = f"s{len(steps)}"
        steps.append({"id": name, "kind": "agent", "content": words})
        if rating is not None:
            marks[name] = {"correctness": rating}
    problem = text(question.get("problem"))
    if not problem.strip() or not steps:
        return NO_SOLUTION
    ended = {"finish_reason": label.get("finish_reason"), "total_time_ms": label.get("total_time")}
    right = {name: question.get(name) for name in ("ground_truth_answer", "ground_truth_solution")}
    kept = {name: record[name] for name in KEPT if name in record}
    payload = {"goal": problem, "steps": steps, "metadata": present({**kept, **ended, **right})}
    own = named("prm", fingerprint([problem, steps, kept]))
    judgement = _judgement(marks)
    said = asked(reading.template, judgement) if judgement else None
    return item(own, payload, judgement=said or None, reading=reading, model=MODEL)


def _taken(turn: Json) -> tuple[str | None, int | None, int]:
    """The words of a step, its rating, and how many alternatives to it are left out.

    Where nothing was chosen, the record ends with the step that the model had written.
    """
    choices = objects(turn.get("completions"))
    written = members(turn.get("human_completion"))
    if written or isinstance(turn.get("human_completion"), str):
        return text(written.get("text") or turn["human_completion"]), 1, len(choices)
    at: Any = turn.get("chosen_completion")
    at = at if isinstance(at, int) and 0 <= at < len(choices) else 0
    if not choices:
        return None, None, 0
    rating = choices[at].get("rating")
    known = rating if rating in (-1, 0, 1) else None
    return text(choices[at].get("text")), known, len(choices) - 1


def _judgement(marks: dict[str, Json]) -> Json | None:
    """The ratings as marks of a trajectory, with the first error where there is one."""
    if not marks:
        return None
    wrong = next((name for name, mark in marks.items() if mark["correctness"] == -1), None)
    found: Json = {"steps": marks, "outcome": "yes" if wrong is None else "no"}
    return found | ({"error_free": True} if wrong is None else {"first_error_step": wrong})


def fits(head: Head) -> bool:
    """A question and a label, with steps rated one by one."""
    names = head.first.keys() if head.json else set()
    return {"question", "label", "is_quality_control_question"} <= names


PRM800K = Kind(
    key=ImportKind.PRM800K,
    title="PRM800K",
    told="Each solution becomes a run of steps; the ratings can be its right answer.",
    fits=fits,
    lines=lines,
    task_types=frozenset({"trajectory"}),
    labels=(Labels.LEAVE, Labels.GOLD, Labels.PRELABELS),
)
