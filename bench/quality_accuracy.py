"""Accuracy, log-loss and calibration on real crowds, beside crowd-kit's methods in the same run.

Run `python -m bench.quality_accuracy [--sets NAME …] [--gold SHARE …] [--repeats N] [--seed N]
[--peers NAME …]`. Without gold first, then with shares of the truth as gold, scored on the rest;
crowd-kit's DawidSkene takes gold too. `±` is the standard error of our accuracy over the random
choices of gold. Confidence counts: log-loss in nats, ECE over fifteen bins.
What a method cannot do is shown as `-`. SAMPLE_DATA names the folder of the sets.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench.crowds import COMPARED, Crowd, accuracy, measured_on, read
from marketplace.quality.rules import calibration
from marketplace.quality.rules.categorical import fit
from marketplace.quality.rules.crowd import UNKNOWN, Floats, Ints

PEERS = (
    "MajorityVote",
    "Wawa",
    "ZeroBasedSkill",
    "DawidSkene",
    "OneCoinDawidSkene",
    "GLAD",
    "MACE",
)
WITH_GOLD = ("DawidSkene", "OneCoinDawidSkene")
OURS = "marketplace"
Figures = tuple[float, float, float]


def scored(posterior: Floats, truth: Ints) -> Figures:
    """Accuracy in per cent, log-loss, calibration error."""
    known = np.where(truth == -2, UNKNOWN, truth).astype(np.int32)
    loss = calibration.log_loss(posterior, known)
    return accuracy(posterior, truth), loss, calibration.expected_error(posterior, known)


def ours(crowd: Crowd, gold: Ints) -> Floats:
    """Our posterior."""
    return fit(crowd.labels, gold=gold).posterior


def peer(name: str) -> Callable[[Crowd, Ints], Floats | None]:
    """A method of crowd-kit as a function to a posterior; None where it fails."""

    def run(crowd: Crowd, gold: Ints) -> Floats | None:
        import pandas as pd  # noqa: PLC0415  Only where crowd-kit is.
        from crowdkit import aggregation  # noqa: PLC0415

        votes = pd.DataFrame(crowd.rows(), columns=["task", "worker", "label"])
        method: Any = getattr(aggregation, name)()
        named = crowd.named
        truths = {named.tasks[at]: named.values[gold[at]] for at in np.flatnonzero(gold != UNKNOWN)}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if truths:
                    shares = method.fit(votes, pd.Series(truths)).probas_
                else:
                    shares = method.fit_predict_proba(votes)
        # A peer that breaks is a finding of this comparison, not its end.
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as fault:
            print(f"  {name} on {crowd.name}: {type(fault).__name__}")
            return None
        table = shares.reindex(index=named.tasks, columns=named.values).fillna(0.0)
        found: Floats = table.to_numpy(dtype=np.float64)
        return found

    return run


def some_gold(truth: Ints, share: float, seed: int) -> Ints:
    """A share of the known truths, the rest unknown."""
    known = np.flatnonzero(truth >= 0)
    told = np.full(len(truth), UNKNOWN, dtype=np.int32)
    size = round(share * len(known))
    if size:
        chosen = np.random.default_rng(seed).choice(known, size, replace=False)
        told[chosen] = truth[chosen]
    return told


def measure(
    crowd: Crowd, run: Callable[[Crowd, Ints], Floats | None], share: float, seeds: range
) -> tuple[Figures, float] | None:
    """Mean figures over random choices of gold, on the tasks that were not gold.

    Beside them the standard error of the accuracy, 0 where there was one choice.
    """
    found = []
    for seed in seeds if share else seeds[:1]:
        gold = some_gold(crowd.truth, share, seed)
        posterior = run(crowd, gold)
        if posterior is None:
            return None
        rest = np.where(gold != UNKNOWN, UNKNOWN, crowd.truth).astype(np.int32)
        found.append(scored(posterior, rest))
    one, two, three = np.mean(found, axis=0)
    spread = np.std([right for right, _, _ in found], ddof=1) if len(found) > 1 else 0.0
    return (float(one), float(two), float(three)), float(spread / np.sqrt(len(found)))


def table(crowds: list[Crowd], share: float, seeds: range, peers: Sequence[str]) -> None:
    """Print one table: a row a set, a column a method."""
    methods: dict[str, Callable[[Crowd, Ints], Floats | None]] = {OURS: ours}
    methods |= {name: peer(name) for name in peers if not share or name in WITH_GOLD}
    print(f"\n{share:.0%} gold: accuracy, log-loss, calibration error")
    print(f"{'set':<14}" + "".join(f"{name:>20}" for name in methods))
    kept: dict[str, list[Figures | None]] = {name: [] for name in methods}
    for crowd in crowds:
        row, error = f"{crowd.name:<14}", 0.0
        for name, run in methods.items():
            measured = measure(crowd, run, share, seeds)
            figures = measured[0] if measured else None
            kept[name].append(figures)
            row += cell(figures)
            if name == OURS and measured:
                error = measured[1]
        print(row + (f"  ±{error:.2f}" if error else ""), flush=True)
    row = f"{'mean':<14}"
    for each in kept.values():
        whole = [figures for figures in each if figures is not None]
        row += cell(tuple(np.mean(whole, axis=0))) if len(whole) == len(each) else cell(None)
    print(row)


def cell(figures: tuple[float, ...] | None) -> str:
    """Three figures in twenty characters."""
    if figures is None:
        return f"{'-':>20}"
    right, loss, error = figures
    return f"{right:>8.2f}{loss:>6.2f}{error:>6.3f}"


def main() -> None:
    """Print the tables."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sets", nargs="*", default=COMPARED)
    asked.add_argument("--gold", nargs="*", type=float, default=[0.0, 0.05, 0.1])
    asked.add_argument("--repeats", type=int, default=10)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument(
        "--peers", nargs="*", default=PEERS, help="methods of crowd-kit; none: no one"
    )
    given = asked.parse_args()
    peers = given.peers if find_spec("crowdkit") else []
    print(measured_on(given.seed) + ("" if peers else "; without crowd-kit"))
    crowds = [read(name) for name in given.sets]
    for share in given.gold:
        seeds = range(given.seed, given.seed + given.repeats)
        table(crowds, share, seeds, peers)


if __name__ == "__main__":
    main()
