"""Judged trajectories as traces: the run itself, with what was said about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from marketplace.tasktypes.exports import Counts, ExportRow, Policy
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.trajectory_ballots import Ballot, ballots
from marketplace.tasktypes.trajectory_steps import Placed, in_order
from marketplace.tasktypes.trajectory_text import acted, came_back, messages_of, role_of

HARNESS = "marketplace"


def who_and_when(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One run a row with its decisive error; runs without one have no place in this format.

    `mistake_step` is the place of the step in `history`, from 0, written as text as there.
    """
    for ballot in ballots(records, policy, counts):
        first = ballot.judgement.get("first_error_step")
        placed = {each.id: each for each in in_order(ballot.record.payload)}
        if first in placed:
            counts.keep()
            yield _failure(ballot, list(placed.values()), placed[first])
        elif ballot.judgement.get("error_free"):
            counts.drop("error_free")
        else:
            counts.drop("no_majority" if ballot.votes > 1 else "no_first_error")


def _failure(ballot: Ballot, placed: list[Placed], first: Placed) -> ExportRow:
    payload, judgement = ballot.record.payload, ballot.judgement
    facts = payload.get("metadata", {})
    agent = judgement.get("responsible_agent") or first.agent or role_of(first.step)
    return {
        "question_ID": facts.get("question_ID", ballot.record.external_id),
        "question": payload["goal"],
        "ground_truth": facts.get("ground_truth", ""),
        "history": [_turn(each) for each in placed],
        "is_correct": judgement.get("outcome") == "yes",
        "mistake_agent": agent,
        "mistake_step": str(first.number),
        "mistake_reason": judgement.get("reason") or ballot.by.rationale or "",
    }


def _turn(each: Placed) -> Json:
    said = "\n".join(part for part in (acted(each.step), came_back(each.step)) if part)
    turn = {"role": each.step.get("role") or role_of(each.step), "content": said}
    return {**turn, "name": each.agent} if each.agent else turn


def session_traces(
    records: Iterable[Record], policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """Sessions in Hugging Face's simple trace format, one after another.

    The header carries the judgement of the whole run, a message that of its step, both under
    `annotation`, which readers of the format pass over.
    """
    for ballot in ballots(records, policy, counts):
        counts.keep()
        yield from _session(ballot)


def _session(ballot: Ballot) -> Iterator[ExportRow]:
    record = ballot.record
    whole = {name: value for name, value in ballot.judgement.items() if name != "steps"}
    author = ballot.by.author if ballot.votes == 1 else "majority"
    ending = "" if len(record.judgements) == 1 else f":{author}"
    yield {
        "type": "session",
        "harness": HARNESS,
        "id": record.external_id + ending,
        "name": record.payload["goal"].strip().splitlines()[0][:200],
        "annotation": {"author": author, **whole},
    }
    marks = ballot.judgement.get("steps", {})
    for document in record.payload.get("policies", []):
        yield {"type": "message", "message": {"role": "system", "content": document["content"]}}
    for message in messages_of(in_order(record.payload)):
        yield _enveloped(message, marks, ballot.ratings)


def _enveloped(message: Json, marks: Json, ratings: dict[str, int]) -> ExportRow:
    step = message["step"]
    sent: Json = {"role": message["role"], "content": message["content"]}
    if message["role"] == "tool":
        return {"type": "message", "message": {**sent, "toolCallId": step}}
    if "reasoning" in message:
        sent["reasoningContent"] = message["reasoning"]
    if "call" in message:
        sent["toolCalls"] = [{"id": step, "function": message["call"]}]
    annotation: Json = {"step": step, **marks.get(step, {})}
    if step in ratings:
        annotation["correctness"] = ratings[step]
    return {"type": "message", "message": sent, "annotation": annotation}
