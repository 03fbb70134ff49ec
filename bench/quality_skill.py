"""How well the skill of newcomers is known after five and ten labels, on real crowds.

Run `python -m bench.quality_skill [--sets NAME …] [--labels N …] [--repeats N] [--seed N]`. A
quarter of the authors with enough labels of known truth become newcomers: all but so many of their
labels are taken away, the rest is fitted without gold, and their reliability is held against the
share of the labels taken away that were right. That share is itself known from few labels, so the
error is shown as measured and with the variance of that share taken off. Beside it the error of
agreement with the majority, and how often the 90 % interval held the share.
SAMPLE_DATA names the folder of the sets.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from bench.crowds import COMPARED, Crowd, measured_on, read
from marketplace.quality.rules.categorical import fit
from marketplace.quality.rules.crowd import Floats, Ints, Labels

HELD_MIN = 30
NEWCOMERS = 0.25
# Columns of a newcomer: true share, its labels, estimate, lower, upper, agreement with majority.
TRUTH, HELD, MEAN, LOWER, UPPER, MAJORITY = range(6)


def newcomers(crowd: Crowd, size: int, seed: int) -> Iterator[tuple[float, ...]]:
    """The columns above for each author who became a newcomer of `size` labels."""
    rng, labels = np.random.default_rng(seed), crowd.labels
    truth = crowd.truth[labels.tasks]
    known = np.bincount(labels.authors[truth >= 0], minlength=labels.author_count)
    able = np.flatnonzero(known >= size + HELD_MIN)
    if not len(able):
        return
    chosen = rng.choice(able, max(1, int(NEWCOMERS * len(able))), replace=False)
    kept = np.ones(len(labels), dtype=np.bool_)
    shares = []
    for author in chosen:
        own = rng.permutation(np.flatnonzero(labels.authors == author))
        kept[own[size:]] = False
        held = own[size:][truth[own[size:]] >= 0]
        shares.append((float((labels.labels[held] == truth[held]).mean()), float(len(held))))
    rest = part(labels, np.flatnonzero(kept))
    found, agreed = fit(rest), with_majority(rest)
    for author, (share, count) in zip(chosen, shares, strict=True):
        told = found.reliability[author], found.lower[author], found.upper[author]
        yield share, count, *(float(each) for each in told), float(agreed[author])


def part(labels: Labels, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Labels:
    """The labels of these rows, of as many tasks, authors and classes as before."""
    sizes = labels.task_count, labels.author_count, labels.label_count
    return Labels(labels.tasks[rows], labels.authors[rows], labels.labels[rows], *sizes)


def with_majority(labels: Labels) -> Floats:
    """Each author's share of labels that the most frequent label of the task shares."""
    cells: Ints = np.zeros((labels.task_count, labels.label_count), dtype=np.int32)
    np.add.at(cells, (labels.tasks, labels.labels), 1)
    agrees = cells.argmax(1)[labels.tasks] == labels.labels
    said = np.bincount(labels.authors, minlength=labels.author_count)
    found: Floats = np.bincount(labels.authors, agrees, labels.author_count) / np.maximum(said, 1)
    return found


def row(name: str, size: int, people: Floats) -> str:
    """One line of the table."""
    truth, mean = people[:, TRUTH], people[:, MEAN]
    error = float(((mean - truth) ** 2).mean())
    # A share of n labels strays by p (1 - p) / n; n - 1 makes its estimate unbiased.
    chance = float((truth * (1 - truth) / (people[:, HELD] - 1)).mean())
    plain = float(((people[:, MAJORITY] - truth) ** 2).mean())
    within = float(((people[:, LOWER] <= truth) & (truth <= people[:, UPPER])).mean())
    figures = (error**0.5, max(error - chance, 0) ** 0.5, plain**0.5)
    line = f"{name:<14}{size:>7}{len(people):>8}" + "".join(f"{each:>11.4f}" for each in figures)
    return line + f"{float((mean - truth).mean()):>+9.3f}{within:>9.1%}"


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sets", nargs="*", default=COMPARED)
    asked.add_argument("--labels", nargs="*", type=int, default=[5, 10])
    asked.add_argument("--repeats", type=int, default=2)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    print(measured_on(given.seed))
    print(f"{'set':<14}{'labels':>7}{'people':>8}{'RMSE':>11}{'less noise':>11}", end="")
    print(f"{'majority':>11}{'bias':>9}{'within':>9}")
    crowds = [read(name) for name in given.sets]
    for size in given.labels:
        everybody = []
        for crowd in crowds:
            seeds = range(given.seed, given.seed + given.repeats)
            people = [each for seed in seeds for each in newcomers(crowd, size, seed)]
            if people:
                everybody += people
                print(row(crowd.name, size, np.array(people)), flush=True)
        print(row("all", size, np.array(everybody)))


if __name__ == "__main__":
    main()
