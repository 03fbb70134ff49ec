"""Judged runs as the records of PRM800K. Source: the README of prm800k and its annotated record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from marketplace.tasktypes.exports import Counts, ExportRow, Policy
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.trajectory_ballots import Ballot, ballots
from marketplace.tasktypes.trajectory_rules import WRONG
from marketplace.tasktypes.trajectory_steps import Placed, in_order
from marketplace.tasktypes.trajectory_text import acted, came_back


def prm800k(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One record a judgement with a rating: the steps from the first to the last that has one.

    A step that nobody rated in between has the rating null, as where people there gave none.
    """
    for ballot in ballots(records, policy, counts):
        steps = [each for each in in_order(ballot.record.payload) if each.judged]
        rated = [number for number, each in enumerate(steps, 1) if each.id in ballot.ratings]
        if not rated:
            counts.drop("no_step_judged")
            continue
        counts.keep()
        counts.note("step_not_rated", max(rated) - len(rated))
        yield record_of(ballot, steps, max(rated))


def record_of(ballot: Ballot, steps: list[Placed], until: int) -> ExportRow:
    """The record of one judgement; until: how many steps it tells."""
    record, given = ballot.record, ballot.by
    facts = record.payload.get("metadata", {})
    texts = [words_of(each) for each in steps]
    return {
        "labeler": given.author,
        "timestamp": given.submitted_at,
        "generation": None,
        "is_quality_control_question": record.is_gold,
        "is_initial_screening_question": False,
        "question": {
            "problem": record.payload["goal"],
            "ground_truth_solution": facts.get("ground_truth_solution"),
            "ground_truth_answer": facts.get("ground_truth_answer"),
            "pre_generated_steps": texts,
            "pre_generated_answer": facts.get("pre_generated_answer"),
            "pre_generated_verifier_score": facts.get("pre_generated_verifier_score"),
        },
        "label": {
            "steps": [
                turn(text, ballot.ratings.get(each.id))
                for text, each in zip(texts[:until], steps, strict=False)
            ],
            "total_time": milliseconds(given),
            "finish_reason": ended(ballot),
        },
        "external_id": record.external_id,
    }


def turn(text: str, rating: int | None) -> Json:
    """A step with its one completion; nothing was chosen where the course went wrong."""
    return {
        "completions": [{"text": text, "rating": rating, "flagged": None}],
        "human_completion": None,
        "chosen_completion": None if rating == WRONG else 0,
    }


def words_of(each: Placed) -> str:
    return "\n\n".join(part for part in (acted(each.step), came_back(each.step)) if part) or each.id


def milliseconds(given: AuthoredJudgement) -> Any:
    return None if given.active_seconds is None else given.active_seconds * 1000


def ended(ballot: Ballot) -> str:
    """Why the annotation ended, in PRM800K's words."""
    if "bad_item" in ballot.by.flags:
        return "bad_problem"
    if WRONG in ballot.ratings.values():
        return "found_error"
    return "give_up" if ballot.judgement.get("outcome") == "unsure" else "solution"
