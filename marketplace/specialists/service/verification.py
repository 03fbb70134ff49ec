"""Verdicts on claims: what is asked, what is kept, and the step that follows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.specialists.gateway import Claimed, Subject, Verifier
from marketplace.specialists.models import CredentialClaim, VerificationRun
from marketplace.specialists.queries.catalogue import catalogue
from marketplace.specialists.queries.connections import subject_of
from marketplace.specialists.rules import HOLDING, CredentialState, Outcome, Verdict
from marketplace.specialists.rules.catalogue import CredentialType
from marketplace.specialists.rules.levels import (
    ACTIVE_WITHIN,
    EMPTY_ANSWER,
    LEVEL_LOST,
    NOT_LISTED,
    Position,
    empty_again,
    empty_since,
    level_of,
    looked_up_by_person,
    retry_at,
    standing_failure,
    step_after,
)
from marketplace.specialists.service.amendments import settle_by_register
from marketplace.specialists.service.screening import list_verdict, screen_later
from marketplace.specialists.service.steps import locked_claim, record_run, set_state, trace

# Runs of one claim that are weighed, newest first; a claim has a few each year.
RUNS_MAX = 500
CLAIMS_MAX = 200
LOOKED_AT = frozenset(
    {
        CredentialState.CLAIMED,
        CredentialState.CHECKING,
        CredentialState.VERIFIED,
        CredentialState.EXPIRING_SOON,
        CredentialState.SUSPENDED,
        CredentialState.EXPIRED,
    }
)
# A full look begins this long before a check is too old to count.
EARLY = timedelta(days=30)
VERIFY = "specialists.verify"
# Lists are in the database, so they are asked as verdicts are kept.
LISTS = {"us.leie": "leie", "us.ofac": "ofac"}


@dataclass(frozen=True, slots=True)
class Look:
    """A claim and its person as they were when the verifiers were asked."""

    claimed: Claimed
    subject: Subject
    keys: tuple[str, ...]


def look_at(
    session: Session,
    claim_id: UUID,
    verifiers: Mapping[str, Verifier],
    only: Collection[str] | None = None,
) -> Look | None:
    """What the verifiers need to know, and which of them apply; None where none is to be asked.

    only: keys of those that are wanted, None for all.
    """
    claim = session.get(CredentialClaim, claim_id, populate_existing=True)
    if claim is None or claim.state not in LOOKED_AT or claim.identifier is None:
        return None
    claimed = _claimed(session, claim, claim.identifier)
    keys = tuple(
        key
        for key, verifier in verifiers.items()
        if (only is None or key in only) and verifier.applies_to(claimed)
    )
    return Look(claimed, subject_of(session, claim.person_id), keys)


def _claimed(session: Session, claim: CredentialClaim, identifier: str) -> Claimed:
    known = catalogue(session)
    profession = known.professions[claim.profession]
    return Claimed(
        claim_id=claim.id,
        kind=known.types[claim.type],
        jurisdiction=claim.jurisdiction,
        identifier=identifier,
        specialties=tuple(claim.specialties),
        valid_until=claim.valid_until,
        specialty_of={
            code: specialty.key
            for specialty in profession.listed.values()
            for code in specialty.nucc_codes
        },
    )


def record_verdicts(
    session: Session,
    look: Look,
    verdicts: Sequence[Verdict],
    *,
    only: Collection[str] | None = None,
    attempt: int = 1,
) -> None:
    """Keep what verifiers said about a claim and take the steps that follow.

    Where the claim or the person has changed since they were asked, nothing is kept and they are
    asked again. A source without an answer is asked again later, by itself. attempt: from 1.
    """
    claim = locked_claim(session, look.claimed.claim_id)
    now = look_at(session, claim.id, {}, only)
    if now is None:
        return
    if (now.claimed, now.subject) != (look.claimed, look.subject):
        outbox.enqueue(session, VERIFY, claim_id=claim.id, only=_listed(only))
        return
    listed = [
        list_verdict(session, claim, name)
        for key, name in LISTS.items()
        if key in look.claimed.kind.verifiers and (only is None or key in only)
    ]
    away: dict[str, datetime] = {}
    for verdict in (*verdicts, *listed):
        kept = _doubted(session, claim, verdict)
        if kept is not verdict:
            _ask_once_more(session, claim, kept)
        elif verdict.outcome is Outcome.UNAVAILABLE and verdict.kind == "registry":
            kept = _postponed(verdict, attempt)
            away[kept.verifier] = kept.next_check_at or clock.now()
        if _is_news(session, claim, kept):
            _record(session, SYSTEM, claim, kept, None)
    _weigh(session, SYSTEM, claim, None)
    settle_by_register(session, SYSTEM, claim)
    if away:
        outbox.enqueue(
            session,
            VERIFY,
            not_before=max(away.values()),
            claim_id=claim.id,
            only=sorted(away),
            attempt=attempt + 1,
        )


def _listed(only: Collection[str] | None) -> list[str] | None:
    return None if only is None else sorted(only)


def _postponed(verdict: Verdict, attempt: int) -> Verdict:
    """The verdict with the later of the source's own time and our back-off."""
    ours = retry_at(clock.now(), attempt=attempt)
    return replace(verdict, next_check_at=max(ours, verdict.next_check_at or ours))


