"""Comparisons in Label Studio's results: Pairwise with Choices for ties, and Ranker."""

from __future__ import annotations

from typing import Any

from marketplace.tasktypes.label_studio.controls import Config, Control, Shown, datum_of
from marketplace.tasktypes.label_studio.dialect import (
    Dialect,
    Left,
    Place,
    Unfit,
    as_text,
    control_of,
    key_of,
    messages_of,
    name_of,
    value_of,
    whole,
    words_of,
)
from marketplace.tasktypes.shapes import Json

SIDES = {"left": "a", "right": "b"}
SELECTED = {"a": "left", "b": "right"}
TIES = frozenset({"tie", "equal", "same", "both", "both_good", "no_preference", "draw"})
BOTH_BAD = frozenset({"both_bad", "neither", "none", "both_wrong", "both_are_bad"})
TIE, BAD = "tie", "both_bad"
UNPLACED = "_"  # Label Studio's own name for what stands in no bucket.


def pairwise_default(template: Json) -> Config:
    """`choice` compares, `choice_tie` says tie or both bad, `strength` how much."""
    to = ("a", "b")
    controls = [
        Control("choice", "Pairwise", to),
        Control("choice_tie", "Choices", to, (TIE, BAD)),
        Control("strength", "Number", to),
    ]
    controls += [
        Control(str(each["key"]), "Choices", to, ("left", "right", TIE))
        for each in template.get("aspects", [])
    ]
    shown = {"messages": Shown("Paragraphs", "messages", "role", "content")}
    return Config({**shown, "a": Shown("Text", "a"), "b": Shown("Text", "b")}, tuple(controls))


def pairwise_payload(place: Place) -> Json:
    control = next(iter(place.config.of("Pairwise")), None)
    sides = [place.config.about(control, at) for at in (0, 1)]
    data = [each.datum if each else name for each, name in zip(sides, "ab", strict=True)]
    texts = [as_text(datum_of(place.content, datum)) for datum in data]
    if not all(text.strip() for text in texts):
        raise Unfit(f"There are no two texts to compare. Send {data[0]} and {data[1]}.")
    return {"messages": messages_of(place, data), "a": texts[0], "b": texts[1]}


def pairwise_judgement(place: Place, results: list[Json], left: Left) -> Json:
    """Which side; Choices that say tie or both bad win over a side, as they are said beside it."""
    told: Json = {}
    aspects = {str(each["key"]) for each in place.template.get("aspects", [])}
    for each in results:
        value, key = value_of(each), key_of(str(each.get("from_name")))
        words = [key_of(word) for word in words_of(value, "choices")]
        strength = value.get("number", value.get("rating"))
        if each.get("type") == "pairwise" and value.get("selected") in SIDES:
            told.setdefault("choice", SIDES[str(value["selected"])])
        elif key in aspects and words and (side := SIDES.get(words[0], words[0])) in {*"ab", TIE}:
            told.setdefault("aspects", {})[key] = side
        elif words and words[0] in TIES | BOTH_BAD:
            told["choice"] = BAD if words[0] in BOTH_BAD else TIE
        elif key == "strength" and isinstance(strength, int | float) and strength in range(4):
            told["strength"] = int(strength)
        else:
            left["results_with_no_place_here"] += 1
    return told


def pairwise_results(place: Place, judged: Json) -> list[Json]:
    config, choice = place.config, str(judged["choice"])
    told = []
    if choice in SELECTED:
        control = next(iter(config.of("Pairwise")), Control("choice", "Pairwise", ("a", "b")))
        told.append(whole(control, {"selected": SELECTED[choice]}))
    else:
        told.append(_tie(config, choice))
    if "strength" in judged:
        control = control_of(config, "strength", ("Number", "Rating"), per_region=False)
        one = "rating" if control.tag == "Rating" else "number"
        told.append(whole(control, {one: judged["strength"]}))
    for key, side in sorted(judged.get("aspects", {}).items()):
        control = control_of(config, key, ("Choices",), per_region=False)
        told.append(whole(control, {"choices": [SELECTED.get(side, side)]}))
    return told


