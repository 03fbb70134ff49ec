"""What a pipeline knows of its whole set of items: accuracy, shares, means, each with interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules import ppi
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.pipeline import ROUTES, Plan
from marketplace.quality.rules.pipeline_votes import Question
from marketplace.tasktypes import ScaleKind

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Facts: TypeAlias = dict[str, Any]

# A question with more labels is told by its mean, or not at all.
LABELS_TOLD_MAX = 8
DIGITS = 6
HARDLY = 0.2


def accuracy_of(plan: Plan, right: Floats, confidence: Floats) -> tuple[Facts | None, Facts | None]:
    """The accuracy of what models say of all items, and of the labels as they are now, where those
    that specialists found wrong are mended; None where the audit does not carry it yet.

    Right is what specialists say, so this is how far the whole set is as they would have it.
    """
    truth = np.where(plan.alone, np.nan, right)
    found = _whole(truth, confidence, plan, bounded=True)
    if found is None:
        return None, None
    mended = float((truth == 0).sum()) / len(truth)
    # Of doubtful items that nobody has judged yet some will be mended, too: not counted before.
    return _told(found), _told(found.moved(mended))


def wanting(plan: Plan, right: Floats) -> int:
    """About how many more audited items the accuracy of these needs before it is told."""
    truth = np.where(plan.alone, np.nan, right)
    return ppi.wanting(truth, *_chances(truth, plan)) if len(truth) else 0


def by_slice(
    plan: Plan, right: Floats, confidence: Floats, slices: Ints, names: Sequence[str]
) -> list[Facts]:
    """For each slice how many items took which route, and the accuracy of its labels."""
    told = []
    for number, name in enumerate(names):
        members = np.flatnonzero(slices == number)
        part = Plan(*(column[members] for column in _columns(plan)))
        models, labels = accuracy_of(part, right[members], confidence[members])
        counts = np.bincount(part.routes, minlength=len(ROUTES)).tolist()
        told.append(
            {
                "slice": name,
                "items": len(members),
                "routes": dict(zip(ROUTES, counts, strict=True)),
                "judged": int(np.isfinite(right[members][~part.alone]).sum()),
                "models": models,
                "labels": labels,
                "wanting": wanting(part, right[members]),
            }
        )
    return told


def _columns(plan: Plan) -> tuple[npt.NDArray[Any], ...]:
    return plan.routes, plan.reasons, plan.inclusion, plan.strata, plan.rounds


def shares_of(questions: Sequence[Question], plan: Plan, scheme: Scheme) -> list[Facts]:
    """The share of each label, the win-rate of each side, the mean of what can be measured; of
    questions that every item answers once."""
    told: list[Facts] = []
    for question in questions:
        if len(np.unique(question.items)) != len(question.items):
            continue
        for measure, worth in _measures(question, scheme):
            found = _estimated(question, plan, worth)
            if found is not None:
                told.append({"question": question.name, "measure": measure, **found})
    return told


def _measures(question: Question, scheme: Scheme) -> list[tuple[str, Floats]]:
    """What is asked of a question, with what each label is worth for it."""
    scale = scheme.scale(question.units[0]) if question.units else None
    numbers = [None if scale is None else scale.number(_plain(each)) for each in question.labels]
    if scale is not None and scale.kind is not ScaleKind.STEPS and None not in numbers:
        return [("mean", np.array(numbers, dtype=np.float64))]
    if len(question.labels) > LABELS_TOLD_MAX:
        return []
    # A label that nobody gave, and so nobody believes, is not worth a line.
    given = question.believed.together.max(axis=0, initial=0.0) > HARDLY
    told = [
        (f"share of {label}", np.eye(len(question.labels))[at])
        for at, label in enumerate(question.labels)
        if given[at]
    ]
    ties = {"tie", "both_bad"} & {
        each for each, some in zip(question.labels, given, strict=True) if some
    }
    if scale is not None and scale.kind is ScaleKind.PAIRWISE and ties:
        for side in ("a", "b"):
            worth = [1.0 if each == side else 0.5 if each in ties else 0.0
                     for each in question.labels]  # fmt: skip
            told.append((f"win-rate of {side}", np.array(worth)))
    return told


def _plain(label: str) -> str | int:
    return int(label) if label.lstrip("-").isdigit() else label


def _estimated(question: Question, plan: Plan, worth: Floats) -> Facts | None:
    items = question.items
    part = Plan(*(column[items] for column in _columns(plan)))
    said = worth[question.believed.together.argmax(axis=1)]
    truth = np.where(question.judged & ~part.alone, said, np.nan)
    bounded = bool(worth.min() >= 0 and worth.max() <= 1)
    found = _whole(truth, question.believed.alone @ worth, part, bounded=bounded)
    if found is None:
        return None
    told = _told(found)
    if bounded:
        lower, upper = ppi.plain_interval(found.value, found.n, found.total)
        told["humans_only"] = {"lower": round(lower, DIGITS), "upper": round(upper, DIGITS)}
    return told


def _whole(truth: Floats, predicted: Floats, plan: Plan, *, bounded: bool) -> ppi.Estimate | None:
    """None where the audit does not carry an estimate: a few labels would give an interval that
    holds less often than it says."""
    if not len(truth):
        return None
    chances, strata = _chances(truth, plan)
    if ppi.wanting(truth, chances, strata):
        return None
    return ppi.whole(truth, predicted, chances, strata, bounded=bounded)


def _chances(truth: Floats, plan: Plan) -> tuple[Floats, Ints]:
    """Of each stratum those that are judged stand for those that still wait, or that nobody could
    judge; a stratum of which nobody was to be judged leaves no estimate."""
    _, places = np.unique(plan.strata, return_inverse=True)
    sizes = np.bincount(places)
    judged = np.bincount(places, weights=np.isfinite(truth))
    return (judged / np.maximum(sizes, 1))[places], places.astype(np.int32)


def _told(found: ppi.Estimate) -> Facts:
    """An estimate as JSON."""
    return {
        "value": round(found.value, DIGITS),
        "lower": round(found.lower, DIGITS),
        "upper": round(found.upper, DIGITS),
        "n": found.n,
        "items": found.total,
        "effective": round(found.effective, 1),
        "pooled": found.pooled,
    }


def routes_of(plan: Plan) -> dict[str, int]:
    """How many items took each route, and how many wait whole for specialists."""
    counts = np.bincount(plan.routes, minlength=len(ROUTES)).tolist()
    return dict(zip(map(str, ROUTES), counts, strict=True)) | {"complete": int(plan.complete.sum())}
