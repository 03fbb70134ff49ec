"""Comparing people with the published lists: only what changed, on either side."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM
from marketplace.identity import queries as identity
from marketplace.ids import new_id
from marketplace.specialists.models.credentials import CredentialClaim
from marketplace.specialists.models.lists import (
    ListEntry,
    ListScreening,
    ReferenceSnapshot,
    SanctionHit,
)
from marketplace.specialists.models.profiles import SpecialistProfile
from marketplace.specialists.rules import CredentialState, Outcome, Verdict
from marketplace.specialists.rules.lists import (
    SOURCES,
    VERIFIERS,
    HitGrade,
    HitState,
    Match,
    PublishedList,
    Subject,
    match_of,
    name_keys,
    stronger,
)
from marketplace.specialists.service.lists import current_snapshot

_CANDIDATES = """
SELECT p.person_id, e.id, e.entry_key, e.names, e.npi, e.born, e.places
FROM jsonb_to_recordset(CAST(:people AS jsonb)) AS p(person_id uuid, keys text[], npis text[])
JOIN list_entry e ON e.until_id IS NULL AND e.keys && p.keys
WHERE e.source = :source AND (CAST(:since AS uuid) IS NULL OR e.since_id = :since)
UNION
SELECT p.person_id, e.id, e.entry_key, e.names, e.npi, e.born, e.places
FROM jsonb_to_recordset(CAST(:people AS jsonb)) AS p(person_id uuid, keys text[], npis text[])
JOIN list_entry e ON e.until_id IS NULL AND e.npi = ANY (p.npis)
WHERE e.source = :source AND (CAST(:since AS uuid) IS NULL OR e.since_id = :since)
"""
Fits = dict[str, tuple[UUID, Match]]


def screen_later(session: Session, person_id: UUID) -> None:
    """Have a person compared with all lists, whose names or identifiers are new."""
    outbox.enqueue(session, "specialists.screen", person_id=person_id)


def screen_people(
    session: Session,
    person_ids: Collection[UUID],
    source: PublishedList,
    *,
    since: UUID | None = None,
) -> set[UUID]:
    """Compare people with the current edition of a list; those for whom something changed.

    since: only with what this edition added or changed. Without it, everybody counts as changed
    who had not been compared with this list before. Nothing happens without an edition.
    """
    edition = current_snapshot(session, source)
    if edition is None or not person_ids:
        return set()
    subjects = _subjects(session, person_ids)
    fits = _fits(session, subjects, source, since)
    scope = None if since is None else _keys_of(session, since)
    changed = _record(session, subjects, source, fits, scope)
    return changed | _mark(session, subjects, edition, only_known=since is not None)


def close_departed(session: Session, source: PublishedList) -> set[UUID]:
    """Close the hits whose entry the list no longer has; the people concerned."""
    gone = (
        update(SanctionHit)
        .where(
            SanctionHit.source == source,
            SanctionHit.state != HitState.CLOSED,
            ~select(ListEntry.id)
            .where(
                ListEntry.source == source,
                ListEntry.entry_key == SanctionHit.entry_key,
                ListEntry.until_id.is_(None),
            )
            .exists(),
        )
        .values(
            state=HitState.CLOSED,
            reason="left_list",
            expires_at=None,
            cleared_by=None,
            changed_at=clock.now(),
        )
        .returning(SanctionHit.id, SanctionHit.person_id)
        .execution_options(synchronize_session="fetch")
    )
    people = set()
    for hit_id, person_id in session.execute(gone).all():
        audit.record(session, SYSTEM, "closed a hit", hit_id, reason="left_list")
        people.add(person_id)
    return people


def list_verdict(session: Session, claim: CredentialClaim, source: PublishedList | str) -> Verdict:
    """What a list says about the holder of a claim, who is screened first where that is new.

    `fail` for a strong hit of LEIE, and for any that two people confirmed; `inconclusive` for one
    by the name alone, and for any of OFAC, which holds payouts and suspends nothing;
    `unavailable` without an edition.
    """
    one = PublishedList(source)
    edition = current_snapshot(session, one)
    verifier = VERIFIERS[one]
    if edition is None:
        return Verdict(verifier, "sanctions", Outcome.UNAVAILABLE, 0, reasons=("no_list_loaded",))
    if session.get(ListScreening, (claim.person_id, one)) is None:
        screen_people(session, [claim.person_id], one)
        screen_later(session, claim.person_id)  # Their other credentials hear of it as well.
    standing = session.scalars(
        select(SanctionHit).where(
            SanctionHit.person_id == claim.person_id,
            SanctionHit.source == one,
            SanctionHit.state.in_((HitState.OPEN, HitState.CONFIRMED)),
        )
    ).all()
    outcome, reasons = _outcome(one, standing)
    version = edition.source_on.isoformat()
    return Verdict(
        verifier,
        "sanctions",
        outcome,
        0,
        observed={"edition": version, "hits": len(standing)},
        reasons=reasons,
        evidence=(
            {
                "source": verifier,
                "source_version": version,
                "url": SOURCES[one],
                "sha256": edition.sha256,
            },
        ),
    )


def _outcome(
    source: PublishedList, standing: Collection[SanctionHit]
) -> tuple[Outcome, tuple[str, ...]]:
    if not standing:
        return Outcome.PASS, ()
    confirmed = any(hit.state is HitState.CONFIRMED for hit in standing)
    if confirmed:
        outcome = Outcome.FAIL if source is PublishedList.LEIE else Outcome.INCONCLUSIVE
        return outcome, ("hit_confirmed",)
    strong = any(hit.grade is HitGrade.STRONG for hit in standing)
    if strong and source is PublishedList.LEIE:
        return Outcome.FAIL, ("list_hit",)
    return Outcome.INCONCLUSIVE, ("list_hit" if strong else "name_only_hit",)


def _subjects(session: Session, person_ids: Collection[UUID]) -> dict[UUID, Subject]:
    """What there is to compare of each person; who has no name is left out."""
    ids = list(person_ids)
    profiles = {
        each.person_id: each
        for each in session.scalars(
            select(SpecialistProfile).where(SpecialistProfile.person_id.in_(ids))
        )
    }
    npis: dict[UUID, set[str]] = defaultdict(set)
    places: dict[UUID, set[str]] = defaultdict(set)
    claims = select(CredentialClaim).where(
        CredentialClaim.person_id.in_(ids), CredentialClaim.state != CredentialState.REVOKED
    )
    for claim in session.scalars(claims):
        places[claim.person_id].add(claim.jurisdiction)
        if claim.type == "npi" and claim.identifier:
            npis[claim.person_id].add("".join(filter(str.isdigit, claim.identifier)))
    found = {}
    for person_id, name in identity.people_by_ids(session, ids).items():
        profile = profiles.get(person_id)
        stated = [*profile.jurisdictions, profile.country or ""] if profile else []
        codes = {*places[person_id], *stated} - {""}
        legal = profile.legal_name if profile else None
        found[person_id] = Subject(
            names=tuple(dict.fromkeys(each for each in (legal, name) if each)),
            born_on=profile.born_on if profile else None,
            npis=frozenset(npis[person_id]),
            places=frozenset(codes | {code.partition("-")[0] for code in codes}),
        )
    return found


def _fits(
    session: Session, subjects: Mapping[UUID, Subject], source: PublishedList, since: UUID | None
) -> dict[UUID, Fits]:
    people = [
        {"person_id": str(key), "keys": name_keys(one.names), "npis": sorted(one.npis)}
        for key, one in subjects.items()
    ]
    facts = {"people": json.dumps(people), "source": source.value, "since": since}
    found: dict[UUID, Fits] = defaultdict(dict)
    for person_id, entry_id, entry_key, names, npi, born, places in session.execute(
        text(_CANDIDATES), facts
    ):
        match = match_of(subjects[person_id], names, npi, born, places)
        if match is not None:
            found[person_id][entry_key] = (entry_id, match)
    return found


def _keys_of(session: Session, since: UUID) -> set[str]:
    return set(session.scalars(select(ListEntry.entry_key).where(ListEntry.since_id == since)))


def _record(
    session: Session,
    people: Iterable[UUID],
    source: PublishedList,
    fits: Mapping[UUID, Fits],
    scope: set[str] | None,
) -> set[UUID]:
    """Open, change and close hits so that they say what was found; whose did."""
    live = select(SanctionHit).where(
        SanctionHit.person_id.in_(list(people)),
        SanctionHit.source == source,
        SanctionHit.state != HitState.CLOSED,
    )
    known: dict[UUID, dict[str, SanctionHit]] = defaultdict(dict)
    for hit in session.scalars(live.with_for_update()):
        known[hit.person_id][hit.entry_key] = hit
    changed = set()
    for person_id, found in fits.items():
        for entry_key, (entry_id, match) in found.items():
            before = known[person_id].pop(entry_key, None)
            if before is None:
                _open(session, person_id, source, entry_key, (entry_id, match))
                changed.add(person_id)
            elif _follow(session, before, entry_id, match):
                changed.add(person_id)
    for person_id, rest in known.items():
        for entry_key, hit in rest.items():
            if (scope is None or entry_key in scope) and hit.state is not HitState.CONFIRMED:
                move_hit(session, hit, HitState.CLOSED, "fits_no_more")
                changed.add(person_id)
    return changed


def _open(
    session: Session, person_id: UUID, source: PublishedList, key: str, found: tuple[UUID, Match]
) -> None:
    now = clock.now()
    entry_id, match = found
    hit = SanctionHit(
        id=new_id(),
        person_id=person_id,
        source=source,
        entry_key=key,
        entry_id=entry_id,
        state=HitState.OPEN,
        grade=match.grade,
        score=match.score,
        matched=list(match.matched),
        opened_at=now,
        changed_at=now,
    )
    session.add(hit)
    session.flush()  # Its unique index speaks here.
    facts = {"list": source.value, "grade": match.grade.value}
    audit.record(session, SYSTEM, "opened a hit", hit.id, **facts)
    outbox.announce(session, "sanction_hit.open", hit.id, facts)


def _follow(session: Session, hit: SanctionHit, entry_id: UUID, match: Match) -> bool:
    """Keep a known hit at what is found now; whether that changes what follows from it."""
    weighs_more = stronger(match, hit.state, hit.grade)
    changed = hit.grade is not match.grade and hit.state is not HitState.CLEARED
    hit.entry_id, hit.score, hit.matched = entry_id, match.score, list(match.matched)
    hit.grade = match.grade
    if weighs_more:
        move_hit(session, hit, HitState.OPEN, "new_evidence")
    return changed or weighs_more


def move_hit(session: Session, hit: SanctionHit, state: HitState, reason: str) -> None:
    """Take a step of a hit that time or a list asks for; people's steps are in `hits`."""
    hit.state, hit.reason, hit.changed_at = state, reason, clock.now()
    hit.expires_at = hit.cleared_by = hit.confirmed_by = hit.proposed_by = hit.proposed_at = None
    session.flush()  # The guard of the lifecycle speaks here.
    audit.record(session, SYSTEM, f"moved a hit to {state}", hit.id, reason=reason)


def _mark(
    session: Session,
    subjects: Collection[UUID],
    edition: ReferenceSnapshot,
    *,
    only_known: bool,
) -> set[UUID]:
    """Write down that these people were compared; those who were for the first time.

    only_known: who was never compared with the whole list is not now, by its changes alone.
    """
    before = set(
        session.scalars(
            select(ListScreening.person_id).where(
                ListScreening.person_id.in_(list(subjects)),
                ListScreening.source == edition.source,
            )
        )
    )
    compared = before if only_known else set(subjects)
    if compared:
        values: dict[str, Any] = {"snapshot_id": edition.id, "screened_at": clock.now()}
        rows = [{"person_id": each, "source": edition.source, **values} for each in compared]
        session.execute(
            insert(ListScreening)
            .values(rows)
            .on_conflict_do_update(index_elements=["person_id", "source"], set_=values)
        )
    return compared - before
