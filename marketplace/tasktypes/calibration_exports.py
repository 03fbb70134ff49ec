"""Verdicts of people beside those of judges, for reports of agreement and for meta-evaluation.

A judgement that came back for rework stands apart: its author had seen the judge's verdict by
then, so it is never paired with it (`judge_seen`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.tasktypes import preferences
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import talks
from marketplace.tasktypes.label_studio.scales import JUDGE_CALIBRATION as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.raw import content_sha256
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.shapes import Json
from marketplace.tasktypes.votes import majority


@dataclass(frozen=True, slots=True)
class Human:
    """A verdict of people on one dimension; author: None for that of a majority."""

    verdict: Hashable
    author: str | None
    faults: Sequence[Json] = ()


def blind(record: Record) -> list[AuthoredJudgement]:
    """The judgements whose authors had not seen what the judges said."""
    if record.template.get("reveal") == "never":
        return record.in_order()
    return [given for given in record.in_order() if given.round == 1]


def agreement_pairs(
    records: Iterable[Record], policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """One row for each (human verdict, judge, dimension); each such triple is a unit counted.

    Under `majority` the human verdict is that of the item's majority on the dimension.
    """
    for record in records:
        given = blind(record)
        for _ in range(len(record.judgements) - len(given)):
            counts.drop("judge_seen")
        if not given:
            if not record.judgements:
                counts.drop("no_judgement")
            continue
        if not record.prelabels:
            counts.drop("no_judge")
            continue
        for aspect in record.template["aspects"]:
            for human in humans(given, aspect["key"], policy, counts):
                yield from pairs(record, aspect, human, counts)


def humans(
    given: Sequence[AuthoredJudgement], key: str, policy: Policy, counts: Counts
) -> Iterator[Human]:
    answered = [one for one in given if key in one.judgement["verdicts"]]
    if policy is Policy.ALL:
        for one in answered:
            yield Human(one.judgement["verdicts"][key], one.author, one.addenda)
    elif answered:
        label = majority(spoken(one.judgement["verdicts"][key]) for one in answered)
        if label is None:
            counts.drop("no_majority")
        else:
            yield Human(label[1], None, [each for one in answered for each in one.addenda])


def spoken(verdict: Any) -> tuple[str, Any]:
    """A label under which true and 1 are two answers, as they are to the reader."""
    return type(verdict).__name__, verdict


def pairs(record: Record, aspect: Json, human: Human, counts: Counts) -> Iterator[ExportRow]:
    for said in record.prelabels:
        verdicts = said["payload"].get("verdicts", {})
        if aspect["key"] not in verdicts:
            counts.drop("judge_silent")
            continue
        counts.keep()
        judged = verdicts[aspect["key"]]
        yield {
            "external_id": record.external_id,
            "dimension": aspect["key"],
            "category": aspect.get("category", ""),
            "kind": aspect["kind"],
            "human": human.verdict,
            "human_author": human.author,
            "judge": judged,
            "judge_model": said["model"],
            "judge_version": said.get("version", ""),
            "judge_confidence": said.get("confidence"),
            "agrees": spoken(human.verdict) == spoken(judged),
            "judge_faults": faults_of(human.faults, said, aspect["key"]),
        }


def faults_of(addenda: Sequence[Json], said: Json, key: str) -> list[str]:
    """The tags that were put on a judge, for this dimension or for none in particular."""
    judge = (said["model"], said.get("version", ""))
    return sorted(
        {
            str(each["tag"])
            for each in addenda
            if each.get("kind") == "judge_fault"
            and (each.get("model"), each.get("version", "")) == judge
            and each.get("dimension") in {None, key}
        }
    )


def healthbench_meta(
    records: Iterable[Record], _policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """HealthBench's meta-evaluation: one row for each criterion with the labels of all people.

    Binary dimensions only, and items with one response, or with none where the last message is
    the one judged. A criterion of an item is the unit counted.
    """
    for record in records:
        asked, completion = completion_of(record.payload)
        for aspect in record.template["aspects"]:
            labels = labels_of(record, aspect["key"])
            if aspect["kind"] != "binary":
                counts.drop("not_binary")
            elif completion is None:
                counts.drop("not_one_response")
            elif not labels:
                counts.drop("no_judgement")
            else:
                counts.keep()
                yield {
                    "prompt_id": record.external_id,
                    "completion_id": content_sha256({"completion": completion})[:32],
                    "prompt": asked,
                    "completion": completion,
                    "rubric": aspect.get("question") or aspect["title"],
                    "category": aspect.get("category", ""),
                    "binary_labels": [label for _, label in labels],
                    "anonymized_physician_ids": [author for author, _ in labels],
                }


def labels_of(record: Record, key: str) -> list[tuple[str, bool]]:
    return [
        (given.author, given.judgement["verdicts"][key])
        for given in blind(record)
        if key in given.judgement["verdicts"]
    ]


def completion_of(payload: Json) -> tuple[list[Json], str | None]:
    """The prompt, and the response that is judged; None where there is not exactly one."""
    prompt = preferences.prompt_of(payload)
    responses = payload.get("responses", [])
    if len(responses) == 1:
        return prompt, str(responses[0]["text"])
    if not responses and prompt[-1]["role"] == "assistant":
        return prompt[:-1], str(prompt[-1]["content"])
    return prompt, None


EXPORTS = catalogue(
    talks.AGREEMENT_PAIRS.by(agreement_pairs),
    talks.HEALTHBENCH_META.by(healthbench_meta),
    label_studio(LABEL_STUDIO),
)
