"""Online updates: microseconds a submission, and how near one pass comes to the batch.

Run `python -m bench.quality_online [--sets NAME …] [--repeats N] [--seed N]`. Labels arrive one by
one in a random order; each updates the posterior of its task and the counts of that task's authors
from a prior that knows nothing of the set. Shown: the accuracy of one pass, of that pass with every
task read again at the end by what is known of its authors then, and of the batch model alone; the
time is that of the median submission. SAMPLE_DATA names the folder of the sets.
"""

from __future__ import annotations

import argparse
import time
from statistics import mean, median

import numpy as np

from bench.crowds import COMPARED, Crowd, accuracy, measured_on, read
from marketplace.quality.rules import online
from marketplace.quality.rules.categorical import Prior, Settings, fit
from marketplace.quality.rules.crowd import Floats

BATCH = Settings(members=("dawid-skene",))


class Stream:
    """Everything that is kept between submissions."""

    def __init__(self, crowd: Crowd, prior: Prior) -> None:
        labels = crowd.labels
        k = labels.label_count
        self.crowd, self.prior = crowd, prior
        self.counts = np.zeros((labels.author_count, k, k))
        self.posterior = np.full((labels.task_count, k), 1 / k)
        self.votes: list[list[int]] = [[] for _ in range(labels.task_count)]
        self.microseconds: list[float] = []

    def take(self, vote: int) -> None:
        """One submission."""
        labels = self.crowd.labels
        task = int(labels.tasks[vote])
        seen = self.votes[task]
        before = self.posterior[task] if seen else None
        seen.append(vote)
        authors, said = labels.authors[seen], labels.labels[seen]
        began = time.perf_counter()
        after, counts = online.update(self.counts[authors], said, self.prior, before)
        self.microseconds.append((time.perf_counter() - began) * 1e6)
        self.counts[authors] = counts
        self.posterior[task] = after
        self.prior.classes[:] += after - (0 if before is None else before)

    def read_again(self) -> Floats:
        """Every task by what is known of its authors now."""
        labels = self.crowd.labels
        found = self.posterior.copy()
        for task, seen in enumerate(self.votes):
            if seen:
                authors, said = labels.authors[seen], labels.labels[seen]
                counts = self.counts[authors].copy()
                counts[np.arange(len(seen)), :, said] -= self.posterior[task]
                found[task] = online.posterior(np.maximum(counts, 0), said, self.prior)
        return found


def one_pass(crowd: Crowd, seed: int) -> tuple[float, float, list[float]]:
    """Accuracy of one pass, of one pass read again, and the microseconds of each submission."""
    stream = Stream(crowd, Prior.flat(crowd.labels.label_count))
    for vote in np.random.default_rng(seed).permutation(len(crowd.labels)):
        stream.take(int(vote))
    first = accuracy(stream.posterior, crowd.truth)
    return first, accuracy(stream.read_again(), crowd.truth), stream.microseconds


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sets", nargs="*", default=COMPARED)
    asked.add_argument("--repeats", type=int, default=3)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    print(measured_on(given.seed))
    heads = ("labels", "one pass", "read again", "batch", "median µs", "updates/s")
    print(f"{'set':<14}" + "".join(f"{head:>12}" for head in heads))
    kept: list[tuple[float, float, float]] = []
    for name in given.sets:
        crowd = read(name)
        runs = [one_pass(crowd, given.seed + turn) for turn in range(given.repeats)]
        batch = accuracy(fit(crowd.labels, settings=BATCH).posterior, crowd.truth)
        once, again = mean(run[0] for run in runs), mean(run[1] for run in runs)
        micros = [each for run in runs for each in run[2]]
        kept.append((once, again, batch))
        print(
            f"{name:<14}{len(crowd.labels):>12,}{once:>12.2f}{again:>12.2f}{batch:>12.2f}"
            f"{median(micros):>12.1f}{1e6 / median(micros):>12,.0f}",
            flush=True,
        )
    print(f"{'mean':<26}" + "".join(f"{mean(column):>12.2f}" for column in zip(*kept, strict=True)))


if __name__ == "__main__":
    main()
