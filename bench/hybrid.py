"""Accuracy against cost: specialists only, models only, and both in a pipeline.

Run `SAMPLE_DATA=… python -m bench.hybrid [--seeds N]`. On the crowd sets with judges that are
models it asks what a label set is worth for what specialists cost: the share of items that they
judge. The pipeline is the product's own (`rules.pipeline`, `rules.rounds`, `rules.joint`): what
models leave unsure goes first, a part of what may be spent audits the rest, and later rounds go
where the audit finds errors. Beside it stand specialists alone (what they do not judge gets the
commonest label) and models with specialists on items drawn at random. Each estimate's 90 %
interval is held against what specialists say. Nothing is timed; the same seeds give the same
figures.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules import pipeline, pipeline_report, rounds
from marketplace.quality.rules.crowd import Labels
from marketplace.quality.rules.joint import Joint, Said, joint
from marketplace.quality.rules.pipeline import Plan, Policy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
AUDIT_OF_BUDGET = 0.3
SLIPS = 0.05  # How often a made-up specialist is wrong, where a set has no people.


@dataclass(frozen=True, eq=False)
class Crowd:
    """A set: what models said (item, model, label), what people said, the truth and slices."""

    name: str
    models: list[tuple[int, int, int]]
    model_count: int
    people: list[list[tuple[int, int]]]
    truth: Ints
    label_count: int
    slices: Ints

    @property
    def size(self) -> int:
        return len(self.truth)

    def said(self, seen: Flags, chances: Floats | None = None) -> Said:
        """What models say of all items, and one person of each that is seen, with the chance that
        it had to be."""
        votes = list(self.models)
        people = 1 + max(person for given in self.people for person, _ in given)
        for item in np.flatnonzero(seen).tolist():
            person, label = self.people[item][0]
            votes.append((item, self.model_count + person, label))
        columns = np.array(votes, dtype=np.int32).reshape(-1, 3).T
        authors = self.model_count + people
        labels = Labels(
            np.ascontiguousarray(columns[0]), np.ascontiguousarray(columns[1]),
            np.ascontiguousarray(columns[2]), self.size, authors, self.label_count,
        )  # fmt: skip
        is_human = np.arange(authors) >= self.model_count
        weights = None if chances is None else 1 / np.where(seen, chances, 1.0)
        return Said(labels, np.full(len(votes), np.nan), is_human, weights)


def read(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


def pandalm(folder: Path, seed: int) -> Crowd:
    """Two judges; three people, of whom one is asked, at random; the truth is their majority."""
    truth = read(folder / "pandalm" / "truth.csv")
    items = {row[0]: at for at, row in enumerate(truth)}
    judges: dict[str, int] = {}
    said = [
        (items[task], judges.setdefault(judge, len(judges)), int(label))
        for task, judge, label in read(folder / "pandalm" / "judges.csv")
        if label in {"0", "1", "2"}
    ]
    people: list[list[tuple[int, int]]] = [[] for _ in items]
    for task, person, label in read(folder / "pandalm" / "labels.csv"):
        people[items[task]].append((int(person[-1]) - 1, int(label)))
    rng = np.random.default_rng(seed)
    shuffled = [[given[at] for at in rng.permutation(len(given))] for given in people]
    right = np.array([int(row[1]) for row in truth], dtype=np.int32)
    flat = np.zeros(len(items), dtype=np.int32)
    return Crowd("pandalm", said, len(judges), shuffled, right, 3, flat)


def llmbar(folder: Path, seed: int) -> Crowd:
    """Ten of the judges, drawn; a made-up specialist who slips now and then; slices by source."""
    truth = read(folder / "llmbar_judges" / "truth.csv")
    items = {row[0]: at for at, row in enumerate(truth)}
    rows = read(folder / "llmbar_judges" / "labels.csv")
    rng = np.random.default_rng(seed)
    drawn = rng.choice(sorted({row[1] for row in rows}), 10, replace=False).tolist()
    judges = {name: at for at, name in enumerate(drawn)}
    said = [
        (items[task], judges[judge], int(label) - 1)
        for task, judge, label in rows
        if judge in judges and label in {"1", "2"}
    ]
    right = np.array([int(row[1]) - 1 for row in truth], dtype=np.int32)
    given = np.where(rng.random(len(right)) < SLIPS, 1 - right, right)
    sources = sorted({row[0].rpartition("/")[0] for row in truth})
    slices = np.array([sources.index(row[0].rpartition("/")[0]) for row in truth], dtype=np.int32)
    return Crowd(
        "llmbar, ten judges", said, 10, [[(0, int(one))] for one in given], right, 2, slices
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one way makes of a budget. accuracy: of the labels; estimate: of the models alone."""

    accuracy: float
    sent: int
    covered: bool | None = None


def labels_of(found: Joint, seen: Flags) -> Ints:
    best = [chances.argmax(axis=1) for chances in (found.together, found.alone)]
    return np.asarray(np.where(seen, *best), dtype=np.int32)


