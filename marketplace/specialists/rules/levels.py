"""From what verifiers said to one level, L0 to L4, and to the step that follows; pure.

L0 self-declared; L1 the identifier is well formed; L2 found in the registry, name and jurisdiction
fit; L3 an identity document bears the same name, or control of the account was proven; L4 a primary
source said within 120 days that it is active, and no hit stands open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.specialists.rules.lifecycle import HOLDING, CredentialState
from marketplace.specialists.rules.verdicts import Outcome, Verdict

ACTIVE_WITHIN = timedelta(days=120)
NAME_SCORE_MIN = 0.85
# Below this, two names are two people; between the two, a person looks.
NAME_UNCLEAR_MIN = 0.6
REGISTRY_KINDS = frozenset({"registry", "skill"})
# Suspensions that a person made; only a person lifts them.
BY_PERSON = frozenset({"suspended_by_person"})
# Why a claim waits for a person to look, whatever verdicts say.
FOR_PERSON = frozenset({"renewal_asked", "reopened"})
LEVEL_LOST = "level_lost"
# A register's answer without any entry, and what it is called while it is not believed yet.
NOT_LISTED = "not_in_registry"
EMPTY_ANSWER = "empty_answer"
# How long after the first empty answer it is asked again, before the last one counts.
EMPTY_AGAIN = (timedelta(hours=6), timedelta(hours=30))
RETRY_FIRST = timedelta(minutes=1)
RETRY_LONGEST = timedelta(hours=6)
RETRY_DAILY = timedelta(days=1)
RETRIES_EAGER = 12


@dataclass(frozen=True, slots=True)
class Standing:
    """A verifier's last word, and since when it has said the same without a break."""

    verdict: Verdict
    since: datetime


def standing(verdicts: Iterable[Verdict], now: datetime) -> list[Standing]:
    """The last word of each verifier; `unavailable` is none. A verdict without a time is new."""
    found: dict[str, Standing] = {}
    for verdict in sorted(verdicts, key=lambda each: each.at or now):
        if verdict.outcome is Outcome.UNAVAILABLE:
            continue
        at, before = verdict.at or now, found.get(verdict.verifier)
        same = before is not None and _says(before.verdict) == _says(verdict)
        since = before.since if before is not None and same else at
        found[verdict.verifier] = Standing(verdict, since)
    return list(found.values())


def _says(verdict: Verdict) -> tuple[Outcome, tuple[str, ...]]:
    return verdict.outcome, verdict.reasons


def level_of(verdicts: Iterable[Verdict], now: datetime) -> int:
    """The level that all verdicts on one claim show together, by the last word of each verifier.

    A pass of a further verifier never lowers it, a failure never raises it, `unavailable` changes
    nothing. now: aware UTC; L4 needs a primary source that is not older than 120 days.
    """
    last = [each.verdict for each in standing(verdicts, now)]
    passed = [each for each in last if each.outcome is Outcome.PASS]
    failed = {each.kind for each in last if each.outcome is Outcome.FAIL}
    if "manual" in failed:
        passed = [each for each in passed if each.kind == "format"]
    elif failed & REGISTRY_KINDS:
        # What the registry denies no document makes true; only a person who looked outweighs it.
        passed = [each for each in passed if each.kind in {"format", "manual"}]
    level = max((_alone(each, now) for each in passed), default=0)
    if level == 2 and "identity" not in failed and any(_names_person(each) for each in passed):
        level = 3
    open_hit = any(
        each.kind == "sanctions" and each.outcome in {Outcome.FAIL, Outcome.INCONCLUSIVE}
        for each in last
    )
    return min(level, 3) if open_hit else level


def _alone(verdict: Verdict, now: datetime) -> int:
    """What one pass shows by itself."""
    match verdict.kind:
        case "format":
            return min(verdict.level, 1)
        case "registry":
            return min(verdict.level, 2)
        case "identity":
            return 3 if verdict.match.get("control") is True else 0
        case "sanctions":
            return 0
    if verdict.level == 4 and now - (verdict.at or now) > ACTIVE_WITHIN:
        return 3
    return verdict.level


