"""What a lab may know of the people who work for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity.models import Membership
from marketplace.secrets import pseudonym
from marketplace.specialists.models import CredentialChange, CredentialClaim
from marketplace.specialists.rules import HOLDING
from marketplace.specialists.rules.coarsening import Cell, Record, coarsened

# Beyond this many people a crowd hides anybody; the first by id are counted.
CROWD_MAX = 20_000
Moment = tuple[UUID, datetime]


@dataclass(frozen=True, slots=True)
class Attested:
    """What a lab may know of a credential. Empty specialties, jurisdiction, or no checked_month (a
    month's first day) mean that fewer than five people would share them."""

    profession: str
    specialties: tuple[str, ...]
    jurisdiction: str
    level: int
    checked_month: date | None


@dataclass(frozen=True, slots=True)
class AttestedPerson:
    """A person as one lab may know them; the strongest credential first."""

    pseudonym: str
    credentials: tuple[Attested, ...]


def attested(
    session: Session,
    organisation_id: UUID,
    person_ids: Iterable[UUID],
    at: datetime | None = None,
) -> dict[UUID, AttestedPerson]:
    """What a lab may know of people, as it held at a moment (now where None).

    The caller has authorised that the viewer's organisation sees these people's work.
    """
    moment = clock.now() if at is None else at
    wanted = [(person_id, moment) for person_id in person_ids]
    found = attested_at(session, organisation_id, wanted, crowd_at=moment)
    return {person_id: person for (person_id, _), person in found.items()}


def attested_at(
    session: Session,
    organisation_id: UUID,
    moments: Collection[Moment],
    *,
    crowd_at: datetime | None = None,
) -> dict[Moment, AttestedPerson]:
    """What a lab may know of each person as it held at each moment, such as of a submission.

    A record is released only where at least five people of the lab's crowd release the same one;
    else it is coarsened (see `rules.coarsening`). The crowd is those who work for the lab here, and
    all who may be eligible for its jobs: whoever holds a credential in one of their professions at
    `crowd_at` (now where None), without the lab's own members.
    """
    own = _records(session, moments)
    professions = {cell.profession for record in own.values() for cell in record}
    crowd = _crowd(session, organisation_id, professions, crowd_at or clock.now())
    given = {(person_id, record) for (person_id, _), record in own.items() if record}
    released = coarsened(given | {(person, record) for person, record in crowd.items() if record})
    return {
        (person_id, at): AttestedPerson(
            pseudonym(str(organisation_id), str(person_id)),
            _shown(released[person_id, record]) if record else (),
        )
        for (person_id, at), record in own.items()
    }


def _shown(record: Record) -> tuple[Attested, ...]:
    ordered = sorted(record, key=lambda cell: -cell.level)
    return tuple(
        Attested(cell.profession, cell.specialties, cell.jurisdiction, cell.level, cell.month)
        for cell in ordered
    )


def _records(session: Session, moments: Collection[Moment]) -> dict[Moment, Record]:
    """What each person held at each moment; one read of all their changes, told apart here."""
    people = {person_id for person_id, _ in moments}
    rows = session.execute(
        select(CredentialClaim, CredentialChange)
        .join(CredentialChange, CredentialChange.claim_id == CredentialClaim.id)
        .where(CredentialClaim.person_id.in_(people))
        .order_by(CredentialChange.at, CredentialChange.id)
    ).all()
    changes: dict[UUID, list[tuple[CredentialClaim, CredentialChange]]] = defaultdict(list)
    for claim, change in rows:
        changes[claim.person_id].append((claim, change))
    found: dict[Moment, Record] = {}
    for person_id, at in moments:
        latest = {
            claim.id: (claim, change) for claim, change in changes[person_id] if change.at <= at
        }
        cells = (_cell(claim, change) for claim, change in latest.values())
        found[person_id, at] = _record(cell for cell in cells if cell is not None)
    return found


def _cell(claim: CredentialClaim, change: CredentialChange) -> Cell | None:
    if change.state not in HOLDING or change.checked_at is None:
        return None
    return Cell(
        claim.profession,
        tuple(sorted(change.specialties)),
        claim.jurisdiction,
        change.level,
        change.checked_at.date().replace(day=1),
    )


def _record(cells: Iterable[Cell]) -> Record:
    return tuple(sorted(set(cells)))


def _crowd(
    session: Session, organisation_id: UUID, professions: Collection[str], at: datetime
) -> Mapping[UUID, Record]:
    """The people of these professions, without the lab's own members, as they were then."""
    members = select(Membership.person_id).where(Membership.organisation_id == organisation_id)
    of_interest: ColumnElement[bool] = CredentialClaim.profession.in_(professions)
    people = (
        select(CredentialClaim.person_id)
        .where(of_interest, CredentialClaim.person_id.not_in(members))
        .distinct()
        .order_by(CredentialClaim.person_id)
        .limit(CROWD_MAX)
    )
    latest = (
        select(CredentialChange)
        .join(CredentialClaim, CredentialClaim.id == CredentialChange.claim_id)
        .where(CredentialClaim.person_id.in_(people), CredentialChange.at <= at)
        .ext(distinct_on(CredentialChange.claim_id))
        .order_by(CredentialChange.claim_id, CredentialChange.at.desc(), CredentialChange.id.desc())
        .subquery()
    )
    rows = session.execute(
        select(
            CredentialClaim.person_id,
            CredentialClaim.profession,
            latest.c.specialties,
            CredentialClaim.jurisdiction,
            latest.c.level,
            latest.c.checked_at,
        )
        .join(latest, latest.c.claim_id == CredentialClaim.id)
        .where(latest.c.state.in_(HOLDING), latest.c.checked_at.is_not(None))
    )
    cells: dict[UUID, set[Cell]] = defaultdict(set)
    for person_id, profession, specialties, jurisdiction, level, checked_at in rows:
        month = checked_at.date().replace(day=1)
        cell = Cell(profession, tuple(sorted(specialties)), jurisdiction, level, month)
        cells[person_id].add(cell)
    return {person_id: _record(found) for person_id, found in cells.items()}
