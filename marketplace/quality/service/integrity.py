"""The life of an evidence pack: sent by a person, answered by its own, closed by a person.

Nothing here touches pay, standing or work in hand; what may follow from a pack that was upheld is
`review.reject_upheld`, one answer at a time.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail
from marketplace.actor import Actor
from marketplace.errors import Conflict, Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId
from marketplace.quality.models import EvidenceContent, EvidencePack, RationaleSignature
from marketplace.quality.rules.evidence_packs import (
    NEXT_PACK,
    REPLY_WITHIN,
    PackOutcome,
    PackState,
    check_apart,
    check_outcome,
    checked_words,
)
from marketplace.quality.service.likeness import forget_signatures
from marketplace.work.rules import step


def tell_pack(session: Session, actor: Actor, pack_id: UUID) -> EvidencePack:
    """Send a pack to its person, who may answer for seven days; Conflict where they were told."""
    pack = _locked(session, actor, pack_id)
    if pack.state is not PackState.OPEN:
        raise Conflict("This was sent already, or is closed.")
    pack.state = step(NEXT_PACK, pack.state, PackState.TOLD)
    pack.told_by, pack.told_at = actor.person(), clock.now()
    pack.reply_by = pack.told_at + REPLY_WITHIN
    session.flush()
    audit.record(session, actor, "sent evidence pack", pack.id)
    _write_to(session, pack, "evidence_told")
    return pack


def reply_to_pack(session: Session, actor: Actor, pack_id: UUID, *, reply: str) -> EvidencePack:
    """Say one's side, once; Missing for a pack that is another's or was not sent."""
    pack = session.get(EvidencePack, pack_id, with_for_update=True, populate_existing=True)
    if pack is None or pack.person_id != actor.person() or pack.told_at is None:
        raise Missing("There is no such question about your work.")
    if pack.state is PackState.CLOSED:
        raise Conflict("This is closed; what was decided stands beside it.")
    if pack.replied_at is not None:
        raise Conflict("You have answered this already; a person reads it.")
    pack.reply, pack.replied_at = checked_words(reply, "/reply"), clock.now()
    pack.state = step(NEXT_PACK, pack.state, PackState.ANSWERED)
    session.flush()
    audit.record(session, actor, "answered evidence pack", pack.id)
    return pack


def close_pack(
    session: Session, actor: Actor, pack_id: UUID, *, outcome: PackOutcome, note: str
) -> EvidencePack:
    """Say what a pack comes to. Upheld only after its person answered, or had the time to; what
    nobody was told can only be nothing. Raises TooEarly, Conflict, Denied, Faulty."""
    pack = _locked(session, actor, pack_id)
    now = clock.now()
    check_outcome(pack.state, outcome, pack.reply_by, now)
    pack.note = checked_words(note, "/note")
    pack.state = step(NEXT_PACK, pack.state, PackState.CLOSED)
    pack.outcome, pack.decided_by, pack.decided_at = outcome, actor.person(), now
    session.flush()
    audit.record(session, actor, "closed evidence pack", pack.id, outcome=outcome.value)
    if pack.told_at is not None:
        _write_to(session, pack, "evidence_closed")
    return pack


def _locked(session: Session, actor: Actor, pack_id: UUID) -> EvidencePack:
    actor.require(Permission.INTEGRITY_DECIDE)
    pack = session.get(EvidencePack, pack_id, with_for_update=True, populate_existing=True)
    if pack is None:
        raise Missing("There is no such evidence pack.")
    check_apart(actor.person(), pack.person_id)
    return pack


def _write_to(session: Session, pack: EvidencePack, template: str) -> None:
    person_id = PersonId(pack.person_id)
    person = identity.addressees(session, [person_id]).get(person_id)
    if person is None:
        return
    mail.send(
        session,
        to=person.email,
        template=template,
        name=person.name,
        pack_id=str(pack.id),
        outcome=pack.outcome.value if pack.outcome else "",
        note=pack.note or "",
    )


def forget_packs(session: Session, person_id: UUID) -> None:
    """Delete what packs hold of a person's work, in others' packs too, and empty what was said.

    That there was a question, and what it came to, stays.
    """
    held = EvidenceContent.people.contains([person_id])
    mine = select(EvidencePack.id).where(EvidencePack.person_id == person_id)
    session.execute(delete(EvidenceContent).where(held | EvidenceContent.pack_id.in_(mine)))
    session.execute(
        update(EvidencePack)
        .where(EvidencePack.person_id == person_id)
        .values(reply=None, note=None)
    )
    signed = select(RationaleSignature.submission_id).where(
        RationaleSignature.person_id == person_id
    )
    forget_signatures(session, session.scalars(signed).all())
