"""What a lab may know of the people who work for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.specialists.models import CredentialChange, CredentialClaim
from marketplace.specialists.rules import HOLDING


@dataclass(frozen=True, slots=True)
class Attested:
    """What a lab may know of a credential. checked_month: the first day of that month."""

    profession: str
    specialties: tuple[str, ...]
    jurisdiction: str
    level: int
    checked_month: date


def attested(
    session: Session, person_ids: Iterable[UUID], at: datetime | None = None
) -> dict[UUID, list[Attested]]:
    """What held of people's credentials at a moment (now where None), for a lab to read.

    Only what counts is told, never an identifier. The caller shows a pseudonym in place of the
    person, and has authorised that the viewer sees these people's work.
    """
    wanted = list(person_ids)
    moment = clock.now() if at is None else at
    latest = (
        select(CredentialChange)
        .join(CredentialClaim, CredentialClaim.id == CredentialChange.claim_id)
        .where(CredentialClaim.person_id.in_(wanted), CredentialChange.at <= moment)
        .ext(distinct_on(CredentialChange.claim_id))
        .order_by(CredentialChange.claim_id, CredentialChange.at.desc(), CredentialChange.id.desc())
        .subquery()
    )
    rows = session.execute(
        select(
            CredentialClaim.person_id,
            CredentialClaim.profession,
            CredentialClaim.specialties,
            CredentialClaim.jurisdiction,
            latest.c.level,
            latest.c.checked_at,
        )
        .join(latest, latest.c.claim_id == CredentialClaim.id)
        .where(latest.c.state.in_(HOLDING), latest.c.checked_at.is_not(None))
        .order_by(latest.c.level.desc(), CredentialClaim.id)
    )
    found: dict[UUID, list[Attested]] = {person_id: [] for person_id in wanted}
    for person_id, profession, specialties, jurisdiction, level, checked_at in rows:
        month = checked_at.date().replace(day=1)
        found[person_id].append(
            Attested(profession, tuple(specialties), jurisdiction, level, month)
        )
    return found
