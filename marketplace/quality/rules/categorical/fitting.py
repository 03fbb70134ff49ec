"""`fit`: from labels to posteriors, confusions and reliabilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from marketplace.quality.rules import calibration
from marketplace.quality.rules.calibration import Calibration
from marketplace.quality.rules.categorical import pool, reliability
from marketplace.quality.rules.categorical.pool import Crowd
from marketplace.quality.rules.categorical.prior import Floats
from marketplace.quality.rules.categorical.result import Fit, Member
from marketplace.quality.rules.categorical.stacking import stack
from marketplace.quality.rules.categorical.votes import Votes
from marketplace.quality.rules.crowd import UNKNOWN, Ints, Labels

# A part of the gold is held back so often to weigh the members; large inputs do with fewer.
FOLDS = 5
FOLDS_OF_LARGE = 2
LARGE = 100_000
GOLD_MIN = 10


@dataclass(frozen=True)
class Settings:
    """How far a fit goes.

    iterations, tolerance: most passes over the votes, and the share of votes that still may move
    members: names from pool.MEMBERS; those that the size forbids are left out and say so
    default: the calibration on which gold builds
    tell: called with a few words as each part is done
    """

    iterations: int = 50
    tolerance: float = 1e-5
    members: tuple[str, ...] = pool.MEMBERS
    default: Calibration = calibration.DEFAULT
    tell: Callable[[str], None] = field(default=lambda _: None)


def fit(
    labels: Labels,
    *,
    gold: Ints | None = None,
    groups: Ints | None = None,
    features: Floats | None = None,
    settings: Settings = Settings(),
) -> Fit:
    """Posteriors of tasks, confusions and reliabilities of authors.

    gold: int32[T], the truth where it is known, -1 elsewhere; it is taken for certain
    groups: int32[A], the profession or kind of model that each author shrinks to
    features: float64[T, F], numbers known of each task; they need gold to learn from
    """
    if not labels.label_count:
        # Without any label there is still an answer: one class that holds every task.
        labels = replace(labels, label_count=1)
    truth = np.full(labels.task_count, UNKNOWN, dtype=np.int32) if gold is None else gold
    names = frozenset(settings.members) & pool.affordable(labels)
    asked = _Asked(labels, groups, names, settings)
    votes = Votes(labels, truth)
    settings.tell(f"{len(labels):,} label{'s' * (len(labels) != 1)} read")
    spoken = asked.speak(votes)
    weights = pool.by_agreement(spoken)
    tuned = settings.default
    if (truth != UNKNOWN).sum() >= GOLD_MIN:
        foretold = asked.out_of_fold(truth)
        stacked = stack(votes, truth, features)
        if stacked is not None:
            spoken[pool.STACKING] = foretold[pool.STACKING] = stacked.posterior
            share = stacked.trust
            weights = np.append((1 - share) * weights, share)
        held = _tuned_alone(spoken, foretold, truth, tuned)
        right = truth[truth != UNKNOWN]
        weights = pool.by_gold(held, right, weights)
        # What is mixed is calibrated by now, so the mixture is expected to need no more heat.
        tuned = replace(tuned, temperature=1.0)
        tuned = calibration.fit(pool.mixed(held, weights), right, default=tuned)
    mixed = pool.mixed(spoken, weights)
    found = calibration.apply(mixed, tuned.mixture_only())
    _fix(found, truth)
    _fix(mixed, truth)
    members = tuple(
        Member(name, float(weight)) for name, weight in zip(spoken, weights, strict=True)
    ) + tuple(Member(name, 0.0) for name in settings.members if name not in spoken)
    return _answer(asked, votes, (found, mixed), members, tuned)


@dataclass(frozen=True, eq=False)
class _Asked:
    labels: Labels
    groups: Ints | None
    names: frozenset[str]
    settings: Settings

    def speak(self, votes: Votes, part: str = "") -> dict[str, Floats]:
        """What the members make of these votes, each with its certainty cut by crowding."""
        spoken = pool.speak(self.crowd(votes), self.names)
        cut = self.settings.default.members_only()
        counted = np.diff(votes.matrix.indptr).astype(np.float64)
        self.settings.tell(f"{len(spoken)} models fitted{part}")
        return {name: calibration.apply(each, cut, counted) for name, each in spoken.items()}

    def crowd(self, votes: Votes) -> Crowd:
        """The votes with our settings."""
        return Crowd(
            self.labels, votes, self.groups, self.settings.iterations, self.settings.tolerance
        )

    def out_of_fold(self, truth: Ints) -> dict[str, Floats]:
        """What the members say of gold tasks whose truth they were not told; 0 elsewhere."""
        folds = FOLDS_OF_LARGE if len(self.labels) > LARGE else FOLDS
        known = np.flatnonzero(truth != UNKNOWN)
        shape = (self.labels.task_count, self.labels.label_count)
        found = {name: np.zeros(shape) for name in pool.MEMBERS if name in self.names}
        for fold in range(folds):
            held = known[fold::folds]
            told = truth.copy()
            told[held] = UNKNOWN
            spoken = self.speak(
                Votes(self.labels, told), f", part {fold + 1} of {folds} of gold aside"
            )
            for name, each in spoken.items():
                found[name][held] = each[held]
        return found


def _tuned_alone(
    spoken: dict[str, Floats], foretold: dict[str, Floats], truth: Ints, default: Calibration
) -> dict[str, Floats]:
    """Calibrate each member by itself, in place; what it foretold of gold tasks, float64[G, K]."""
    known = truth != UNKNOWN
    held = {}
    for name, each in foretold.items():
        tuned = calibration.fit(each[known], truth[known], default=default).mixture_only()
        spoken[name] = calibration.apply(spoken[name], tuned)
        held[name] = calibration.apply(each[known], tuned)
    return held


def _fix(posterior: Floats, truth: Ints) -> None:
    """Known truths are certain, whatever anybody says."""
    known = np.flatnonzero(truth != UNKNOWN)
    posterior[known] = 0
    posterior[known, truth[known]] = 1


def _answer(
    asked: _Asked,
    votes: Votes,
    posteriors: tuple[Floats, Floats],
    members: tuple[Member, ...],
    tuned: Calibration,
) -> Fit:
    posterior, mixed = posteriors
    authors = reliability.learn(votes, posterior, mixed, asked.groups)
    return Fit(
        posterior=posterior,
        confusion=authors.confusion.astype(np.float32),
        counts=authors.counts.astype(np.float32),
        reliability=authors.mean,
        lower=authors.lower,
        upper=authors.upper,
        prior=posterior.mean(0) if len(posterior) else np.full(votes.class_count, np.nan),
        difficulty=reliability.difficulty(votes, posterior, authors.mean),
        members=members,
        population=authors.population,
        calibration=tuned,
    )
