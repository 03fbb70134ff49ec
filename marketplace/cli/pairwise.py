"""Files of comparisons of two: how strong what was compared is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from marketplace.cli.label_files import header_of, read_rows, write_rows
from marketplace.quality.rules.comparisons import Comparisons, Strengths, bradley_terry

SIDES = ("left", "right")
TIE = "tie"
BETWEEN = "|"
Row = tuple[str, str, str, int]


def write_strengths(labels: Path, workers: Path | None, out: Path) -> None:
    """Write what was compared in a file, the strongest first, and whom to believe."""
    rows = list(_compared(labels))
    items, authors = (
        sorted({name for row in rows for name in row[:2]}),
        sorted({r[2] for r in rows}),
    )
    place = {name: at for at, name in enumerate(items)}
    who = {name: at for at, name in enumerate(authors)}
    seen = Comparisons(
        np.array([place[row[0]] for row in rows], np.int32),
        np.array([place[row[1]] for row in rows], np.int32),
        np.array([who[row[2]] for row in rows], np.int32),
        np.array([row[3] for row in rows], np.int8),
        len(items),
        len(authors),
    )
    found = bradley_terry(seen)
    write_rows(out, ("item", "strength", "lower", "upper", "n"), _items(items, seen, found))
    if workers:
        counted = np.bincount(seen.authors, minlength=len(authors))
        told = zip(authors, counted, found.reliability, found.side, strict=True)
        rows_of = ((name, str(n), f"{trust:.4f}", f"{side:.4f}") for name, n, trust, side in told)
        write_rows(workers, ("worker", "labels", "reliability", "side"), rows_of)
    ties = "no ties" if found.tie is None else f"ties weigh {found.tie:.2f}"
    click.echo(f"{len(rows):,} comparisons of {len(items):,}; {ties}.", err=True)


def _items(names: list[str], seen: Comparisons, found: Strengths) -> Iterator[tuple[str, ...]]:
    met = np.bincount(np.r_[seen.left, seen.right], minlength=len(names))
    # Differences below the ninth digit come from the order of sums, and must decide nothing.
    for at in np.argsort(-found.score.round(9), kind="stable"):
        numbers = (found.score[at], found.lower[at], found.upper[at])
        yield names[at], *(f"{each:.4f}" for each in numbers), str(met[at])


def _compared(path: Path) -> Iterator[Row]:
    """Left, right, worker, and 1, -1 or 0 of each row."""
    apart = set(SIDES) <= set(header_of(path))
    wanted = (*SIDES, "worker", "label") if apart else ("task", "worker", "label")
    for found in read_rows(path, wanted):
        *pair, worker, label = found if apart else (*_parted(found[0]), *found[1:])
        left, right = pair
        if left == right:
            raise click.ClickException(f"{left!r} cannot be compared with itself.")
        # Names go before words, should something be called so.
        results = {"left": 1, "right": -1, TIE: 0} | {left: 1, right: -1}
        if label not in results:
            raise click.ClickException(
                f"The label {label!r} is neither {left!r}, {right!r}, left, right nor tie."
            )
        yield left, right, worker, results[label]


def _parted(task: str) -> tuple[str, str]:
    left, between, right = (part.strip() for part in task.partition(BETWEEN))
    if not (left and between and right):
        raise click.ClickException(
            f"The task {task!r} does not name two things as `a|b`; or add columns left and right."
        )
    return left, right
