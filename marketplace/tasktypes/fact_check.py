"""Fact check: each claim of a response held against sources.

Offsets count Unicode code points from 0, `[start, end)`; a browser, which counts UTF-16 units,
converts before it sends. A form may send the words of a claim alone: their first place in the
response is then looked up.
"""

from __future__ import annotations

from collections.abc import Hashable

from marketplace.errors import Fault
from marketplace.tasktypes import fields, pieces
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.fact_check_exports import EXPORTS
from marketplace.tasktypes.scales import Mark, Scale, ScaleKind, Scales, nominal
from marketplace.tasktypes.shapes import Json, Shape, listed
from marketplace.tasktypes.votes import Units, share_matched

VERDICTS = ("supported", "contradicted", "unverifiable")
GRADES = ("correct", "incorrect", "not_attempted")
QUALITIES = ("good", "truncated", "incorrect_refusal")

TEMPLATE = Shape(
    pieces.contract(
        "Template of a fact check",
        {
            **pieces.TEMPLATE_FIELDS,
            "sources_required": {
                **pieces.FLAG,
                "description": "Whether a supported or contradicted claim must quote a source.",
            },
            "allow_new_claims": {
                **pieces.FLAG,
                "description": "Whether claims may be added to those the item marks; "
                "true where unset.",
            },
            "grade": {
                **pieces.one_of("off", "optional", "required"),
                "description": "Whether the response as a whole is graded correct, incorrect or "
                "not attempted, as SimpleQA grades; off where unset.",
            },
            "quality": {
                **pieces.FLAG,
                "description": "Whether it may be said that the response breaks off or refuses "
                "wrongly, as RAGTruth says.",
            },
        },
    )
)

OFFSET = pieces.whole(0, pieces.TEXT_MAX)

SOURCE = pieces.closed(
    {
        "id": pieces.NAME,
        "title": pieces.words(500),
        "content": pieces.text(),
        "url": pieces.text(2_000),
    },
    ("id", "title", "content"),
)

ITEM = Shape(
    pieces.contract(
        "Item of a fact check",
        {
            **pieces.ITEM_FIELDS,
            "response": pieces.words(),
            "sources": pieces.listing(SOURCE, most=100),
            "claims": pieces.listing(
                pieces.closed({"start": OFFSET, "end": OFFSET}, ("start", "end")), most=500
            ),
        },
        ("messages", "response", "sources"),
    )
)

EVIDENCE = pieces.closed(
    {
        "doc_id": pieces.NAME,
        "url": pieces.text(2_000),
        "quote": pieces.text(20_000),
        "locator": pieces.text(500),
    }
)

CLAIM = pieces.closed(
    {
        "start": OFFSET,
        "end": OFFSET,
        "text": pieces.text(),
        "verdict": pieces.one_of(*VERDICTS),
        "severity": pieces.one_of("minor", "major", "critical"),
        "sources": pieces.listing(EVIDENCE, most=20),
        "note": pieces.text(20_000),
    },
    ("start", "end", "verdict"),
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a fact check",
        {
            "claims": pieces.listing(CLAIM, most=500),
            "grade": pieces.one_of(*GRADES),
            "quality": pieces.one_of(*QUALITIES),
        },
        ("claims",),
    )
)


def span(claim: Json) -> tuple[int, int]:
    return int(claim["start"]), int(claim["end"])


def item_rule(_template: Json, payload: Json) -> list[Fault]:
    names = [source["id"] for source in payload["sources"]]
    faults = [
        Fault(f"/sources/{number}/id", f'The id "{name}" stands twice. Rename one.')
        for number, name in enumerate(names)
        if name in names[:number]
    ]
    return faults + span_faults(payload.get("claims", []), payload["response"])


def span_faults(claims: list[Json], response: str) -> list[Fault]:
    """Spans that are empty, leave the response, misquote it or stand twice."""
    faults = []
    seen: set[tuple[int, int]] = set()
    for number, claim in enumerate(claims):
        start, end = span(claim)
        place = f"/claims/{number}"
        if not start < end <= len(response):
            bounds = f"0 ≤ start < end ≤ {len(response)}"
            faults.append(Fault(f"{place}/end", f"The claim must lie in the response: {bounds}."))
        elif claim.get("text", response[start:end]) != response[start:end]:
            quoted = response[start:end][:80]
            faults.append(Fault(f"{place}/text", f"At these offsets the response says “{quoted}”."))
        if (start, end) in seen:
            faults.append(Fault(place, "This claim stands twice. Keep one."))
        seen.add((start, end))
    return faults


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    claims = judgement["claims"]
    faults = span_faults(claims, payload["response"])
    marked = {span(claim) for claim in payload.get("claims", [])}
    judged = {span(claim) for claim in claims}
    for start, end in sorted(marked - judged):
        quoted = payload["response"][start:end][:80]
        faults.append(Fault("/claims", f"Judge the marked claim “{quoted}” too."))
    if marked and not template.get("allow_new_claims", True) and judged - marked:
        faults.append(Fault("/claims", "This job takes verdicts on the marked claims only."))
    documents = {source["id"]: source["content"] for source in payload["sources"]}
    for number, claim in enumerate(claims):
        faults += evidence_faults(template, documents, claim, f"/claims/{number}/sources")
    return faults + whole_faults(template, judgement)


