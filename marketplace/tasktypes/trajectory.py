"""Agent trajectory: a run of up to thousands of steps, judged as a whole and step by step.

The template chooses what is asked. Marks on steps stand under the step's id; a step nobody spoke
about has none. `marks` in the form carries all of them in one short text.
"""

from __future__ import annotations

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.scales import NOMINAL, Scale, ScaleKind, Scales, nominal, ordinal
from marketplace.tasktypes.shapes import Json, Shape
from marketplace.tasktypes.trajectory_exports import EXPORTS
from marketplace.tasktypes.trajectory_form import read_form, write_form
from marketplace.tasktypes.trajectory_rules import (
    NEUTRAL,
    NO_STEP_MARKS,
    QUESTIONS_OF_STEPS,
    RIGHT,
    WRONG,
    asks,
    coverage,
    judgement_rule,
)
from marketplace.tasktypes.trajectory_steps import STEPS_MAX, in_order, step_schema
from marketplace.tasktypes.votes import Units, share_matched

OUTCOMES = ("yes", "no", "unsure")
OPTIMALITY = ("complete_failure", "suboptimal", "somewhat_optimal", "completely_optimal")
FAULT_AUTHORS = ("user", "agent", "environment")
FAULT_TYPES = (
    "called_wrong_tool",
    "used_wrong_tool_argument",
    "goal_partially_completed",
    "other",
)
COVERAGES = (NO_STEP_MARKS, "flagged", "from_first_error", "all")


def asked(words: str) -> Json:
    return {**pieces.FLAG, "description": words}


TEMPLATE = Shape(
    pieces.contract(
        "Template of a trajectory",
        {
            **pieces.TEMPLATE_FIELDS,
            "outcome": asked("Whether the run reached its goal; asked where unset."),
            "side_effects": asked("Whether it did what nobody asked for."),
            "optimality": asked("How directly it went, on four points."),
            "looping": asked("Whether it went in circles."),
            "steps": {
                **pieces.one_of(*COVERAGES),
                "description": "Which steps must be judged: none, those flagged, all from the "
                "first error on, or all; flagged where unset.",
            },
            "tool_choice": asked("For each step, whether the tool was the right one."),
            "arguments": asked("For each step, whether the arguments were right."),
            "grounded": asked("For each step, whether it rests on what was known."),
            "errors": asked("Which steps are errors, and which step recovered from which error."),
            "inherited": asked("Which steps are wrong only because an earlier one was."),
            "first_error": {
                **pieces.one_of("off", "optional", "required"),
                "description": "Whether the first error must be named; optional where unset.",
            },
            "responsible_agent": asked("Which agent answers for the failure."),
            "reason": {
                **pieces.one_of("off", "optional", "required"),
                "description": "Why the first error is one; optional where unset.",
            },
            "fault": asked("Whose fault a failure is, and of which type."),
            "show_oracle": asked("Whether the actions of the oracle are shown."),
        },
    )
)

ITEM = Shape(
    pieces.contract(
        "Item of a trajectory",
        {
            "goal": pieces.words(),
            "policies": pieces.CONTEXT,
            "tools": pieces.listing(
                pieces.closed(
                    {
                        "name": pieces.words(200),
                        "description": pieces.text(20_000),
                        "parameters": {"type": "object", "description": "A JSON Schema."},
                    },
                    ("name",),
                ),
                most=500,
            ),
            "agents": {**pieces.listing(pieces.words(200), most=200), "uniqueItems": True},
            "steps": pieces.listing(step_schema(), least=1, most=STEPS_MAX),
            "oracle": pieces.listing(
                pieces.closed({"tool": pieces.words(200), "args": {"type": "object"}}, ("tool",)),
                most=500,
            ),
            "context": pieces.CONTEXT,
            "metadata": pieces.METADATA,
        },
        ("goal", "steps"),
    )
)

MARK = pieces.closed(
    {
        "correctness": pieces.whole(-1, 1),
        "tool_choice": pieces.FLAG,
        "arguments": pieces.FLAG,
        "grounded": pieces.FLAG,
        "is_error": pieces.FLAG,
        "inherited_error": pieces.FLAG,
        "recovered_from": pieces.NAME,
    },
    minProperties=1,
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a trajectory",
        {
            "outcome": pieces.one_of(*OUTCOMES),
            "side_effects": pieces.one_of(*OUTCOMES),
            "optimality": pieces.one_of(*OPTIMALITY),
            "looping": pieces.one_of(*OUTCOMES),
            "steps": {"type": "object", "additionalProperties": MARK, "minProperties": 1},
            "first_error_step": pieces.NAME,
            "error_free": {
                **pieces.FLAG,
                "description": "True says that no step is an error.",
            },
            "responsible_agent": pieces.words(200),
            "reason": pieces.words(20_000),
            "fault": pieces.closed(
                {"author": pieces.one_of(*FAULT_AUTHORS), "type": pieces.one_of(*FAULT_TYPES)},
                ("author",),
            ),
        },
    )
)


