"""What a real set is to a test: a job, its rows, and the answer that people gave to each."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marketplace.tasktypes import Json


@dataclass(frozen=True)
class RealRow:
    """One item as a line of JSONL has it, and what a person said of it in the set."""

    external_id: str
    payload: Json
    answer: Json
    prelabels: tuple[Json, ...] = ()

    def line(self) -> bytes:
        """The row as an import reads it."""
        row: Json = {"external_id": self.external_id, "payload": self.payload}
        if self.prelabels:
            row["prelabels"] = list(self.prelabels)
        return json.dumps(row, ensure_ascii=False).encode()


@dataclass(frozen=True)
class RealSet:
    """A job of one type over real rows. images: what the items name, by name."""

    kind: str
    title: str
    domain: str
    profession: str
    instructions: str
    template: Json
    rows: tuple[RealRow, ...]
    images: Mapping[str, Path] = field(default_factory=dict)

    def row_of(self, payload: Mapping[str, Any]) -> RealRow:
        """The row that a claimed task came from, by all that its payload says."""
        for row in self.rows:
            shown = {key: said for key, said in row.payload.items() if key != "metadata"}
            if all(payload.get(key) == said for key, said in shown.items()):
                return row
        raise LookupError("The task came from none of the rows.")


def asked(words: str) -> list[Json]:
    """A conversation of one question."""
    return [{"role": "user", "content": words}]


def records(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, whose first bytes may say that it is UTF-8."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