def whole_faults(template: Json, judgement: Json) -> list[Fault]:
    """What is wrong with what is said of the response as a whole."""
    faults = []
    wanted = template.get("grade", "off")
    if wanted == "required" and "grade" not in judgement:
        faults.append(Fault("/grade", "Grade the response as a whole too."))
    if wanted == "off" and "grade" in judgement:
        faults.append(Fault("/grade", "This job takes no grade. Leave it out."))
    if "quality" in judgement and not template.get("quality"):
        faults.append(Fault("/quality", "This job does not ask for this. Leave it out."))
    return faults


def evidence_faults(
    template: Json, documents: dict[str, str], claim: Json, place: str
) -> list[Fault]:
    given = claim.get("sources", [])
    if not given and template.get("sources_required") and claim["verdict"] != "unverifiable":
        return [Fault(place, f"Quote the source that makes this claim {claim['verdict']}.")]
    faults = []
    for number, evidence in enumerate(given):
        name = evidence.get("doc_id")
        if name is None:
            if not evidence.get("url"):
                faults.append(Fault(f"{place}/{number}", "Name a document or a URL."))
        elif name not in documents:
            known = listed(sorted(documents))
            faults.append(
                Fault(f"{place}/{number}/doc_id", f"Choose one of the item's sources: {known}.")
            )
        elif spaced(evidence.get("quote", "")) not in spaced(documents[name]):
            faults.append(
                Fault(f"{place}/{number}/quote", f'"{name}" does not say this. Quote it exactly.')
            )
    return faults


def spaced(text: str) -> str:
    """The text with every run of white space as one blank, since line breaks move in copying."""
    return " ".join(text.split())


def read_form(sent: fields.Fields, _template: Json, payload: Json) -> Json:
    judgement = fields.judgement_from(sent, JUDGEMENT.schema)
    claims = [placed(claim, payload["response"]) for claim in judgement.get("claims", [])]
    return {**judgement, "claims": claims}


def placed(claim: Json, response: str) -> Json:
    words = claim.get("text")
    if "start" in claim or "end" in claim or not words:
        return claim
    start = response.find(words)
    return claim if start < 0 else {**claim, "start": start, "end": start + len(words)}


def units(judgement: Json) -> Units:
    """One unit a claim, and the grade: `{"claims.0-24": "supported", "grade": "correct"}`."""
    claims: Units = {
        "claims.{}-{}".format(*span(claim)): str(claim["verdict"]) for claim in judgement["claims"]
    }
    return claims | {key: str(judgement[key]) for key in ("grade", "quality") if key in judgement}


def scales(_template: Json) -> Scales:
    """Claims are matched first; a claim that somebody left out, they said nothing about."""
    return {
        "claims.*": Scale(ScaleKind.SPANS, VERDICTS),
        "grade": nominal(*GRADES),
        "quality": nominal(*QUALITIES),
    }


def marks(_template: Json, judgement: Json) -> list[Mark]:
    """Each claim where it stands in the response, with its verdict."""
    return [
        Mark("claims", "{}-{}".format(*span(claim)), str(claim["verdict"]), span(claim))
        for claim in judgement["claims"]
    ]


def gold_rule(judgement: Json, gold: Json, _template: Json) -> float | None:
    """The share of gold's claims with the same verdict on a span that overlaps by half or more,
    the grade counted as one more where gold has it."""
    wanted: Units = {str(number): number for number in range(len(gold["claims"]))}
    wanted |= {"grade": "grade"} if "grade" in gold else {}
    found: Units = {key: key for key in wanted}

    def same(_given: Hashable, number: Hashable) -> bool:
        if number == "grade":
            return bool(judgement.get("grade") == gold["grade"])
        claim = gold["claims"][number]
        return any(
            overlap(span(claim), span(other)) >= 0.5 and claim["verdict"] == other["verdict"]
            for other in judgement["claims"]
        )

    return share_matched(found, wanted, same)


def overlap(first: tuple[int, int], second: tuple[int, int]) -> float:
    """Intersection over union of two spans, 0..1."""
    shared = min(first[1], second[1]) - max(first[0], second[0])
    return max(0, shared) / (max(first[1], second[1]) - min(first[0], second[0]))


def gold_template(template: Json) -> Json:
    """Gold may be verdicts alone, without quotations."""
    relaxed = "off" if template.get("grade", "off") == "off" else "optional"
    return {**template, "sources_required": False, "grade": relaxed}


FACT_CHECK = TaskType(
    key="fact_check",
    title="Fact check",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    marks=marks,
    formats=EXPORTS,
    item_rule=item_rule,
    judgement_rule=judgement_rule,
    gold_rule=gold_rule,
    prelabel_template=gold_template,
    gold_template=gold_template,
    read_form=read_form,
)
