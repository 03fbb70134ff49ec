"""Profiles, credentials and a household: claimed, verified, and what time makes of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.demo.cast import SPECIALISTS, Fate, Licence, Specialist
from marketplace.demo.people import actor_of
from marketplace.demo.quiet import put_off
from marketplace.demo.timeline import Timeline, at
from marketplace.specialists import queries, service
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.queries.links import in_household
from marketplace.specialists.rules import CredentialState, Decision
from marketplace.specialists.service import links

OPERATIONS = "operations@demo.test"
SECOND = "operations2@demo.test"
HOUSEHOLD = ("j.abernathy@demo.test", "k.vasquez@demo.test")
SEEN = "Opened the register's own page; name, place and status are as stated. Screenshot kept."
SEEN_AS_WELL = "Opened the register too: the same name, number and standing as my colleague saw."
SUSPENDED = "The register notes an interim suspension as of this week; the holder was told."


def claim_all(timeline: Timeline) -> None:
    """Every specialist's profile and claims, then what operations found at the sources."""
    for number, one in enumerate(SPECIALISTS):
        with at(timeline.on(20, 10 + number // 2, 30 * (number % 2))), transaction() as session:
            _claim(session, one, timeline.anchor)
            put_off(session, timeline.anchor)
    for number, one in enumerate(SPECIALISTS):
        with at(timeline.on(19, 7, 4 * number)), transaction() as session:
            _verify(session, one)


def _claim(session: Session, one: Specialist, anchor: datetime) -> None:
    actor = actor_of(session, one.email)
    if queries.profile_of(session, actor, actor.person()) is None:
        service.save_profile(
            session,
            actor,
            headline=one.headline,
            professions=[one.profession],
            languages=["en"],
            jurisdictions=[each.jurisdiction for each in one.licences if each.jurisdiction],
            time_zone=one.time_zone,
            country="US",
            legal_name=one.legal_name,
            born_on=one.born_on or None,
        )
    claimed = _claims(session, one)
    for licence in one.licences[len(claimed) :]:
        days = licence.valid_days
        service.claim_credential(
            session,
            actor,
            type=licence.type,
            identifier=licence.identifier,
            jurisdiction=licence.jurisdiction,
            specialties=licence.specialties,
            valid_until=None if days is None else (anchor + timedelta(days=days)).date(),
        )


def _claims(session: Session, one: Specialist) -> list[CredentialClaim]:
    """The claims in the order of the licences."""
    actor = actor_of(session, one.email)
    return list(queries.credentials_of(session, actor, actor.person()))[::-1]


def _verify(session: Session, one: Specialist) -> None:
    waits_for_second = actor_of(session, SECOND)
    for licence, claim in zip(one.licences, _claims(session, one), strict=False):
        proposal = queries.claim_of(session, waits_for_second, claim.id).proposal
        undecided = claim.state is CredentialState.CHECKING and proposal is None
        if licence.fate is not Fate.CHECKING and undecided:
            _decide(session, licence, claim, Decision.VERIFY, SEEN)


def declare_household() -> None:
    """Two who live together say so, with the code that one of them got."""
    with transaction() as session:
        first, second = (actor_of(session, email) for email in HOUSEHOLD)
        if not in_household(session, second):
            links.declare_household(session, second, links.found_household(session, first))


def _decide(
    session: Session, licence: Licence, claim: CredentialClaim, outcome: Decision, note: str
) -> None:
    checklist = queries.catalogue(session).types[claim.type].checklist
    ticks = {key: True for key, (least, _) in checklist.items() if least <= licence.level}
    service.decide_credential(
        session,
        actor_of(session, OPERATIONS),
        claim.id,
        outcome=outcome,
        level=licence.level,
        note=note,
        checklist=ticks,
    )
    second = actor_of(session, SECOND)
    if licence.fate is Fate.PROPOSED:
        return
    if queries.claim_of(session, second, claim.id).proposal is not None:
        service.confirm_decision(session, second, claim.id, agrees=True, note=SEEN_AS_WELL)


def suspend() -> None:
    """Operations suspends what the register suspended."""
    for one in SPECIALISTS:
        with transaction() as session:
            for licence, claim in zip(one.licences, _claims(session, one), strict=False):
                fallen = licence.fate is Fate.SUSPENDED
                if fallen and claim.state is CredentialState.VERIFIED:
                    _decide(session, licence, claim, Decision.SUSPEND, SUSPENDED)


def let_time_pass() -> None:
    """What the hourly background function does: some expire, some will soon."""
    with transaction() as session:
        service.expire_credentials(session)
