"""What a finished judgement of a trajectory must say, and what contradicts itself in it."""

from __future__ import annotations

from collections.abc import Iterator

from marketplace.errors import Fault
from marketplace.tasktypes.shapes import Json, listed, pointer
from marketplace.tasktypes.trajectory_steps import Placed, agents_of, in_order, went_wrong

NO_STEP_MARKS = "off"
WRONG, NEUTRAL, RIGHT = -1, 0, 1
# A question of the template and the parts of a mark that answer it.
QUESTIONS_OF_STEPS: dict[str, tuple[str, ...]] = {
    "tool_choice": ("tool_choice",),
    "arguments": ("arguments",),
    "grounded": ("grounded",),
    "errors": ("is_error", "recovered_from"),
    "inherited": ("inherited_error",),
}
WHOLE = {
    "outcome": "Say whether the run reached its goal.",
    "side_effects": "Say whether it had side effects.",
    "optimality": "Say how directly it went.",
    "looping": "Say whether it went in circles.",
}
ANSWERS = {
    "outcome": ("outcome",),
    "side_effects": ("side_effects",),
    "optimality": ("optimality",),
    "looping": ("looping",),
    "first_error": ("first_error_step", "error_free"),
    "responsible_agent": ("responsible_agent",),
    "reason": ("reason",),
    "fault": ("fault",),
}
ASKED_UNLESS_SAID = frozenset({"outcome", "first_error", "reason"})
MISSING_TOLD_MAX = 5


def asks(template: Json, question: str) -> bool:
    """Whether the template asks this question of the whole run."""
    return template.get(question, question in ASKED_UNLESS_SAID) not in (False, "off")


def coverage(template: Json) -> str:
    """Which steps must be judged: off, flagged, from_first_error or all."""
    return str(template.get("steps", "flagged"))


def wrong_steps(judgement: Json) -> set[str]:
    marks = judgement.get("steps", {})
    return {name for name, mark in marks.items() if mark.get("correctness") == WRONG}


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    placed = {each.id: each for each in in_order(payload)}
    faults = [
        *_not_asked(template, judgement),
        *_step_faults(template, placed, judgement),
        *_first_error_faults(template, placed, judgement),
        *_blame_faults(payload, judgement),
    ]
    # Gold may be partial; whatever it says must still hold together.
    if not template.get("partial"):
        faults += [*_missing(template, judgement), *_uncovered(template, placed, judgement)]
    return faults


def _not_asked(template: Json, judgement: Json) -> Iterator[Fault]:
    for question, names in ANSWERS.items():
        for name in names:
            if name in judgement and not asks(template, question):
                yield Fault(f"/{name}", "This job does not ask for this. Leave it out.")
    if "steps" in judgement and coverage(template) == NO_STEP_MARKS:
        yield Fault("/steps", "This job asks for no marks on steps. Leave them out.")


def _missing(template: Json, judgement: Json) -> Iterator[Fault]:
    for question, advice in WHOLE.items():
        if asks(template, question) and question not in judgement:
            yield Fault(f"/{question}", advice)
    named = "first_error_step" in judgement
    if template.get("first_error") == "required" and not (named or judgement.get("error_free")):
        advice = "Name the first error, or say that there is none."
        yield Fault("/first_error_step", advice)
    failed = judgement.get("outcome") == "no"
    if (named or failed) and template.get("reason") == "required" and "reason" not in judgement:
        yield Fault("/reason", "Say why.")
    # A run may err, recover and reach its goal; then nobody is to blame.
    if judgement.get("outcome") == "yes" or not (named or failed):
        return
    if asks(template, "responsible_agent") and "responsible_agent" not in judgement:
        yield Fault("/responsible_agent", "Say which agent answers for it.")
    if asks(template, "fault") and "fault" not in judgement:
        yield Fault("/fault", "Say whose fault it is.")


def _step_faults(template: Json, placed: dict[str, Placed], judgement: Json) -> Iterator[Fault]:
    known = {"correctness"}
    for question, parts in QUESTIONS_OF_STEPS.items():
        if template.get(question):
            known.update(parts)
    wrong = [placed[name].number for name in wrong_steps(judgement) if name in placed]
    earliest = min(wrong, default=len(placed))
    for name, mark in judgement.get("steps", {}).items():
        place = "/steps" + pointer([name])
        if name not in placed:
            yield Fault(place, f'The run has no step "{name[:64]}".')
            continue
        for part in mark:
            if part not in known:
                yield Fault(f"{place}/{part}", "This job does not ask for this. Leave it out.")
        yield from _history_faults(placed, judgement, placed[name], earliest)


