"""Public crowds with known truth, and the line that says what a figure was measured on."""

from __future__ import annotations

import csv
import os
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from marketplace.quality.rules.crowd import UNKNOWN, Floats, Ints, Labels, Named

# The sets that the published comparison of models of authors used.
COMPARED = (
    "bluebird",
    "rte",
    "snow_temp",
    "dog",
    "product",
    "sp_amt",
    "cf_amt",
    "ms",
    "zc_in",
    "barzan",
    "llmbar_judges",
)


@dataclass(frozen=True, eq=False)
class Crowd:
    """Labels, the truth of each task (-1 unknown, -2 a truth that nobody said), and the rows."""

    name: str
    named: Named[str, str, str]
    truth: Ints

    @property
    def labels(self) -> Labels:
        """The labels in columns."""
        return self.named.labels

    def rows(self) -> list[tuple[str, str, str]]:
        """(task, worker, label) as names."""
        named, labels = self.named, self.labels
        return [
            (named.tasks[task], named.authors[author], named.values[label])
            for task, author, label in zip(labels.tasks, labels.authors, labels.labels, strict=True)
        ]


def folder() -> Path:
    """Where the crowds are; the command ends with a sentence where SAMPLE_DATA is not set."""
    given = os.environ.get("SAMPLE_DATA")
    if not given or not (Path(given) / "crowd").is_dir():
        sys.exit("SAMPLE_DATA is not set: it names the folder whose crowd/ holds the sets.")
    return Path(given) / "crowd"


def read(name: str) -> Crowd:
    """One set by the name of its folder."""
    place = folder() / name
    with (place / "labels.csv").open(newline="", encoding="utf-8-sig") as lines:
        rows = [(row["task"], row["worker"], row["label"]) for row in csv.DictReader(lines)]
    with (place / "truth.csv").open(newline="", encoding="utf-8-sig") as lines:
        truth = {row["task"]: row["label"] for row in csv.DictReader(lines)}
    named = Labels.of(rows)
    number = {value: at for at, value in enumerate(named.values)}
    known = [number.get(truth[task], -2) if task in truth else UNKNOWN for task in named.tasks]
    return Crowd(name, named, np.array(known, dtype=np.int32))


def accuracy(posterior: Floats, truth: Ints) -> float:
    """The share of tasks of known truth whose likeliest label is right, in per cent.

    Where several labels are equally likely each counts by its share.
    """
    known = truth != UNKNOWN
    top = np.isclose(posterior, posterior.max(1, keepdims=True), rtol=0, atol=1e-9)
    share = top / top.sum(1, keepdims=True)
    at = np.flatnonzero(truth >= 0)
    return float(100 * share[at, truth[at]].sum() / known.sum())


def measured_on(seed: int | None = None) -> str:
    """Machine, versions and seed in one line."""
    parts = [platform.machine(), f"{os.cpu_count()} cores", f"Python {platform.python_version()}"]
    for package in ("numpy", "scipy", "crowd-kit", "numba"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            parts.append(f"no {package}")
    return ", ".join(parts) + ("" if seed is None else f", seed {seed}")