def _doubted(session: Session, claim: CredentialClaim, verdict: Verdict) -> Verdict:
    """The verdict, or `unavailable` for an empty answer about what was found before.

    A register answers with nothing also while it is out of order: only the third time, spaced as
    `EMPTY_AGAIN` says, does it count.
    """
    if claim.state not in HOLDING or verdict.reasons != (NOT_LISTED,):
        return verdict
    again = empty_again(empty_since(verdicts_on(session, claim.id), verdict.verifier), clock.now())
    if again is None:
        return verdict
    return replace(
        verdict, outcome=Outcome.UNAVAILABLE, reasons=(EMPTY_ANSWER,), next_check_at=again
    )


def _ask_once_more(session: Session, claim: CredentialClaim, doubted: Verdict) -> None:
    at = doubted.next_check_at or clock.now()
    outbox.enqueue_once(
        session,
        f"empty:{claim.id}:{doubted.verifier}:{at.isoformat()}",
        VERIFY,
        not_before=at,
        claim_id=claim.id,
        only=[doubted.verifier],
    )


def _is_news(session: Session, claim: CredentialClaim, verdict: Verdict) -> bool:
    """Whether there is anything to keep: what asked nobody and says the same again is not."""
    if verdict.kind == "registry":
        return True
    newest = (
        select(VerificationRun)
        .where(VerificationRun.claim_id == claim.id, VerificationRun.verifier == verdict.verifier)
        .order_by(VerificationRun.id.desc())
        .limit(1)
    )
    last = session.scalar(newest)
    if last is None:
        # "Nothing was shown yet" is no finding.
        return verdict.outcome in {Outcome.PASS, Outcome.FAIL}
    said = (last.outcome, last.reasons, last.match, last.observed)
    return said != (verdict.outcome, list(verdict.reasons), verdict.match, verdict.observed)


def record_verdict(
    session: Session, actor: Actor, claim_id: UUID, verdict: Verdict, note: str | None = None
) -> CredentialClaim:
    """Keep a verdict with its evidence, derive the level, and take the step that follows.

    A failure suspends, a pass may verify or lift a suspension that no person made, `unavailable`
    changes nothing. For a verdict of kind `manual` the person's own verb takes the step. note:
    what a person wrote, kept encrypted. Raises Missing for a claim that there is not.
    """
    claim = locked_claim(session, claim_id)
    _record(session, actor, claim, verdict, note)
    _weigh(session, actor, claim, verdict)
    return claim


def _record(
    session: Session, actor: Actor, claim: CredentialClaim, verdict: Verdict, note: str | None
) -> None:
    record_run(session, actor, claim, verdict, note=note)
    passed = verdict.outcome is Outcome.PASS and _is_look_up(verdict)
    kind = catalogue(session).types[claim.type]
    if passed and (claim.checked_at is None or kind.auto_verify or verdict.kind == "manual"):
        claim.checked_at = clock.now()
    if passed and kind.auto_verify and "specialties" in verdict.match:
        _take_specialties(session, claim, verdict.match["specialties"])


def _take_specialties(session: Session, claim: CredentialClaim, named: Sequence[str]) -> None:
    """Let a credential that no person looks at cover what its register names, and no more.

    What its holder said of it is nobody's finding, so it is neither sold nor asked for; what a
    person verified stays.
    """
    if claim.specialties == list(named):
        return
    if not looked_up_by_person(verdicts_on(session, claim.id), clock.now()):
        claim.specialties = list(named)
        trace(session, SYSTEM, claim)
        audit.record(session, SYSTEM, "took specialties from register", claim.id)


