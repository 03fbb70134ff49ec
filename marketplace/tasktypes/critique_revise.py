"""Critique and revise: a response held against a constitution, then written anew.

A model's critique (a pre-label) may be the first one: the specialist audits it. Each of its
findings is then `kept`, `edited` or `rejected`; `said_by` and `model_said` keep who said what.
The specialist says `rejected`; whether the words were kept or edited is worked out here.
"""

from __future__ import annotations

from typing import Any

from marketplace.errors import Fault
from marketplace.tasktypes import fields, pieces
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.critique_exports import EXPORTS
from marketplace.tasktypes.principles import CONSTITUTION, PRINCIPLE, constitution_faults
from marketplace.tasktypes.scales import TEXT, Scales, nominal
from marketplace.tasktypes.shapes import Json, Shape, listed
from marketplace.tasktypes.votes import Units

SAID = ("violates", "critique", "revision")
SAID_BY = {"kept": "model", "edited": "model_and_specialist", "rejected": "specialist"}

TEMPLATE = Shape(
    pieces.contract(
        "Template of a critique and revision",
        {
            **pieces.TEMPLATE_FIELDS,
            "constitution": CONSTITUTION,
            "principles": pieces.listing(PRINCIPLE, least=1, most=50),
            "every_principle": {
                **pieces.FLAG,
                "description": "Whether each principle needs a finding; true where unset.",
            },
            "critique": {
                **pieces.one_of("required", "optional"),
                "description": "Whether a violation needs a critique; required where unset.",
            },
            "revision": {
                **pieces.one_of("if_violated", "always", "optional"),
                "description": "When the response must be written anew; if_violated where unset.",
            },
        },
        ("constitution", "principles"),
    )
)

ITEM = Shape(
    pieces.contract(
        "Item of a critique and revision",
        {**pieces.ITEM_FIELDS, "response": pieces.words()},
        ("messages", "response"),
    )
)

AUDIT = pieces.one_of("kept", "edited", "rejected")
MODEL_SAID = pieces.closed(
    {"violates": pieces.FLAG, "critique": pieces.text(), "revision": pieces.text()}
)
ORIGIN: Json = {
    "audit": AUDIT,
    "said_by": pieces.one_of("model", "model_and_specialist", "specialist"),
    "model_said": MODEL_SAID,
}

FINDING = pieces.closed(
    {
        "principle_id": pieces.KEY,
        "violates": pieces.FLAG,
        "critique": pieces.text(),
        "revision": pieces.text(),
        **ORIGIN,
    },
    ("principle_id", "violates"),
)

JUDGEMENT = Shape(
    pieces.contract(
        "Judgement of a critique and revision",
        {
            "findings": pieces.listing(FINDING, most=50),
            "revision": pieces.text(),
            "revision_origin": pieces.closed(ORIGIN),
            "audited": pieces.closed({"model": pieces.text(200), "version": pieces.text(200)}),
        },
        ("findings",),
    )
)


