"""Ranking: several responses in tiers, the best first; a tier of two or more is a tie.

A form sends `ranks.<id>` = 1, 2, … or `unrankable` for each response (equal numbers tie), or else
one text field `tiers` such as `r2 > r1 = r3`; numbered ranks win where both are sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from marketplace.errors import Fault
from marketplace.tasktypes import pieces
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.fields import Fields
from marketplace.tasktypes.label_studio.dialect import FIELD as LABEL_STUDIO_FIELD
from marketplace.tasktypes.ranking_exports import EXPORTS, units
from marketplace.tasktypes.scales import Scale, ScaleKind, Scales
from marketplace.tasktypes.shapes import Json, Shape

TEMPLATE = Shape(
    pieces.contract(
        "Template of a ranking",
        {
            **pieces.TEMPLATE_FIELDS,
            "allow_ties": pieces.FLAG,
            "allow_unrankable": pieces.FLAG,
            **LABEL_STUDIO_FIELD,
        },
    )
)

RESPONSE = pieces.closed({"id": pieces.NAME, "text": pieces.text()}, ("id", "text"))

ITEM = Shape(
    pieces.contract(
        "Item of a ranking",
        {**pieces.ITEM_FIELDS, "responses": pieces.listing(RESPONSE, least=2, most=20)},
        ("messages", "responses"),
    )
)

# A draft may have an empty tier, which keeps a place free; what is handed in may not.
TIER = {**pieces.listing(pieces.NAME, most=20), "uniqueItems": True}

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a ranking",
        {
            "tiers": pieces.listing(TIER, most=20),
            "unrankable": {**pieces.listing(pieces.NAME, most=20), "uniqueItems": True},
        },
        ("tiers",),
    )
)


def slots(payload: Json) -> list[str]:
    return [response["id"] for response in payload["responses"]]


def item_rule(_template: Json, payload: Json) -> list[Fault]:
    seen: set[str] = set()
    faults = []
    for number, name in enumerate(slots(payload)):
        if name in seen:
            place = f"/responses/{number}/id"
            faults.append(Fault(place, f'The id "{name}" stands twice. Rename one.'))
        seen.add(name)
    return faults


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    tiers = judgement["tiers"]
    unrankable = judgement.get("unrankable", [])
    faults = placement_faults(slots(payload), [*tiers, unrankable]) or empty_faults(tiers)
    if not template.get("allow_ties", True) and any(len(tier) > 1 for tier in tiers):
        faults.append(Fault("/tiers", "This job has no ties. Put each response in its own tier."))
    if unrankable and not template.get("allow_unrankable", True):
        faults.append(Fault("/unrankable", "This job ranks every response. Give these a tier."))
    return faults


def placement_faults(expected: list[str], groups: list[list[str]]) -> list[Fault]:
    """Every response stands in exactly one place."""
    placed = [name for group in groups for name in group]
    faults = [
        Fault("/tiers", f'"{name}" stands in two places. Keep one.')
        for name in sorted({name for name in placed if placed.count(name) > 1})
    ]
    faults += [
        Fault("/tiers", f'The item has no response "{name}".')
        for name in sorted(set(placed) - set(expected))
    ]
    missing = [name for name in expected if name not in placed]
    if missing:
        faults.append(Fault("/tiers", f"Rank these too: {', '.join(missing)}."))
    return faults


def empty_faults(tiers: list[list[str]]) -> list[Fault]:
    """No tier is left empty."""
    return [
        Fault(f"/tiers/{place}", "This tier is empty. Leave it out.")
        for place, tier in enumerate(tiers)
        if not tier
    ]


def read_form(sent: Fields, _template: Json, payload: Json) -> Json:
    ranks = {name: sent.below("ranks").below(name).one() for name in slots(payload)}
    if any(ranks.values()):
        return from_ranks({name: (rank or "").strip() for name, rank in ranks.items()})
    unrankable = [name for name in sent.below("unrankable").values if name.strip()]
    tiers = [split_names(part, "=") for part in (sent.below("tiers").one() or "").split(">")]
    written: Json = {"tiers": [tier for tier in tiers if tier]}
    return {**written, "unrankable": unrankable} if unrankable else written


def from_ranks(ranks: dict[str, str]) -> Json:
    """Equal numbers share a tier; anything that is not a number is unrankable.

    While a response has no rank yet, free places stay free: whoever comes back to a draft finds
    the second place as the second. ranks: by response, "" for one without a rank.
    """
    given = {name: rank for name, rank in ranks.items() if rank}
    numbered = {name: int(rank) for name, rank in given.items() if re.fullmatch("[0-9]{1,9}", rank)}
    places: Iterable[int] = sorted(set(numbered.values()))
    if len(given) < len(ranks) and numbered and min(places) > 0 and max(places) <= len(ranks):
        places = range(1, max(places) + 1)
    tiers = [[name for name in numbered if numbered[name] == rank] for rank in places]
    unrankable = [name for name in given if name not in numbered]
    return {"tiers": tiers, "unrankable": unrankable} if unrankable else {"tiers": tiers}


def split_names(written: str, separator: str) -> list[str]:
    return [name.strip() for name in written.split(separator) if name.strip()]


def write_form(judgement: Json) -> dict[str, str]:
    tiers = [texts(tier) for tier in listing(judgement.get("tiers"))]
    unrankable = texts(judgement.get("unrankable"))
    ranks = {f"ranks.{name}": str(rank) for rank, tier in enumerate(tiers, 1) for name in tier}
    ranks |= {f"ranks.{name}": "unrankable" for name in unrankable}
    return {**ranks, "tiers": " > ".join(" = ".join(tier) for tier in tiers)} if ranks else {}


def listing(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    return [name for name in listing(value) if isinstance(name, str)]


def scales(_template: Json) -> Scales:
    """Every unit is a pair, whose labels are its own two names and the tie."""
    return {"*": Scale(ScaleKind.RANKING)}


def favourite(judgement: Json) -> str | None:
    """The only response of the first tier."""
    tiers = judgement["tiers"]
    return str(tiers[0][0]) if tiers and len(tiers[0]) == 1 else None


RANKING = TaskType(
    key="ranking",
    title="Ranking",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=EXPORTS,
    slots=slots,
    favourite=favourite,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    read_form=read_form,
    write_form=write_form,
)