def _names_person(verdict: Verdict) -> bool:
    """Whether an identity document bears the name that the registry was compared with."""
    return verdict.kind == "identity" and (verdict.match.get("name_score") or 0) >= NAME_SCORE_MIN


def standing_failure(verdicts: Iterable[Verdict], now: datetime) -> str | None:
    """The reason of a failure that stands; None where there is none.

    A person who looked after a source began to say so, and verified all the same, outweighs it;
    only a sanctions hit is cleared in its own way. What a person decided is no failure here: they
    took the step themselves.
    """
    last = standing(verdicts, now)
    looked = [
        each.verdict.at or now
        for each in last
        if each.verdict.kind == "manual" and each.verdict.outcome is Outcome.PASS
    ]
    for each in last:
        verdict = each.verdict
        if verdict.outcome is not Outcome.FAIL or verdict.kind in {"manual", "format"}:
            continue
        if verdict.kind == "sanctions" or not any(at > each.since for at in looked):
            return verdict.reasons[0] if verdict.reasons else "source_mismatch"
    return None


def looked_up_by_person(verdicts: Iterable[Verdict], now: datetime) -> bool:
    """Whether a person's last word on the claim is that it is true."""
    return any(
        each.verdict.kind == "manual" and each.verdict.outcome is Outcome.PASS
        for each in standing(verdicts, now)
    )


@dataclass(frozen=True, slots=True)
class Position:
    """Where a claim stands when verdicts are weighed. sold_level: from which it counts;
    auto_verify: verdicts alone may verify such a type; looked_up: a person's last word is that it
    is true."""

    state: CredentialState
    reason: str | None
    level_before: int
    level: int
    sold_level: int
    auto_verify: bool
    looked_up: bool
    failure: str | None


def step_after(at: Position) -> tuple[CredentialState, str | None] | None:
    """The step that verdicts lead to, with its reason; None where the claim stays as it is."""
    state = CredentialState
    enough = at.level >= at.sold_level and at.level >= 2
    if at.state is state.CHECKING or at.state in HOLDING:
        if at.failure is not None:
            return state.SUSPENDED, at.failure
        if at.state is state.CHECKING:
            alone = at.auto_verify and at.reason not in FOR_PERSON
            return (state.VERIFIED, None) if enough and alone else None
        # What a person verified below the sold level stays; only what was lost counts.
        lost = at.level < 2 or at.level < at.sold_level <= at.level_before
        return (state.SUSPENDED, LEVEL_LOST) if lost else None
    if not enough or at.failure is not None:
        return None
    lifted = at.state is state.SUSPENDED and at.reason not in BY_PERSON
    renewed = at.state is state.EXPIRED and at.reason == "not_reverified"
    if (lifted and (at.auto_verify or at.looked_up)) or (renewed and at.auto_verify):
        return state.VERIFIED, None
    return None


def retry_at(now: datetime, *, attempt: int, after_seconds: float | None = None) -> datetime:
    """When to ask a source again that gave no answer: after 1, 2, 4 … minutes, then daily.

    attempt: how many times it was asked, from 1; after_seconds: what the source itself asked for,
    which counts where it is longer, up to a day.
    """
    longest = RETRY_LONGEST if attempt <= RETRIES_EAGER else RETRY_DAILY
    wait = min(RETRY_FIRST * (1 << min(attempt - 1, 12)), longest)
    asked = timedelta(seconds=min(max(after_seconds or 0.0, 0.0), 86_400.0))
    return now + max(wait, asked)


def empty_since(verdicts: Iterable[Verdict], verifier: str) -> datetime | None:
    """When a verifier gave the first empty answer since it last found something; None for none."""
    first: datetime | None = None
    for verdict in verdicts:
        if verdict.verifier != verifier:
            continue
        if verdict.outcome is not Outcome.UNAVAILABLE:
            first = None
        elif verdict.reasons == (EMPTY_ANSWER,) and first is None:
            first = verdict.at
    return first


def empty_again(first: datetime | None, now: datetime) -> datetime | None:
    """When to ask again after another empty answer; None where it was asked often enough.

    first: when the first of them came, None where this is the first. verdicts: oldest first.
    """
    began = first or now
    return next((began + after for after in EMPTY_AGAIN if now < began + after), None)
