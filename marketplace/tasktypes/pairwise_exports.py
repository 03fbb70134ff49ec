"""Pairwise preferences as rows for reward models and preference optimisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from marketplace.tasktypes import preferences
from marketplace.tasktypes.exports import (
    Counts,
    Exporter,
    ExportRow,
    Policy,
    catalogue,
)
from marketplace.tasktypes.label_studio.comparisons import PAIRWISE as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.votes import majority

OTHER = {"a": "b", "b": "a"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one row will say of one item: the label, and how strongly (0..3, a mean)."""

    record: Record
    label: str
    strength: float

    @property
    def chosen(self) -> str:
        return str(self.record.payload[self.label])

    @property
    def rejected(self) -> str:
        return str(self.record.payload[OTHER[self.label]])


def verdicts(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[Verdict]:
    """One verdict an item under `majority`, one a judgement under `all`; the rest is counted."""
    for record in records:
        given = record.in_order()
        if not given:
            counts.drop("no_judgement")
        elif policy is Policy.ALL:
            for one in given:
                yield Verdict(record, one.judgement["choice"], mean_strength([one]))
        else:
            label = majority(one.judgement["choice"] for one in given)
            if label is None:
                counts.drop("no_majority")
            else:
                agreeing = [one for one in given if one.judgement["choice"] == label]
                yield Verdict(record, label, mean_strength(agreeing))


def pairs(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[Verdict]:
    """The verdicts that prefer one response to the other; ties and both-bad never do."""
    for verdict in verdicts(records, policy, counts):
        if verdict.label in OTHER:
            counts.keep()
            yield verdict
        else:
            counts.drop(verdict.label)


def mean_strength(given: Sequence[AuthoredJudgement]) -> float:
    """The mean of the strengths that were stated; 0.0, the neutral margin, where none was."""
    stated = [one.judgement["strength"] for one in given if "strength" in one.judgement]
    return round(sum(stated) / len(stated), 6) if stated else 0.0


def trl_preference(
    records: Iterable[Record], policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """TRL preference; `margin` carries the strength to the reward trainer."""
    for pair in pairs(records, policy, counts):
        record = pair.record
        row = preferences.trl_pair(record.external_id, record.payload, pair.chosen, pair.rejected)
        yield {**row, "margin": pair.strength}


def trl_unpaired(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """Two rows a verdict: a tie says that both are good, both-bad that neither is."""
    for verdict in verdicts(records, policy, counts):
        counts.keep()
        good = {"tie": ("a", "b"), "both_bad": ()}.get(verdict.label, (verdict.label,))
        record = verdict.record
        for slot in ("a", "b"):
            yield preferences.trl_unpaired(
                record.external_id, record.payload, record.payload[slot], slot in good
            )


def openai_dpo(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    for pair in pairs(records, policy, counts):
        yield preferences.openai_pair(pair.record.payload, pair.chosen, pair.rejected)


def helpsteer3(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row an item with every judgement in it, as in NVIDIA's HelpSteer3 preference set.

    Scores run from -3 (response 1, our a, much better) to 3; a tie is 0. The format has no word
    for both-bad: such judgements are left out, and an item with nothing else is dropped. Under
    `majority` the overall score is the mean of those who agree, under `all` of everyone.
    """
    for record in records:
        usable = [one for one in record.in_order() if one.judgement["choice"] != "both_bad"]
        label = majority(one.judgement["choice"] for one in record.judgements)
        if not usable:
            counts.drop("both_bad" if record.judgements else "no_judgement")
        elif policy is Policy.MAJORITY and label in {None, "both_bad"}:
            counts.drop(label or "no_majority")
        else:
            counts.keep()
            heard = [
                one for one in usable if policy is Policy.ALL or one.judgement["choice"] == label
            ]
            yield helpsteer3_row(record, usable, rounded_mean([score(one) for one in heard]))


def helpsteer3_row(record: Record, usable: Sequence[AuthoredJudgement], overall: int) -> ExportRow:
    return {
        "domain": record.domain,
        "language": record.language,
        "context": preferences.prompt_of(record.payload),
        "response1": record.payload["a"],
        "response2": record.payload["b"],
        "overall_preference": overall,
        "individual_preference": [
            {
                "score": score(one),
                "reasoning": one.rationale or "",
                "feedback1": None,
                "feedback2": None,
            }
            for one in usable
        ],
    }


def score(given: AuthoredJudgement) -> int:
    """-3..3; a choice without a stated strength counts as slight, since it is no tie."""
    sign = {"a": -1, "b": 1}.get(given.judgement["choice"], 0)
    return sign * max(1, int(given.judgement.get("strength", 1)))


def rounded_mean(scores: Sequence[int]) -> int:
    """The mean, rounded half away from zero, in whole numbers throughout."""
    total, count = sum(scores), len(scores)
    size = (2 * abs(total) + count) // (2 * count)
    return size if total >= 0 else -size


EXPORTS = catalogue(
    Exporter(key="trl_preference", title="TRL preference", convert=trl_preference),
    Exporter(key="trl_unpaired", title="TRL unpaired preference", convert=trl_unpaired),
    Exporter(key="openai_dpo", title="OpenAI preference (DPO)", convert=openai_dpo),
    Exporter(key="helpsteer3", title="HelpSteer3 preference", convert=helpsteer3),
    label_studio(LABEL_STUDIO),
)
