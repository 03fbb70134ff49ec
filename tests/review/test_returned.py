"""Work that came back: its author is told on the day, and again before the time is over."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.mail import Message
from marketplace.outbox import OutboxRow
from marketplace.review.rules import Verdict
from marketplace.review.service.returned import TELL
from marketplace.work.models import Claim
from marketplace.worker import names
from marketplace.worker.perform import perform
from tests.make import specialists
from tests.make import work as make


def letters(session: Session) -> list[Message]:
    rows = select(Message).where(Message.template == "work_returned").order_by(Message.id)
    return list(session.scalars(rows))


def returned(session: Session) -> Claim:
    """A claim that came back."""
    came_back = Claim.reworks_submission_id.is_not(None)
    return session.scalars(select(Claim).where(came_back).order_by(Claim.id).limit(1)).one()


def after(session: Session, **time: float) -> list[str | None]:
    """The subjects so far, after some time."""
    session.flush()
    names.bind_all()
    with clock.shifted(timedelta(**time)):
        due = select(OutboxRow.id).where(
            OutboxRow.name == TELL, OutboxRow.not_before <= clock.now(), OutboxRow.done_at.is_(None)
        )
        for row_id in session.scalars(due.order_by(OutboxRow.not_before)).all():
            perform(str(row_id))
    session.expire_all()
    return [each.subject for each in letters(session)]


def test_whoever_leaves_it_lying_is_told_again(session: Session) -> None:
    lab, job = make.published(session, items=3, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    given = [make.submitted(session, doctor, job) for _ in range(3)]
    for submission in given[:2]:
        make.decided(session, lab, submission, Verdict.REWORK)

    assert [] == after(session, minutes=10)
    assert ["2 tasks came back to you"] == after(session, minutes=31)
    assert 1 == len(after(session, days=4.9))
    make.submit(session, doctor, returned(session), make.answer())
    assert ["Soon over: 1 returned task of yours"] == after(session, days=5.1)[1:]
    assert 2 == len(after(session, days=6.9))
    assert "goes to somebody else" in (letters(session)[1].body or "")


def test_what_was_mended_needs_no_reminder(session: Session) -> None:
    lab, job = make.published(session, items=1, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    make.decided(session, lab, make.submitted(session, doctor, job), Verdict.REWORK)
    make.submit(session, doctor, returned(session), make.answer())

    assert [] == after(session, days=5.5)
