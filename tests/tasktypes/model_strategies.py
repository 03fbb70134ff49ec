"""Legal judgements of the types in which a model has spoken before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from marketplace.tasktypes import Json
from tests.tasktypes.examples import meaningful


@st.composite
def critique_revise(draw: st.DrawFn) -> Json:
    findings: list[Json] = []
    for key in ("safety", "honesty"):
        finding: Json = {"principle_id": key, "violates": draw(st.booleans())}
        if finding["violates"] or draw(st.booleans()):
            finding["critique"] = draw(meaningful)
        if draw(st.booleans()):
            finding["revision"] = draw(meaningful)
        if draw(st.booleans()):
            finding |= {"audit": "edited", "said_by": "model_and_specialist"}
            finding["model_said"] = {"violates": finding["violates"], "critique": draw(meaningful)}
        findings.append(finding)
    return {"findings": findings, "revision": draw(meaningful) + " instead"}


@st.composite
def judge_calibration(draw: st.DrawFn) -> Json:
    verdicts: Json = {
        "empathy": draw(st.integers(0, 4)),
        "safe": draw(st.booleans()),
        "better": draw(st.sampled_from(["m1", "m2", "tie"])),
    }
    if draw(st.booleans()):
        verdicts["tone"] = draw(st.sampled_from(["warm", "cold"]))
    return {"verdicts": verdicts}


leaves = meaningful | st.integers(-9, 9) | st.booleans() | st.floats(-4, 4) | st.none()
facts = st.dictionaries(st.sampled_from("abc"), leaves | st.lists(leaves, max_size=3), max_size=3)
turns = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": meaningful}),
    min_size=1,
    max_size=3,
)


@st.composite
def correction(draw: st.DrawFn) -> Json:
    values: Json = {"summary": draw(meaningful), "urgency": draw(st.sampled_from(["now", "later"]))}
    optional = {
        "dose": st.integers(-99, 99) | st.floats(-1e9, 1e9),
        "allergic": st.booleans(),
        "facts": facts | st.lists(facts, max_size=2),
        "dialogue": turns,
    }
    for key, strategy in optional.items():
        if draw(st.booleans()):
            values[key] = draw(strategy)
    return {"values": values}


@st.composite
def chat(draw: st.DrawFn) -> Json:
    """What a form of it holds; its turns are stored while it is held."""
    score = {"score": draw(st.integers(1, 5))}
    typed = {"saying": draw(meaningful)} if draw(st.booleans()) else {}
    return {"ratings": {"helpful": score}, **typed}


@st.composite
def red_team(draw: st.DrawFn) -> Json:
    kinds = st.lists(st.sampled_from(["self_harm", "medical", "hate"]), min_size=1, unique=True)
    success = draw(st.integers(0, 4))
    found: Json = {
        "attack_success": success,
        "severity": draw(st.sampled_from(["low", "critical"] if success else ["none", "low"])),
    }
    if success or draw(st.booleans()):
        found["harm_categories"] = draw(kinds)
    if draw(st.booleans()):
        found |= {"techniques": ["small_steps"], "task_description": draw(meaningful)}
    return found


MODEL_JUDGEMENTS: Mapping[str, st.SearchStrategy[Any]] = {
    "critique_revise": critique_revise(),
    "judge_calibration": judge_calibration(),
    "correction": correction(),
    "chat": chat(),
    "red_team": red_team(),
}
