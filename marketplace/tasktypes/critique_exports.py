"""Critiques and revisions as rows for fine-tuning, preference optimisation and constitutional AI.

Formats: TRL's and OpenAI's as in `preferences.py`; the alternating turns are those of the few-shot
samples in NeMo-Aligner's constitutional AI example: prompt, response, critique request, critique,
revision request, revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from marketplace.tasktypes import preferences
from marketplace.tasktypes.exports import Counts, ExportRow, Policy, catalogue
from marketplace.tasktypes.formats import EVERY, tuning
from marketplace.tasktypes.formats import preferences as formats
from marketplace.tasktypes.principles import constitution_of
from marketplace.tasktypes.records import Record
from marketplace.tasktypes.shapes import Json

ASK_CRITIQUE = "Say in which ways your last answer goes against this principle: {}"
ASK_REVISION = "Write your answer anew, so that it keeps to this principle: {}"


@dataclass(frozen=True, slots=True)
class Revised:
    """One accepted revision beside the response that it replaces."""

    record: Record
    judgement: Json

    @property
    def original(self) -> str:
        return str(self.record.payload["response"])

    @property
    def revision(self) -> str:
        return str(self.judgement.get("revision", ""))


def revisions(records: Iterable[Record], counts: Counts, *, new: bool) -> Iterator[Revised]:
    """Judgements with a revision, each kept; new: only those whose words are not the original's."""
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        for given in record.in_order():
            found = Revised(record, given.judgement)
            if not found.revision.strip():
                counts.drop("no_revision")
            elif new and found.revision.strip() == found.original.strip():
                counts.drop("unchanged")
            else:
                counts.keep()
                yield found


def trl_messages(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """Prompt and revision as one conversation, with the constitution that it keeps to."""
    for found in revisions(records, counts, new=False):
        record = found.record
        yield {
            "external_id": record.external_id,
            "messages": [
                *preferences.prompt_of(record.payload),
                *preferences.answer(found.revision),
            ],
            "constitution": constitution_of(record.template),
        }


def openai_sft(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One line of OpenAI's fine-tuning format; earlier answers carry no weight."""
    for found in revisions(records, counts, new=False):
        prompt = preferences.prompt_of(found.record.payload)
        yield preferences.openai_messages(prompt, preferences.answer(found.revision))


def trl_preference(
    records: Iterable[Record], _policy: Policy, counts: Counts
) -> Iterator[ExportRow]:
    """The revision over the original."""
    for found in revisions(records, counts, new=True):
        record = found.record
        yield preferences.trl_pair(
            record.external_id, record.payload, found.revision, found.original
        )


def openai_dpo(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    for found in revisions(records, counts, new=True):
        yield preferences.openai_pair(found.record.payload, found.revision, found.original)


def hh_rlhf(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """The revision over the original, as whole dialogues."""
    aside = Counts()
    for found in revisions(records, aside, new=True):
        prompt = preferences.prompt_of(found.record.payload)
        row = preferences.hh_row(prompt, found.revision, found.original, counts)
        if row is not None:
            yield row
    # What is kept there was kept or dropped here.
    counts.read += sum(aside.dropped.values())
    counts.dropped.update(aside.dropped)


def nemo_cai(records: Iterable[Record], _policy: Policy, counts: Counts) -> Iterator[ExportRow]:
    """One row for each principle that was violated, in turns of user and assistant.

    The unit that is counted is a finding. Its own revision is the last turn, else the final one.
    """
    for record in records:
        if not record.judgements:
            counts.drop("no_judgement")
        principles = {each["key"]: each for each in record.template["principles"]}
        for given in record.in_order():
            for finding in given.judgement["findings"]:
                revision = finding.get("revision") or given.judgement.get("revision", "")
                why_not = unusable(finding, revision)
                if why_not:
                    counts.drop(why_not)
                    continue
                counts.keep()
                principle = principles[finding["principle_id"]]
                yield {
                    "external_id": record.external_id,
                    "principle_id": finding["principle_id"],
                    "constitution": constitution_of(record.template),
                    "messages": turns(record.payload, principle, finding["critique"], revision),
                }


def unusable(finding: Json, revision: str) -> str:
    if not finding["violates"]:
        return "no_violation"
    if not finding.get("critique", "").strip():
        return "no_critique"
    return "" if revision.strip() else "no_revision"


def turns(payload: Json, principle: Json, critique: str, revision: str) -> list[Json]:
    text = principle["text"]
    asks = (
        (principle.get("critique_request") or ASK_CRITIQUE.format(text), critique),
        (principle.get("revision_request") or ASK_REVISION.format(text), revision),
    )
    found = [*preferences.prompt_of(payload), *preferences.answer(payload["response"])]
    for asked, answered in asks:
        found += [{"role": "user", "content": asked}, *preferences.answer(answered)]
    return found


EXPORTS = catalogue(
    tuning.TRL_MESSAGES.by(
        trl_messages, title="TRL messages (SFT on the revision)", more=(tuning.CONSTITUTION,)
    ),
    tuning.OPENAI_SFT.by(openai_sft, title="OpenAI fine-tuning (SFT on the revision)"),
    formats.TRL_PREFERENCE.by(
        trl_preference, title="TRL preference (revision over original)", policies=EVERY
    ),
    formats.OPENAI_DPO.by(
        openai_dpo, title="OpenAI preference (revision over original)", policies=EVERY
    ),
    formats.HH_RLHF.by(
        hh_rlhf, title="hh-rlhf preference (revision over original)", policies=EVERY
    ),
    tuning.NEMO_CAI.by(nemo_cai),
)
