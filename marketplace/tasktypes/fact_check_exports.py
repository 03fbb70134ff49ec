"""Fact checks as rows for hallucination detectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats.texts import RAGTRUTH, SIMPLEQA
from marketplace.tasktypes.label_studio.going_out import FACT_CHECK as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.votes import majority

FAMILIES = {"contradicted": "Conflict", "unverifiable": "Baseless Info"}


def ragtruth(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """A response with the spans that its sources do not bear out, as in RAGTruth.

    One row a judgement under `all`. Under `majority` one row an item, where every claim is put to
    the vote of those who judged it; the counts are then of claims.
    """
    for record in records:
        given = record.in_order()
        if not given:
            counts.drop("no_judgement")
        elif policy is Policy.MAJORITY:
            quality = majority(str(one.judgement.get("quality", "good")) for one in given)
            yield row(record, list(settled_claims(given, counts)), quality or "good")
        else:
            for one in given:
                counts.keep()
                quality = str(one.judgement.get("quality", "good"))
                yield row(record, one.judgement["claims"], quality)


def settled_claims(given: list[AuthoredJudgement], counts: Counts) -> Iterator[Json]:
    by_span: dict[tuple[int, int], list[Json]] = {}
    for one in given:
        for claim in one.judgement["claims"]:
            by_span.setdefault((int(claim["start"]), int(claim["end"])), []).append(claim)
    for _, claims in sorted(by_span.items()):
        verdict = majority(str(claim["verdict"]) for claim in claims)
        if verdict is None:
            counts.drop("no_majority")
        else:
            counts.keep()
            yield next(claim for claim in claims if claim["verdict"] == verdict)


def row(record: Record, claims: list[Json], quality: str) -> ExportRow:
    response = record.payload["response"]
    return {
        "external_id": record.external_id,
        "prompt": [message["content"] for message in record.payload["messages"]],
        "sources": [
            {"id": source["id"], "title": source["title"], "content": source["content"]}
            for source in record.payload["sources"]
        ],
        "response": response,
        "labels": [label(response, claim) for claim in claims if claim["verdict"] in FAMILIES],
        "quality": quality,
    }


def label(response: str, claim: Json) -> Json:
    """RAGTruth knows evident and subtle faults; a minor one counts as subtle."""
    start, end = int(claim["start"]), int(claim["end"])
    degree = "Subtle" if claim.get("severity") == "minor" else "Evident"
    return {
        "start": start,
        "end": end,
        "text": response[start:end],
        "label_type": f"{degree} {FAMILIES[claim['verdict']]}",
        "meta": claim.get("note", ""),
        "implicit_true": False,
        "due_to_null": False,
    }


def simpleqa(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """The response with its grade in SimpleQA's words; a judgement without one is dropped."""
    for record in records:
        given = record.in_order()
        grades = [one.judgement.get("grade") for one in given]
        if not given:
            counts.drop("no_judgement")
        for grade in [majority(grades)] if policy is Policy.MAJORITY and given else grades:
            if grade is not None:
                counts.keep()
                yield {
                    "external_id": record.external_id,
                    "problem": [message["content"] for message in record.payload["messages"]],
                    "predicted_answer": record.payload["response"],
                    "grade": grade.upper(),
                }
            elif policy is Policy.MAJORITY and any(grades):
                counts.drop("no_majority")
            else:
                counts.drop("no_grade")


EXPORTS = catalogue(
    RAGTRUTH.by(ragtruth),
    SIMPLEQA.by(simpleqa),
    label_studio(LABEL_STUDIO),
)
