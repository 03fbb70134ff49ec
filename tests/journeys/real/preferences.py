"""Preferences: PandaLM's pairs with ties, OpenAssistant's ranked replies, scored summaries."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

from marketplace.tasktypes import Json
from tests.journeys.real.sets import RealRow, RealSet, asked, records

CHOICES = {0: "tie", 1: "a", 2: "b"}


def pairwise(folder: Path) -> RealSet:
    """Pairs of answers with what the first annotator chose; a tie, A and B in turn."""
    found = json.loads((folder / "pandalm_pairwise/testset-v1.json").read_text())
    whole = [
        each
        for each in found
        if all(isinstance(each[part], str) for part in ("response1", "response2", "input"))
    ]
    # Some pairs stand in the set several times; a task is known by its texts.
    whole = list({each["input"] + each["instruction"]: each for each in whole}.values())
    by_label = [[each for each in whole if each["annotator1"] == label] for label in CHOICES]
    chosen = [each for three in islice(zip(*by_label, strict=False), 3) for each in three]
    return RealSet(
        kind="pairwise",
        title="Which answer follows the instruction better?",
        domain="general_medicine",
        profession="medicine",
        instructions="Prefer the answer that **does what was asked**, then the clearer one.",
        template={
            "question": "Which answer follows the instruction better?",
            "aspects": [
                {"key": "correct", "title": "Correct"},
                {"key": "concise", "title": "To the point"},
            ],
        },
        rows=tuple(pair(each) for each in chosen),
    )


def pair(found: dict[str, Any]) -> RealRow:
    words = "\n\n".join(part for part in (found["instruction"], found["input"]) if part)
    choice = CHOICES[found["annotator1"]]
    return RealRow(
        external_id=f"pandalm-{found['idx']}",
        payload={
            "messages": asked(words),
            "a": found["response1"],
            "b": found["response2"],
            "metadata": {"models": found["cmp_key"]},
        },
        answer={"choice": choice},
    )


def ranking(folder: Path) -> RealSet:
    """Three to five replies to a prompt in the order the set gives; the last two of one tie."""
    lines = (folder / "oasst_trees/en_100_tree.jsonl").read_text().splitlines()
    prompts = [json.loads(each)["prompt"] for each in lines[:60]]
    many = [prompt for prompt in prompts if 3 <= len(prompt["replies"]) <= 5][:6]
    rows = [ranked(prompt, tied=number == 0) for number, prompt in enumerate(many)]
    return RealSet(
        kind="ranking",
        title="Rank these replies from best to worst",
        domain="consumer",
        profession="law",
        instructions="Put the reply that helps most first. Equal replies may share a place.",
        template={"question": "Which reply helps most?", "allow_ties": True},
        rows=tuple(rows),
    )


def ranked(prompt: Json, *, tied: bool) -> RealRow:
    replies = prompt["replies"]
    best_first = [f"r{at}" for at, _ in sorted(enumerate(replies), key=lambda one: one[1]["rank"])]
    tiers = [[name] for name in best_first]
    if tied:
        tiers = [*tiers[:-2], best_first[-2:]]
    return RealRow(
        external_id=prompt["message_id"],
        payload={
            "messages": asked(prompt["text"]),
            "responses": [
                {"id": f"r{number}", "text": reply["text"]} for number, reply in enumerate(replies)
            ],
        },
        answer={"tiers": tiers},
    )


def rubric(folder: Path) -> RealSet:
    """Summaries of consultations with the shares of facts that people counted in them."""
    study = folder / "mts_dialog/Correlation-Study"
    said = records(study / "MTS-Dialog-Automatic-Summaries-ValidationSet.csv")
    scored = records(study / "MTS-Dialog-Manual-Scores4CorrelationStudy.csv")
    rows = [
        summary(number, text, score)
        for number, (text, score) in enumerate(zip(said, scored, strict=True))
    ]
    return RealSet(
        kind="rubric",
        title="Score summaries of consultations",
        domain="general_medicine",
        profession="medicine",
        instructions="Read the conversation first. Score **only** what the summary says of it.",
        template={
            "question": "How good is this summary of the consultation?",
            "aspects": [
                {
                    "key": "precision",
                    "title": "Says nothing wrong",
                    "question": "Is everything in it said in the conversation?",
                    "scale": scale("Most of it is wrong", "All of it was said"),
                    "required": True,
                },
                {
                    "key": "recall",
                    "title": "Leaves nothing out",
                    "scale": scale("Nothing that matters is there", "All that matters is there"),
                    "required": True,
                    "allow_na": True,
                    "rationale": "optional",
                },
            ],
        },
        rows=tuple(rows[:400:45]),
    )


def scale(worst: str, best: str) -> Json:
    return {"min": 1, "max": 5, "anchors": {"1": worst, "3": "About half", "5": best}}


def summary(number: int, said: dict[str, str], scored: dict[str, str]) -> RealRow:
    ratings = {
        key: {"score": 1 + round(4 * float(scored[column]))}
        for key, column in (("precision", "FactualPrecision"), ("recall", "FactualRecall"))
    }
    return RealRow(
        external_id=f"mts-{number}",
        payload={
            "messages": asked(f"Summarise this consultation.\n\n{said['Dialogue']}"),
            "response": said["Automatic Summary"],
        },
        answer={"ratings": ratings},
    )
