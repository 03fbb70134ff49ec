"""What was shown about a person outside any one credential: their identity, and their account."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.secrets import keyed_hash
from marketplace.specialists.gateway import ConnectedAccount, ShownIdentity, Subject
from marketplace.specialists.models import GithubConnection, IdentityCheck, SpecialistProfile
from marketplace.specialists.queries.profiles import refuse_strangers
from marketplace.specialists.rules.identity import IdentityState


def identity_of(session: Session, viewer: Actor, person_id: UUID) -> IdentityCheck | None:
    """The last time that a person showed a document; for them and for staff."""
    refuse_strangers(viewer, person_id)
    newest = select(IdentityCheck).where(IdentityCheck.person_id == person_id)
    return session.scalar(newest.order_by(IdentityCheck.id.desc()).limit(1))


def github_of(session: Session, viewer: Actor, person_id: UUID) -> GithubConnection | None:
    """The account that a person connected; for them and for staff."""
    refuse_strangers(viewer, person_id)
    return session.get(GithubConnection, person_id)


def papers_hash(legal_name: str, born_on: str | None) -> bytes:
    """A keyed hash over what a document is compared with, to tell whether it is still the same."""
    return keyed_hash("papers", f"{legal_name}\n{born_on or ''}")


def subject_of(session: Session, person_id: UUID) -> Subject:
    """The person as verifiers compare with them; for the slice's own use, not for pages."""
    profile = session.get(SpecialistProfile, person_id, populate_existing=True)
    account = session.get(GithubConnection, person_id, populate_existing=True)
    name = profile.legal_name if profile else None
    born_on = profile.born_on if profile else None
    return Subject(
        legal_name=name,
        born_on=born_on,
        identity=_shown(session, person_id, papers_hash(name, born_on) if name else None),
        account=None
        if account is None
        else ConnectedAccount(
            account.login, account.connected_at, account.account_created_at, account.numbers
        ),
    )


def _shown(session: Session, person_id: UUID, papers: bytes | None) -> ShownIdentity | None:
    """The last document that was verified, whether or not another one was begun since."""
    newest = select(IdentityCheck).where(
        IdentityCheck.person_id == person_id, IdentityCheck.state == IdentityState.VERIFIED
    )
    found = session.scalar(newest.order_by(IdentityCheck.id.desc()).limit(1))
    if found is None or found.verified_at is None:
        return None
    return ShownIdentity(
        check_id=found.id,
        verified_at=found.verified_at,
        name_score=found.name_score or 0.0,
        birth_matches=found.birth_matches,
        document_country=found.document_country,
        document_until=found.document_until,
        current=papers is not None and papers == found.papers_hash,
    )
