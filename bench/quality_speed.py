"""Time and peak memory of Dawid-Skene at 10k to 10M labels, beside crowd-kit's, same iterations.

Run `python -m bench.quality_speed [--labels N …] [--iterations N] [--seed N] [--peer-max N]`. The
labels are made up: ten classes, five labels a task, one author for every thousand labels. Each
measurement is a process of its own: the time is that of the fit alone, labels in memory, and the
memory is what the fit adds to what the labels took before. `pool` is the whole product of `fit`,
with the members that it affords at that size; it runs as many iterations as it wants.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bench.crowds import measured_on
from marketplace.quality.rules.categorical import fit
from marketplace.quality.rules.categorical.dawid_skene import DawidSkene
from marketplace.quality.rules.categorical.votes import Votes, maximise, posterior
from marketplace.quality.rules.crowd import Labels

CLASSES = 10
LABELS_A_TASK = 5
LABELS_AN_AUTHOR = 1_000
AUTHORS_MIN = 50


def made_up(count: int, seed: int) -> Labels:
    """So many labels of authors who are right seven times in ten in the mean."""
    rng = np.random.default_rng(seed)
    tasks, people = count // LABELS_A_TASK, max(AUTHORS_MIN, count // LABELS_AN_AUTHOR)
    task = np.repeat(np.arange(tasks, dtype=np.int32), LABELS_A_TASK)
    author = rng.integers(0, people, len(task), dtype=np.int32)
    truth = rng.integers(0, CLASSES, tasks, dtype=np.int32)
    label = truth[task]
    wrong = rng.random(len(task), dtype=np.float32) >= rng.beta(7, 3, people)[author]
    label[wrong] = rng.integers(0, CLASSES, int(wrong.sum()), dtype=np.int32)
    return Labels(task, author, label, tasks, people, CLASSES)


def ours(labels: Labels, iterations: int) -> None:
    """Our Dawid-Skene, from labels in memory to the posterior of every task."""
    votes = Votes(labels)
    model = DawidSkene(labels.label_count)
    start = votes.shares()
    done = maximise(votes, model, start, iterations=iterations, tolerance=0.0)
    posterior(votes, model, done)


def pool(labels: Labels, iterations: int) -> None:
    """The whole fit: pool, calibration, reliabilities."""
    del iterations
    fit(labels)


def peer(labels: Labels, iterations: int) -> Callable[[], None]:
    """crowd-kit's DawidSkene, its table made beforehand; a tolerance below any change."""
    import pandas as pd  # noqa: PLC0415  Only where crowd-kit is.
    from crowdkit.aggregation import DawidSkene as Theirs  # noqa: PLC0415

    table = pd.DataFrame({"task": labels.tasks, "worker": labels.authors, "label": labels.labels})
    table = table.drop_duplicates(["task", "worker"])
    return lambda: Theirs(n_iter=iterations, tol=-1e9).fit(table) and None


def of_process(name: str) -> float:
    """A line of /proc/self/status in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def one(who: str, count: int, iterations: int, seed: int) -> None:
    """Measure one in this process and print seconds, MB that it added at most, MB in all."""
    labels = made_up(count, seed)
    if who == "crowd-kit":
        run = peer(labels, iterations)
    else:
        method = {"ours": ours, "pool": pool}[who]

        def run() -> None:
            method(labels, iterations)

    # Writing 5 sets the peak that the kernel remembers back to what is held now.
    Path("/proc/self/clear_refs").write_text("5")
    before = of_process("VmRSS")
    began = time.perf_counter()
    run()
    print(time.perf_counter() - began, of_process("VmHWM") - before, of_process("VmHWM"))


def measure(who: str, count: int, iterations: int, seed: int) -> tuple[float, float, float] | None:
    """Seconds, MB added and MB in all, from a process of its own; None where that died."""
    asked = [sys.executable, "-m", "bench.quality_speed", "--one", who, "--labels", str(count)]
    asked += ["--iterations", str(iterations), "--seed", str(seed)]
    ended = subprocess.run(asked, capture_output=True, text=True, check=False)
    if ended.returncode:
        return None
    seconds, added, whole = map(float, ended.stdout.split())
    return seconds, added, whole


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--labels", nargs="*", type=int, default=[10**4, 10**5, 10**6, 10**7])
    asked.add_argument("--iterations", type=int, default=20)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--peer-max", type=int, default=10**6, help="labels crowd-kit is given")
    asked.add_argument("--one", choices=["ours", "pool", "crowd-kit"], help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.one:
        one(given.one, given.labels[0], given.iterations, given.seed)
        return
    print(f"{measured_on(given.seed)}; {given.iterations} iterations, {CLASSES} classes")
    names = ["ours", "pool"] + (["crowd-kit"] if find_spec("crowdkit") else [])
    print(
        f"{'labels':>12}{'method':>12}{'seconds':>10}{'MB added':>10}{'MB in all':>11}{'times':>8}"
    )
    for count in given.labels:
        first = 0.0
        for who in names:
            if who == "crowd-kit" and count > given.peer_max:
                continue
            found = measure(who, count, given.iterations, given.seed)
            if found is None:
                print(f"{count:>12,}{who:>12}         -  (it failed)")
                continue
            first = first or found[0]
            row = f"{count:>12,}{who:>12}{found[0]:>10.2f}{found[1]:>10.0f}{found[2]:>11.0f}"
            print(row + f"{found[0] / first:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
