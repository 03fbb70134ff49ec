"""What must always be true of credentials and their evidence, asked of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.specialists.models import EvidenceFile

_SHOWN = 100  # Broken things of one kind that are named; more would not help to mend them.
FILES_A_LOOK = 500
# What time alone ends is ended by the hour; nothing is broken before that had its turn.
HOURLY = timedelta(hours=2)

_CHECKS = (
    # Nothing counts past its time.
    """SELECT format('Credential %s counts, though its last day was %s.', id, valid_until)
    FROM credential_claim WHERE state IN ('verified', 'expiring_soon') AND valid_until < :today""",
    """SELECT format('Credential %s counts, though it was last looked up on %s.',
                      c.id, c.checked_at::date)
    FROM credential_claim c JOIN credential_type t ON t.key = c.type
    WHERE c.state IN ('verified', 'expiring_soon')
      AND (c.checked_at IS NULL OR c.checked_at + make_interval(days => t.reverify_days::int) < :at)
    """,
    # The newest change says what stands.
    """SELECT format('Credential %s is %s at level %s, and its newest change says %s at level %s.',
                     c.id, c.state, c.level, n.state, n.level)
    FROM credential_claim c LEFT JOIN LATERAL (
      SELECT state, level FROM credential_change WHERE claim_id = c.id ORDER BY at DESC, id DESC
      LIMIT 1) n ON true
    WHERE (c.state, c.level) IS DISTINCT FROM (n.state, n.level)""",
    # What two people decide, two people decided, and neither of them about themselves.
    """SELECT format('The decision %s on credential %s rests on no proposal of somebody else.',
                     r.id, r.claim_id)
    FROM verification_run r JOIN credential_claim c ON c.id = r.claim_id
    LEFT JOIN credential_proposal p ON p.id = (r.observed ->> 'proposal')::uuid
      AND p.claim_id = r.claim_id AND p.agreed
    WHERE r.kind = 'manual' AND r.observed ->> 'proposal' IS NOT NULL
      AND (p.id IS NULL OR p.settled_by IS DISTINCT FROM r.person_id
        OR p.person_id = p.settled_by OR c.person_id IN (p.person_id, p.settled_by))""",
    # A type that took two people before takes them still.
    """SELECT format('The decision %s on credential %s was taken by one person alone.',
                     r.id, r.claim_id)
    FROM verification_run r JOIN credential_claim c ON c.id = r.claim_id
    JOIN credential_type t ON t.key = c.type AND t.two_person
    WHERE r.kind = 'manual' AND r.observed ->> 'decision' IN ('verify', 'reject', 'revoke')
      AND r.observed ->> 'proposal' IS NULL
      AND EXISTS (SELECT 1 FROM credential_proposal p JOIN credential_claim o ON o.id = p.claim_id
        WHERE o.type = c.type AND p.proposed_at < r.ran_at)""",
    """SELECT format('Credential %s was decided by its own holder.', c.id)
    FROM credential_claim c JOIN verification_run r ON r.claim_id = c.id
    WHERE r.kind = 'manual' AND r.person_id = c.person_id""",
    """SELECT format('The hit %s was confirmed by one person alone.', id) FROM sanction_hit
    WHERE state = 'confirmed' AND confirmed_by IS NOT DISTINCT FROM proposed_by""",
    # A file is destroyed when its time is over, and not before, but for a person who is erased.
    """SELECT format('The evidence file %s was to be destroyed after %s and is kept.',
                     id, kept_until)
    FROM evidence_file WHERE purged_at IS NULL AND kept_until < :yesterday""",
)


def broken_invariants(session: Session) -> list[str]:
    """One sentence for each thing that is broken; empty when all is sound."""
    at = clock.now() - HOURLY
    given = {"at": at, "today": at.date(), "yesterday": at.date() - timedelta(days=1)}
    broken: list[str] = []
    for check in _CHECKS:
        asked = {name: value for name, value in given.items() if f":{name}" in check}
        broken += session.scalars(text(f"{check} LIMIT {_SHOWN}"), asked)
    return broken


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Where an evidence file lies that has not been destroyed."""

    id: UUID
    reference: str


def files_kept(
    session: Session, *, after: UUID | None = None, limit: int = FILES_A_LOOK
) -> Sequence[StoredFile]:
    """Evidence files that must be in the store, by id; `after`: the last id of those before."""
    kept = select(EvidenceFile.id, EvidenceFile.reference).where(EvidenceFile.purged_at.is_(None))
    if after is not None:
        kept = kept.where(EvidenceFile.id > after)
    rows = session.execute(kept.order_by(EvidenceFile.id).limit(limit)).all()
    return [StoredFile(file_id, reference) for file_id, reference in rows]
