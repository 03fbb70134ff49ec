"""Letters about appeals and overturned verdicts, to both sides and to who decides."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, mail, outbox
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Job
from marketplace.review.models import Appeal, Decision
from marketplace.review.rules import OverturnCause, appeals

TELL_LAB = "review.tell_appeals"
REMIND = "review.remind_appeals"
# People appeal several in a row; one letter a day tells a lab of all of them.
TOLD_AFTER = timedelta(minutes=30)
TOLD_MAX = 10


def ask_for_statement(session: Session, appeal: Appeal) -> None:
    """Have the lab asked for its side of what was appealed today."""
    at = clock.now() + TOLD_AFTER
    outbox.enqueue_once(
        session,
        f"appeals:{appeal.organisation_id}:{at:%Y-%m-%d}",
        TELL_LAB,
        not_before=at,
        organisation_id=appeal.organisation_id,
    )


def tell_appeals(session: Session, organisation_id: UUID) -> bool:
    """Ask a lab for its side of all appeals that wait for it; False where none does."""
    waiting = select(func.count(), func.min(Appeal.filed_at)).where(
        Appeal.organisation_id == organisation_id,
        Appeal.ended_at.is_(None),
        Appeal.statement_at.is_(None),
    )
    count, first = session.execute(waiting).one()
    if not count:
        return False
    people = identity.lab_addressees(session, organisation_id, Permission.WORK_REVIEW)
    for person in people[:TOLD_MAX]:
        mail.send(
            session,
            to=person.email,
            template="appeals_filed",
            name=person.name,
            count=count,
            until=_in_zone(appeals.statement_due(first), person.timezone),
        )
    return True


def remind_later(session: Session, appeal: Appeal) -> None:
    """Have operations reminded of what ends by itself soon, once a day."""
    at = appeal.decide_by - appeals.REMIND_BEFORE
    outbox.enqueue_once(session, f"appeals-due:{at:%Y-%m-%d}", REMIND, not_before=at)


def remind_appeals(session: Session) -> int:
    """Write to operations of the appeals that end by themselves within two days; how many do."""
    due = select(func.count(), func.min(Appeal.decide_by)).where(
        Appeal.ended_at.is_(None),
        Appeal.decide_by <= clock.now() + appeals.REMIND_BEFORE + timedelta(days=1),
    )
    count, first = session.execute(due).one()
    if not count:
        return 0
    for person in identity.platform_addressees(session, Permission.APPEALS_DECIDE, limit=TOLD_MAX):
        mail.send(
            session,
            to=person.email,
            template="appeals_due",
            name=person.name,
            count=count,
            until=_in_zone(first, person.timezone),
        )
    return int(count)


def tell_outcome(session: Session, appeal: Appeal) -> None:
    """Write to both sides of an appeal how it ended and why."""
    job = session.get_one(Job, appeal.job_id)
    facts = {"title": job.title, "state": appeal.state.value, "note": appeal.note or ""}
    author = identity.addressees(session, [appeal.appellant_id]).get(appeal.appellant_id)
    if author is not None:
        mail.send(
            session,
            to=author.email,
            template="appeal_ended",
            name=author.name,
            appeal_id=str(appeal.id),
            **facts,
        )
    lab = identity.lab_addressees(session, appeal.organisation_id, Permission.WORK_REVIEW)
    for person in lab[:TOLD_MAX]:
        mail.send(
            session,
            to=person.email,
            template="appeal_ended_lab",
            name=person.name,
            appeal_id=str(appeal.id),
            **facts,
        )


def tell_overturned(session: Session, decision: Decision, job: Job) -> None:
    """Write to an author whose verdict was overturned; of appeals there is a letter already."""
    if decision.cause in {OverturnCause.APPEAL, OverturnCause.APPEAL_LAPSED}:
        return
    author = identity.addressees(session, [decision.author_id]).get(decision.author_id)
    if author is not None:
        mail.send(
            session,
            to=author.email,
            template="decision_overturned",
            name=author.name,
            title=job.title,
            accepted=decision.verdict.value == "accept",
            note=decision.note,
            until=_in_zone(appeals.file_by(decision.decided_at), author.timezone),
            submission_id=str(decision.submission_id),
        )


def _in_zone(at: datetime, timezone: str) -> str:
    return format_datetime(
        at.astimezone(ZoneInfo(timezone)), "EEEE d MMMM y, HH:mm", locale="en_GB"
    )
