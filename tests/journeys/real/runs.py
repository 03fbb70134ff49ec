"""Runs of agents, and code: an airline's desk, agents that failed, patches with their outcome."""

from __future__ import annotations

import difflib
import json
from itertools import islice
from pathlib import Path
from typing import Any

from marketplace.tasktypes import Json
from marketplace.tasktypes.traces import who_and_when
from tests.journeys.real.sets import RealRow, RealSet


def trajectory(folder: Path) -> RealSet:
    """Failed runs of several agents, and the step and the agent that people found at fault."""
    paths = sorted((folder / "who_and_when").glob("**/Algorithm-Generated/*.json"))
    rows = []
    for path in islice(paths, 6):
        with path.open("rb") as file:
            (read,) = who_and_when.rows(file, name=path.stem)
        assert isinstance(read.content, bytes)
        item = json.loads(read.content)
        gold = who_and_when.gold_of(item["payload"])
        assert gold is not None
        reason = item["payload"]["metadata"]["mistake_reason"]
        answer = {**with_step(gold["judgement"]), "reason": reason}
        rows.append(RealRow(item["external_id"], item["payload"], answer))
    return RealSet(
        kind="trajectory",
        title="Where did the run go wrong?",
        domain="software",
        profession="software",
        instructions="Without the first error the run would have reached its goal.",
        template={"responsible_agent": True, "first_error": "required", "looping": True},
        rows=tuple(rows),
    )


def with_step(gold: Json) -> Json:
    """What the set says, as a whole answer: the run failed, and the first error is wrong."""
    step = gold["first_error_step"]
    return {**gold, "outcome": "no", "looping": "no", "steps": {step: {"correctness": -1}}}


def code(folder: Path) -> RealSet:
    """Solutions of a model as patches to review; unit tests said which of them work."""
    tasks = lines(folder / "humaneval_codet/HumanEval.jsonl")
    prompts = {each["task_id"]: each for each in tasks}
    tried = lines(folder / "humaneval_codet/codegen16b_samples_with_test_outcome.jsonl")
    outcomes = [[each for each in tried if each["passed"] is worked] for worked in (True, False)]
    samples = [each for both in islice(zip(*outcomes, strict=False), 4) for each in both]
    return RealSet(
        kind="code",
        title="Would you merge this?",
        domain="software",
        profession="software",
        instructions="Read the docstring: it is the whole specification.",
        template={
            "question": "Would you merge it?",
            "categories": ["correctness", "readability", "performance"],
            "patch": "optional",
        },
        rows=tuple(
            change(prompts[each["task_id"]], each, number) for number, each in enumerate(samples)
        ),
    )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(each) for each in path.read_text().splitlines()]


def change(task: dict[str, Any], tried: dict[str, Any], sample: int) -> RealRow:
    path = f"solutions/{task['entry_point']}.py"
    before = f"{task['prompt']}    raise NotImplementedError\n"
    after = f"{task['prompt']}{tried['completion'].rstrip()}\n"
    diff = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
    )
    line = len(task["prompt"].splitlines()) + 1
    comment: Json = {
        "path": path,
        "line": line,
        "side": "new",
        "severity": "blocker",
        "category": "correctness",
        "body": f"The unit tests say: {tried['result']}",
    }
    verdict: Json = {"verdict": "request_changes", "comments": [comment]}
    return RealRow(
        external_id=f"{task['task_id']}/{sample}",
        payload={
            "title": f"Implement {task['entry_point']}",
            "diff": "".join(diff),
            "language": "python",
            "files": [{"path": path, "content": before}],
        },
        answer={"verdict": "approve"} if tried["passed"] else verdict,
    )
