"""One legal template, item and judgement of each type, and strategies that vary them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from marketplace.tasktypes import AuthoredJudgement, Json, Record
from tests.make.images import SCAN_SHA256
from tests.tasktypes import model_examples

MESSAGES = [{"role": "user", "content": "May a patient on warfarin eat spinach? 🥬"}]

DIFF = "\n".join(
    [
        "--- a/shop/cart.py",
        "+++ b/shop/cart.py",
        "@@ -1,4 +1,5 @@",
        " def total(lines):",
        "-    return sum(line.price for line in lines)",
        "+    amount = sum(line.price for line in lines)",
        "+    return amount",
        " ",
        " # end",
        "",
    ]
)

RESPONSE = "Café rules 🏛️: notice is due in 30 days. Fees are capped."

COURT_TEXT = "In the High Court of Delhi ⚖️🏛️, before Mr Justice\r\nNajmi Wazīri, on appeal."


@dataclass(frozen=True)
class Example:
    template: Json
    payload: Json
    judgement: Json


EXAMPLES: Mapping[str, Example] = {
    "regions": Example(
        {
            "question": "Mark every nodule, and where the tube ends.",
            "labels": [
                {
                    "key": "nodule",
                    "title": "Nodule",
                    "kinds": ["box", "polygon"],
                    "attributes": [
                        {"key": "margin", "title": "Margin", "options": ["sharp", "blurred"]}
                    ],
                },
                {"key": "tip", "title": "Tip of the tube", "kinds": ["point"], "colour": 5},
            ],
            "certainty": "optional",
            "answers": [{"key": "quality", "title": "Quality", "options": ["good", "poor"]}],
        },
        {"image": "left/scan 1.png", "width": 640, "height": 480, "sha256": SCAN_SHA256},
        {
            "regions": [
                {
                    "id": "r1",
                    "label": "nodule",
                    "kind": "box",
                    "box": [10.25, 20, 30, 40.5],
                    "attributes": {"margin": "sharp"},
                    "certainty": "probable",
                },
                {"id": "r2", "label": "tip", "kind": "point", "points": [[320, 240]]},
            ],
            "answers": {"quality": "good"},
            "image": {
                "name": "left/scan 1.png",
                "width": 640,
                "height": 480,
                "sha256": SCAN_SHA256,
            },
            "presence": {"nodule": True, "tip": True},
        },
    ),
    "pairwise": Example(
        {
            "question": "Which answer would you give?",
            "aspects": [{"key": "safety", "title": "Safety", "required": True}],
            "strength": True,
        },
        {"messages": MESSAGES, "a": "Yes, steadily.", "b": "Never.", "metadata": {"model": "x"}},
        {"choice": "a", "strength": 2, "aspects": {"safety": "tie"}},
    ),
    "ranking": Example(
        {"allow_ties": True},
        {
            "messages": MESSAGES,
            "responses": [{"id": f"r{number}", "text": f"Draft {number}"} for number in (1, 2, 3)],
        },
        {"tiers": [["r2"], ["r1", "r3"]]},
    ),
    "rubric": Example(
        {
            "aspects": [
                {
                    "key": "clarity",
                    "title": "Clarity",
                    "scale": {"min": 1, "max": 5, "anchors": {"1": "Unclear", "5": "Clear"}},
                },
                {
                    "key": "dosing",
                    "title": "Dosing",
                    "scale": {"min": 0, "max": 2},
                    "allow_na": True,
                },
            ]
        },
        {"messages": MESSAGES, "response": "Steady intake is what matters."},
        {"ratings": {"clarity": {"score": 4, "rationale": "Short."}, "dosing": {"na": True}}},
    ),
    "demonstration": Example(
        {"self_check": [{"key": "own_words", "title": "My own words"}], "characters_min": 5},
        {"messages": MESSAGES},
        {
            "messages": [{"role": "assistant", "content": "Yes.\n\nKeep the amount steady."}],
            "self_check": {"own_words": True},
        },
    ),
    "fact_check": Example(
        {"sources_required": True},
        {
            "messages": MESSAGES,
            "response": RESPONSE,
            "sources": [{"id": "s1", "title": "Code", "content": "Notice is due\nin 20 days."}],
            "claims": [{"start": 14, "end": 40}],
        },
        {
            "claims": [
                {
                    "start": 14,
                    "end": 40,
                    "text": RESPONSE[14:40],
                    "verdict": "contradicted",
                    "severity": "major",
                    "sources": [{"doc_id": "s1", "quote": "Notice is due in 20 days."}],
                },
                {"start": 40, "end": 56, "verdict": "unverifiable"},
            ]
        },
    ),
    "rubric_writing": Example(
        {
            "tags": ["accuracy", "safety"],
            "negative_required": True,
            "criteria_min": 2,
            "ideal_completion": "required",
        },
        {
            "messages": MESSAGES,
            "prompt_id": "hb-1",
            "references": [{"id": "r1", "text": "Eat none."}],
            "example_tags": ["theme:hedging"],
        },
        {
            "rubrics": [
                {"criterion": "Says to keep the amount steady", "points": 7, "tags": ["accuracy"]},
                {"criterion": "Tells to stop warfarin", "points": -9, "tags": ["safety"]},
            ],
            "ideal_completion": "Yes.\n\nKeep the amount steady.",
        },
    ),
    "spans": Example(
        {
            "labels": [{"name": "COURT", "key": "1"}, {"name": "JUDGE", "guideline": "By name."}],
            "overlap": "nested",
            "negation": True,
            "kb_ids": True,
            "attributes": [
                {
                    "key": "role",
                    "title": "Role",
                    "kind": "choice",
                    "options": ["presiding", "sole"],
                    "labels": ["JUDGE"],
                },
                {"key": "quoted", "title": "Quoted", "kind": "flag"},
            ],
            "relations": [
                {"name": "sits in", "pairs": [{"source": "JUDGE", "target": "COURT"}]},
                {"name": "named with", "directed": False},
            ],
            "cats": [{"name": "appeal"}, {"name": "writ"}],
        },
        {"text": COURT_TEXT, "metadata": {"year": 2019}},
        {
            "spans": [
                {"id": "s1", "start": 7, "end": 26, "label": "COURT", "text": COURT_TEXT[7:26]},
                {
                    "id": "s2",
                    "start": 52,
                    "end": 64,
                    "label": "JUDGE",
                    "text": COURT_TEXT[52:64],
                    "attributes": {"role": "sole", "quoted": True},
                    "negated": True,
                    "kb_id": "Q42",
                },
            ],
            "relations": [{"source": "s2", "target": "s1", "type": "sits in"}],
            "cats": ["appeal"],
        },
    ),
    "code": Example(
        {"categories": ["correctness", "style"]},
        {"title": "Name the sum", "diff": DIFF, "language": "python"},
        {
            "verdict": "request_changes",
            "comments": [
                {
                    "path": "shop/cart.py",
                    "line": 3,
                    "side": "new",
                    "severity": "nit",
                    "category": "style",
                    "body": "Return the sum itself.",
                }
            ],
        },
    ),
    "trajectory": Example(
        {
            "side_effects": True,
            "optimality": True,
            "looping": True,
            "steps": "from_first_error",
            "tool_choice": True,
            "arguments": True,
            "grounded": True,
            "errors": True,
            "inherited": True,
            "first_error": "required",
            "responsible_agent": True,
            "fault": True,
        },
        {
            "goal": "Cancel the booking 🛫 and say what it costs.",
            "policies": [{"title": "Rules", "content": "Ask before you cancel."}],
            "tools": [{"name": "cancel", "parameters": {"type": "object"}}],
            "agents": ["Planner", "Clerk"],
            "steps": [
                {"id": "s1", "kind": "user", "content": "Please cancel café-7."},
                {
                    "id": "s2",
                    "kind": "tool_call",
                    "agent": "Clerk",
                    "tool": "cancel",
                    "args": {"booking": "café-8"},
                    "error": "No such booking.",
                },
                {
                    "id": "s3",
                    "kind": "subagent",
                    "agent": "Planner",
                    "content": "Look again.",
                    "children": [
                        {
                            "id": "s3-1",
                            "kind": "tool_call",
                            "agent": "Clerk",
                            "tool": "cancel",
                            "args": {"booking": "café-7"},
                            "result": {"fee": 20},
                        }
                    ],
                },
                {"id": "s4", "kind": "agent", "agent": "Clerk", "content": "It costs 30."},
            ],
            "oracle": [{"tool": "cancel", "args": {"booking": "café-7"}}],
            "metadata": {"benchmark": "made", "task_id": 7, "trial": 0},
        },
        {
            "outcome": "no",
            "side_effects": "no",
            "optimality": "suboptimal",
            "looping": "unsure",
            "steps": {
                "s2": {"correctness": -1, "tool_choice": True, "arguments": False},
                "s3": {"correctness": 0},
                "s3-1": {"correctness": 1, "recovered_from": "s2"},
                "s4": {"correctness": -1, "grounded": False, "inherited_error": False},
            },
            "first_error_step": "s2",
            "responsible_agent": "Clerk",
            "reason": "It cancelled another booking.",
            "fault": {"author": "agent", "type": "used_wrong_tool_argument"},
        },
    ),
    **{key: Example(*parts) for key, parts in model_examples.PARTS.items()},
}

KEYS = sorted(EXAMPLES)

# Text as a browser can send it back: no NUL, no half characters, line breaks as LF.
written = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=40)
meaningful = written.filter(lambda text: bool(text.strip()))

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.integers()
    | st.floats()
    | st.sampled_from(["a", "tie", "r1", "r2", "safety", "clarity", "s1", "na", "\0", "\ud800"])
    | st.text(max_size=10)
)

json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["choice", "tiers", "claims", "x"]) | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, whole: Any) -> Any:
    """The value with one random place replaced by, or extended with, anything at all."""
    if isinstance(whole, dict) and whole and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(whole)))
        return {**whole, key: draw(damaged(whole[key]))}
    if isinstance(whole, dict) and draw(st.booleans()):
        return {**whole, draw(st.text(max_size=5)): draw(json_values)}
    if isinstance(whole, list) and whole and draw(st.integers(0, 4)):
        place = draw(st.integers(0, len(whole) - 1))
        return [*whole[:place], draw(damaged(whole[place])), *whole[place + 1 :]]
    return draw(json_values)


def authored(judgement: Json, number: int = 1, **facts: Any) -> AuthoredJudgement:
    return AuthoredJudgement(
        annotation_id=f"an-{number:03}", judgement=judgement, author=f"sp-{number:03}", **facts
    )


def record(key: str, *judgements: Json, **facts: Any) -> Record:
    """The example item of a type with these judgements, by authors 1, 2, 3 …"""
    given = [authored(judgement, number) for number, judgement in enumerate(judgements, 1)]
    return Record(
        item_id="it-1",
        external_id=facts.pop("external_id", "ext-1"),
        task_type=key,
        payload=facts.pop("payload", EXAMPLES[key].payload),
        template=EXAMPLES[key].template,
        judgements=tuple(given),
        **facts,
    )
