"""What a delivery can be: the formats of a task type, and the folder that holds all of it."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.tasktypes import Exporter, Policy
from marketplace.tasktypes.contract import TaskType
from marketplace.tasktypes.exports import line

BUNDLE = "hf_dataset"
TITLE = "Dataset folder (Hugging Face)"
# What reads rows best where a task type offers it; else its first format of rows.
PREFERRED = ("helpsteer3",)


def formats_of(kind: TaskType) -> Mapping[str, Exporter]:
    """Every format that a job of this type can be delivered in, by key; the folder comes last.

    The folder's exporter gives the rows of its envelope; what writes the folder is in
    `background.bundles`.
    """
    raw = kind.exports["raw"]
    folder = Exporter(
        key=BUNDLE, title=TITLE, convert=raw.convert, policies=raw.policies, suffix=".zip"
    )
    return {**kind.exports, BUNDLE: folder}


def default_format(kind: TaskType) -> Exporter | None:
    """The format of the folder's own table; None where every format is a document or a text."""
    offered = kind.exports
    keys = (*PREFERRED, *offered)
    tables = (offered[key] for key in keys if key in offered and key != "raw")
    return next((each for each in tables if _is_table(each)), None)


def offers(exporter: Exporter, policy: Policy) -> bool:
    """Whether the folder's table can be told under a policy."""
    return policy is Policy.MODEL or policy in exporter.policies


def _is_table(exporter: Exporter) -> bool:
    """Whether its file is a row a line, of one shape, that no other program's project is made of."""
    rows = exporter.suffix == ".jsonl" and exporter.frame == (b"", b"", b"")
    return rows and exporter.encode is line and exporter.key != "label_studio"