def _is_look_up(verdict: Verdict) -> bool:
    """Whether a pass counts as having looked the credential up."""
    return verdict.level >= 2 and (
        verdict.kind in {"registry", "manual", "skill"} or verdict.match.get("control") is True
    )


def _weigh(session: Session, actor: Actor, claim: CredentialClaim, verdict: Verdict | None) -> None:
    """Set the level that all verdicts show together, and take the step that follows."""
    manual = verdict is not None and verdict.kind == "manual"
    if verdict is not None and verdict.outcome is Outcome.UNAVAILABLE:
        return
    if manual and verdict is not None and verdict.outcome is not Outcome.PASS:
        # The verb that follows takes the claim out of the states that need a level.
        return
    verdicts, now = verdicts_on(session, claim.id), clock.now()
    before, level = claim.level, level_of(verdicts, now)
    if manual:
        claim.level = level
        return
    kind = catalogue(session).types[claim.type]
    step = step_after(_position(claim, kind, verdicts, level, now))
    claim.level = level
    if step is not None:
        reason = step[1] if step[1] != LEVEL_LOST else _what_was_lost(verdicts)
        set_state(session, actor, claim, step[0], reason=reason)
    elif level != before:
        trace(session, actor, claim)


def _position(
    claim: CredentialClaim,
    kind: CredentialType,
    verdicts: Sequence[Verdict],
    level: int,
    now: datetime,
) -> Position:
    return Position(
        state=claim.state,
        reason=claim.reason,
        level_before=claim.level,
        level=level,
        sold_level=kind.sold_level,
        auto_verify=kind.auto_verify and claim.checked_at is not None,
        looked_up=looked_up_by_person(verdicts, now),
        failure=standing_failure(verdicts, now),
    )


def _what_was_lost(verdicts: Sequence[Verdict]) -> str:
    """The newest reason that is not a failure, such as a changed name."""
    for verdict in reversed(verdicts):
        if verdict.outcome is Outcome.INCONCLUSIVE and verdict.reasons:
            return verdict.reasons[0]
    return LEVEL_LOST


def verdicts_on(session: Session, claim_id: UUID) -> list[Verdict]:
    """All that was said about a claim, oldest first, without what may be personal."""
    newest = (
        select(VerificationRun)
        .where(VerificationRun.claim_id == claim_id)
        .order_by(VerificationRun.id.desc())
        .limit(RUNS_MAX)
    )
    return [
        Verdict(
            run.verifier,
            run.kind,
            run.outcome,
            run.level,
            observed=run.observed,
            match=run.match,
            reasons=tuple(run.reasons),
            at=run.ran_at,
        )
        for run in reversed(session.scalars(newest).all())
    ]


def look_again(session: Session, person_id: UUID, *, only: Collection[str] | None = None) -> None:
    """Have every credential of a person looked at again. only: keys of verifiers, None for all."""
    claims = select(CredentialClaim.id).where(
        CredentialClaim.person_id == person_id, CredentialClaim.state.in_(LOOKED_AT)
    )
    for claim_id in session.scalars(claims.order_by(CredentialClaim.id).limit(CLAIMS_MAX)):
        outbox.enqueue(session, VERIFY, claim_id=claim_id, only=_listed(only))


def name_changed(session: Session, person_id: UUID) -> None:
    """Look at everything again that was compared with a person's former name or birth date."""
    look_again(session, person_id)
    screen_later(session, person_id)


def recheck_due(session: Session, *, after: UUID | None = None, limit: int = 500) -> UUID | None:
    """Have claims looked at whose last check grows old; the last id, None at the end.

    A type's check grows old 30 days before its `reverify_days` are over; level 4 after 120 days.
    """
    now = clock.now()
    old = [
        (CredentialClaim.type == kind.key)
        & (CredentialClaim.checked_at <= now - timedelta(days=kind.reverify_days) + EARLY)
        for kind in catalogue(session).types.values()
    ]
    faded = (CredentialClaim.level == 4) & (CredentialClaim.checked_at <= now - ACTIVE_WITHIN)
    due = select(CredentialClaim.id).where(CredentialClaim.state.in_(HOLDING), or_(faded, *old))
    if after is not None:
        due = due.where(CredentialClaim.id > after)
    found = session.scalars(due.order_by(CredentialClaim.id).limit(limit)).all()
    week = now.strftime("%G-%V")
    for claim_id in found:
        outbox.enqueue_once(session, f"recheck:{claim_id}:{week}", VERIFY, claim_id=claim_id)
    return found[-1] if len(found) == limit else None
