"""The card of an export: a README as the Hugging Face Hub reads it, made of facts and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import yaml

from marketplace.delivery.rules import words
from marketplace.delivery.rules.bundle import BUNDLE
from marketplace.delivery.rules.facts import Facts
from marketplace.delivery.rules.features import hub_features
from marketplace.delivery.rules.licences import hub_licence, licence_words
from marketplace.delivery.rules.reasons import reason_words

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    "pairwise": ("text-generation", "reinforcement-learning"),
    "ranking": ("text-generation", "text-ranking"),
    "rubric": ("text-generation",),
    "demonstration": ("text-generation",),
    "critique_revise": ("text-generation",),
    "trajectory": ("text-generation", "reinforcement-learning"),
    "judge_calibration": ("text-classification",),
    "red_team": ("text-generation",),
    "chat": ("text-generation",),
    "spans": ("token-classification",),
    "regions": ("object-detection",),
    "code": ("text-generation",),
    "rubric_writing": ("text-generation",),
    "fact_check": ("text-classification",),
    "correction": ("text-generation",),
}

COMPARED = {"pairwise": ("tie", "both_bad"), "ranking": ("tie", "unrankable"), "chat": ("tie",)}
# What `datasets` reads by itself.
LOADABLE = (".parquet", ".jsonl", ".jsonl.gz", ".csv")
NOT_TOLD = "not told"


@dataclass(frozen=True, slots=True)
class Table:
    """One file of rows. schema: its columns, None for lines of JSON; counts: what became of what
    was read for it, as `Counts.as_json` says."""

    config: str
    title: str
    path: str
    rows: int
    bytes: int
    counts: Mapping[str, Any]
    schema: pa.Schema | None = None


def readme(facts: Facts, tables: Sequence[Table]) -> str:
    """The whole card, Markdown with YAML at its head; the same facts give the same text."""
    head = yaml.safe_dump(_head(facts, tables), sort_keys=False, allow_unicode=True, width=96)
    parts = [
        f"# {facts.name}",
        _intro(facts),
        _files(facts, tables),
        *(_numbers(facts, each) for each in tables if each.counts),
        _agreement(facts),
        _people(facts),
        _making(facts),
        _limits(facts),
        _use(facts),
    ]
    return f"---\n{head}---\n\n" + "\n\n".join(filter(None, parts)) + "\n"


def _head(facts: Facts, tables: Sequence[Table]) -> dict[str, Any]:
    rows = tables[0].rows if tables else facts.told_items
    size = next((name for most, name in SIZES if rows < most), "1M<n<10M")
    head: dict[str, Any] = {
        "pretty_name": facts.name,
        **hub_licence(facts.licence, facts.words.licence_words),
        "language": sorted({each.split("-")[0] for each in facts.words.languages}) or ["und"],
        "annotations_creators": [
            "expert-generated",
            *(["machine-generated"] if facts.models else []),
        ],
        "task_categories": list(CATEGORIES.get(facts.task_type, ("other",))),
        "size_categories": [size],
        "tags": [
            "human-feedback",
            "expert-judgement",
            facts.task_type.replace("_", "-"),
            "croissant",
        ],
    }
    if loadable := [each for each in tables if each.path.endswith(LOADABLE)]:
        head["configs"] = [_config(each, first=each is loadable[0]) for each in loadable]
    if described := [each for each in tables if each.schema is not None]:
        head["dataset_info"] = [_told(each) for each in described]
    return head


def _config(table: Table, *, first: bool) -> dict[str, Any]:
    config: dict[str, Any] = {
        "config_name": table.config,
        "data_files": [{"split": "train", "path": table.path}],
    }
    return config | ({"default": True} if first else {})


def _told(table: Table) -> dict[str, Any]:
    split = {"name": "train", "num_bytes": table.bytes, "num_examples": table.rows}
    return {
        "config_name": table.config,
        "features": hub_features(table.schema or pa.schema([])),
        "splits": [split],
        "download_size": table.bytes,
        "dataset_size": table.bytes,
    }


def _intro(facts: Facts) -> str:
    return (
        f"{facts.type_title}: {words.counted(facts.judgements, 'accepted judgement')} of "
        f"{words.counted(facts.told_items, 'item')}, made {words.timeframe(facts)}. This is what "
        f"was accepted of job {facts.reference} ({facts.domain}) by "
        f"{words.moment(facts.as_of)}, told {words.POLICIES[facts.policy]}."
    )


def _files(facts: Facts, tables: Sequence[Table]) -> str:
    lines = ["## Files", "", "| File | Rows | What it is |", "|---|---:|---|"]
    lines += [f"| `{each.path}` | {words.number(each.rows)} | {each.title} |" for each in tables]
    if facts.format == BUNDLE:
        lines += [f"| `{name}` | | {what} |" for name, what in BESIDE]
        lines += [
            "", "```python", "from datasets import load_dataset", "",
            'rows = load_dataset("path/to/this/folder", split="train")',
            'judgements = load_dataset("path/to/this/folder", "raw", split="train")', "```",
        ]  # fmt: skip
    return "\n".join(lines)


BESIDE = (
    ("annotations_raw.jsonl", "every judgement as it was given, an object a line"),
    (
        "aggregates.jsonl",
        "an object for each item: its votes, and what its judgements say together",
    ),
    ("guidelines/", "each version of the instructions that people read, and its template"),
    ("agreement_report.json", "agreement by question, with intervals"),
    ("DATASHEET.md", "the questions of Datasheets for Datasets, answered"),
    (
        "croissant.json",
        "the same for machines: Croissant 1.1 with its vocabulary for responsible AI",
    ),
    ("MANIFEST.sha256", "the SHA-256 of every file; `sha256sum -c MANIFEST.sha256` checks them"),
)


def _numbers(facts: Facts, table: Table) -> str:
    counts = table.counts
    lines = [
        f"## What became of what was read: {table.title}", "",
        "| What | Number |", "|---|---:|",
        f"| Read | {words.number(counts.get('read', 0))} |",
        f"| Kept | {words.number(counts.get('kept', 0))} |",
        f"| Rows written | {words.number(table.rows)} |",
    ]  # fmt: skip
    dropped = counts.get("dropped", {})
    # Of what people compare, a reader asks first how many ties there were: also when none.
    asked = COMPARED.get(facts.task_type, ()) if table.config != "raw" else ()
    for reason in sorted({*asked, *dropped}):
        told = reason_words(reason)
        lines.append(f"| Left out: {told} | {words.number(dropped.get(reason, 0))} |")
    for reason, many in counts.get("noted", {}).items():
        lines.append(f"| Kept, but told otherwise: {reason_words(reason)} | {words.number(many)} |")
    for who, many in sorted(counts.get("labelled_by", {}).items()):
        lines.append(f"| Labels by {who} | {words.number(many)} |")
    return "\n".join(lines)


def _agreement(facts: Facts) -> str:
    if not facts.agreement:
        return "## Agreement\n\nNo question was answered by two people for the same item yet."
    lines = [
        "## Agreement", "",
        f"Between specialists, from {words.counted(facts.agreement_judgements, 'judgement')} of "
        f"the job as of {words.moment(facts.agreement_at)}; intervals hold 90 %.", "",
        "| Question | Scale | Items | Judgements | Measure | Value | Interval |",
        "|---|---|---:|---:|---|---:|---|",
    ]  # fmt: skip
    for unit in facts.agreement:
        for name, (value, lower, upper) in unit.measures.items():
            between = NOT_TOLD if lower is None or upper is None else f"{lower:.3f} to {upper:.3f}"
            lines.append(
                f"| {_cell(unit.unit)} | {unit.level} | {words.number(unit.items)} | "
                f"{words.number(unit.labels)} | {words.MEASURES.get(name, name)} | "
                f"{value:.3f} | {between} |"
            )
    return "\n".join(lines)


def _cell(text: str) -> str:
    """A text that a cell of a Markdown table can hold."""
    return text.replace("|", "\\|").replace("\n", " ")


def _people(facts: Facts) -> str:
    lines = ["## Who judged", "", words.annotators(facts)]
    if facts.classes:
        lines += [
            "", "| Attested class | People | Judgements | Median pay for an hour | Median time |",
            "|---|---:|---:|---:|---:|",
        ]  # fmt: skip
    for each in facts.classes:
        time = NOT_TOLD if each.seconds is None else words.duration(each.seconds)
        lines.append(
            f"| {each.name.replace('_', ' ')} | {words.people(each.people)} | "
            f"{words.number(each.judgements)} | {words.hourly(each, facts.currency)} | {time} |"
        )
    if facts.classes:
        lines += [
            "",
            "Pay is what a judgement earned, by the time that its author worked on it; medians are "
            "over judgements.",
        ]
    return "\n".join(lines)


def _making(facts: Facts) -> str:
    lines = [
        "## How it was made", "",
        f"- **Asked of people:** {words.requirements(facts)}.",
        f"- **Judgements of an item:** {words.per_item(facts)}.",
        f"- **Review:** {words.reviewing(facts)}",
        f"- **Items with a known answer:** {words.number(facts.gold_items)}, mixed in with the "
        "rest to check attention.",
        f"- **AI tools:** {words.ai_tools(facts)}",
        f"- **Answers of models beside the items:** {words.many(words.models(facts))}.",
        f"- **Guidelines:** {words.counted(len(facts.guidelines), 'version')}: "
        f"{'; '.join(map(words.guideline, facts.guidelines))}.",
    ]  # fmt: skip
    return "\n".join(lines)


def _limits(facts: Facts) -> str:
    waiting, alone = facts.items - facts.told_items, facts.spread.get("1", 0)
    said = [
        f"{words.counted(waiting, 'item')} of {words.number(facts.items)} had no accepted "
        "judgement when this was asked for.",
        "Credentials are told as they were attested; nobody's name, licence or employer is here.",
        words.personal(facts),
    ]
    if alone:
        said.append(f"Items with the word of one person alone: {words.number(alone)}.")
    if facts.annotators is None and facts.judgements:
        said.append("Fewer than five people judged; what they share, they may share by chance.")
    parts = ["## Limits", facts.words.limits, "\n".join(f"- {each}" for each in said)]
    return "\n\n".join(filter(None, parts))


def _use(facts: Facts) -> str:
    named = licence_words(facts.licence, facts.words.licence_words)
    lines = ["## Use and licence", ""]
    if facts.words.intended_use:
        lines += [facts.words.intended_use, ""]
    lines.append(f"Licence: {named}.")
    if facts.words.contact:
        lines += ["", f"Contact: {facts.words.contact}"]
    return "\n".join(lines)
