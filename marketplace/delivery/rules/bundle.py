"""What a delivery can be: the formats of a task type, and the folder that holds all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from marketplace.tasktypes import Exporter, Policy
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.exports import Column, line

BUNDLE = "hf_dataset"
RAW_TABLE = "raw_parquet"
# The formats that tell every judgement with its whole envelope.
ENVELOPES = frozenset({"raw", RAW_TABLE})
TITLE = "Dataset folder (Hugging Face)"
HELP = (
    "A ZIP to unpack and load with `datasets.load_dataset`, or to put on the Hub as it is: the "
    "job's usual format and every judgement as Parquet, all judgements as JSONL, votes by item, "
    "each version of the guidelines, a card, a datasheet, Croissant 1.1, agreement with intervals, "
    "and the hash of every file. Nothing is lost; it is the largest of the formats."
)
RAW_TABLE_HELP = (
    "The same rows as the envelope's lines, as one table in Parquet, packed with zstd; what is "
    "not text, a number or yes or no is JSON in a column of text. Read by pandas, DuckDB, Spark "
    "and `datasets`. Nothing is lost."
)
# Told beside the table of the folder, or made for another program.
NO_TABLES = frozenset({"raw", "raw_parquet", "label_studio"})
COLUMNS = (
    Column("data/*.parquet", "table", "The job's usual format, and `raw`: every judgement"),
    Column("annotations_raw.jsonl", "lines of JSON", "Every judgement with its whole envelope"),
    Column("aggregates.jsonl", "lines of JSON", "Votes and majority of every item"),
    Column("beliefs.jsonl", "lines of JSON", "What is believed, under that policy", may_lack=True),
    Column("guidelines/*.md", "Markdown", "Each version of the instructions, with its template"),
    Column("README.md", "Markdown", "The card, with the Hub's YAML at its head"),
    Column("DATASHEET.md", "Markdown", "The seven sections of Datasheets for Datasets"),
    Column("croissant.json", "JSON-LD", "Croissant 1.1 with responsible AI (RAI 1.0)"),
    Column("agreement_report.json", "JSON", "Agreement by question, with intervals"),
    Column("MANIFEST.sha256", "text", "The SHA-256 of every file"),
)


def formats_of(kind: TaskType) -> Mapping[str, Exporter]:
    """Every format that a job of this type can be delivered in, by key; the folder comes last.

    The folder's exporter gives the rows of its envelope; what writes the folder is in
    `background.bundles`.
    """
    raw = kind.exports["raw"]
    folder = Exporter(
        key=BUNDLE,
        title=TITLE,
        help=HELP,
        columns=COLUMNS,
        convert=raw.convert,
        policies=raw.policies,
        suffix=".zip",
    )
    table = replace(
        raw,
        key=RAW_TABLE,
        title=f"{raw.title}, as Parquet",
        help=RAW_TABLE_HELP,
        suffix=".parquet",
    )
    return {**kind.exports, RAW_TABLE: table, BUNDLE: folder}


def default_format(kind: TaskType, policy: Policy) -> Exporter | None:
    """The format of the folder's own table: the type's usual one, else the next that has rows of
    one shape under the policy; None where every format is a document or a text of its own."""
    offered = [each for key, each in kind.exports.items() if key not in NO_TABLES]
    tables = (each for each in offered if _is_table(each) and _offers(each, policy))
    return next(tables, None)


def _offers(exporter: Exporter, policy: Policy) -> bool:
    return policy is Policy.MODEL or policy in exporter.policies


def _is_table(exporter: Exporter) -> bool:
    plain = exporter.suffix == ".jsonl" and not exporter.stateful
    return plain and exporter.encode is line