def judgement_rule(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    titles = {each["key"]: each["title"] for each in template["principles"]}
    findings = judgement["findings"]
    found = [finding["principle_id"] for finding in findings]
    faults = []
    if template.get("every_principle", True):
        faults += [
            Fault("/findings", f"Say whether the response goes against “{title}”.")
            for key, title in titles.items()
            if key not in found
        ]
    said = model_findings(payload)
    for at, finding in enumerate(findings):
        name, place = found[at], f"/findings/{at}"
        if name not in titles:
            faults.append(Fault(f"{place}/principle_id", f"Name one of {listed(list(titles))}."))
        elif name in found[:at]:
            advice = f"“{titles[name]}” stands twice. Keep one."
            faults.append(Fault(f"{place}/principle_id", advice))
        faults += finding_faults(template, finding, said.get(name), place)
    return faults + revision_faults(template, payload, judgement)


def finding_faults(template: Json, finding: Json, said: Json | None, place: str) -> list[Fault]:
    faults = []
    wanted = template.get("critique", "required") == "required"
    if finding["violates"] and wanted and not finding.get("critique", "").strip():
        faults.append(Fault(f"{place}/critique", "Say how the response goes against it."))
    if said is None:
        return faults
    audit = finding.get("audit")
    if audit is None:
        advice = "Say what becomes of the model's finding: keep it, edit it or reject it."
        faults.append(Fault(f"{place}/audit", advice))
    elif audit == "rejected" and same_words(finding, said):
        advice = "You reject this finding, but it still says the same. Write your own."
        faults.append(Fault(f"{place}/audit", advice))
    return faults


def revision_faults(template: Json, payload: Json, judgement: Json) -> list[Fault]:
    wanted = template.get("revision", "if_violated")
    revision = judgement.get("revision", "").strip()
    violated = any(finding["violates"] for finding in judgement["findings"])
    due = wanted == "always" or (wanted == "if_violated" and violated)
    if due and not revision:
        return [Fault("/revision", "Write the response anew, so that it keeps to the principles.")]
    if due and violated and revision == payload["response"].strip():
        return [Fault("/revision", "This is still the response that you found fault with.")]
    return []


def model_findings(payload: Json) -> dict[str, Json]:
    """What the first pre-label says of each principle; empty where no model was asked."""
    return {each["principle_id"]: each for each in first_critique(payload).get("findings", [])}


def first_critique(payload: Json) -> Json:
    said: list[Json] = payload.get("prelabels", [])
    found: Json = said[0]["payload"] if said else {}
    return found


def complete(_template: Json, seen: Json, judgement: Json) -> Json:
    """The judgement with who said what, worked out from the model's critique."""
    first = first_critique(seen)
    said = model_findings(seen)
    alone = not seen.get("prelabels")
    findings = [
        spoken(finding) if alone else audited(finding, said.get(finding["principle_id"]))
        for finding in judgement["findings"]
    ]
    plain: Json = {"findings": findings}
    if "revision" in judgement:
        plain["revision"] = judgement["revision"]
    if alone:  # Nobody else spoke: all of it is the specialist's.
        return plain
    model = {name: str(seen["prelabels"][0].get(name, "")) for name in ("model", "version")}
    plain["audited"] = model
    if "revision" in judgement and "revision" in first:
        revised = {"revision": judgement["revision"]}
        kept = same_words(revised, {"revision": first["revision"]})
        plain["revision_origin"] = origin("kept" if kept else "edited", first, ("revision",))
    return plain


def spoken(finding: Json) -> Json:
    return {name: finding[name] for name in ("principle_id", *SAID) if name in finding}


def audited(finding: Json, said: Json | None) -> Json:
    own = spoken(finding)
    if said is None:
        return {**own, "said_by": "specialist"}
    claimed = finding.get("audit")
    if claimed is None:
        return own
    same = same_words(own, said)
    overturned = own["violates"] != said["violates"]
    if same:
        return {**own, **origin("rejected" if claimed == "rejected" else "kept", said, SAID)}
    if claimed != "rejected" and not overturned:
        return {**own, **origin("edited", said, SAID)}
    # Words of the model that still stand in the form of somebody who rejects them are not theirs.
    left = [
        name
        for name in ("critique", "revision")
        if trimmed(own.get(name)) == trimmed(said.get(name))
    ]
    own = {name: each for name, each in own.items() if name not in left}
    return {**own, **origin("rejected", said, SAID)}


def origin(audit: str, said: Json, names: tuple[str, ...]) -> Json:
    """Who wrote what stands there; the model's own words where they were not kept."""
    found: Json = {"audit": audit, "said_by": SAID_BY[audit]}
    if audit != "kept":
        found["model_said"] = {name: said[name] for name in names if name in said}
    return found


def same_words(own: Json, said: Json) -> bool:
    """Whether two findings say the same, whatever the white space around."""
    return all(trimmed(own.get(name)) == trimmed(said.get(name)) for name in SAID)


def trimmed(value: Any) -> Any:
    if value is None:
        return ""
    return fields.unix_lines(value).strip() if isinstance(value, str) else value


def first_answer(_template: Json, payload: Json) -> Json:
    """The model's critique, for its audit; nothing where no model was asked."""
    first = first_critique(payload)
    return {name: first[name] for name in ("findings", "revision") if name in first}


def prelabels_shown(_template: Json, said: list[Json]) -> list[Json]:
    """The first critique, with its model; a confidence would lean on the auditor."""
    return [{name: each[name] for name in ("model", "version", "payload")} for each in said[:1]]


def read_form(sent: fields.Fields, template: Json, _payload: Json) -> Json:
    """Findings are named after their principle, `findings.honesty.violates`, and stand in the
    order of the constitution; a principle that must be answered has its row even when blank, so
    that a fault's place is the same in the form."""
    judgement = fields.judgement_from(sent, JUDGEMENT.schema)
    rows = sent.below("findings").inner
    order = [each["key"] for each in template["principles"]]
    every = template.get("every_principle", True) and bool(rows)
    findings = []
    for key in [*order, *(key for key in rows if key not in order)]:
        said = fields.judgement_from(rows.get(key) or fields.Fields(), FINDING)
        if said or (every and key in order):
            findings.append({**said, "principle_id": key})
    return {**judgement, "findings": findings}


def write_form(judgement: Json) -> dict[str, str]:
    found = fields.flat({name: each for name, each in judgement.items() if name != "findings"})
    rows = judgement.get("findings")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("principle_id"), str):
            own = fields.flat({name: each for name, each in row.items() if name != "principle_id"})
            found |= {f"findings.{row['principle_id']}.{name}": text for name, text in own.items()}
    return found


def units(judgement: Json) -> Units:
    """One unit a principle, `{"findings.honesty": "violates"}`; words are reviewed instead."""
    return {
        f"findings.{finding['principle_id']}": "violates" if finding["violates"] else "keeps"
        for finding in judgement["findings"]
    }


def scales(_template: Json) -> Scales:
    return {"findings.*": nominal("keeps", "violates"), "revision": TEXT}


def relaxed(template: Json) -> Json:
    """What models say, and gold, may be verdicts alone, and on some principles only."""
    return {**template, "every_principle": False, "critique": "optional", "revision": "optional"}


CRITIQUE_REVISE = TaskType(
    key="critique_revise",
    title="Critique and revise",
    template=TEMPLATE,
    item=ITEM,
    judgement=JUDGEMENT,
    units=units,
    scales=scales,
    formats=EXPORTS,
    template_rule=constitution_faults,
    judgement_rule=judgement_rule,
    prelabels_shown=prelabels_shown,
    prelabel_template=relaxed,
    first_answer=first_answer,
    complete=complete,
    gold_template=relaxed,
    read_form=read_form,
    write_form=write_form,
)
