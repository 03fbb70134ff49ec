"""Trajectories: what contradicts itself, what must be judged, votes, gold, forms and exports."""

from __future__ import annotations

import json
from typing import Any

import pytest

from marketplace.errors import Fault
from marketplace.tasktypes import TASK_TYPES, Counts, Json, Record
from marketplace.tasktypes.trajectory_form import read_marks, written_marks
from tests.tasktypes.examples import EXAMPLES, authored, record

TRAJECTORY = TASK_TYPES["trajectory"]
EXAMPLE = EXAMPLES["trajectory"]
SIX = {
    "goal": "Book a seat.",
    "agents": ["Planner", "Clerk"],
    "steps": [
        {"id": "u", "kind": "user", "content": "A seat, please."},
        *({"id": f"s{number}", "kind": "agent", "content": f"Say {number}"} for number in range(5)),
    ],
}


def faults(judgement: Json, template: Json | None = None, payload: Json = SIX) -> list[str]:
    """Where a judgement is at fault."""
    found = TRAJECTORY.check_judgement(template or {"outcome": False}, payload, judgement)
    return [fault.pointer for fault in found]


@pytest.mark.parametrize(
    ("template", "pointers"),
    [
        ({}, []),
        ({"steps": "off", "tool_choice": True}, ["/tool_choice"]),
        ({"steps": "from_first_error", "first_error": "off"}, ["/first_error"]),
        ({"steps": "off", "outcome": False, "first_error": "off"}, [""]),
        ({"steps": "some"}, ["/steps"]),
    ],
)
def test_templates_ask_for_what_can_be_answered(template: Json, pointers: list[str]) -> None:
    assert pointers == [fault.pointer for fault in TRAJECTORY.check_template(template)]


def test_ids_are_unique_down_to_the_steps_of_subagents() -> None:
    inner = {"id": "a", "kind": "agent"}
    payload = {
        "goal": "Go.",
        "steps": [inner, {"id": "b", "kind": "subagent", "children": [inner]}],
    }

    assert [
        Fault("/steps/1/children/0/id", 'The id "a" stands twice. Rename one.')
    ] == TRAJECTORY.check_item({}, payload)


def test_a_run_needs_a_step_of_an_agent_and_agents_where_one_is_to_blame() -> None:
    payload = {"goal": "Go.", "steps": [{"id": "u", "kind": "user", "content": "Go."}]}
    found = TRAJECTORY.check_item({"responsible_agent": True}, payload)

    assert ["/steps", "/agents"] == [fault.pointer for fault in found]


@pytest.mark.parametrize(
    ("judgement", "pointers"),
    [
        ({"first_error_step": "s1", "steps": {"s1": {"correctness": -1}}}, []),
        ({"first_error_step": "s1"}, ["/first_error_step"]),
        ({"first_error_step": "s1", "steps": {"s1": {"correctness": 1}}}, ["/first_error_step"]),
        ({"first_error_step": "s9", "steps": {"s1": {"correctness": 1}}}, ["/first_error_step"]),
        (
            {
                "first_error_step": "s2",
                "steps": {"s1": {"correctness": -1}, "s2": {"correctness": -1}},
            },
            ["/first_error_step"],
        ),
        ({"error_free": True, "steps": {"s1": {"correctness": -1}}}, ["/error_free"]),
        ({"steps": {"s9": {"correctness": -1}}}, ["/steps/s9"]),
        ({"steps": {"s1": {"grounded": True}}}, ["/steps/s1/grounded"]),
        ({"responsible_agent": "Clerk"}, ["/responsible_agent"]),
    ],
)
def test_the_first_error_is_a_step_that_is_wrong_and_none_before_it(
    judgement: Json, pointers: list[str]
) -> None:
    assert pointers == faults(judgement)


@pytest.mark.parametrize(
    ("steps", "pointers"),
    [
        ({"s0": {"correctness": -1}, "s2": {"recovered_from": "s0"}}, []),
        ({"s0": {"is_error": True}, "s2": {"recovered_from": "s0"}}, []),
        ({"s0": {"correctness": 1}, "s2": {"recovered_from": "s0"}}, ["/steps/s2/recovered_from"]),
        ({"s3": {"correctness": -1}, "s2": {"recovered_from": "s3"}}, ["/steps/s2/recovered_from"]),
        ({"s2": {"recovered_from": "s2"}}, ["/steps/s2/recovered_from"]),
        ({"s0": {"correctness": -1}, "s2": {"inherited_error": True}}, []),
        ({"s2": {"correctness": -1, "inherited_error": True}}, ["/steps/s2/inherited_error"]),
    ],
)
def test_recovery_and_inheritance_look_back_to_an_error(steps: Json, pointers: list[str]) -> None:
    template = {"outcome": False, "errors": True, "inherited": True}

    assert pointers == faults({"steps": steps}, template)


