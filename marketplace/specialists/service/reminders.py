"""Reminding people of credentials that run out, once for each stage."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail
from marketplace.actor import SYSTEM
from marketplace.identity import queries as identity
from marketplace.identity.queries import Addressee
from marketplace.identity.rules import Permission
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.models.lists import ReferenceSnapshot
from marketplace.specialists.models.reminders import CredentialReminder
from marketplace.specialists.queries.catalogue import catalogue
from marketplace.specialists.rules import HOLDING
from marketplace.specialists.rules.lists import LIST_NAMES, SOURCES
from marketplace.specialists.rules.reminders import STAGES, due_stage


def send_reminders(session: Session, *, after: UUID | None = None, limit: int = 500) -> UUID | None:
    """Write to whoever holds a credential that runs out; the last claim looked at, None at the end.

    Each stage of each last day is written once, whatever runs twice; the day is counted in the
    person's own zone.
    """
    today = clock.now().date()
    # A day more on each side, since somewhere it is another day already.
    window = (today - timedelta(days=1), today + timedelta(days=STAGES[0] + 1))
    due = select(CredentialClaim).where(
        CredentialClaim.state.in_(HOLDING), CredentialClaim.valid_until.between(*window)
    )
    if after is not None:
        due = due.where(CredentialClaim.id > after)
    claims = session.scalars(due.order_by(CredentialClaim.id).limit(limit)).all()
    people = identity.addressees(session, {claim.person_id for claim in claims})
    for claim in claims:
        if claim.person_id in people and claim.valid_until is not None:
            _remind(session, claim, claim.valid_until, people[claim.person_id])
    return claims[-1].id if len(claims) == limit else None


def _remind(session: Session, claim: CredentialClaim, last: date, person: Addressee) -> None:
    here = clock.now().astimezone(ZoneInfo(person.timezone)).date()
    stage = due_stage((last - here).days)
    if stage is None or not _first(session, claim.id, last, stage):
        return
    kind = catalogue(session).types.get(claim.type)
    title = kind.title if kind is not None else claim.type
    mail.send(
        session,
        to=person.email,
        template="credential_expiring",
        name=person.name,
        credential=f"{title}, {claim.jurisdiction}" if claim.jurisdiction else title,
        last_day=format_date(last, "long", locale="en_GB"),
        days=(last - here).days,
        stage=stage,
        claim_id=str(claim.id),
    )
    audit.record(session, SYSTEM, "reminded of an expiry", claim.id, days=stage)


def _first(session: Session, claim_id: UUID, last: date, stage: int) -> bool:
    """Take this stage; False where it, or one nearer to the end, was written before."""
    nearer = select(CredentialReminder.days).where(
        CredentialReminder.claim_id == claim_id,
        CredentialReminder.valid_until == last,
        CredentialReminder.days <= stage,
    )
    if session.scalar(nearer.limit(1)) is not None:
        return False
    row = insert(CredentialReminder).values(
        claim_id=claim_id, valid_until=last, days=stage, sent_at=clock.now()
    )
    taken = row.on_conflict_do_nothing().returning(CredentialReminder.claim_id)
    return session.execute(taken).first() is not None


def tell_of_old_list(session: Session, snapshot: ReferenceSnapshot) -> int:
    """Write to those who verify credentials that a list has grown old; how many letters."""
    keepers = identity.platform_addressees(session, Permission.CREDENTIALS_VERIFY)
    for person in keepers:
        mail.send(
            session,
            to=person.email,
            template="credential_list_old",
            name=person.name,
            published=LIST_NAMES[snapshot.source],
            source_url=SOURCES[snapshot.source],
            edition=format_date(snapshot.source_on, "long", locale="en_GB"),
            days=(clock.now().date() - snapshot.source_on).days,
        )
    return len(keepers)
