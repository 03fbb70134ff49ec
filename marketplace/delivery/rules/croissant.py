"""Croissant 1.1 with its vocabulary for responsible AI (RAI 1.0), made of facts and tables.

Every judgement of `raw` is attributed to its author by the W3C's PROV, as Croissant 1.1 says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.delivery.rules import words
from marketplace.delivery.rules.card import Table
from marketplace.delivery.rules.facts import Facts
from marketplace.delivery.rules.features import croissant_fields
from marketplace.delivery.rules.licences import LINKS, licence_words

MIMETYPES = {
    "parquet": "application/x-parquet",
    "jsonl": "application/jsonlines",
    "json": "application/json",
    "md": "text/markdown",
}
SPECIFICATIONS = (
    "http://mlcommons.org/croissant/1.1",
    "http://mlcommons.org/croissant/RAI/1.0",
)
SAYS: Mapping[str, str] = {
    "annotation_id": "The judgement's id.",
    "item_id": "The item's id in the marketplace.",
    "external_id": "The item's id as the lab sent it.",
    "payload": "The item as the lab sent it, JSON.",
    "judgement": "What the author said, JSON in the shape of the task type.",
    "rationale": "Why, in the author's own words.",
    "confidence": "How sure the author was, 0 to 1.",
    "active_seconds": "Seconds of focused work.",
    "author": "Who judged: a pseudonym of this lab alone, and what was attested of them.",
}
_SPECIAL = ("arrayShape", "citeAs", "column", "conformsTo", "containedIn", "equivalentProperty",
            "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes",
            "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path",
            "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
            "source", "subField", "transform", "annotation")  # fmt: skip
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    **{name: f"cr:{name}" for name in _SPECIAL},
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
}


def croissant(
    facts: Facts, tables: Sequence[Table], files: Mapping[str, tuple[int, str]]
) -> dict[str, Any]:
    """The description as JSON-LD. files: path → bytes and hexadecimal SHA-256 of every file that
    stands beside it; `tables` are read as record sets."""
    link = LINKS.get(facts.licence)
    return {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": list(SPECIFICATIONS),
        "name": _name(facts),
        "description": _description(facts),
        "citeAs": f"{facts.name}, export of job {facts.reference}, {facts.as_of[:10]}.",
        "version": "1.0.0",
        "datePublished": facts.as_of[:10],
        "license": link or licence_words(facts.licence, facts.words.licence_words),
        "creator": {"@type": "sc:Organization", "name": facts.words.contact or facts.reference},
        "inLanguage": list(facts.words.languages) or ["und"],
        "keywords": ["human feedback", "expert judgement", facts.task_type, facts.domain],
        "isLiveDataset": False,
        **_responsible(facts),
        "distribution": [
            _file(path, size, sha256) for path, (size, sha256) in sorted(files.items())
        ],
        "recordSet": [_record_set(each) for each in tables if each.schema is not None],
    }


def _name(facts: Facts) -> str:
    """The title without what Croissant forbids in names."""
    return "".join(c if c.isalnum() or c in " -_" else " " for c in facts.name).strip() or "data"


def _description(facts: Facts) -> str:
    return (
        f"{facts.type_title}: {words.counted(facts.judgements, 'judgement')} of "
        f"{words.counted(facts.told_items, 'item')} by specialists, {words.timeframe(facts)}."
    )


def _responsible(facts: Facts) -> dict[str, Any]:
    """What RAI 1.0 asks; the names are those of its table of properties."""
    told: dict[str, Any] = {
        "rai:dataCollection": "Specialists judged items of the lab one by one in a workbench.",
        "rai:dataCollectionType": ["Manual Human Curator"],
        "rai:dataAnnotationProtocol": [
            words.guideline(each) for each in facts.guidelines
        ] + [f"Asked of people: {words.requirements(facts)}."],
        "rai:dataAnnotationPlatform": ["A marketplace of specialists with attested credentials"],
        "rai:dataAnnotationAnalysis": _analysis(facts),
        "rai:annotationsPerItem": words.per_item(facts),
        "rai:annotatorDemographics": [words.annotators(facts)],
        "rai:machineAnnotationTools": words.models(facts) or ["none"],
        "rai:personalSensitiveInformation": [words.personal(facts)],
        "rai:dataManipulationProtocol": f"Judgements are told {words.POLICIES[facts.policy]}.",
        "rai:dataReleaseMaintenancePlan": "The export never changes; later ones hold later work.",
        "rai:dataBiases": [
            f"Judgements are those of specialists chosen by: {words.requirements(facts)}."
        ],
    }  # fmt: skip
    if facts.from_on and facts.until_on:
        told["rai:dataCollectionTimeframe"] = [facts.from_on, facts.until_on]
    if facts.words.intended_use:
        told["rai:dataUseCases"] = [facts.words.intended_use]
    if facts.words.limits:
        told["rai:dataLimitations"] = [facts.words.limits]
    return told


def _analysis(facts: Facts) -> list[str]:
    told = []
    for each in facts.agreement:
        for name, (value, lower, upper) in each.measures.items():
            between = "" if lower is None or upper is None else f" ({lower:.3f} to {upper:.3f})"
            told.append(f"{each.unit}: {words.MEASURES.get(name, name)} {value:.3f}{between}")
    return told or ["No question was answered by two people for the same item yet."]


def _file(path: str, size: int, sha256: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "contentSize": f"{size} B",
        "encodingFormat": MIMETYPES.get(path.rpartition(".")[2], "text/plain"),
        "sha256": sha256,
    }


def _record_set(table: Table) -> dict[str, Any]:
    fields = croissant_fields(table.schema, table.config, table.path, dict(SAYS))
    if table.config == "raw":
        fields = [_attributed(each) if each["name"] == "judgement" else each for each in fields]
    return {
        "@type": "cr:RecordSet",
        "@id": table.config,
        "name": table.config,
        "description": table.title,
        "field": fields,
    }


def _attributed(judgement: dict[str, Any]) -> dict[str, Any]:
    """Says that a judgement is its author's."""
    source = judgement["source"]
    author = {
        "@type": "cr:Field",
        "@id": f"{judgement['@id']}/by",
        "dataType": ["prov:Person", "foaf:Person"],
        "equivalentProperty": "prov:wasAttributedTo",
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{judgement['@id']}/by/pseudonym",
                "dataType": "sc:Text",
                "source": {
                    "fileObject": source["fileObject"],
                    "extract": {"column": "author_pseudonym"},
                },
            }
        ],
    }
    return judgement | {"annotation": author}
