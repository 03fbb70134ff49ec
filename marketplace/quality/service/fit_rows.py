"""What a fit found, as the rows that its statements write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import orjson

from marketplace.quality.rules.agreeing import agreement_by_unit
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.crowd import UNKNOWN
from marketplace.quality.rules.estimates import Chosen
from marketplace.quality.rules.polls import Fitted, Poll

ROWS_AT_ONCE = 2_000
# Further places of a chance say nothing, and are most of what there is to write.
PLACES = 9

Polls = Mapping[str, Poll]


def of_posteriors(
    polls: Polls,
    scheme: Scheme,
    fits: Mapping[str, Fitted],
    revisions: Mapping[tuple[UUID, str], int],
) -> Iterable[list[Any]]:
    """What is believed now, in chunks of a transaction each, in the order of tasks."""
    for question, found in sorted(fits.items()):
        poll = polls[question]
        shown: dict[str, list[str]] = {}
        cases = list(poll.cases.items())  # In the order in which tasks were read.
        for start in range(0, len(cases), ROWS_AT_ONCE):
            end = start + ROWS_AT_ONCE
            chances = found.posterior[start:end].round(PLACES).tolist()
            rows = []
            for ((task_id, unit), case), each in zip(cases[start:end], chances, strict=True):
                own = found.own.get(case)
                if own is None and found.fit is None:
                    continue
                labels = shown.setdefault(unit, scheme.shown(unit, found.labels))
                chosen = own or Chosen(labels, each, int(found.best[case]))
                row = _posterior(found, case, chosen)
                row |= {"task_id": task_id, "unit": unit, "question": question}
                row["revision"] = revisions.get((task_id, unit), 0)
                rows.append(row)
            yield rows


def _posterior(found: Fitted, case: int, chosen: Chosen) -> dict[str, Any]:
    row = {
        "label": chosen.labels[chosen.best],
        "confidence": min(1.0, chosen.chances[chosen.best]),
        "labels": chosen.labels,
        "probabilities": chosen.chances,
        "humans": int(found.humans[case]),
        "models": int(found.models[case]),
        "decided": bool(found.gold[case] != UNKNOWN),
    }
    if found.measured is None or not np.isfinite(found.measured.found.value[case]):
        return row
    told = found.measured.found
    bounds = {"lower": float(told.lower[case]), "upper": float(told.upper[case])}
    return row | {"estimate": float(told.value[case]), **bounds}


def of_questions(fits: Mapping[str, Fitted]) -> list[Any]:
    """What is expected of authors unheard of; of questions whose labels are classes."""
    return [
        {
            "question": question,
            "labels": found.labels,
            "population": found.fit.population.to_json()
            | {"calibration": found.fit.calibration.to_json()},
            "accuracy": found.fit.population.accuracy,
            "curve": found.curve,
            "method": found.measured.found.method.value if found.measured else None,
        }
        for question, found in sorted(fits.items())
        if found.fit is not None
    ]


def of_authors(polls: Polls, fits: Mapping[str, Fitted]) -> list[Any]:
    """How far each author can be trusted in each question."""
    rows = []
    for question, found in sorted(fits.items()):
        poll = polls[question]
        spoken = Counter(poll.author)
        for (kind, author), at in sorted(poll.authors.items()):
            row = {"question": question, "kind": kind.value, "author": author, "n": spoken[at]}
            rows.append(row | _trusted(found, at))
    return rows


def _trusted(found: Fitted, at: int) -> dict[str, Any]:
    told = found.fit or found.measured
    assert told is not None  # noqa: S101 - whatever was fitted holds one of the two.
    reliability = min(1.0, max(0.0, float(told.reliability[at])))
    row: dict[str, Any] = {
        "counts": found.fit.counts[at].ravel().tolist() if found.fit else [],
        "reliability": reliability,
        "lower": min(reliability, max(0.0, float(told.lower[at]))),
        "upper": max(reliability, min(1.0, float(told.upper[at]))),
    }
    if found.measured is not None:
        bias, noise = found.measured.found.bias, found.measured.found.noise
        row |= {"bias": float(bias[at]), "noise": float(noise[at])}
    return row


def of_agreement(polls: Polls, scheme: Scheme) -> list[Any]:
    """How far people agree on each unit."""
    rows = []
    for _, poll in sorted(polls.items()):
        for unit, (level, labels, measures) in agreement_by_unit(poll, scheme).items():
            told = measures.get("observed")
            rows.append(
                {
                    "unit": unit,
                    "level": level,
                    "items": told["n_items"] if told else 0,
                    "labels": labels,
                    "agreement_ratio": told["value"] if told else None,
                    "measures": measures,
                }
            )
    return rows


def chunks(rows: Sequence[Any]) -> Iterable[list[Any]]:
    """Rows by so many as one statement takes."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield list(rows[start : start + ROWS_AT_ONCE])


def as_json(rows: Sequence[Any]) -> str:
    """Rows as the statements read them."""
    return orjson.dumps(rows, option=orjson.OPT_SERIALIZE_NUMPY).decode()