@pytest.mark.parametrize(
    ("coverage", "judged", "words"),
    [
        ("all", ["s0", "s1"], "Judge these steps too: s2, s3, s4."),
        ("all", ["s0", "s1", "s2", "s3", "s4"], None),
        ("from_first_error", ["s3"], "Judge these steps too: s4."),
        ("from_first_error", ["s3", "s4"], None),
        ("flagged", ["s3"], None),
    ],
)
def test_the_template_says_which_steps_must_be_judged(
    coverage: str, judged: list[str], words: str | None
) -> None:
    marks = {name: {"correctness": -1 if name == "s3" else 1} for name in judged}
    judgement: Json = {"steps": marks} | ({"first_error_step": "s3"} if "s3" in judged else {})
    template = {"outcome": False, "steps": coverage}
    found = TRAJECTORY.check_judgement(template, SIX, judgement)

    assert ([] if words is None else [Fault("/steps", words)]) == found


def test_a_failure_needs_somebody_to_answer_for_it_and_a_success_does_not() -> None:
    template = {"responsible_agent": True, "reason": "required", "fault": True, "steps": "off"}

    assert ["/reason", "/responsible_agent", "/fault"] == faults({"outcome": "no"}, template)
    assert [] == faults({"outcome": "yes"}, template)
    assert ["/fault"] == faults({"outcome": "yes", "fault": {"author": "user"}}, template)
    assert ["/responsible_agent", "/fault/type"] == faults(
        {
            "outcome": "no",
            "reason": "It slept.",
            "responsible_agent": "Cook",
            "fault": {"author": "user", "type": "other"},
        },
        template,
    )


def test_gold_may_be_partial_and_its_steps_count_once() -> None:
    template = {"first_error": "required", "steps": "all", "responsible_agent": True}
    gold = {
        "first_error_step": "s1",
        "responsible_agent": "Clerk",
        "steps": {"s0": {"correctness": 1}, "s1": {"correctness": -1}},
    }
    answer = {**gold, "responsible_agent": "Planner", "steps": {"s0": {"correctness": 1}}}

    assert [] == TRAJECTORY.check_gold(template, SIX, {"judgement": gold})
    assert pytest.approx((1 + 0 + 0.5) / 3) == TRAJECTORY.gold_agrees(answer, gold, template)


def test_units_are_the_whole_the_first_error_and_each_step() -> None:
    assert {
        "outcome": "no",
        "side_effects": "no",
        "optimality": "suboptimal",
        "looping": "unsure",
        "responsible_agent": "Clerk",
        "first_error_step": "s2",
        "step:s2": -1,
        "step:s3": 0,
        "step:s3-1": 1,
        "step:s4": -1,
    } == TRAJECTORY.units(EXAMPLE.judgement)


def test_marks_are_short_and_say_the_same() -> None:
    steps = EXAMPLE.judgement["steps"]
    text = "s2.-1.t1.a0 s3.0 s3-1.1.rs2 s4.-1.g0.i0"

    assert text == written_marks(steps)
    assert steps == read_marks(text)
    assert {"s1": {"correctness": "maybe"}} == read_marks("s1.maybe")


def test_a_draft_of_two_thousand_judged_steps_stays_small() -> None:
    text = written_marks({f"s{number}": {"correctness": 1} for number in range(2_000)})

    assert 16_000 > len(text)


def test_fields_of_a_page_win_over_the_short_text() -> None:
    form = {
        "marks": "s1.-1.t0 s2.1",
        "steps.s1.correctness": "clear",
        "steps.s2.correctness": "0",
        "first_error_step": "s3",
    }

    assert {
        "first_error_step": "s3",
        "steps": {
            "s1": {"tool_choice": False},
            "s2": {"correctness": 0},
            "s3": {"correctness": -1},
        },
    } == TRAJECTORY.from_form(form, {"tool_choice": True}, SIX)


# --- exports -------------------------------------------------------------------------------------


def rows(key: str, one: Record, policy: str = "all") -> tuple[list[Any], Counts]:
    counts = Counts()
    return list(TRAJECTORY.exports[key].rows([one], policy, counts)), counts


