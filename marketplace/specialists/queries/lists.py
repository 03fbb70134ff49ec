"""Editions of published lists, what changed in them, and hits: for operations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.specialists.models.credentials import CredentialClaim
from marketplace.specialists.models.lists import (
    ListEntry,
    ReferenceSnapshot,
    SanctionHit,
)
from marketplace.specialists.models.profiles import SpecialistProfile
from marketplace.specialists.rules.lists import (
    OLD_AFTER,
    HitGrade,
    HitState,
    PublishedList,
    SnapshotState,
)

LIMIT_MAX = 200
STANDING = (HitState.OPEN, HitState.CONFIRMED)


class Difference(StrEnum):
    """How an edition differs from the one before."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a list stands: the edition that counts, and whether a newer one should be out."""

    source: PublishedList
    edition: ReferenceSnapshot | None
    is_old: bool


@dataclass(frozen=True, slots=True)
class HitDetail:
    """A hit with both sides. before: what the entry said earlier, newest first."""

    hit: SanctionHit
    entry: ListEntry
    is_listed: bool
    profile: SpecialistProfile | None
    claims: Sequence[CredentialClaim]


def standings(session: Session, viewer: Actor) -> list[Standing]:
    """Each list with the edition that people are compared with now."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    oldest = (clock.now() - OLD_AFTER).date()
    found = []
    for source in PublishedList:
        loaded = select(ReferenceSnapshot).where(
            ReferenceSnapshot.source == source, ReferenceSnapshot.state == SnapshotState.LOADED
        )
        newest = loaded.order_by(ReferenceSnapshot.loaded_at.desc()).limit(1)
        edition = session.scalars(newest).first()
        found.append(Standing(source, edition, edition is not None and edition.source_on < oldest))
    return found


def editions(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[ReferenceSnapshot]:
    """All editions that were loaded, are being loaded or failed, newest first."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    rows = select(ReferenceSnapshot)
    if after is not None:
        rows = rows.where(ReferenceSnapshot.id < after)
    return session.scalars(rows.order_by(ReferenceSnapshot.id.desc()).limit(_most(limit))).all()


def edition_of(session: Session, viewer: Actor, snapshot_id: UUID) -> ReferenceSnapshot:
    """One edition; Missing when there is none."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    found = session.get(ReferenceSnapshot, snapshot_id)
    if found is None:
        raise Missing("There is no such edition.")
    return found


def differences(
    session: Session,
    viewer: Actor,
    snapshot_id: UUID,
    kind: Difference,
    *,
    after: UUID | None = None,
    limit: int = 50,
) -> list[tuple[ListEntry, ListEntry | None]]:
    """What an edition added, removed, or changed (then with what was said before), by id."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    other = aliased(ListEntry)
    same = (other.source == ListEntry.source) & (other.entry_key == ListEntry.entry_key)
    rows: Select[ListEntry, ListEntry | None]
    if kind is Difference.REMOVED:
        began = select(other.id).where(same, other.since_id == snapshot_id)
        entries = select(ListEntry).where(ListEntry.until_id == snapshot_id, ~began.exists())
        found = session.scalars(_paged(entries, after, limit))
        return [(entry, None) for entry in found]
    ended = same & (other.until_id == snapshot_id)
    if kind is Difference.ADDED:
        without = select(other.id).where(ended)
        entries = select(ListEntry).where(ListEntry.since_id == snapshot_id, ~without.exists())
        return [(entry, None) for entry in session.scalars(_paged(entries, after, limit))]
    rows = select(ListEntry, other).join(other, ended).where(ListEntry.since_id == snapshot_id)
    if after is not None:
        rows = rows.where(ListEntry.id > after)
    pairs = session.execute(rows.order_by(ListEntry.id).limit(_most(limit)))
    return [(entry, before) for entry, before in pairs]


def _paged(entries: Select[ListEntry], after: UUID | None, limit: int) -> Select[ListEntry]:
    if after is not None:
        entries = entries.where(ListEntry.id > after)
    return entries.order_by(ListEntry.id).limit(_most(limit))


def hits(
    session: Session,
    viewer: Actor,
    *,
    state: HitState = HitState.OPEN,
    after: UUID | None = None,
    limit: int = 50,
) -> list[tuple[SanctionHit, ListEntry]]:
    """Hits in a state, oldest first, each with its entry."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    rows = (
        select(SanctionHit, ListEntry)
        .join(ListEntry, ListEntry.id == SanctionHit.entry_id)
        .where(SanctionHit.state == state)
    )
    if after is not None:
        rows = rows.where(SanctionHit.id > after)
    found = session.execute(rows.order_by(SanctionHit.id).limit(_most(limit)))
    return [(hit, entry) for hit, entry in found]


def hit_counts(session: Session, viewer: Actor) -> dict[HitState, int]:
    """How many hits there are in each state."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    rows = select(SanctionHit.state, func.count()).group_by(SanctionHit.state)
    counted = dict(session.execute(rows).all())
    return {state: counted.get(state, 0) for state in HitState}


def hit_of(session: Session, viewer: Actor, hit_id: UUID) -> HitDetail:
    """One hit with both sides; for operations, and never for whom it is about."""
    viewer.require(Permission.CREDENTIALS_VERIFY)
    hit = session.get(SanctionHit, hit_id)
    if hit is None or hit.person_id == viewer.person_id:
        raise Missing("There is no such hit.")
    entry = session.get_one(ListEntry, hit.entry_id)
    claims = select(CredentialClaim).where(CredentialClaim.person_id == hit.person_id)
    return HitDetail(
        hit=hit,
        entry=entry,
        is_listed=entry.until_id is None,
        profile=session.get(SpecialistProfile, hit.person_id),
        claims=session.scalars(claims.order_by(CredentialClaim.id).limit(LIMIT_MAX)).all(),
    )


def open_hits(session: Session, person_id: UUID) -> list[SanctionHit]:
    """A person's hits that stand, open or confirmed; for code that has authorised the person."""
    rows = select(SanctionHit).where(
        SanctionHit.person_id == person_id, SanctionHit.state.in_(STANDING)
    )
    return list(session.scalars(rows.order_by(SanctionHit.id).limit(LIMIT_MAX)))


def payouts_held(session: Session, person_ids: Collection[UUID] | None = None) -> set[UUID]:
    """Of these people (None: of all), whose payouts wait for a hit of OFAC: a strong one, or one
    that two people confirmed, however it was found."""
    rows = select(SanctionHit.person_id).where(
        SanctionHit.source == PublishedList.OFAC,
        (SanctionHit.grade == HitGrade.STRONG) | (SanctionHit.state == HitState.CONFIRMED),
        SanctionHit.state.in_(STANDING),
    )
    if person_ids is not None:
        rows = rows.where(SanctionHit.person_id.in_(list(person_ids)))
    return set(session.scalars(rows))


def _most(limit: int) -> int:
    return max(1, min(limit, LIMIT_MAX))
