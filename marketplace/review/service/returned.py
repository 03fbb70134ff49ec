"""Letters about work that came back to its author: on the day, and before its time is over."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail, outbox
from marketplace.actor import SYSTEM
from marketplace.identity import queries as identity
from marketplace.ids import PersonId
from marketplace.work.models import Claim
from marketplace.work.rules import REWORK_LEASE, ClaimState

TELL = "review.tell_returned"
# A reviewer sends back several in a row; one letter tells of all of them.
TOLD_AFTER = timedelta(minutes=30)
# Before the time is over, so that there is a day on which to do it.
AGAIN_BEFORE = timedelta(days=2)


def tell_later(session: Session, person_id: PersonId) -> None:
    """Have the author told of returned work, and again before its time is over; once a day each."""
    told_at = clock.now() + TOLD_AFTER
    again_at = clock.now() + REWORK_LEASE - AGAIN_BEFORE
    for again, at in ((False, told_at), (True, again_at)):
        outbox.enqueue_once(
            session,
            f"returned:{person_id}:{again}:{at:%Y-%m-%d}",
            TELL,
            not_before=at,
            person_id=person_id,
            again=again,
        )


def tell_returned(session: Session, person_id: PersonId, *, again: bool) -> bool:
    """Write to somebody about the returned work in their hands; False where there is none.

    again: before the time is over, and only of what ends within three days.
    """
    mine = select(func.count(), func.min(Claim.expires_at)).where(
        Claim.specialist_id == person_id,
        Claim.state == ClaimState.LIVE,
        Claim.reworks_submission_id.is_not(None),
        Claim.expires_at > clock.now(),
    )
    if again:
        mine = mine.where(Claim.expires_at <= clock.now() + AGAIN_BEFORE + timedelta(days=1))
    count, first = session.execute(mine).one()
    person = identity.addressees(session, [person_id]).get(person_id)
    if not count or person is None:
        return False
    until = first.astimezone(ZoneInfo(person.timezone))
    mail.send(
        session,
        to=person.email,
        template="work_returned",
        name=person.name,
        count=count,
        again=again,
        until=format_datetime(until, "EEEE d MMMM y, HH:mm", locale="en_GB"),
    )
    audit.record(session, SYSTEM, "told of returned work", person_id, count=count, again=again)
    return True
