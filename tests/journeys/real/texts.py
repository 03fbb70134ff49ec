"""Texts: notes of consultations, claims against abstracts, names in judgments, rubrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marketplace.tasktypes import Json
from marketplace.tasktypes.spans_readers import from_doccano
from tests.journeys.real.sets import RealRow, RealSet, asked, records

VERDICTS = {"yes": "supported", "no": "contradicted", "maybe": "unverifiable"}
# Put before one judgment, so that what counts characters wrongly is found out.
ODD_WORDS = "⚖️🏛️ Wazīri, Nājmi \N{COMBINING ACUTE ACCENT}— "


def demonstration(folder: Path) -> RealSet:
    """Consultations, and the section of the note that a clinician wrote of each."""
    found = records(folder / "mts_dialog/Main-Dataset/MTS-Dialog-ValidationSet.csv")
    rows = [
        RealRow(
            external_id=f"mts-{each['ID']}",
            payload={
                "messages": asked(
                    f"Write the section {each['section_header']} of the note.\n\n{each['dialogue']}"
                )
            },
            answer={
                "messages": [{"role": "assistant", "content": each["section_text"]}],
                "self_check": {"said": True},
            },
        )
        for each in found[:8]
    ]
    return RealSet(
        kind="demonstration",
        title="Write a section of a note",
        domain="general_medicine",
        profession="medicine",
        instructions="Write as you would for a colleague. Invent nothing.",
        template={
            "question": "Write the section as you would sign it.",
            "style_guide_md": "Third person, past tense. No *filler*.",
            "self_check": [{"key": "said", "title": "Everything in it was said"}],
        },
        rows=tuple(rows),
    )


def abstracts(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    found: dict[str, dict[str, Any]] = json.loads((folder / "pubmedqa/ori_pqal.json").read_text())
    yield from found.items()


def fact_check(folder: Path) -> RealSet:
    """Conclusions of papers held against their own abstracts."""
    rows = [checked(number, each) for number, each in list(abstracts(folder))[:8]]
    return RealSet(
        kind="fact_check",
        title="Does the abstract say this?",
        domain="general_medicine",
        profession="medicine",
        instructions="Mark each claim of the conclusion and quote the sentence that decides it.",
        template={"sources_required": True, "grade": "optional"},
        rows=tuple(rows),
    )


def checked(number: str, found: dict[str, Any]) -> RealRow:
    response = found["LONG_ANSWER"]
    verdict = VERDICTS[found["final_decision"]]
    first = response.split(". ")[0]
    claim: Json = {"start": 0, "end": len(first), "text": first, "verdict": verdict}
    if verdict != "unverifiable":
        quote = found["CONTEXTS"][-1].split(". ")[0]
        last = f"s{len(found['CONTEXTS'])}"
        claim["sources"] = [{"doc_id": last, "quote": quote}]
    return RealRow(
        external_id=f"pmid-{number}",
        payload={
            "messages": asked(found["QUESTION"]),
            "response": response,
            "sources": [
                {"id": f"s{at}", "title": label.capitalize(), "content": content}
                for at, (label, content) in enumerate(
                    zip(found["LABELS"], found["CONTEXTS"], strict=True), 1
                )
            ],
        },
        answer={"claims": [claim]},
    )


def spans(folder: Path) -> RealSet:
    """Judgments with the names marked in them; before the first stand words that count oddly."""
    lines = (folder / "indian_legal_ner/dev.jsonl").read_text().splitlines()
    rows = [marked(json.loads(each), odd=number == 0) for number, each in enumerate(lines[:8])]
    names = sorted({span["label"] for row in rows for span in row.answer["spans"]})
    return RealSet(
        kind="spans",
        title="Names in judgments",
        domain="litigation",
        profession="law",
        instructions="Mark each name once, as short as it can be.",
        template={
            "question": "Mark courts, judges, parties and lawyers.",
            "labels": [{"name": name, "guideline": f"Each {name.lower()}."} for name in names],
            "overlap": "any",
        },
        rows=tuple(rows),
    )


def marked(found: dict[str, Any], *, odd: bool) -> RealRow:
    before = ODD_WORDS if odd else ""
    label = [[start + len(before), end + len(before), name] for start, end, name in found["label"]]
    read = from_doccano({**found, "text": before + found["text"], "label": label})
    (answer,) = read.judgements
    return RealRow(external_id=f"doc-{found['id']}", payload=read.payload, answer=answer)


def rubric_writing(folder: Path) -> RealSet:
    """Questions with the conclusion of the paper as a reference, from which criteria follow."""
    rows = [
        RealRow(
            external_id=f"pmid-{number}",
            payload={
                "messages": asked(each["QUESTION"]),
                "prompt_id": number,
                "references": [{"id": "conclusion", "text": each["LONG_ANSWER"]}],
                "example_tags": each["MESHES"][:3],
            },
            answer={
                "rubrics": [
                    {"criterion": each["LONG_ANSWER"], "points": 8, "tags": ["accuracy"]},
                    {"criterion": "Claims more than was found", "points": -5, "tags": ["safety"]},
                ],
                "ideal_completion": each["LONG_ANSWER"],
            },
        )
        for number, each in list(abstracts(folder))[:8]
    ]
    return RealSet(
        kind="rubric_writing",
        title="What must a good answer say?",
        domain="general_medicine",
        profession="medicine",
        instructions="One criterion, one fact. Say too what must not be in an answer.",
        template={
            "tags": ["accuracy", "completeness", "safety"],
            "criteria_min": 2,
            "negative_required": True,
        },
        rows=tuple(rows),
    )