def test_stepwise_rows_follow_either_rule_for_neutral_steps() -> None:
    one = record("trajectory", EXAMPLE.judgement)
    ((row,), _), ((strict,), _) = rows("trl_stepwise", one), rows("trl_stepwise_prm800k", one)

    assert [False, True, True, False] == row["labels"]
    assert [False, False, True, False] == strict["labels"]
    assert 'Please cancel café-7.\n\ncancel({"booking":"café-8"})' == row["completions"][0]
    assert "No such booking.\n\nLook again." == row["completions"][1]
    assert "Ask before you cancel.\n\nCancel the booking 🛫 and say what it costs." == row["prompt"]


def test_what_is_not_flagged_counts_as_right_up_to_the_end() -> None:
    flagged = {"outcome": "yes", "error_free": True}
    one = Record(
        item_id="it",
        external_id="x",
        task_type="trajectory",
        payload=SIX,
        template={},
        judgements=(authored(flagged),),
    )

    assert [True] * 5 == rows("trl_stepwise", one)[0][0]["labels"]


def test_who_and_when_names_the_place_in_the_history() -> None:
    clean = {**EXAMPLE.judgement, "error_free": True}
    del clean["first_error_step"], clean["steps"]
    found, counts = rows("who_and_when", record("trajectory", EXAMPLE.judgement, clean))

    assert [("1", "Clerk", "It cancelled another booking.")] == [
        (row["mistake_step"], row["mistake_agent"], row["mistake_reason"]) for row in found
    ]
    assert {"error_free": 1} == dict(counts.dropped)
    assert 5 == len(found[0]["history"])


def test_annotations_of_agent_reward_bench_as_lines_and_as_a_table() -> None:
    one = record("trajectory", EXAMPLE.judgement, {**EXAMPLE.judgement, "reason": "=1+1"})
    ((row, _), _) = rows("agent_reward_bench", one)
    exporter = TRAJECTORY.exports["agent_reward_bench_csv"]
    written = b"".join(exporter.file([one], "all", Counts())).decode()

    assert ("Unsuccessful", "No", "2. Suboptimal", "Unsure") == tuple(
        row[f"trajectory_{name}"] for name in ("success", "side_effect", "optimality", "looping")
    )
    assert ".csv" == exporter.suffix
    head, *lines = written.splitlines()
    assert head.startswith("annotator_name,benchmark,task_id,model_name,trajectory_success")
    assert "sp-001,made,7,,Unsuccessful,No,2. Suboptimal,Unsure,It cancelled" in lines[0]
    assert lines[1].endswith(",'=1+1")


def test_faults_in_the_shape_of_tau_bench() -> None:
    ((row,), _) = rows("tau_bench_errors", record("trajectory", EXAMPLE.judgement))

    assert {"task_id": 7, "author": "agent", "description": "It cancelled another booking."} == row[
        "fault_assignment_analysis"
    ]
    assert "used_wrong_tool_argument" == row["fault_type_analysis"]["fault_type"]


def test_a_majority_votes_on_each_question_and_each_step() -> None:
    other = {
        **EXAMPLE.judgement,
        "first_error_step": "s4",
        "steps": {"s4": {"correctness": -1}},
        "reason": "It named a wrong price.",
    }
    one = record("trajectory", EXAMPLE.judgement, other, other)
    ((row,), _) = rows("who_and_when", one, "majority")
    ((stepwise,), _) = rows("trl_stepwise", one, "majority")

    assert "4" == row["mistake_step"]
    assert "It named a wrong price." == row["mistake_reason"]
    assert [True, True, True, False] == stepwise["labels"]


def test_session_traces_are_lines_with_annotations_beside_the_messages() -> None:
    found, counts = rows("session_traces", record("trajectory", EXAMPLE.judgement))
    head, system, *messages = found

    assert ("session", "ext-1", "no") == (head["type"], head["id"], head["annotation"]["outcome"])
    assert "system" == system["message"]["role"]
    call = next(each for each in messages if each.get("annotation", {}).get("step") == "s2")
    assert {"booking": "café-8"} == json.loads(
        call["message"]["toolCalls"][0]["function"]["arguments"]
    )
    assert -1 == call["annotation"]["correctness"]
    assert {"role": "tool", "content": "No such booking.", "toolCallId": "s2"} == messages[2][
        "message"
    ]
    assert (1, 1) == (counts.read, counts.kept)
