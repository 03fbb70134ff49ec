"""`marketplace quality`: what labels in a file are worth, without a server or a database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click
import numpy as np

from marketplace.cli.label_files import (
    read_features,
    read_gold,
    read_labels,
    write_rows,
)
from marketplace.cli.pairwise import write_strengths
from marketplace.quality.rules import ordinal
from marketplace.quality.rules.agreement import Agreement, ac1, alpha, fleiss, observed
from marketplace.quality.rules.agreement.rows import Rows
from marketplace.quality.rules.categorical import Fit, Settings, fit
from marketplace.quality.rules.crowd import Floats, Ints, Named

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
NUMERIC = ("ordinal", "interval")
PAIRWISE = "pairwise"
WORKERS = ("worker", "labels", "reliability", "lower", "upper")


@click.group()
def quality() -> None:
    """What labels in a file are worth."""


@quality.command()
@click.argument("labels", type=FILE)
@click.option("--gold", type=FILE, help="Known truths: columns task, label.")
@click.option("--features", type=FILE, help="Numbers known of each task; they need gold.")
@click.option(
    "--level",
    type=click.Choice(["nominal", *NUMERIC, PAIRWISE]),
    default="nominal",
    show_default=True,
    help="Whether labels are names, numbers, or which of two is better.",
)
@click.option("--workers", type=OUT, help="Where to write how far each worker can be believed.")
@click.option("-o", "--out", type=OUT, default=Path("-"), help="Where to write the result.")
def aggregate(
    *,
    labels: Path,
    gold: Path | None,
    features: Path | None,
    level: str,
    workers: Path | None,
    out: Path,
) -> None:
    """One label for each task of LABELS (columns task, worker, label), with its confidence.

    Where two labels are equally likely the first in alphabetical order stands, with a confidence
    of a half or less. Numbers get an interval of 90 % in place of a confidence.

    With --level pairwise two things meet in each row: `a|b` in the column task, or a and b in
    columns left and right; the label is the better one's name, left, right, or tie. OUT then has
    what was compared (column item), the strongest first, with its strength in log odds (Bradley
    and Terry), an interval of 90 % and how often it met another. It takes no --gold.
    """
    if level == PAIRWISE:
        if gold or features:
            raise click.ClickException("Comparisons take no --gold and no --features.")
        write_strengths(labels, workers, out)
        return
    truth = read_gold(gold) if gold else {}
    named = read_labels(labels, truth if level == "nominal" else None)
    unknown = len(truth.keys() - set(named.tasks))
    if unknown:
        tasks = "gold task has" if unknown == 1 else "gold tasks have"
        click.echo(f"{unknown:,} {tasks} no labels; passed over.", err=True)
    if level in NUMERIC:
        _numbers(named, truth, workers, out)
        return
    told = read_features(features, named.tasks) if features else None
    if told is not None and not truth:
        raise click.ClickException("Features can only be learned from with --gold.")
    found = fit(named.labels, gold=named.gold(truth), features=told, settings=Settings(tell=_tell))
    write_rows(out, ("task", "label", "confidence"), _answers(named, found))
    if workers:
        write_rows(workers, WORKERS, _of(named, found))
    _report(found)


def _tell(words: str) -> None:
    click.echo(words, err=True)


def _answers(named: Named[str, str, str], found: Fit) -> Iterator[tuple[str, str, str]]:
    # Differences below the twelfth digit come from the order of sums, and must decide nothing.
    chosen = found.posterior.round(12).argmax(1)
    sure = found.posterior.max(1)
    for task, label, confidence in zip(named.tasks, chosen, sure, strict=True):
        yield task, named.values[label], f"{confidence:.4f}"


def _of(named: Named[str, str, str], found: Fit) -> Iterator[tuple[str, ...]]:
    counted = np.bincount(named.labels.authors, minlength=len(named.authors))
    columns = (found.reliability, found.lower, found.upper)
    for name, count, *shares in zip(named.authors, counted, *columns, strict=True):
        yield name, str(count), *(f"{share:.4f}" for share in shares)


def _report(found: Fit) -> None:
    used = ", ".join(f"{each.name} {each.weight:.2f}" for each in found.members if each.weight)
    click.echo(f"Weights: {used}.", err=True)
    unused = [each.name for each in found.members if not each.weight]
    if unused:
        click.echo(f"Left out by size or by what they said: {', '.join(unused)}.", err=True)


def _numbers(
    named: Named[str, str, str], truth: dict[str, str], workers: Path | None, out: Path
) -> None:
    """Aggregate labels that are numbers."""
    number = np.array([_number(value) for value in named.values])
    labels = named.labels
    scores = ordinal.Scores(
        labels.tasks,
        labels.authors,
        number[labels.labels],
        labels.task_count,
        labels.author_count,
    )
    known = np.array([_number(truth[task]) if task in truth else np.nan for task in named.tasks])
    found = ordinal.estimate(scores, gold=known)
    columns = (found.value, found.lower, found.upper)
    rows = (
        (task, *(f"{each:.6g}" for each in numbers))
        for task, *numbers in zip(named.tasks, *columns, strict=True)
    )
    write_rows(out, ("task", "label", "lower", "upper"), rows)
    if workers:
        spread = zip(named.authors, found.bias, found.noise, strict=True)
        told = ((name, f"{bias:.6g}", f"{noise:.6g}") for name, bias, noise in spread)
        write_rows(workers, ("worker", "bias", "noise"), told)
    click.echo(f"Method: {found.method}.", err=True)


def _number(value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = np.nan
    if not np.isfinite(found):
        raise click.ClickException(
            f"The label {value!r} is not a number; --level nominal takes it."
        )
    return found


@quality.command()
@click.argument("labels", type=FILE)
@click.option(
    "--level",
    type=click.Choice(["nominal", "ordinal", "interval", "ratio"]),
    default="nominal",
    show_default=True,
    help="How far apart two labels are.",
)
def agreement(*, labels: Path, level: Literal["nominal", "ordinal", "interval", "ratio"]) -> None:
    """How far the workers of LABELS (columns task, worker, label) agree, beyond chance."""
    named = read_labels(labels)
    columns = named.labels
    plain = Rows.of_columns(columns.tasks, columns.labels, named.values)
    measures = {"observed": observed(plain), "ac1": ac1(plain), "fleiss": fleiss(plain)}
    rows = plain if level == "nominal" else _risen(named, columns.tasks)
    measures = {"alpha": alpha(rows, level)} | measures
    click.echo(f"{'measure':<10}{'value':>8}{'lower':>8}{'upper':>8}{'items':>9}{'labels':>10}")
    for name, measure in measures.items():
        click.echo(
            f"{name:<10}{_cell(measure.value)}{_cell(measure.lower)}{_cell(measure.upper)}"
            f"{measure.n_items:>9,}{measure.n_ratings:>10,}"
        )
    if not measures["alpha"].n_items:
        click.echo("No task has labels of two workers, so there is no agreement to measure.")
        return
    _shares(measures["alpha"])


def _risen(named: Named[str, str, str], tasks: Ints) -> Rows:
    numbers: Floats = np.array([_number(value) for value in named.values])
    return Rows.of_columns(tasks, named.labels.labels, numbers.tolist())


def _cell(value: float | None) -> str:
    return f"{'-':>8}" if value is None else f"{value:>8.3f}"


def _shares(measure: Agreement) -> None:
    shares = sorted(measure.prevalence.items(), key=lambda pair: (-pair[1], str(pair[0])))
    click.echo("prevalence: " + ", ".join(f"{label} {share:.1%}" for label, share in shares))