def _history_faults(
    placed: dict[str, Placed], judgement: Json, here: Placed, earliest_wrong: int
) -> Iterator[Fault]:
    """What a mark says of earlier steps must be true of them."""
    marks = judgement.get("steps", {})
    mark = marks[here.id]
    place = "/steps" + pointer([here.id])
    source = mark.get("recovered_from")
    if source is not None:
        earlier = placed.get(source)
        if earlier is None or earlier.number >= here.number:
            yield Fault(f"{place}/recovered_from", "Name a step that comes before this one.")
        elif not _erred(earlier, marks.get(source, {})):
            advice = f'"{source}" is not marked as an error. Mark it, or name another step.'
            yield Fault(f"{place}/recovered_from", advice)
    if mark.get("inherited_error"):
        if judgement.get("first_error_step") == here.id:
            advice = "The first error inherits from none. Take one of the two back."
            yield Fault(f"{place}/inherited_error", advice)
        elif earliest_wrong >= here.number:
            advice = "An inherited error needs a wrong step before it. Mark that one too."
            yield Fault(f"{place}/inherited_error", advice)


def _erred(here: Placed, mark: Json) -> bool:
    marked = mark.get("correctness") == WRONG or bool(mark.get("is_error"))
    return marked or went_wrong(here.step)


def _first_error_faults(
    template: Json, placed: dict[str, Placed], judgement: Json
) -> Iterator[Fault]:
    first = judgement.get("first_error_step")
    wrong = {name for name in wrong_steps(judgement) if name in placed}
    if judgement.get("error_free"):
        if first is not None:
            yield Fault("/error_free", "You named a first error. Take one of the two back.")
        elif wrong:
            advice = "You marked a step wrong, so the run is not free of errors."
            yield Fault("/error_free", advice)
    if first is None:
        return
    if first not in placed:
        yield Fault("/first_error_step", f'The run has no step "{first}".')
        return
    mark = judgement.get("steps", {}).get(first, {})
    if coverage(template) != NO_STEP_MARKS and mark.get("correctness") != WRONG:
        yield Fault("/first_error_step", f'Mark the step "{first}" as wrong too.')
    before = [name for name in wrong if placed[name].number < placed[first].number]
    if before:
        earliest = min(before, key=lambda name: placed[name].number)
        advice = f'You marked "{earliest}" wrong, which comes before. Name that one.'
        yield Fault("/first_error_step", advice)


def _blame_faults(payload: Json, judgement: Json) -> Iterator[Fault]:
    agent = judgement.get("responsible_agent")
    if agent is not None and agent not in (known := agents_of(payload)):
        yield Fault("/responsible_agent", f"Choose one of the run's agents: {listed(known)}.")
    fault = judgement.get("fault", {})
    if "type" in fault and fault["author"] != "agent":
        yield Fault("/fault/type", "Only an agent's fault has a type. Leave it out.")
    if judgement.get("outcome") == "yes" and fault:
        yield Fault("/fault", "A run that reached its goal has no fault. Take one of them back.")


def _uncovered(template: Json, placed: dict[str, Placed], judgement: Json) -> Iterator[Fault]:
    """Steps that the template wants judged and that have no mark."""
    wanted = coverage(template)
    first = placed.get(judgement.get("first_error_step", ""))
    if wanted == "all":
        start = 0
    elif wanted == "from_first_error" and first is not None:
        start = first.number
    else:
        return
    marks = judgement.get("steps", {})
    open_steps = [
        each.id
        for each in placed.values()
        if each.judged and each.number >= start and "correctness" not in marks.get(each.id, {})
    ]
    if open_steps:
        named = ", ".join(open_steps[:MISSING_TOLD_MAX])
        further = len(open_steps) - MISSING_TOLD_MAX
        more = f" and {further:,} more" if further > 0 else ""
        yield Fault("/steps", f"Judge these steps too: {named}{more}.")


def rated(template: Json, payload: Json, judgement: Json) -> dict[str, int]:
    """Every rating that a judgement gives or implies, by step.

    Where not all steps are asked for, silence is an answer: before the first error, and wherever
    only what is wrong is flagged, a step that nobody marked is right.
    """
    marks = judgement.get("steps", {})
    found = {name: mark["correctness"] for name, mark in marks.items() if "correctness" in mark}
    wanted = coverage(template)
    if wanted not in ("flagged", "from_first_error") or not (
        found or judgement.get("error_free") or "first_error_step" in judgement
    ):
        return found
    first = judgement.get("first_error_step")
    for each in in_order(payload):
        if wanted == "from_first_error" and each.id == first:
            break
        if each.judged:
            found.setdefault(each.id, RIGHT)
    return found
