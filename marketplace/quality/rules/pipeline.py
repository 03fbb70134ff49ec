"""The policy of a hybrid pipeline: what models are left alone with, and what specialists see.

Models speak first. What they leave unsure goes to specialists, the worst first, within the most
items that the lab pays for; of the rest a random sample goes too, drawn in each slice with a known
chance. Where that audit does not show a slice to be good enough, more of it goes, in a bounded
number of rounds. All of it is decided by a seed, so the same items give the same routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

# A slice gets at least as many audits, where the most items allow it.
AUDIT_MIN = 20
# The audit takes at most this share of the items that are paid for, so that the worst are mended.
AUDIT_SHARE_MAX = 0.5
ROUNDS_MAX = 4
# Of the most items as much is kept from what is unsure, half of it for the rounds that follow.
KEPT_SHARE = 0.3
# Numbers of strata that are no slice: what goes to specialists whole has one below 0, the first
# such the one here; slices drawn as one have a number beyond any slice's.
COMPLETE, TOGETHER = -1, 9_999


class Route(StrEnum):
    """Who judges an item: models alone, specialists as models are unsure, or both by sample."""

    MODEL = "model"
    UNSURE = "unsure"
    AUDIT = "audit"


class Reason(StrEnum):
    """Why an item takes its route."""

    SURE = "sure"
    BELOW_TARGET = "below_target"
    CAP_REACHED = "cap_reached"
    SAMPLED = "sampled"
    SLICE_POOR = "slice_poor"
    SLICE_OPEN = "slice_open"


ROUTES = tuple(Route)
REASONS = tuple(Reason)
REASON_LABELS: Mapping[Reason, str] = {
    Reason.SURE: "Models are sure enough",
    Reason.BELOW_TARGET: "Models are not sure enough",
    Reason.CAP_REACHED: "Models are not sure enough, but the most items are with specialists",
    Reason.SAMPLED: "Drawn for the audit",
    Reason.SLICE_POOR: "The audit found too many errors in its slice",
    Reason.SLICE_OPEN: "Drawn for a wider audit of its slice",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """target: the confidence, and the accuracy of a slice, that is enough; audit_ratio: the share
    of what models are left alone with that is looked at; items_max: the most items that
    specialists judge, None for all; rounds_max: times that more is sent, after the first;
    kept_share: the part of items_max that unsure items leave to the audit and to later rounds,
    half to each."""

    target: float
    audit_ratio: float
    items_max: int | None = None
    rounds_max: int = ROUNDS_MAX
    kept_share: float = KEPT_SHARE

    def kept(self, size: int) -> tuple[int, int]:
        """How many of the items that may be sent are kept for the first audit, and for later
        rounds; none where specialists may judge all."""
        if self.items_max is None or self.items_max >= size:
            return 0, 0
        kept = int(np.ceil(self.items_max * self.kept_share))
        later = kept // 2 if self.rounds_max > 1 else 0
        return kept - later, later


@dataclass(frozen=True, eq=False)
class Plan:
    """The route of every item. routes, reasons: places in ROUTES and REASONS; inclusion: the
    chance with which specialists were to see it; strata: items of one number were drawn together,
    those that all go to specialists have one below 0; rounds: when it was sent, 0 for never."""

    routes: npt.NDArray[np.int8]
    reasons: npt.NDArray[np.int8]
    inclusion: Floats
    strata: Ints
    rounds: Ints

    @property
    def alone(self) -> Flags:
        """Which items no specialist has seen or will."""
        return np.asarray(self.routes == ROUTES.index(Route.MODEL))

    @property
    def complete(self) -> Flags:
        """Which items belong to a stratum that specialists see whole."""
        return np.asarray(self.strata < 0)

    @property
    def sent(self) -> int:
        """How many items specialists judge."""
        return int((~self.alone).sum())

    def send(
        self, items: npt.NDArray[np.intp], route: Route, reason: Reason, *, round_number: int
    ) -> None:
        """Write the route of items that nobody had."""
        self.routes[items] = ROUTES.index(route)
        self.reasons[items] = REASONS.index(reason)
        self.rounds[items] = round_number

    def set_chances(self) -> None:
        """Say for every item with which chance its stratum was drawn."""
        _, places = np.unique(self.strata, return_inverse=True)
        sizes = np.bincount(places)
        self.inclusion[:] = (np.bincount(places, weights=~self.alone) / np.maximum(sizes, 1))[
            places
        ]

    def copy(self) -> Plan:
        """A plan of its own, to be changed."""
        return Plan(
            self.routes.copy(),
            self.reasons.copy(),
            self.inclusion.copy(),
            self.strata.copy(),
            self.rounds.copy(),
        )


def first(confidence: Floats, slices: Ints, policy: Policy, *, seed: int) -> Plan:
    """The routes of items that nobody has seen.

    confidence: of the models' joint verdict, 0 where none spoke; slices: counted from 0.
    """
    size = len(confidence)
    unsure = confidence < policy.target
    worst = np.flatnonzero(unsure)[np.argsort(confidence[unsure], kind="stable")]
    to_audit, later = policy.kept(size)
    cap = (size if policy.items_max is None else min(policy.items_max, size)) - later
    # What is unsure but beyond the most is left alone as well, and needs an audit before the rest.
    left_alone = np.ones(size, dtype=np.bool_)
    left_alone[worst[:cap]] = False
    wanted = _audit_sizes(slices[left_alone], policy)
    audits = max(to_audit, min(int(wanted.sum()), int(np.ceil(cap * AUDIT_SHARE_MAX))))
    taken = worst[: max(0, cap - audits)]
    reasons = np.where(unsure, REASONS.index(Reason.CAP_REACHED), REASONS.index(Reason.SURE))
    plan = Plan(
        routes=np.zeros(size, dtype=np.int8),
        reasons=reasons.astype(np.int8),
        inclusion=np.zeros(size),
        strata=slices.astype(np.int32),
        rounds=np.zeros(size, dtype=np.int32),
    )
    plan.send(taken, Route.UNSURE, Reason.BELOW_TARGET, round_number=1)
    plan.strata[taken] = COMPLETE
    _draw_audit(plan, policy, budget=cap - len(taken), seed=seed)
    plan.set_chances()
    return plan


def _audit_sizes(strata: Ints, policy: Policy) -> npt.NDArray[np.int64]:
    """How many items of each stratum are wanted for the audit."""
    sizes = np.bincount(strata)
    if policy.audit_ratio <= 0:
        return np.zeros_like(sizes)
    wanted = np.maximum(np.ceil(policy.audit_ratio * sizes), AUDIT_MIN)
    return np.asarray(np.minimum(wanted, sizes), dtype=np.int64)


def _draw_audit(plan: Plan, policy: Policy, *, budget: int, seed: int) -> None:
    """Draw the audit of what models are alone with, within its budget.

    Where the budget does not give every slice two items, all are drawn from as one.
    """
    rest = np.flatnonzero(~plan.complete)
    sizes = np.bincount(plan.strata[rest])
    places = plan.strata[rest].astype(np.int64)
    if budget < 2 * int((sizes > 0).sum()):
        plan.strata[rest] = TOGETHER
        places = np.zeros_like(places)
    wanted = _audit_sizes(places.astype(np.int32), policy)
    least = np.minimum(np.bincount(places), 2)
    chosen = rest[drawn(places, within(wanted, least, budget), seed=seed)]
    plan.send(chosen, Route.AUDIT, Reason.SAMPLED, round_number=1)


def within(
    wanted: npt.NDArray[np.int64], least: npt.NDArray[np.int64], budget: int
) -> npt.NDArray[np.int64]:
    """What is wanted, scaled down to a budget; `least` first, the rest in proportion."""
    if int(wanted.sum()) <= budget:
        return wanted
    given = np.minimum(least, wanted)
    if int(given.sum()) > budget:
        given = np.zeros_like(wanted)
    more = (wanted - given) * (budget - given.sum()) / max(1, (wanted - given).sum())
    given = given + np.floor(more).astype(np.int64)
    left = budget - int(given.sum())
    order = np.argsort(-(more - np.floor(more)), kind="stable")
    open_ones = order[(given < wanted)[order]][:left]
    given[open_ones] += 1
    return np.asarray(given)


def drawn(
    strata: npt.NDArray[np.int64], numbers: npt.NDArray[np.int64], *, seed: int
) -> npt.NDArray[np.intp]:
    """Places of a random sample without replacement: `numbers[s]` of each stratum s."""
    keys = np.random.default_rng(seed).random(len(strata))
    order = np.lexsort((keys, strata))
    ordered = strata[order]
    starts = np.searchsorted(ordered, np.arange(len(numbers)))
    place = np.arange(len(strata)) - starts[ordered]
    return np.asarray(order[place < numbers[ordered]])
