"""The pool: models that err differently, and how much each of them counts.

No model of authors wins on every kind of crowd, and the labels themselves cannot say which one
will: a richer model always foretells labels better. So all of them speak. Without gold each
counts by how far it agrees with the others, and one that has put nearly all tasks into one class
while the others have not is left out. With gold the weights are the mixture under which known
truths are likeliest, each foretold by models that did not know it (out of fold).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from marketplace.quality.rules.categorical.ability import class_abilities
from marketplace.quality.rules.categorical.dawid_skene import SHARED, DawidSkene
from marketplace.quality.rules.categorical.glad import glad
from marketplace.quality.rules.categorical.mace import Mace
from marketplace.quality.rules.categorical.prior import Floats
from marketplace.quality.rules.categorical.votes import (
    Singles,
    TableModel,
    Votes,
    maximise,
    posterior,
)
from marketplace.quality.rules.crowd import Ints, Labels

DAWID_SKENE = "dawid-skene"
SUBTYPES = "subtypes"
SUBTYPES_APART = "subtypes-apart"
ONE_COIN = "one-coin"
MACE = "mace"
GLAD = "glad"
ABILITIES = "abilities"
STACKING = "stacking"
MEMBERS = (DAWID_SKENE, SUBTYPES, SUBTYPES_APART, ONE_COIN, MACE, GLAD, ABILITIES)
# Votes, and votes times classes, above which a member is left out to save time and memory.
VOTES_MAX = 1_000_000
GLAD_CELLS_MAX = 1_000_000
ABILITIES_CELLS_MAX = 400_000
# A contested task begins as mostly of the hard kind, a clear one as mostly of the easy kind.
HARD_AT_FIRST = 0.9
# A member that tells apart less than half as many classes as the median member has collapsed.
COLLAPSED = 0.5
# The weights lean on those without gold as if so many truths had spoken for each member.
EQUAL_FIRST = 1.0
# A member's certainty is cut here before it is mixed: one sure error must not silence it.
FLOOR = 0.01


@dataclass(frozen=True, eq=False)
class Crowd:
    """What a member sees: the labels, the votes made of them, and the authors' groups."""

    labels: Labels
    votes: Votes
    groups: Ints | None
    iterations: int
    tolerance: float


def affordable(labels: Labels) -> frozenset[str]:
    """The members that labels of this size leave time and memory for."""
    found = set(MEMBERS)
    cells = len(labels) * labels.label_count
    if cells > ABILITIES_CELLS_MAX:
        found -= {ABILITIES}
    if cells > GLAD_CELLS_MAX:
        found -= {GLAD}
    if len(labels) > VOTES_MAX:
        found &= {DAWID_SKENE}
    return frozenset(found)


def speak(crowd: Crowd, names: frozenset[str]) -> dict[str, Floats]:
    """What each of the members makes of every task: float64[T, K] by name, in the pool's order."""
    start = _with_gold(crowd.votes, crowd.votes.shares())
    found: dict[str, Floats] = {}
    for name in MEMBERS:
        if name in names:
            found[name] = _one(name, crowd, start, found)
    return found


def _one(name: str, crowd: Crowd, start: Singles, before: dict[str, Floats]) -> Floats:
    votes = crowd.votes
    if name == GLAD:
        wide = start.astype(np.float64)
        return glad(crowd.labels, wide, gold=votes.gold, evidence=votes.evidence).posterior
    if name == ABILITIES:
        first = before.get(DAWID_SKENE, start.astype(np.float64))
        return class_abilities(crowd.labels, first, gold=votes.gold, evidence=votes.evidence)[0]
    k = votes.class_count
    model: TableModel
    if name == MACE:
        model = Mace(k, votes.author_count)
    elif name == ONE_COIN:
        model = DawidSkene(k, groups=crowd.groups, one_coin=True)
    elif name == DAWID_SKENE:
        model = DawidSkene(k, groups=crowd.groups)
    else:
        shared = SHARED if name == SUBTYPES else 0.0
        model = DawidSkene(k, subtypes=2, groups=crowd.groups, shared=shared)
        start = easy_and_hard(start)
    return run(crowd, model, start)


def run(crowd: Crowd, model: TableModel, start: Singles) -> Floats:
    """Fit one table model and answer its posterior, float64[T, K]."""
    outcome = maximise(
        crowd.votes, model, start, iterations=crowd.iterations, tolerance=crowd.tolerance
    )
    return posterior(crowd.votes, model, outcome)


def easy_and_hard(shares: Singles) -> Singles:
    """Each class parted into an easy and a hard kind by how clear the vote was, float32[T, 2K].

    This start hangs on the votes alone, neither on chance nor on the order of the tasks.
    """
    clear = shares.max(1)
    spread = float(clear.std()) if len(clear) else 0.0
    apart = (clear - clear.mean()) / spread if spread > 1e-9 else np.zeros_like(clear)
    easy = 0.5 + HARD_AT_FIRST / 2 * np.tanh(apart)
    parted = np.stack([shares * easy[:, None], shares * (1 - easy)[:, None]], axis=2)
    return np.ascontiguousarray(parted.reshape(len(shares), 2 * shares.shape[1]), dtype=np.float32)


def _with_gold(votes: Votes, shares: Singles) -> Singles:
    if votes.gold is not None:
        known = np.flatnonzero(votes.gold >= 0)
        shares[known] = 0
        shares[known, votes.gold[known]] = 1
    return shares


def mixed(spoken: dict[str, Floats], weights: Floats) -> Floats:
    """The weighted mean of what the members say, float64[T, K]."""
    found = np.zeros_like(next(iter(spoken.values())))
    for weight, each in zip(weights, spoken.values(), strict=True):
        found += weight * each
    return found


def by_agreement(spoken: dict[str, Floats]) -> Floats:
    """Weights that sum to 1: agreement with the mean of the others, 0 for the collapsed."""
    said = list(spoken.values())
    if len(said) == 1:
        return np.ones(1)
    total = np.sum(said, axis=0)
    agreed = np.empty(len(said))
    for at, each in enumerate(said):
        others = (total - each) / (len(said) - 1)
        agreed[at] = (each * others).sum() / max(float(others.max(1).sum()), 1e-12)
    told = np.array([_classes_told_apart(each) for each in said])
    agreed[told - 1 < COLLAPSED * (np.median(told) - 1)] = 0
    total_agreed = float(agreed.sum())
    if total_agreed <= 0:
        return np.full(len(said), 1 / len(said))
    weights: Floats = agreed / total_agreed
    return weights


def _classes_told_apart(said: Floats) -> float:
    """The exponential of the entropy of the classes' shares: 1 where all is put into one."""
    share = said.mean(0) if len(said) else np.ones(1)
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def by_gold(foretold: dict[str, Floats], truth: npt.NDArray[np.integer], first: Floats) -> Floats:
    """Weights under which known truths are likeliest, by expectation-maximisation.

    foretold: float64[G, K] by member, made without the truth that they are held against
    truth: int[G]; first: weights without gold, on which the answer leans
    """
    at = np.arange(len(truth))
    chance = np.stack([np.maximum(each[at, truth], FLOOR) for each in foretold.values()], 1)
    lean = EQUAL_FIRST * len(first) * first
    weights = first
    for _ in range(200):
        share = weights * chance
        share /= share.sum(1, keepdims=True)
        newer = (share.sum(0) + lean) / (len(truth) + lean.sum())
        moved = float(np.abs(newer - weights).max())
        weights = newer
        if moved < 1e-6:
            break
    return weights
