"""The rounds of a hybrid pipeline: what the audit says of each slice, and what goes on for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.pipeline import (
    AUDIT_MIN,
    COMPLETE,
    ROUTES,
    TOGETHER,
    Floats,
    Ints,
    Plan,
    Policy,
    Reason,
    Route,
    within,
)
from marketplace.quality.rules.ppi import wilson

# Below as many items left, a slice that is poor goes to specialists whole.
WHOLE_BELOW = 50


class Finding(StrEnum):
    """What the audit says of a slice: its interval lies above the target, around it, below it."""

    GOOD = "good"
    OPEN = "open"
    POOR = "poor"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class SliceFinding:
    """One slice after an audit. alone: items that no specialist has seen or will; audited: those
    of the sample that are judged, `right` of which bear the models out; lower, upper: of the
    models' accuracy where they are alone, 90 %; sent, drawn: what goes to specialists now."""

    slice: int
    alone: int
    audited: int
    right: float
    lower: float
    upper: float
    finding: Finding
    sent: int = 0
    drawn: int = 0


def looked_at(
    plan: Plan, slices: Ints, right: Floats, target: float, *, slice_count: int
) -> list[SliceFinding]:
    """What the audit says of each slice so far, slices with nothing left to say left out.

    right: 1 where specialists bear the models' own verdict out, 0 where not, NaN where none has
    judged.
    """
    judged = ~plan.complete & ~plan.alone & np.isfinite(right)
    counts = np.bincount(slices[judged], minlength=slice_count)
    hits = np.bincount(slices[judged], weights=right[judged], minlength=slice_count)
    left = np.bincount(slices[plan.alone], minlength=slice_count)
    return [
        _finding(each, int(left[each]), int(counts[each]), float(hits[each]), target)
        for each in np.flatnonzero(left + counts).tolist()
    ]


def _finding(number: int, alone: int, n: int, right: float, target: float) -> SliceFinding:
    """What was looked at needs no guess, so the interval narrows as less is left."""
    if not n:
        return SliceFinding(number, alone, 0, 0.0, 0.0, 1.0, Finding.UNSEEN)
    share = right / n
    lower, upper = wilson(share, n * (n + alone) / alone) if alone else (share, share)
    says = Finding.GOOD if lower >= target else Finding.OPEN
    return SliceFinding(
        number, alone, n, right, lower, upper, Finding.POOR if upper < target else says
    )


def further(
    plan: Plan,
    confidence: Floats,
    slices: Ints,
    found: list[SliceFinding],
    policy: Policy,
    *,
    round_number: int,
    seed: int,
) -> tuple[Plan, list[SliceFinding]]:
    """What else goes to specialists in this round, from 2, and the findings with its numbers.

    Of a slice that is poor the worse half of what is left goes; of one that the audit leaves open,
    as many more at random as were drawn before. confidence must not know what specialists said of
    the very items, or the audit were no sample of what is left. Nothing beyond the last round, and
    never more than the most items.
    """
    asking = [each for each in found if each.finding is not Finding.GOOD and each.alone]
    left = (len(confidence) if policy.items_max is None else policy.items_max) - plan.sent
    if round_number > policy.rounds_max or left < 1 or not asking:
        return plan, found
    after = plan.copy()
    rng = np.random.default_rng([seed, round_number])
    told = {each.slice: each for each in found}
    for each, number in zip(asking, _shares(asking, left), strict=True):
        members = np.flatnonzero((slices == each.slice) & ~plan.complete)
        after.strata[members[after.strata[members] == TOGETHER]] = each.slice
        sent = 0
        if each.finding is Finding.POOR:
            whole = number >= each.alone
            # A part of what goes is drawn from the better half, so that it is not left unseen.
            worse = number if whole else number - min(AUDIT_MIN // 2, number // 4)
            sent = _send_worst(after, confidence, members, worse, round_number)
        drew = _draw_more(after, members, number - sent, round_number, rng)
        told[each.slice] = replace(each, sent=sent, drawn=drew)
    after.set_chances()
    return after, list(told.values())


def _shares(asking: list[SliceFinding], left: int) -> list[int]:
    """How much goes to each slice; those that are poor come before those of which too little is
    known."""
    wanted = np.array([_wanted(each) for each in asking], dtype=np.int64)
    poor = np.array([each.finding is Finding.POOR for each in asking])
    given = np.zeros_like(wanted)
    for kind in (poor, ~poor):
        budget = left - int(given.sum())
        given[kind] = within(wanted[kind], np.zeros_like(wanted[kind]), budget)
    return [int(number) for number in given]


def _wanted(found: SliceFinding) -> int:
    if found.finding is not Finding.POOR:
        return min(found.alone, max(AUDIT_MIN, found.audited))
    return found.alone if found.alone <= WHOLE_BELOW else (found.alone + 1) // 2


def _send_worst(
    plan: Plan,
    confidence: Floats,
    members: npt.NDArray[np.intp],
    number: int,
    round_number: int,
) -> int:
    """Send up to `number` items of a slice, the least sure first; how many.

    Those of them that were drawn before are no sample of the rest any more: the worse part as a
    whole is known then.
    """
    order = members[np.argsort(confidence[members], kind="stable")]
    lone = plan.routes[order] == ROUTES.index(Route.MODEL)
    worse = order[: int(np.searchsorted(np.cumsum(lone), number, side="right"))]
    fresh = worse[plan.routes[worse] == ROUTES.index(Route.MODEL)]
    plan.send(fresh, Route.UNSURE, Reason.SLICE_POOR, round_number=round_number)
    # Those that were drawn stand for those that are sent now until these are judged, too.
    plan.strata[worse] = int(plan.strata.min(initial=COMPLETE)) - 1
    return len(fresh)


def _draw_more(
    plan: Plan,
    members: npt.NDArray[np.intp],
    number: int,
    round_number: int,
    rng: np.random.Generator,
) -> int:
    """Draw up to `number` more items of what is left of a slice, at random; how many.

    A random sample and a random sample of the rest are one random sample.
    """
    lone = members[plan.routes[members] == ROUTES.index(Route.MODEL)]
    chosen = rng.permutation(lone)[: max(0, number)]
    plan.send(chosen, Route.AUDIT, Reason.SLICE_OPEN, round_number=round_number)
    return len(chosen)
