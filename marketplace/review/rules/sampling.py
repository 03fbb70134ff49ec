"""Which answers a person looks at: by lot, and more often where there is more to fear; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from uuid import UUID

# Counts changes to the formula, so that a stored chance can be worked out again.
FORMULA = 1
NEW_UNTIL = 5
TRUSTED_FROM = 0.8
SURE_FROM = 0.8
AGREES_FROM = 0.5


class Reason(StrEnum):
    """Why an answer is looked at more often than the job's share says."""

    REWORKED = "reworked"
    WATCHED = "watched"
    NEW_IN_JOB = "new_in_job"
    SKILL_UNPROVEN = "skill_unproven"
    UNSURE = "unsure"
    OUTSIDE_COMPETENCE = "outside_competence"
    BAD_ITEM = "bad_item"
    UNLIKE_OTHERS = "unlike_others"
    UNLIKE_MODEL = "unlike_model"
    LABEL_UNSURE = "label_unsure"
    GOLD_MISSED = "gold_missed"


class EndedBy(StrEnum):
    """What ended an answer's wait: a reviewer's verdict on it, one on many at once, or its date."""

    VERDICT = "verdict"
    BATCH = "batch"
    DEADLINE = "deadline"


# By how much each multiplies the odds of a look.
ODDS = {
    Reason.NEW_IN_JOB: 3.0,
    Reason.UNSURE: 3.0,
    Reason.OUTSIDE_COMPETENCE: 4.0,
    Reason.BAD_ITEM: 2.0,
    Reason.UNLIKE_OTHERS: 3.0,
    Reason.UNLIKE_MODEL: 2.0,
    Reason.LABEL_UNSURE: 2.0,
    Reason.GOLD_MISSED: 4.0,
}
SKILL_ODDS_MAX = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of an answer before anybody has looked at it.

    floor: the job's declared share, 0..1; skill_lower: the lower bound of the author's skill, None
    where nothing was judged yet; done_in_job: their answers there, this one with them;
    alike_others, alike_models: the share of its units that others and models answered the same,
    None where there are none; confidence: of the task's least sure label, this answer with it;
    gold_missed: whether their latest gold in the job was wrong; watched: a rule asks for all.
    """

    floor: float
    round: int = 1
    flags: frozenset[str] = frozenset()
    skill_lower: float | None = None
    done_in_job: int = 1
    alike_others: float | None = None
    alike_models: float | None = None
    confidence: float | None = None
    gold_missed: bool = False
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a look is, 0..1, and why it is more than the job's share."""

    share: float
    reasons: tuple[Reason, ...]


def chance_of(facts: Facts) -> Chance:
    """The chance that a person looks at an answer: never below the job's share.

    Each reason multiplies the odds, so that several of them add up and none alone makes a look
    certain; a job that declares no review gets none, unless a rule asks for it or it was reworked.
    """
    certain = [
        reason
        for reason, holds in ((Reason.REWORKED, facts.round > 1), (Reason.WATCHED, facts.watched))
        if holds
    ]
    if certain:
        return Chance(1.0, tuple(certain))
    floor = min(1.0, max(0.0, facts.floor))
    if floor in {0.0, 1.0}:
        return Chance(floor, ())
    odds, reasons = floor / (1 - floor), []
    for reason in _reasons(facts):
        reasons.append(reason)
        odds *= _odds(reason, facts)
    return Chance(max(floor, odds / (1 + odds)), tuple(reasons))


def _odds(reason: Reason, facts: Facts) -> float:
    if reason is not Reason.SKILL_UNPROVEN:
        return ODDS[reason]
    lacking = 1 - (facts.skill_lower or 0.0) / TRUSTED_FROM
    return 1 + (SKILL_ODDS_MAX - 1) * lacking


def _reasons(facts: Facts) -> Iterable[Reason]:
    if facts.done_in_job <= NEW_UNTIL:
        yield Reason.NEW_IN_JOB
    if facts.skill_lower is not None and facts.skill_lower < TRUSTED_FROM:
        yield Reason.SKILL_UNPROVEN
    for flag in (Reason.UNSURE, Reason.OUTSIDE_COMPETENCE, Reason.BAD_ITEM):
        if flag.value in facts.flags:
            yield flag
    if facts.alike_others is not None and facts.alike_others < AGREES_FROM:
        yield Reason.UNLIKE_OTHERS
    if facts.alike_models is not None and facts.alike_models < AGREES_FROM:
        yield Reason.UNLIKE_MODEL
    if facts.confidence is not None and facts.confidence < SURE_FROM:
        yield Reason.LABEL_UNSURE
    if facts.gold_missed:
        yield Reason.GOLD_MISSED


def is_sampled(submission_id: UUID, share: float) -> bool:
    """Whether a submission is among the share (0..1) that a person reviews.

    The lot is drawn by its id alone, so that nobody can steer it, asking again answers the same,
    and whoever is drawn at one chance is drawn at every higher one.
    """
    return _lot(b"review", submission_id) < share


def is_looked_at_again(submission_id: UUID, share: float) -> bool:
    """Whether the rejection of a submission is among the share that somebody else looks at."""
    return _lot(b"second", submission_id) < share


def _lot(salt: bytes, submission_id: UUID) -> float:
    return int.from_bytes(hashlib.sha256(salt + submission_id.bytes).digest()[:8]) / 2**64


@dataclass(frozen=True, slots=True)
class Weighted:
    """A share of all answers as estimated from those that were drawn, with a 90 % interval."""

    share: float
    lower: float
    upper: float
    drawn: int


Z_90 = 1.6448536269514722


def weighted_share(good: Sequence[bool], chances: Sequence[float]) -> Weighted | None:
    """The share of good answers in the whole set, from a sample of unequal chances.

    Each drawn answer stands for 1 / chance of the set (Hájek 1971, after Horvitz and Thompson
    1952). The interval is Wilson's (1927) at the effective size of the sample (Kish 1965), so that
    it speaks of answers to come as well, and a few that agree leave it wide. None without a sample.
    """
    if not good:
        return None
    weights = [1 / chance for chance in chances]
    whole = sum(weights)
    share = sum(weight for weight, one in zip(weights, good, strict=True) if one) / whole
    size = whole**2 / sum(weight**2 for weight in weights)
    squared = Z_90**2 / size
    middle = (share + squared / 2) / (1 + squared)
    wide = Z_90 / (1 + squared) * sqrt(share * (1 - share) / size + squared / (4 * size))
    return Weighted(share, max(0.0, middle - wide), min(1.0, middle + wide), len(good))