def _tie(config: Config, choice: str) -> Json:
    """A further Choices result, in the lab's own control and words where it has some."""
    wanted = BOTH_BAD if choice == BAD else TIES
    for control in config.of("Choices"):
        for option in control.options:
            if key_of(option) in wanted and "left" not in control.options:
                return whole(control, {"choices": [option]})
    pair = next(iter(config.of("Pairwise")), Control("choice", "Pairwise", ("a", "b")))
    control = Control(f"{pair.name}_tie", "Choices", pair.to)
    return whole(control, {"choices": [choice]})


def ranking_default(_template: Json) -> Config:
    shown = {
        "messages": Shown("Paragraphs", "messages", "role", "content"),
        "responses": Shown("List", "responses"),
    }
    return Config(shown, (Control("rank", "Ranker", ("responses",)),))


def ranking_payload(place: Place) -> Json:
    lists = [each for each in place.config.shown.values() if each.tag == "List"]
    datum = lists[0].datum if lists else "responses"
    entries = datum_of(place.content, datum)
    responses = [
        found
        for at, each in enumerate(entries if isinstance(entries, list) else [], start=1)
        if (found := _response(each, at))
    ]
    if len(responses) < 2:
        raise Unfit(f"There are no two entries to rank. Send a list as {datum}.")
    return {"messages": messages_of(place, [datum]), "responses": responses}


def _response(each: Any, at: int) -> Json | None:
    if not isinstance(each, dict):
        words = as_text(each)
        return {"id": f"r{at}", "text": words} if words else None
    parts = [as_text(each.get(name)) for name in ("title", "text", "body", "html")]
    words = "\n\n".join(part for part in parts if part)
    return {"id": name_of(each.get("id", f"r{at}")), "text": words}


def ranking_judgement(place: Place, results: list[Json], left: Left) -> Json:
    """Tiers, the best first. One list is an order without ties; several are buckets, whose own
    order is lost (`order_inside_a_bucket`); what is in none is unrankable."""
    names = [str(each["id"]) for each in place.payload.get("responses", [])]
    ranker = next(iter(place.config.of("Ranker")), None)
    told: Json = {"tiers": []}
    for each in results:
        found = value_of(each).get("ranker")
        if each.get("type") != "ranker" or not isinstance(found, dict | list):
            left["results_with_no_place_here"] += 1
            continue
        buckets = found if isinstance(found, dict) else {"rank": found}
        order = [name for name in (ranker.options if ranker else ()) if name in buckets]
        order += [name for name in buckets if name not in order and name != UNPLACED]
        listed = [[name_of(entry) for entry in buckets[name] or []] for name in order]
        if len(listed) == 1:
            listed = [[name] for name in listed[0]]
        elif any(len(tier) > 1 for tier in listed) and (ranker and ranker.options):
            left["order_inside_a_bucket"] += 1
        told["tiers"] = [kept for tier in listed if (kept := [n for n in tier if n in names])]
        placed = {name for tier in told["tiers"] for name in tier}
        if missing := [name for name in names if name not in placed]:
            told["unrankable"] = missing
    return told


def ranking_results(place: Place, judged: Json) -> list[Json]:
    """A Ranker's lists by name: one without ties, else one for each tier."""
    default = Control("rank", "Ranker", ("responses",))
    control = next(iter(place.config.of("Ranker")), default)
    tiers = [list(tier) for tier in judged["tiers"]]
    if control.options and len(tiers) <= len(control.options):
        lists = dict(zip(control.options, tiers, strict=False))
    elif all(len(tier) == 1 for tier in tiers) and len(tiers) != 1:
        lists = {control.name: [name for tier in tiers for name in tier]}
    else:
        lists = {f"tier_{at}": tier for at, tier in enumerate(tiers, start=1)}
        # A single list would read as an order.
        lists |= {"tier_2": []} if len(tiers) == 1 else {}
    if judged.get("unrankable"):
        lists[UNPLACED] = list(judged["unrankable"])
    return [whole(control, {"ranker": lists})]


PAIRWISE = Dialect(
    default=pairwise_default,
    payload=pairwise_payload,
    judgement=pairwise_judgement,
    results=pairwise_results,
)
RANKING = Dialect(
    default=ranking_default,
    payload=ranking_payload,
    judgement=ranking_judgement,
    results=ranking_results,
)
