"""Pairwise preferences as rows for reward models and preference optimisation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from marketplace.tasktypes import preferences
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import preferences as formats
from marketplace.tasktypes.label_studio.comparisons import PAIRWISE as LABEL_STUDIO
from marketplace.tasktypes.label_studio.writing import exporter as label_studio
from marketplace.tasktypes.records import AuthoredJudgement, Record
from marketplace.tasktypes.votes import majority

OTHER = {"a": "b", "b": "a"}
DEGREES = {1: "slightly better", 2: "better", 3: "much better"}


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
        counts.note(verdict.label, verdict.label not in OTHER)
        good = {"tie": ("a", "b"), "both_bad": ()}.get(verdict.label, (verdict.label,))
        record = verdict.record
        for slot in ("a", "b"):
            yield preferences.trl_unpaired(
                record.external_id, record.payload, record.payload[slot], slot in good
            )


def openai_dpo(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    for pair in pairs(records, policy, counts):
        yield preferences.openai_pair(pair.record.payload, pair.chosen, pair.rejected)


def hh_rlhf(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """Two whole dialogues as texts; ties and both-bad are no preference."""
    for verdict in verdicts(records, policy, counts):
        if verdict.label not in OTHER:
            counts.drop(verdict.label)
            continue
        prompt = preferences.prompt_of(verdict.record.payload)
        row = preferences.hh_row(prompt, verdict.chosen, verdict.rejected, counts)
        if row is not None:
            yield row


@dataclass(frozen=True, slots=True)
class Scored:
    """An item as HelpSteer tells it. usable: the judgements that say how the two compare; heard:
    those of them that the overall score rests on."""

    record: Record
    usable: Sequence[AuthoredJudgement]
    heard: Sequence[AuthoredJudgement]


def scored(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[Scored]:
    """The items that HelpSteer's scale has a place for, each kept once.

    Scores run from -3 (response 1, our a, much better) to 3; a tie is 0. The format has no word
    for both-bad: such judgements are left out, and an item with nothing else is dropped. Under
    `majority` those who agree are heard, under `all` everyone.
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
            counts.note("both_bad", len(record.judgements) - len(usable))
            counts.note("tie", sum(one.judgement["choice"] == "tie" for one in usable))
            is_heard = {"a", "b", "tie"} if policy is Policy.ALL else {label}
            heard = [one for one in usable if one.judgement["choice"] in is_heard]
            yield Scored(record, usable, heard)


def helpsteer3(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row an item with every judgement in it, as in NVIDIA's HelpSteer3 preference set."""
    for item in scored(records, policy, counts):
        payload = item.record.payload
        told = [(score(one), one.rationale or "") for one in item.usable]
        overall = preferences.rounded_mean([score(one) for one in item.heard])
        yield preferences.helpsteer3_row(item.record, (payload["a"], payload["b"]), overall, told)


def helpsteer2(records: Iterable[Record], policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row an item, as in the preference subset of NVIDIA's HelpSteer2."""
    for item in scored(records, policy, counts):
        payload = item.record.payload
        near = most_similar(item.heard)
        strength = preferences.rounded_mean([score(one) for one in near])
        reasons = [one.rationale for one in near if score(one) == strength and one.rationale]
        yield {
            "split": "train",
            "prompt": preferences.prompt_text(preferences.prompt_of(payload)),
            "response_1": payload["a"],
            "response_2": payload["b"],
            "preference_strength": strength,
            "preference_statement": statement(strength),
            "preference_elaboration": reasons[0] if reasons else "",
            "three_most_similar_preferences": [stated(one) for one in near],
            "all_preferences_unprocessed": [stated(one) for one in item.usable],
        }


def most_similar(heard: Sequence[AuthoredJudgement]) -> list[AuthoredJudgement]:
    """The three judgements whose scores lie nearest to each other; all where there are fewer."""
    ranked = sorted(heard, key=lambda one: (score(one), one.annotation_id))
    threes = [ranked[at : at + 3] for at in range(max(1, len(ranked) - 2))]
    return min(threes, key=lambda three: score(three[-1]) - score(three[0]))


def stated(given: AuthoredJudgement) -> ExportRow:
    return {
        "statement": statement(score(given)),
        "elaboration": given.rationale or "",
        "strength": score(given),
    }


def statement(strength: int) -> str:
    """A strength in HelpSteer2's words."""
    if strength == 0:
        return "Responses 1 and 2 are about the same."
    better, worse = (1, 2) if strength < 0 else (2, 1)
    return f"Response {better} is {DEGREES[abs(strength)]} than Response {worse}."


def score(given: AuthoredJudgement) -> int:
    """-3..3; a choice without a stated strength counts as slight, since it is no tie."""
    sign = {"a": -1, "b": 1}.get(given.judgement["choice"], 0)
    return sign * max(1, int(given.judgement.get("strength", 1)))


EXPORTS = catalogue(
    formats.HELPSTEER3.by(helpsteer3),
    formats.TRL_PREFERENCE.by(trl_preference, more=(formats.MARGIN,)),
    formats.TRL_UNPAIRED.by(
        trl_unpaired,
        says="A tie becomes two rows that are good, “both are bad” two that are not; both are "
        "counted.",
    ),
    formats.OPENAI_DPO.by(openai_dpo),
    formats.HH_RLHF.by(hh_rlhf),
    formats.HELPSTEER2_PREFERENCE.by(helpsteer2),
    label_studio(LABEL_STUDIO),
)
