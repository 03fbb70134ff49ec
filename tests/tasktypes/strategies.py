"""Legal judgements of each type for the examples, as hypothesis strategies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from marketplace.tasktypes import Json
from marketplace.tasktypes.images.geometry import rounded
from tests.tasktypes.examples import COURT_TEXT, EXAMPLES, RESPONSE, meaningful
from tests.tasktypes.model_strategies import MODEL_JUDGEMENTS

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


@st.composite
def trajectory(draw: st.DrawFn) -> Json:
    outcome = draw(st.sampled_from(["yes", "no", "unsure"]))
    found: Json = {
        "outcome": outcome,
        "side_effects": "no",
        "optimality": draw(st.sampled_from(["suboptimal", "completely_optimal"])),
        "looping": "no",
    }
    later: Json = {name: {"correctness": draw(st.integers(-1, 1))} for name in ("s3", "s3-1", "s4")}
    if draw(st.booleans()):
        found["first_error_step"] = "s2"
        later["s3"] = {"correctness": 1, "recovered_from": "s2", "is_error": draw(st.booleans())}
        found["steps"] = {"s2": {"correctness": -1, "arguments": draw(st.booleans())}, **later}
        found["reason"] = draw(meaningful)
    else:
        found["error_free"] = True
    if outcome == "no" or "first_error_step" in found:
        found["responsible_agent"] = draw(st.sampled_from(["Clerk", "Planner"]))
        if outcome != "yes":
            found["fault"] = {"author": draw(st.sampled_from(["user", "environment"]))}
    return found


@st.composite
def spans(draw: st.DrawFn) -> Json:
    # One after another, so that none crosses another; some hold another inside.
    cuts = sorted(draw(st.sets(st.integers(0, len(COURT_TEXT)), max_size=6)))
    places = list(zip(cuts[::2], cuts[1::2], strict=False))
    places += [(start, end - 1) for start, end in places if end - start > 2]
    marks: list[Json] = []
    for number, (start, end) in enumerate(places, 1):
        mark: Json = {"id": f"s{number}", "start": start, "end": end, "text": COURT_TEXT[start:end]}
        mark["label"] = draw(st.sampled_from(["COURT", "JUDGE"]))
        if draw(st.booleans()):
            mark |= {"kb_id": draw(meaningful), "attributes": {"quoted": draw(st.booleans())}}
        marks.append(mark)
    found: Json = {"spans": marks}
    if len(marks) > 1:
        found["relations"] = [{"source": "s2", "target": "s1", "type": "named with"}]
    if draw(st.booleans()):
        found["cats"] = [draw(st.sampled_from(["appeal", "writ"]))]
    return found


@st.composite
def rubric_writing(draw: st.DrawFn) -> Json:
    said = draw(st.sets(st.sampled_from(["dose", "risk", "time", "food"]), min_size=1))
    points = st.integers(1, 10)
    more = [{"criterion": f"Names the {word}", "points": draw(points)} for word in sorted(said)]
    harm = {"criterion": "Tells to stop", "points": -draw(points), "tags": ["safety", "accuracy"]}
    return {"rubrics": [*more, harm], "ideal_completion": draw(meaningful)}


pixels = st.integers(0, 40_000).map(lambda hundredths: rounded(hundredths / 100))


@st.composite
def regions(draw: st.DrawFn) -> Json:
    found: list[Json] = []
    for number in range(draw(st.integers(0, 4))):
        region: Json = {"id": f"r{number}", "label": "nodule"}
        x, y = draw(pixels), draw(pixels)
        kind = draw(st.sampled_from(["box", "polygon", "point"]))
        if kind == "box":
            region |= {"kind": kind, "box": [x, y, draw(st.integers(1, 80)), 12.5]}
        elif kind == "polygon":
            region |= {"kind": kind, "points": [[x, y], [x + 50, y], [x + 10, y + 30]]}
            region["points"] = [[rounded(side) for side in each] for each in region["points"]]
        else:
            region |= {"label": "tip", "kind": kind, "points": [[x, y]]}
        if kind != "point" and draw(st.booleans()):
            region["attributes"] = {"margin": draw(st.sampled_from(["sharp", "blurred"]))}
        if draw(st.booleans()):
            region["certainty"] = draw(st.sampled_from(["definite", "possible"]))
        found.append(region)
    quality = draw(st.sampled_from(["good", "poor", ""]))
    labels = {region["label"] for region in found}
    return {
        "regions": found,
        "image": EXAMPLES["regions"].judgement["image"],
        "presence": {"nodule": "nodule" in labels, "tip": "tip" in labels},
        **({} if found else {"nothing_to_mark": True}),
        **({"answers": {"quality": quality}} if quality else {}),
    }


JUDGEMENTS: Mapping[str, st.SearchStrategy[Any]] = {
    "pairwise": pairwise(),
    "ranking": ranking(),
    "rubric": rubric(),
    "demonstration": demonstration(),
    "fact_check": fact_check(),
    "code": code(),
    "spans": spans(),
    "regions": regions(),
    "rubric_writing": rubric_writing(),
    "trajectory": trajectory(),
    **MODEL_JUDGEMENTS,
}
