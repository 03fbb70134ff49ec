"""Failures of several agents as in Who&When: `history`, `question`, and who erred when and why."""

from __future__ import annotations

from collections.abc import Iterator

from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.traces.documents import Readable, Row, documents
from marketplace.tasktypes.traces.values import (
    NotThis,
    fingerprint,
    items,
    members,
    named,
    objects,
    present,
    text,
)

PEOPLE = ("human",)
KEPT = (
    "question_ID",
    "level",
    "ground_truth",
    "mistake_agent",
    "mistake_step",
    "mistake_reason",
    "is_correct",
    "is_corrected",
)


def rows(stream: Readable, *, name: str = "", after: Row | None = None) -> Iterator[Row]:
    """One item a run; step `h7` is turn 7 of its history. The labels go to `metadata`.

    One question has several runs, so the id is the question's with a hash of the history.
    """
    del name  # Files are numbered anew in each part of the set.
    return items(documents(stream, after=after), _item)


def _item(run: Json) -> tuple[str, Json]:
    history = objects(run.get("history"))
    question = text(run.get("question"))
    if not history or not question.strip():
        raise NotThis("This is no run of Who&When: “history” or “question” is missing.")
    steps = [_step(number, turn) for number, turn in enumerate(history)]
    spoke = [step["agent"] for step in steps if "agent" in step]
    known = [*spoke, *members(run.get("system_prompt"))]
    payload = {
        "goal": question,
        "agents": list(dict.fromkeys(known)),
        "steps": steps,
        "metadata": {name: run[name] for name in KEPT if name in run},
    }
    own = text(run.get("question_ID")) or "run"
    return named(own, fingerprint(history, 8)), present(payload)


def _step(number: int, turn: Json) -> Json:
    role = text(turn.get("role"))[:200]
    step: Json = {"id": f"h{number}", "kind": "agent", "content": text(turn.get("content"))}
    if role.lower() in PEOPLE:
        return {**step, "kind": "user", "role": role}
    # “Orchestrator (thought)” and “Orchestrator (-> WebSurfer)” are one agent.
    agent = text(turn.get("name") or role).split(" (", 1)[0][:200]
    kind = "reasoning" if role.endswith("(thought)") else "agent"
    return present({**step, "kind": kind, "role": role, "agent": agent})


def gold_of(payload: Json) -> Json | None:
    """The human label of an item made here, as gold of a template that asks for the first error;
    None where it does not fit."""
    facts = members(payload.get("metadata"))
    place = text(facts.get("mistake_step"))
    step = f"h{int(place)}" if place.isascii() and place.isdigit() else ""
    agent = text(facts.get("mistake_agent"))
    if step not in {each["id"] for each in payload["steps"]}:
        return None
    if agent not in payload.get("agents", []):
        return None
    judgement: Json = {
        "outcome": "no",
        "first_error_step": step,
        "steps": {step: {"correctness": -1}},
        "responsible_agent": agent,
    }
    return present({"judgement": judgement, "explanation": text(facts.get("mistake_reason"))})
