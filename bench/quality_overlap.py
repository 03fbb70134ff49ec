"""Adaptive overlap replayed on real crowds: accuracy against labels bought, beside fixed overlap.

Run `python -m bench.quality_overlap [--sets NAME …] [--repeats N] [--seed N]`. Every task starts
with three labels; in each round all labels so far are fitted and calibrated, and a task gets its
next label only while the expected gain is worth the price. The labels of a task come in a random
order. Fixed overlap buys the same number for every task; it is read by the same models. Shown for
each set: the curve, and the labels that each way needs to come within half a point of what all
labels together reach. SAMPLE_DATA names the folder of the sets.
"""

from __future__ import annotations

import argparse
from statistics import median

import numpy as np
import numpy.typing as npt

from bench.crowds import COMPARED, Crowd, accuracy, measured_on, read
from marketplace.quality.rules import overlap
from marketplace.quality.rules.categorical import Fit, Settings, fit
from marketplace.quality.rules.crowd import UNKNOWN, Ints, Labels

# At a price that no gain is worth each task has its least overlap, which begins the curve where
# fixed overlap of that size lies; at a price of nothing every label is bought, which ends the
# curve where fixed overlap ends.
PRICES = (1.0, 0.02, 0.01, 0.005, 0.0025, 0.0012, 0.0006, 0.0003, 0.0001, 0.00003, 0.0)
SETTINGS = Settings(iterations=25, tolerance=1e-3, members=("dawid-skene", "subtypes"))
SHORT_OF_ALL = 0.5
Curve = list[tuple[float, float]]


def fitted(labels: Labels, chosen: npt.NDArray[np.bool_]) -> Fit:
    """A fit of the labels at the places in `chosen` (bool[n])."""
    part = Labels(
        labels.tasks[chosen],
        labels.authors[chosen],
        labels.labels[chosen],
        labels.task_count,
        labels.author_count,
        labels.label_count,
    )
    return fit(part, settings=SETTINGS)


def turns(labels: Labels, rng: np.random.Generator) -> Ints:
    """For each label its place in the random order of its task's labels, from 0."""
    order = np.lexsort((rng.random(len(labels)), labels.tasks))
    counted = np.bincount(labels.tasks, minlength=labels.task_count)
    starts = np.repeat(np.cumsum(counted) - counted, counted)
    found = np.empty(len(labels), dtype=np.int32)
    found[order] = np.arange(len(labels)) - starts
    return found


def adaptive(crowd: Crowd, turn: Ints, price: float) -> tuple[float, float]:
    """Labels a task and accuracy in per cent when labels are bought at this price of a task."""
    labels = crowd.labels
    had = np.bincount(labels.tasks, minlength=labels.task_count)
    taken = np.minimum(had, overlap.LEAST)
    while True:
        found = fitted(labels, turn < taken[labels.tasks])
        gain = overlap.gains(found.posterior, overlap.next_author(found), had - taken)
        wanted = (gain >= price) & (taken < had)
        if not wanted.any():
            return float(taken.mean()), accuracy(found.posterior, crowd.truth)
        # Where tasks have very many labels, later rounds buy several at once.
        taken = np.minimum(had, taken + wanted * (1 + taken // 12))


def fixed(crowd: Crowd, turn: Ints, most: int) -> Curve:
    """The same for every fixed overlap up to all labels."""
    labels = crowd.labels
    had = np.bincount(labels.tasks, minlength=labels.task_count)
    sizes = sorted(
        {*range(1, min(most, 12) + 1), *range(14, min(most, 40), 2), *range(40, most, 20), most}
    )
    found = []
    for size in sizes:
        posterior = fitted(labels, turn < size).posterior
        found.append((float(np.minimum(had, size).mean()), accuracy(posterior, crowd.truth)))
    return found


def needed(curve: Curve, target: float, most: float) -> float:
    """The fewest labels a task at which the curve reaches the target, between its points.

    All labels where it never does.
    """
    before: tuple[float, float] | None = None
    for labels, reached in sorted(curve):
        if reached >= target:
            if before is None:
                return labels
            share = (target - before[1]) / max(reached - before[1], 1e-9)
            return before[0] + share * (labels - before[0])
        before = (labels, reached)
    return most


def replay(crowd: Crowd, repeats: int, seed: int) -> tuple[Curve, Curve, float]:
    """Mean curves of adaptive and fixed overlap, and the accuracy of all labels."""
    most = int(np.bincount(crowd.labels.tasks).max())
    rng = np.random.default_rng(seed)
    bought, same = [], []
    for _ in range(repeats):
        turn = turns(crowd.labels, rng)
        bought.append([adaptive(crowd, turn, price) for price in PRICES])
        same.append(fixed(crowd, turn, most))
    means = [[(float(a), float(b)) for a, b in np.mean(each, axis=0)] for each in (bought, same)]
    return means[0], means[1], means[1][-1][1]


def told(curve: Curve) -> str:
    """A curve as labels:accuracy."""
    return "  ".join(f"{labels:.1f}:{reached:.1f}" for labels, reached in curve)


def main() -> None:
    """Print the curves and the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sets", nargs="*", default=COMPARED)
    asked.add_argument("--repeats", type=int, default=2)
    asked.add_argument("--seed", type=int, default=7)
    given = asked.parse_args()
    print(measured_on(given.seed))
    table, savings = [], []
    for name in given.sets:
        crowd = read(name)
        counted = np.bincount(crowd.labels.tasks)
        if counted.mean() < overlap.LEAST + 1 or (crowd.truth == UNKNOWN).all():
            print(f"\n{name}: {counted.mean():.1f} labels a task leave nothing to save")
            continue
        ours, same, everything = replay(crowd, given.repeats, given.seed)
        target = everything - SHORT_OF_ALL
        at, instead = (needed(each, target, float(counted.mean())) for each in (ours, same))
        saved = 1 - at / counted.mean()
        savings.append(saved)
        print(f"\n{name}\n  adaptive {told(ours)}\n  fixed    {told(same)}")
        table.append(
            f"{name:<16}{counted.mean():>8.1f}{everything:>10.1f}{at:>10.1f}{instead:>8.1f}"
            f"{saved:>9.0%}{1 - at / instead:>12.0%}"
        )
    print(f"\n{'set':<16}{'labels':>8}{'accuracy':>10}{'adaptive':>10}{'fixed':>8}", end="")
    print(f"{'saved':>9}{'than fixed':>12}")
    print("\n".join(table))
    if savings:
        print(f"median saving {median(savings):.0%}")


if __name__ == "__main__":
    main()
