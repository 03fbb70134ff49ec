"""Gold corrupted by authors of known error rates, and the vote that knows them."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np

from marketplace.quality.rules.matching import Settled
from marketplace.tasktypes import Mark

Tasks = Mapping[Hashable, Sequence[Mark]]
# Chances that an author misses a mark, mistakes its label, adds one, and slips at an edge.
AUTHORS = (
    (0.05, 0.03, 0.05, 0.05),
    (0.1, 0.05, 0.1, 0.1),
    (0.1, 0.1, 0.1, 0.1),
    (0.2, 0.1, 0.15, 0.1),
    (0.45, 0.3, 0.4, 0.2),
)
RARE = 0.03


def span(start: int, end: int, label: str = "COURT", name: str = "s") -> Mark:
    return Mark("spans", name, label, (start, end))


def box(x: float, y: float, width: float, height: float, label: str = "cell") -> Mark:
    return Mark("regions", "r", label, {"kind": "box", "box": [x, y, width, height]})


def slipped(source: np.random.Generator, mark: Mark, size: int) -> Mark:
    by = int(source.integers(1, size + 1)) * int(source.choice([-1, 1]))
    if isinstance(mark.place, tuple):
        start, end = mark.place
        moved = (max(0, min(start + by, end - 1)), end)
        return Mark(mark.group, mark.name, mark.label, moved)
    x, y, width, height = mark.place["box"]
    return Mark(
        mark.group, mark.name, mark.label, {"kind": "box", "box": [x + by, y, width, height]}
    )


def corrupted(
    gold: Tasks, seed: int, added: Callable[[np.random.Generator, Sequence[Mark]], Mark]
) -> dict[Hashable, dict[Hashable, list[Mark]]]:
    """What five authors of known error rates mark; additions stand in places of their own."""
    source = np.random.default_rng(seed)
    labels = sorted({str(mark.label) for marks in gold.values() for mark in marks})
    found: dict[Hashable, dict[Hashable, list[Mark]]] = {}
    for task, marks in gold.items():
        found[task] = {}
        for author, (miss, mistake, add, slip) in enumerate(AUTHORS):
            mine = []
            for at, mark in enumerate(marks):
                if source.random() < miss:
                    continue
                label = str(source.choice(labels)) if source.random() < mistake else mark.label
                seen = Mark(mark.group, str(at), label, mark.place)
                mine.append(slipped(source, seen, 3) if source.random() < slip else seen)
            mine += [added(source, marks) for _ in marks if source.random() < add]
            found[task][author] = mine
    return found


def oracle(gold: Tasks, seen: Mapping[Hashable, Mapping[Hashable, Sequence[Mark]]]) -> float:
    """F1 of a vote that knows which marks are one thing and how often each author errs."""
    labels = len({mark.label for marks in gold.values() for mark in marks})
    right = kept = 0
    for task, marks in gold.items():
        for at, mark in enumerate(marks):
            said = [
                {each.label for each in seen[task][author] if each.name == str(at)}
                for author in range(len(AUTHORS))
            ]
            score: dict[Hashable, float] = dict.fromkeys([mark.label, *set().union(*said)], 0.0)
            score[""] = 0.0
            for (miss, mistake, _, _), names in zip(AUTHORS, said, strict=True):
                wrong = mistake / labels
                for label in score:
                    named = 1 - mistake + wrong if label in names else wrong
                    there = (1 - miss) * named if names else miss
                    # Two additions never fall on one place, so nobody but a finder marks it.
                    absent = RARE if names else 1 - RARE
                    score[label] += float(np.log(absent if label == "" else there))
            best = max(score, key=score.__getitem__)
            kept += best != ""
            right += best == mark.label
    return 2 * right / (kept + sum(map(len, gold.values())))


def by_task(found: Sequence[Settled]) -> dict[Hashable, list[Mark]]:
    result: dict[Hashable, list[Mark]] = {}
    for each in found:
        result.setdefault(each.task, []).append(each.mark)
    return result


def somewhere(source: np.random.Generator, marks: Sequence[Mark]) -> Mark:
    start = int(source.integers(5_000, 50_000))
    return Mark("spans", "added", marks[0].label, (start, start + int(source.integers(3, 20))))


def anywhere(source: np.random.Generator, marks: Sequence[Mark]) -> Mark:
    x, y = source.uniform(0, 600, 2)
    place = {"kind": "box", "box": [float(x), float(y) + 1_000, 40.0, 40.0]}
    return Mark("regions", "added", marks[0].label, place)


def legal_entities(folder: Path) -> dict[Hashable, list[Mark]]:
    lines = (folder / "indian_legal_ner" / "dev.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {
        row["id"]: [span(start, end, label) for start, end, label in row["label"]]
        for row in rows
        if row["label"]
    }


def blood_cells(folder: Path) -> dict[Hashable, list[Mark]]:
    coco = json.loads((folder / "bccd" / "instances_coco.json").read_text("utf-8"))
    found: dict[Hashable, list[Mark]] = {}
    for each in coco["annotations"]:
        x, y, width, height = each["bbox"]
        mark = box(x, y, width, height, str(each["category_id"]))
        found.setdefault(each["image_id"], []).append(mark)
    return found
