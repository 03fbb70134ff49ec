"""Agreement of the people in a job: by unit, and of those who did most by two; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from marketplace.quality.rules.agreement import (
    Agreement,
    Rows,
    ac1,
    alpha,
    cohen,
    cohen_kappa,
    fleiss,
    observed,
    percent_agreement,
)
from marketplace.quality.rules.ballots import AuthorKind, Scheme
from marketplace.quality.rules.polls import Ints, Poll
from marketplace.tasktypes import ScaleKind

UNITS_MAX = 30  # A question of more units (the steps of long runs) is measured as a whole.
PEOPLE_MAX = 12
PREVALENT_MAX = 12


def agreement_by_unit(poll: Poll, scheme: Scheme) -> dict[str, tuple[str, int, Mapping[str, Any]]]:
    """For each unit of a poll (or the question as a whole): level, labels, measures as JSON.

    Measures are `observed`, `alpha`, `ac1`, `fleiss`, and `kappa` where just two people judged
    (weighted by squares where labels rise); those that the labels cannot give are absent.
    """
    people = np.array([kind is AuthorKind.HUMAN for kind, _ in poll.authors], dtype=np.bool_)
    kept = people[np.array(poll.author, dtype=np.int32)]
    columns = [
        np.array(each, dtype=np.int32)[kept] for each in (poll.case, poll.author, poll.label)
    ]
    units = sorted({unit for _, unit in poll.cases})
    if len(units) > UNITS_MAX:
        return {poll.question: _measured(poll, scheme, poll.question, columns)}
    number = {unit: at for at, unit in enumerate(units)}
    of_case = np.array([number[unit] for _, unit in poll.cases], dtype=np.int32)
    found = {}
    for unit, at in number.items():
        rows = of_case[columns[0]] == at
        if rows.any():
            found[unit] = _measured(poll, scheme, unit, [each[rows] for each in columns])
    return found


def _measured(
    poll: Poll, scheme: Scheme, unit: str, columns: list[Ints]
) -> tuple[str, int, Mapping[str, Any]]:
    cases, authors, labels = columns
    scale = scheme.scale(unit)
    numbers = _numbers(poll, scheme, unit)
    level = (scale.level or "nominal") if numbers else "nominal"
    names: list[str] | list[float] = list(poll.seen)
    values = scheme.values(poll.question)
    _, dense = np.unique(cases, return_inverse=True)
    rows = Rows.of_columns(dense, labels, names)
    rising = rows
    if numbers:
        placed = np.array([numbers.get(name, np.nan) for name in poll.seen])
        kept = ~np.isnan(placed[labels])
        points, label = np.unique(placed[labels][kept], return_inverse=True)
        rising = Rows.of_columns(dense[kept], label, [float(point) for point in points])
    told: dict[str, Agreement] = {
        "observed": observed(rows),
        "alpha": alpha(rising, level=level),  # type: ignore[arg-type]
        "ac1": ac1(rows, values=values),
        "fleiss": fleiss(rows),
    }
    if len(np.unique(authors)) == 2:
        told["kappa"] = _kappa(columns, names, numbers)
    return (
        level,
        len(labels),
        {name: _plain(each) for name, each in told.items() if each.value is not None},
    )


def _numbers(poll: Poll, scheme: Scheme, unit: str) -> dict[str, float]:
    """Where each label lies, of a scale that rises; empty on any other."""
    scale = scheme.scale(unit)
    if scale.level not in ("ordinal", "interval") or scale.kind is ScaleKind.RANKING:
        return {}
    if scale.values is not None:
        named = scheme.values(poll.question) or ()
        placed = {
            name: scale.number(value)
            for name, value in zip(named, (*scale.values, *scale.apart), strict=True)
        }
        return {name: at for name, at in placed.items() if at is not None}
    return {name: float(name) for name in poll.seen if _is_number(name)}


def _is_number(name: str) -> bool:
    try:
        return bool(np.isfinite(float(name)))
    except ValueError:
        return False


def _kappa(
    columns: list[Ints], names: list[str] | list[float], numbers: Mapping[str, float]
) -> Agreement:
    cases, authors, labels = columns
    first = authors.min()
    by_case: dict[int, dict[bool, str]] = {}
    for case, author, label in zip(cases, authors, labels, strict=True):
        by_case.setdefault(int(case), {})[bool(author == first)] = str(names[label])
    pairs = Counter((each[True], each[False]) for each in by_case.values() if len(each) == 2)
    if not numbers:
        return cohen(pairs)
    rising = {
        (numbers[one], numbers[other]): n
        for (one, other), n in pairs.items()
        if one in numbers and other in numbers
    }
    return cohen(rising, weights="quadratic")


def _plain(measure: Agreement) -> Mapping[str, Any]:
    most = sorted(measure.prevalence.items(), key=lambda each: -each[1])[:PREVALENT_MAX]
    return asdict(measure) | {"prevalence": {str(label): share for label, share in most}}


def agreement_by_pair(poll: Poll) -> list[list[Any]]:
    """The people who did most, by two: `[first, second, items, agreement, kappa]`, ids as text."""
    names = [name for _, name in poll.authors]
    people = [at for (kind, _), at in poll.authors.items() if kind is AuthorKind.HUMAN]
    counts = np.bincount(np.array(poll.author, dtype=np.int32), minlength=len(names))
    most = sorted(people, key=lambda at: (-counts[at], names[at]))[:PEOPLE_MAX]
    said = {at: _said(poll, at) for at in most}
    found = []
    for first, second in combinations(most, 2):
        shared = said[first].keys() & said[second].keys()
        pairs = [(said[first][case], said[second][case]) for case in sorted(shared)]
        if pairs:
            ratio, kappa = percent_agreement(pairs), cohen_kappa(pairs)
            found.append([names[first], names[second], len(pairs), ratio, kappa])
    return found


def _said(poll: Poll, author: int) -> dict[int, int]:
    rows = np.flatnonzero(np.array(poll.author, dtype=np.int32) == author)
    return {poll.case[row]: poll.label[row] for row in rows}