def by_pipeline(crowd: Crowd, budget: int, seed: int) -> Outcome:
    """The product's policy with a target that leaves nothing sure, so that the budget is spent."""
    nobody = np.zeros(crowd.size, dtype=np.bool_)
    found = joint(crowd.said(nobody))
    if not budget:
        return Outcome(float((found.alone.argmax(axis=1) == crowd.truth).mean()), 0)
    first_part = max(1, budget // 2)
    policy = Policy(0.97, AUDIT_OF_BUDGET * first_part / crowd.size, first_part)
    plan = pipeline.first(found.alone.max(axis=1), crowd.slices, policy, seed=seed)
    whole = Policy(0.97, policy.audit_ratio, budget, rounds_max=6)
    for number in range(2, 7):
        found = joint(crowd.said(~plan.alone, plan.inclusion))
        right = _right(found, ~plan.alone)
        looked = rounds.looked_at(
            plan, crowd.slices, right, whole.target, slice_count=int(crowd.slices.max()) + 1
        )
        plan, _ = rounds.further(
            plan, found.alone.max(axis=1), crowd.slices, looked, whole,
            round_number=number, seed=seed,
        )  # fmt: skip
    found = joint(crowd.said(~plan.alone, plan.inclusion))
    labels = labels_of(found, ~plan.alone)
    return Outcome(float((labels == crowd.truth).mean()), plan.sent, _covers(crowd, found, plan))


def _right(found: Joint, seen: Flags) -> Floats:
    agrees = found.alone.argmax(axis=1) == found.together.argmax(axis=1)
    return np.where(seen, agrees.astype(np.float64), np.nan)


def _covers(crowd: Crowd, found: Joint, plan: Plan) -> bool | None:
    """Whether the interval of the models' accuracy holds what specialists would say of them all."""
    right = _right(found, ~plan.alone)
    if plan.sent == crowd.size:
        return None
    told, _ = pipeline_report.accuracy_of(plan, right, found.alone.max(axis=1))
    if told is None:
        return None
    said = np.array([given[0][1] for given in crowd.people])
    whole = float((found.alone.argmax(axis=1) == said).mean())
    return bool(told["lower"] <= whole <= told["upper"])


def at_random(crowd: Crowd, budget: int, seed: int) -> Outcome:
    """Models, and specialists on items that are drawn."""
    seen = np.zeros(crowd.size, dtype=np.bool_)
    seen[np.random.default_rng(seed).permutation(crowd.size)[:budget]] = True
    labels = labels_of(joint(crowd.said(seen)), seen)
    return Outcome(float((labels == crowd.truth).mean()), budget)


def by_people(crowd: Crowd, budget: int, seed: int) -> Outcome:
    """Specialists alone; what they do not see gets the label that they give most."""
    seen = np.random.default_rng(seed).permutation(crowd.size)[:budget]
    said = np.array([given[0][1] for given in crowd.people])
    common = np.bincount(said[seen], minlength=crowd.label_count).argmax() if budget else 0
    labels = np.full(crowd.size, common)
    labels[seen] = said[seen]
    return Outcome(float((labels == crowd.truth).mean()), budget)


WAYS: dict[str, Callable[[Crowd, int, int], Outcome]] = {
    "specialists": by_people,
    "random": at_random,
    "pipeline": by_pipeline,
}


def table(make: Callable[[Path, int], Crowd], folder: Path, seeds: int) -> None:
    """Print the accuracy at each budget, means over seeds, and the curve."""
    crowds = [make(folder, seed) for seed in range(seeds)]
    crowd = crowds[0]
    print(f"\n{crowd.name}: {crowd.size} items, {crowd.model_count} models")
    print(f"{'budget':>7} {'specialists only':>17} {'random + models':>16} {'pipeline':>9} "
          f"{'sent':>6} {'covers':>7}")  # fmt: skip
    curve = []
    for share in SHARES:
        budget = round(share * crowd.size)
        told = {
            name: [way(each, budget, seed) for seed, each in enumerate(crowds)]
            for name, way in WAYS.items()
        }
        means = {
            name: float(np.mean([one.accuracy for one in all_])) for name, all_ in told.items()
        }
        covers = [one.covered for one in told["pipeline"] if one.covered is not None]
        held = f"{np.mean(covers):7.0%}" if covers else f"{'-':>7}"
        sent = float(np.mean([one.sent for one in told["pipeline"]]))
        print(f"{share:7.0%} {means['specialists']:17.3f} {means['random']:16.3f} "
              f"{means['pipeline']:9.3f} {sent:6.0f} {held}")  # fmt: skip
        curve.append((share, means["pipeline"], means["specialists"]))
    draw(curve)


def draw(curve: Sequence[tuple[float, float, float]]) -> None:
    """The curve in letters: p the pipeline, s specialists alone, x where both stand."""
    low = min(min(p, s) for _, p, s in curve)
    high = max(max(p, s) for _, p, s in curve)
    for share, mixed, alone in curve:
        line = [" "] * 61
        for value, letter in ((alone, "s"), (mixed, "p")):
            at = round((value - low) / ((high - low) or 1) * 60)
            line[at] = "x" if line[at] != " " else letter
        print(f"{share:7.0%} |{''.join(line)}|")
    print(f"{'':8}{low:<10.3f}{'accuracy of the labels':^42}{high:>10.3f}")


def main() -> None:
    """Print both sets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    asked = parser.parse_args()
    place = os.environ.get("SAMPLE_DATA")
    if not place or not (Path(place) / "crowd").is_dir():
        sys.exit("Skipped: SAMPLE_DATA names no folder with crowd sets.")
    print(f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, "
          f"{asked.seeds} seeds from 0")  # fmt: skip
    for make in (pandalm, llmbar):
        table(make, Path(place) / "crowd", asked.seeds)


if __name__ == "__main__":
    main()
