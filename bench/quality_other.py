"""The statistics beside the categorical ones: scores, comparisons, marks, agreement, integrity.

Run `python -m bench.quality_other [--draws N] [--only PART …]`. Each figure stands beside what
it must reach or what was published for the set. Wrongdoers, rings and errors are injected, since
no set says who they were; how is written in tests/quality/injected.py and corrupted.py.
SAMPLE_DATA names the folder of the sets.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from bench.crowds import folder, measured_on, read
from marketplace.quality.rules import categorical
from marketplace.quality.rules.agreement import Rows, ac1, alpha, fleiss
from marketplace.quality.rules.comparisons import Comparisons, bradley_terry
from marketplace.quality.rules.crowd import Labels
from marketplace.quality.rules.integrity import (
    Answers,
    collusion,
    information,
    signature,
)
from marketplace.quality.rules.matching import f1, settled
from marketplace.quality.rules.ordinal import Method, Scores, estimate
from tests.quality import corrupted
from tests.quality.injected import area, with_rings, with_spam

CROWDS = ("barzan", "bluebird", "cf_amt", "dog", "rte", "snow_temp", "sp_amt", "zc_in")


def table(name: str, file: str) -> list[dict[str, str]]:
    with (folder() / name / file).open(newline="", encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def scores(draws: int) -> None:
    """n_emotion: mean absolute error without gold, and with a tenth of it, over the rest."""
    rows, known = table("n_emotion", "labels.csv"), table("n_emotion", "truth.csv")
    truth = np.array([float(row["label"]) for row in known])
    tasks = {row["task"]: at for at, row in enumerate(known)}
    people = {name: at for at, name in enumerate(sorted({row["worker"] for row in rows}))}
    seen = Scores(
        np.array([tasks[row["task"]] for row in rows], np.int32),
        np.array([people[row["worker"]] for row in rows], np.int32),
        np.array([float(row["label"]) for row in rows]),
        len(tasks),
        len(people),
    )
    order = [seen.values[seen.tasks == at] for at in range(len(tasks))]
    median = np.abs(np.array([np.median(each) for each in order]) - truth).mean()
    print("\nn_emotion, mean absolute error (published: mean 12.02, median 13.53, CATD 16.36)")
    print(f"  median {median:.2f}")
    for method in (None, Method.MEAN, Method.UNBIASED):
        found = estimate(seen, method=method)
        print(f"  {method or 'ours, no gold':14} {np.abs(found.value - truth).mean():.2f}")
    for chosen in (None, *Method):
        errors = []
        for seed in range(draws):
            gold = np.full(len(truth), np.nan)
            shown = np.random.default_rng(seed).permutation(len(truth))[: len(truth) // 10]
            gold[shown] = truth[shown]
            value = estimate(seen, gold=gold, method=chosen).value
            errors.append(np.abs(value - truth)[np.isnan(gold)].mean())
        named = chosen or "ours (target 11.90)"
        print(f"  10 % gold, {named:20} {np.mean(errors):.2f} over {draws} draws")


def comparisons(_draws: int) -> None:
    """passage_pairs: the share of pairs of unequal grade that are in the right order."""
    rows, known = table("passage_pairs", "pairs.csv"), table("passage_pairs", "truth.csv")
    truth = np.array([float(row["score"]) for row in known])
    items = {row["item"]: at for at, row in enumerate(known)}
    people = {name: at for at, name in enumerate(sorted({row["worker"] for row in rows}))}
    seen = Comparisons(
        np.array([items[row["left"]] for row in rows], np.int32),
        np.array([items[row["right"]] for row in rows], np.int32),
        np.array([people[row["worker"]] for row in rows], np.int32),
        np.array([1 if row["label"] == row["left"] else -1 for row in rows], np.int8),
        len(items),
        len(people),
    )
    found = bradley_terry(seen)
    apart = found.score[:, None] - found.score
    higher = (truth[:, None] - truth) > 0
    right = ((apart > 0) & higher).sum() / higher.sum()
    print("\npassage_pairs, pair accuracy (published: CrowdBT .7002, BT .6804; target .703)")
    print(f"  ours {right:.4f}, ridge {found.ridge}")
    source = np.random.default_rng(0)
    left, who = source.integers(0, 1_000, 30_000), source.integers(0, 200, 30_000)
    other = (left + source.integers(1, 1_000, 30_000)) % 1_000
    result = np.where(source.random(30_000) < 0.5 + 0.3 * np.sign(left - other), 1, -1)
    columns = (left.astype(np.int32), other.astype(np.int32), who.astype(np.int32))
    many = Comparisons(*columns, result.astype(np.int8), 1_000, 200)
    print(f"  30,000 comparisons: {clocked(lambda: bradley_terry(many)):.2f} s (target 2 s)")


def marks(_draws: int) -> None:
    """F1 of the vote on matched marks, beside a vote that knows who marked what how badly."""
    place = folder().parent
    print("\nmarks of five corrupted authors, F1 against gold (target: within 1 point)")
    for name, gold, added in (
        ("indian_legal_ner", corrupted.legal_entities(place), corrupted.somewhere),
        ("bccd", corrupted.blood_cells(place), corrupted.anywhere),
    ):
        seen = corrupted.corrupted(gold, 2, added)
        single = [
            f1({task: each[author] for task, each in seen.items()}, gold)
            for author in range(len(corrupted.AUTHORS))
        ]
        ours = f1(corrupted.by_task(settled(seen)), gold)
        known = corrupted.oracle(gold, seen)
        alone = f"{min(single):.3f} … {max(single):.3f}"
        print(f"  {name:18} ours {ours:.3f}, oracle {known:.3f}, single authors {alone}")


def agreement(_draws: int) -> None:
    """1,000 replicates at 200,000 labels, five a task."""
    print("\nagreement, 200,000 labels with 1,000 replicates (target 0.2 s)")
    source = np.random.default_rng(0)
    for classes in (2, 5, 20):
        truth = source.integers(0, classes, 40_000)
        wrong = source.random((40_000, 5)) < 0.3
        said = np.where(wrong, source.integers(0, classes, (40_000, 5)), truth[:, None])
        rows = Rows.of_columns(np.repeat(np.arange(40_000), 5), said.reshape(-1))
        took = [
            clocked(partial(alpha, rows)),
            clocked(partial(alpha, rows, "ordinal")),
            clocked(partial(ac1, rows)),
            clocked(partial(fleiss, rows)),
        ]
        words = ("alpha", "ordinal", "AC1", "Fleiss")
        told = ", ".join(f"{word} {each:.3f} s" for word, each in zip(words, took, strict=True))
        print(f"  {classes:2} classes: {told}")


def spammers(draws: int) -> None:
    """The area under the curve of injected spammers, by information and by reliability."""
    print("\ninjected spam, area under the curve (target .92; MACE published .894)")
    means = []
    for name in CROWDS:
        areas = []
        for seed in range(min(draws, 3)):
            named = Labels.of(with_spam(read(name).rows(), seed))
            fit = categorical.fit(named.labels)
            known = information(np.asarray(fit.confusion, np.float64), fit.prior)
            spammer = np.array([str(author).startswith("spam") for author in named.authors])
            areas.append((area(-known, spammer), area(-fit.reliability, spammer)))
        means.append(np.mean(areas, axis=0))
        print(f"  {name:10} information {means[-1][0]:.3f}, reliability {means[-1][1]:.3f}")
    told, right = np.mean(means, axis=0)
    print(f"  mean       information {told:.3f}, reliability {right:.3f}")


def rings(draws: int) -> None:
    """Who of injected rings of three is told of, and who else, by what is known."""
    print("\ninjected rings: told of members / of others (target ≥ 50 % at ≤ 2 %)")
    found: dict[str, list[tuple[float, float]]] = {}
    for name in CROWDS:
        for seed in range(min(draws, 2)):
            ring = with_rings(read(name).rows(), seed)
            named = Labels.of(ring.rows)
            fit = categorical.fit(named.labels)
            signed = np.stack([signature(text) for text in ring.texts])
            for known, answers in (
                ("labels alone", Answers(named.labels, fit)),
                ("labels, times", Answers(named.labels, fit, ring.times)),
                ("labels, times, words", Answers(named.labels, fit, ring.times, signed)),
            ):
                told = {who for each in collusion(answers, named.authors) for who in each.persons}
                others = set(named.authors) - ring.members
                found.setdefault(known, []).append(
                    (len(told & ring.members) / len(ring.members), len(told & others) / len(others))
                )
    for known, shares in found.items():
        right, wrong = np.mean(shares, axis=0)
        print(f"  {known:22} {100 * right:5.1f} % / {100 * wrong:.2f} %, {len(shares)} worlds")


def clocked(work: Callable[[], object]) -> float:
    """Seconds of the quickest of three runs."""
    took = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


PARTS: dict[str, Callable[[int], None]] = {
    "scores": scores,
    "comparisons": comparisons,
    "marks": marks,
    "agreement": agreement,
    "spam": spammers,
    "rings": rings,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    asked = parser.parse_args()
    print(measured_on())
    for name in asked.only:
        PARTS[name](asked.draws)


if __name__ == "__main__":
    main()