def template_rule(template: Json) -> list[Fault]:
    faults = []
    if coverage(template) == NO_STEP_MARKS:
        faults += [
            Fault(f"/{name}", "This asks about steps; choose which steps are judged too.")
            for name in QUESTIONS_OF_STEPS
            if template.get(name)
        ]
    if coverage(template) == "from_first_error" and not asks(template, "first_error"):
        advice = "Ask for the first error, since steps are judged from there on."
        faults.append(Fault("/first_error", advice))
    wholes = ("outcome", "side_effects", "optimality", "looping", "first_error", "fault")
    if coverage(template) == NO_STEP_MARKS and not any(asks(template, name) for name in wholes):
        faults.append(Fault("", "This template asks nothing. Ask for the outcome at least."))
    return faults


def item_rule(template: Json, payload: Json) -> list[Fault]:
    placed = in_order(payload)
    faults = []
    seen: set[str] = set()
    for each in placed:
        if each.id in seen:
            advice = f'The id "{each.id}" stands twice. Rename one.'
            faults.append(Fault(f"{each.pointer}/id", advice))
        seen.add(each.id)
    if len(placed) > STEPS_MAX:
        faults.append(Fault("/steps", f"Give at most {STEPS_MAX:,} steps, inner ones counted."))
    if not any(each.judged for each in placed):
        faults.append(Fault("/steps", "No step here is an agent's. Give at least one."))
    if asks(template, "responsible_agent") and not (
        payload.get("agents") or any(each.agent for each in placed)
    ):
        advice = (
            "The job asks which agent is responsible, and this run names none. Name them here or "
            "on the steps, or turn “responsible agent” off in the template."
        )
        faults.append(Fault("/agents", advice))
    return faults


def units(judgement: Json) -> Units:
    """The questions about the whole, the first error, and `step:<id>` for each step judged."""
    named = ("outcome", "side_effects", "optimality", "looping", "responsible_agent")
    found: Units = {name: str(judgement[name]) for name in named if name in judgement}
    if "first_error_step" in judgement:
        found["first_error_step"] = str(judgement["first_error_step"])
    elif judgement.get("error_free"):
        # No id can be empty, so this label stands for nothing but itself.
        found["first_error_step"] = ""
    for name, mark in judgement.get("steps", {}).items():
        if "correctness" in mark:
            found[f"step:{name}"] = int(mark["correctness"])
    return found


def scales(template: Json) -> Scales:
    """Where only what is wrong is flagged, a step that one flagged and another passed is right."""
    flagged = coverage(template) == "flagged"
    steps = Scale(
        ScaleKind.STEPS,
        (WRONG, NEUTRAL, RIGHT),
        silence=RIGHT if flagged else None,
        heard_by=("step:*", "first_error_step"),
    )
    return {
        "outcome": nominal(*OUTCOMES),
        "side_effects": nominal(*OUTCOMES),
        "looping": nominal(*OUTCOMES),
        "optimality": ordinal(*OPTIMALITY),
        "responsible_agent": NOMINAL,
        "first_error_step": Scale(ScaleKind.STEPS),
        "step:*": steps,
    }


def gold_rule(judgement: Json, gold: Json, _template: Json) -> float | None:
    """The mean over gold's questions, where all its steps together count as one question.

    Else two thousand steps that anybody gets right would hide a wrong first error.
    """
    given, wanted = units(judgement), units(gold)
    steps = {name: label for name, label in wanted.items() if name.startswith("step:")}
    shares = [
        float(given.get(name) == label) for name, label in wanted.items() if name not in steps
    ]
    share = share_matched(given, steps)
    if share is not None:
        shares.append(share)
    return sum(shares) / len(shares) if shares else None


def gold_template(template: Json) -> Json:
    """Gold may leave out whatever its author is not sure of."""
    return {**template, "partial": True}


TRAJECTORY = TaskType(
    key="trajectory",
    title="Agent trajectory",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=EXPORTS,
    template_rule=template_rule,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    gold_rule=gold_rule,
    gold_template=gold_template,
    read_form=read_form,
    write_form=write_form,
)
