"""Letters about the brake on rejections: to those who have to look, never to their authors."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_percent
from sqlalchemy.orm import Session

from marketplace import audit, mail
from marketplace.actor import SYSTEM
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.jobs.models import Job
from marketplace.review.models import Brake
from marketplace.review.rules import BrakeState


def tell_brake(session: Session, brake_id: UUID) -> int:
    """Write to the owners of a lab and to operations that rejections are held; how many letters."""
    brake = session.get_one(Brake, brake_id)
    if brake.state is not BrakeState.HOLDING:
        return 0
    job = session.get_one(Job, brake.job_id)
    owners = identity.lab_addressees(session, brake.organisation_id, Permission.MEMBERS_MANAGE)
    ours = identity.platform_addressees(session, Permission.APPEALS_DECIDE)
    told = [(each, f"/lab/holds/{brake.id}") for each in owners]
    told += [(each, f"/operations/holds/{brake.id}") for each in ours]
    for each, path in told:
        mail.send(
            session,
            to=each.email,
            template="brake_set",
            name=each.name,
            title=job.title,
            rate=format_percent(brake.rate, locale="en_GB"),
            bound=format_percent(brake.bound, locale="en_GB"),
            one_reviewer=brake.reviewer_id is not None,
            until=format_datetime(
                brake.due_at.astimezone(ZoneInfo(each.timezone)),
                "EEEE d MMMM y, HH:mm",
                locale="en_GB",
            ),
            path=path,
        )
    audit.record(session, SYSTEM, "told of held rejections", brake.id, count=len(told))
    return len(told)
