"""Where a model has spoken before: critiques of support, judges of empathy, summaries."""

from __future__ import annotations

from pathlib import Path

from marketplace.tasktypes import Json
from tests.journeys.real.sets import RealRow, RealSet, asked, records

EMPATHY = "empathy_judge_calibration"
DIMENSIONS = {
    "validating_emotions": "Validates emotions",
    "encouraging_elaboration": "Encourages to say more",
    "demonstrating_understanding": "Shows understanding",
    "advice_giving": "Gives advice",
    "self_oriented": "Speaks of themselves",
    "dismissing_emotions": "Dismisses emotions",
}
ROLES = {"Seeker": "user", "Supporter": "assistant"}


def conversations(folder: Path) -> dict[str, list[Json]]:
    """Conversations by id, as messages in turn; lines without a name go on with the last one."""
    path = folder / EMPATHY / "original_data/sample_lend_an_ear_conversations.csv"
    return {each["conversation_id"]: turns(each["full_conversation"]) for each in records(path)}


def turns(text: str) -> list[Json]:
    messages: list[Json] = []
    for line in text.splitlines():
        name, colon, words = line.partition(":")
        if colon and name in ROLES:
            messages.append({"role": ROLES[name], "content": words.strip()})
        elif messages and line.strip():
            messages[-1]["content"] += f"\n{line.strip()}"
    return messages


def ratings(folder: Path, who: str) -> dict[str, Json]:
    """What somebody said of each conversation, by dimension."""
    rows = records(folder / EMPATHY / "annotations/lend_an_ear" / f"{who}_ratings.csv")
    return {
        each["conversation_id"]: {key: int(float(each[key])) for key in DIMENSIONS} for each in rows
    }


def judge_calibration(folder: Path) -> RealSet:
    """Conversations that three models rated, with the ratings of an expert."""
    said = {
        model: ratings(folder, who)
        for who, model in (("gpt", "gpt-4o"), ("claude", "claude-3.7"), ("gemini", "gemini-2.5"))
    }
    expert = ratings(folder, "expert1")
    rows = [
        RealRow(
            external_id=number,
            payload={"messages": messages},
            answer={"verdicts": expert[number]},
            prelabels=tuple(
                {"model": model, "version": "", "payload": {"verdicts": given[number]}}
                for model, given in said.items()
            ),
        )
        for number, messages in list(conversations(folder).items())[:8]
    ]
    return RealSet(
        kind="judge_calibration",
        title="How well did the supporter listen?",
        domain="psychiatry",
        profession="medicine",
        instructions="Rate the supporter's turns only, each dimension by itself.",
        template={
            "aspects": [
                {
                    "key": key,
                    "title": title,
                    "kind": "score",
                    "scale": {"min": 1, "max": 5, "anchors": {"1": "Not at all", "5": "Very much"}},
                }
                for key, title in DIMENSIONS.items()
            ]
        },
        rows=tuple(rows),
    )


def critique_revise(folder: Path) -> RealSet:
    """The supporter's last words held against principles of listening, audited after a model."""
    judged, expert = ratings(folder, "gpt"), ratings(folder, "expert1")
    rows = []
    for number, messages in list(conversations(folder).items())[:8]:
        last = max(at for at, each in enumerate(messages) if each["role"] == "assistant")
        said, model = (who[number]["dismissing_emotions"] >= 3 for who in (expert, judged))
        rows.append(
            RealRow(
                external_id=number,
                payload={"messages": messages[:last], "response": messages[last]["content"]},
                answer=audited(said, model),
                prelabels=(
                    {
                        "model": "gpt-4o",
                        "version": "2024-08",
                        "payload": findings(model),
                    },
                ),
            )
        )
    return RealSet(
        kind="critique_revise",
        title="Does this reply listen?",
        domain="psychiatry",
        profession="medicine",
        instructions="A reply that breaks a principle is written anew, in the supporter's voice.",
        template={
            "constitution": {"title": "Listening", "version": "2026-11"},
            "principles": [
                {
                    "key": "dismissing",
                    "title": "Do not dismiss",
                    "text": "Never make light of what the person feels.",
                },
                {
                    "key": "advice",
                    "title": "Listen before you advise",
                    "text": "Give advice only where it is asked for.",
                },
            ],
        },
        rows=tuple(rows),
    )


def findings(dismissed: bool) -> Json:
    first: Json = {"principle_id": "dismissing", "violates": dismissed}
    if dismissed:
        first["critique"] = "It makes light of what the person feels."
    found: Json = {"findings": [first, {"principle_id": "advice", "violates": False}]}
    return {**found, "revision": "That sounds hard. What hurts most?"} if dismissed else found


def audited(dismissed: bool, model: bool) -> Json:
    """What the expert finds, and so what becomes of each finding of the model's."""
    found = findings(dismissed)
    first, second = found["findings"]
    kept = "kept" if dismissed is model else "rejected"
    found["findings"] = [{**first, "audit": kept}, {**second, "audit": "kept"}]
    return {**found, "revision_origin": {"audit": kept}} if model and dismissed else found


def correction(folder: Path) -> RealSet:
    """Summaries by a model, and what a clinician wrote of the same conversation."""
    path = "mts_dialog/Correlation-Study/MTS-Dialog-Automatic-Summaries-ValidationSet.csv"
    rows = [
        RealRow(
            external_id=f"mts-{number}",
            payload={"messages": asked(each["Dialogue"])},
            answer={"values": {"summary": each["Reference Summary"], "usable": False}},
            prelabels=(
                {
                    "model": "summariser",
                    "version": "1",
                    "confidence": 0.91,
                    "payload": {"values": {"summary": each["Automatic Summary"], "usable": True}},
                },
            ),
        )
        for number, each in enumerate(records(folder / path)[:96:12])
    ]
    return RealSet(
        kind="correction",
        title="Put the model's summary right",
        domain="general_medicine",
        profession="medicine",
        instructions="Change as little as makes it right.",
        template={
            "fields": [
                {"key": "summary", "title": "Summary", "kind": "text"},
                {
                    "key": "usable",
                    "title": "It could be signed as it was",
                    "kind": "flag",
                    "required": False,
                },
            ]
        },
        rows=tuple(rows),
    )
