"""The folder: instruction, two responses, three people's verdicts and two model judges' ones."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.errors import Refused
from marketplace.quality.rules import cohen_kappa

ITEMS = "testset-v1.json"
PEOPLE = ("annotator1", "annotator2", "annotator3")
CHOICES: Mapping[str, str] = {"0": "tie", "1": "a", "2": "b", "Tie": "tie"}


@dataclass(frozen=True, slots=True)
class Judge:
    """A model that judged every item: where its verdicts are, and under which field."""

    model: str
    file: str
    field: str


JUDGES = (
    Judge("gpt-3.5-turbo", "gpt-3.5-turbo-testset-v1.json", "gpt_result"),
    Judge("pandalm-7b", "pandalm-7b-testset-v1.json", "pandalm_result"),
)
# A verdict that cannot be read agrees with nobody.
UNREADABLE = "unreadable"


class SourceFaulty(Refused):
    """The folder does not hold what the replay needs; the message names the file."""

    code = "source_faulty"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One item. choices: one for each person; verdicts: by model, `unreadable` for some."""

    number: int
    external_id: str
    payload: Mapping[str, Any]
    choices: tuple[str, ...]
    verdicts: Mapping[str, str]

    @property
    def majority(self) -> str | None:
        """What more than half of the people said."""
        choice, votes = Counter(self.choices).most_common(1)[0]
        return choice if 2 * votes > len(self.choices) else None

    def line(self) -> bytes:
        """The item as the API takes it; a verdict that cannot be read is left out."""
        prelabels = [
            {"model": model, "version": "recorded", "payload": {"choice": verdict}}
            for model, verdict in self.verdicts.items()
            if verdict != UNREADABLE
        ]
        item = {
            "external_id": self.external_id,
            "payload": self.payload,
            "prelabels": prelabels,
        }
        return json.dumps(item, ensure_ascii=False).encode()


def read(folder: Path) -> list[Comparison]:
    """The items in their order; SourceFaulty where files are missing or do not fit together."""
    rows = _rows(folder / ITEMS)
    judged = {judge.model: _verdicts(folder, judge) for judge in JUDGES}
    return [_comparison(row, judged) for row in rows]


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise SourceFaulty(f"{path} cannot be read: {fault}") from fault
    if not isinstance(rows, list) or not rows:
        raise SourceFaulty(f"{path} holds no list of items.")
    return rows


def _verdicts(folder: Path, judge: Judge) -> dict[int, str]:
    rows = _rows(folder / judge.file)
    return {row["idx"]: CHOICES.get(str(row[judge.field]), UNREADABLE) for row in rows}


def _comparison(row: Mapping[str, Any], judged: Mapping[str, Mapping[int, str]]) -> Comparison:
    try:
        number = int(row["idx"])
        choices = tuple(CHOICES[str(row[person])] for person in PEOPLE)
        verdicts = {model: verdicts[number] for model, verdicts in judged.items()}
        return Comparison(number, f"item-{number:04d}", _payload(row), choices, verdicts)
    except KeyError as missing:
        raise SourceFaulty(f"Item {row.get('idx')} has no usable {missing}.") from missing


def _payload(row: Mapping[str, Any]) -> dict[str, Any]:
    """Some responses are the JSON word true: they were meant as text."""
    asked = "\n\n".join(part for part in (row["instruction"], row["input"]) if part)
    # Some items are alike word for word; the number tells which one a person has in hand.
    origin = {"title": "Item", "content": str(row["idx"])}
    return {
        "messages": [{"role": "user", "content": asked}],
        "a": str(row["response1"]),
        "b": str(row["response2"]),
        "context": [origin],
    }


def number_of(payload: Mapping[str, Any]) -> int:
    """Which item a task's payload is."""
    return int(payload["context"][0]["content"])


def kappas_between(choices: Sequence[Sequence[str]]) -> list[float]:
    """Cohen's kappa of the people, two by two. choices: one sequence for each person."""
    pairs = [(i, j) for i in range(len(choices)) for j in range(i + 1, len(choices))]
    return [cohen_kappa(zip(choices[i], choices[j], strict=True)) or 0.0 for i, j in pairs]


def kappas_of_judges(
    items: Sequence[Comparison], majorities: Mapping[str, str | None]
) -> dict[str, float]:
    """Cohen's kappa of each judge and the people's majority. majorities: by external id."""
    return {
        judge.model: cohen_kappa(
            (majorities[item.external_id], item.verdicts[judge.model]) for item in items
        )
        or 0.0
        for judge in JUDGES
    }
