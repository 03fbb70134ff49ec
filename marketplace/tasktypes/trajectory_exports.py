"""Judged trajectories as rows: for process reward models, for judges of agents, for analysis."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from marketplace.tasktypes.exports import Convert, Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import agents
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.trajectory_ballots import Ballot, ballots
from marketplace.tasktypes.trajectory_prm800k import prm800k
from marketplace.tasktypes.trajectory_rules import RIGHT, WRONG
from marketplace.tasktypes.trajectory_steps import Placed, in_order
from marketplace.tasktypes.trajectory_text import acted, came_back
from marketplace.tasktypes.trajectory_traces import session_traces, who_and_when

SUCCESS = {"yes": "Successful", "no": "Unsuccessful", "unsure": "Unsure"}
YES_NO = {"yes": "Yes", "no": "No", "unsure": "Unsure"}
OPTIMALITY = {
    "complete_failure": "1. Complete Failure",
    "suboptimal": "2. Suboptimal",
    "somewhat_optimal": "3. Somewhat Optimal",
    "completely_optimal": "4. Completely Optimal",
}
COLUMNS = tuple(column.name for column in agents.AGENT_REWARD_COLUMNS)


def _stepwise(right: Callable[[int], bool]) -> Convert:
    def convert(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
        for ballot in ballots(records, policy, counts):
            completions, labels = _labelled(ballot, right)
            if labels:
                counts.keep()
                payload = ballot.record.payload
                yield {
                    "external_id": ballot.record.external_id,
                    "prompt": prompt_of(payload),
                    "completions": completions,
                    "labels": labels,
                }
            else:
                counts.drop("no_step_judged")

    return convert


def prompt_of(payload: Json) -> str:
    documents = [each["content"] for each in payload.get("policies", [])]
    return "\n\n".join([*documents, payload["goal"]])


def _labelled(ballot: Ballot, right: Callable[[int], bool]) -> tuple[list[str], list[bool]]:
    """The steps up to the first that nobody rated; what others said goes before the next step.

    A process reward model reads a label at the end of its step, so the words of a person and the
    answers of tools may stand at its beginning.
    """
    completions: list[str] = []
    labels: list[bool] = []
    heard: list[str] = []
    for each in in_order(ballot.record.payload):
        if each.id in ballot.ratings:
            completions.append("\n\n".join([*heard, acted(each.step) or each.id]))
            labels.append(right(ballot.ratings[each.id]))
            heard = _heard(came_back(each.step))
        elif each.judged:
            break
        else:
            heard += _heard(acted(each.step)) + _heard(came_back(each.step))
    return completions, labels


def _heard(text: str) -> list[str]:
    return [text] if text else []


def agent_reward_bench(
    records: Iterable[Record], policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """The columns of AgentRewardBench's annotations; benchmark, task and model as the lab's
    metadata have them."""
    for ballot in ballots(records, policy, counts):
        judgement = ballot.judgement
        if "outcome" not in judgement:
            counts.drop("no_majority" if ballot.votes > 1 else "no_outcome")
            continue
        counts.keep()
        facts = ballot.record.payload.get("metadata", {})
        values = (
            "majority" if policy is Policy.MAJORITY else ballot.by.author,
            facts.get("benchmark", ballot.record.domain),
            facts.get("task_id", ballot.record.external_id),
            facts.get("model_name", ""),
            SUCCESS[judgement["outcome"]],
            YES_NO.get(judgement.get("side_effects", ""), ""),
            OPTIMALITY.get(judgement.get("optimality", ""), ""),
            YES_NO.get(judgement.get("looping", ""), ""),
            judgement.get("reason", ""),
        )
        yield dict(zip(COLUMNS, map(_cell, values), strict=True))


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def csv_line(row: ExportRow) -> bytes:
    return written_line(_harmless(str(row[name])) for name in COLUMNS)


def written_line(cells: Iterable[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue().encode()


def _harmless(cell: str) -> str:
    # A spreadsheet would run a cell that begins so.
    return "'" + cell if cell[:1] in tuple("=+-@\t\r") else cell


def tau_bench_errors(
    records: Iterable[Record], policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """Faults in the shape of tau-bench's error identification: a fault assignment for each
    failure, and a fault type for those of the agent."""
    for ballot in ballots(records, policy, counts):
        fault = ballot.judgement.get("fault")
        if fault is None:
            counts.drop("no_fault")
            continue
        counts.keep()
        facts = ballot.record.payload.get("metadata", {})
        task = facts.get("task_id", ballot.record.external_id)
        description = ballot.judgement.get("reason") or ballot.by.rationale or ""
        row: ExportRow = {
            "external_id": ballot.record.external_id,
            "trial": facts.get("trial"),
            "fault_assignment_analysis": {
                "task_id": task,
                "author": fault["author"],
                "description": description,
            },
            "fault_type_analysis": None,
        }
        if fault["author"] == "agent":
            row["fault_type_analysis"] = {
                "task_id": task,
                "fault_type": fault.get("type", "other"),
                "description": description,
            }
        yield row


def step_rows(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row for each step with a rating, for tables and for judges of single steps."""
    for ballot in ballots(records, policy, counts):
        if not ballot.ratings:
            counts.drop("no_step_judged")
            continue
        counts.keep()
        marks = ballot.judgement.get("steps", {})
        for each in in_order(ballot.record.payload):
            if each.id in ballot.ratings:
                yield _step_row(ballot, each, marks.get(each.id, {}))


def _step_row(ballot: Ballot, each: Placed, mark: Json) -> ExportRow:
    return {
        **{name: value for name, value in mark.items() if name != "correctness"},
        "external_id": ballot.record.external_id,
        "author": ballot.by.author if ballot.votes == 1 else "majority",
        "step_id": each.id,
        "number": each.number,
        "kind": each.step["kind"],
        "agent": each.agent,
        "tool": each.step.get("tool"),
        "correctness": ballot.ratings[each.id],
        "implied": "correctness" not in mark and ballot.votes == 1,
    }


EXPORTS = catalogue(
    agents.TRL_STEPWISE.by(_stepwise(lambda rating: rating != WRONG)),
    replace(
        agents.TRL_STEPWISE,
        key="trl_stepwise_prm800k",
        title="TRL stepwise supervision (only +1 is right, as for PRM800K)",
        help=agents.TRL_STEPWISE.help.replace(
            "A neutral step counts as right.", "A neutral step counts as wrong, as for PRM800K."
        ),
    ).by(_stepwise(lambda rating: rating == RIGHT)),
    agents.PRM800K.by(prm800k),
    agents.STEPS.by(step_rows),
    agents.AGENT_REWARD_BENCH.by(agent_reward_bench),
    replace(
        agents.AGENT_REWARD_BENCH,
        key="agent_reward_bench_csv",
        title="AgentRewardBench, CSV",
        suffix=".csv",
        encode=csv_line,
        frame=(written_line(COLUMNS), b"", b""),
    ).by(agent_reward_bench),
    agents.WHO_AND_WHEN.by(who_and_when),
    agents.SESSION_TRACES.by(session_traces),
    agents.TAU_BENCH_ERRORS.by(tau_bench_errors),
)
