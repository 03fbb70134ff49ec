"""Legal judgements of each type for the examples, as hypothesis strategies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from marketplace.tasktypes import Json
from tests.tasktypes.examples import RESPONSE, meaningful

choices = st.sampled_from(["a", "b", "tie", "both_bad"])


@st.composite
def pairwise(draw: st.DrawFn) -> Json:
    choice = draw(choices)
    return {
        "choice": choice,
        "strength": draw(st.integers(0, 3)) if choice in {"a", "b"} else 0,
        "aspects": {"safety": draw(st.sampled_from(["a", "b", "tie"]))},
    }


@st.composite
def ranking(draw: st.DrawFn) -> Json:
    places = {name: draw(st.integers(0, 3)) for name in ("r1", "r2", "r3")}
    tiers = [
        [name for name in places if places[name] == tier]
        for tier in sorted(set(places.values()) - {0})
    ]
    unrankable = [name for name in places if places[name] == 0]
    return {"tiers": tiers, "unrankable": unrankable} if unrankable else {"tiers": tiers}


@st.composite
def rubric(draw: st.DrawFn) -> Json:
    clarity: Json = {"score": draw(st.integers(1, 5))}
    if draw(st.booleans()):
        clarity["rationale"] = draw(meaningful)
    dosing = draw(st.sampled_from([{"na": True}, {"score": 0}, {"score": 2, "na": False}]))
    return {"ratings": {"clarity": clarity, "dosing": dosing}}


@st.composite
def demonstration(draw: st.DrawFn) -> Json:
    content = draw(meaningful) + " and so on"
    return {
        "messages": [{"role": "assistant", "content": content}],
        "self_check": {"own_words": True},
    }


@st.composite
def fact_check(draw: st.DrawFn) -> Json:
    ends = draw(st.sets(st.integers(41, len(RESPONSE)), max_size=3))
    marked = {"start": 14, "end": 40, "verdict": "unverifiable", "note": draw(meaningful)}
    verdict = st.sampled_from(["supported", "contradicted"])
    evidence = [{"doc_id": "s1", "quote": "in 20 days"}]
    further = [
        {"start": 40, "end": end, "verdict": draw(verdict), "sources": evidence}
        for end in sorted(ends)
    ]
    return {"claims": [marked, *further]}


@st.composite
def code(draw: st.DrawFn) -> Json:
    lines = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    comments = [
        {
            "path": "shop/cart.py",
            "line": number,
            "severity": draw(st.sampled_from(["blocker", "nit"])),
            "category": "style",
            "body": draw(meaningful),
        }
        for number in lines
    ]
    return {"verdict": draw(st.sampled_from(["comment", "request_changes"])), "comments": comments}


JUDGEMENTS: Mapping[str, st.SearchStrategy[Any]] = {
    "pairwise": pairwise(),
    "ranking": ranking(),
    "rubric": rubric(),
    "demonstration": demonstration(),
    "fact_check": fact_check(),
    "code": code(),
}
