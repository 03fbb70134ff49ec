"""One specialist disagrees: a rejection, and the appeal that waits for operations."""

from __future__ import annotations

from sqlalchemy import select

from marketplace.db import transaction
from marketplace.demo.people import actor_of
from marketplace.demo.plan import PlannedJob
from marketplace.demo.reviewing import reject_one
from marketplace.demo.work import job_of
from marketplace.ids import SubmissionId
from marketplace.review import queries, service
from marketplace.review.models import Appeal, Decision
from marketplace.review.rules import Verdict

WHY = (
    "The instructions ask which answer a colleague could act on at the bedside. Mine names the "
    "dose and the one contraindication that matters here; the other names neither. How long they "
    "are played no part."
)
SIDE = (
    "Our reviewer read the choice as a slip, since the reason speaks of the other answer in its "
    "last sentence. We did not ask the author before."
)


def disagree(planned: PlannedJob, author: str) -> None:
    """Reject one waiting answer of an author, who appeals; the lab says its side."""
    with transaction() as session:
        person = actor_of(session, author)
        appealed = select(Appeal.id).where(Appeal.appellant_id == person.person())
        if session.scalar(appealed.limit(1)) is not None or job_of(session, planned) is None:
            return
    reject_one(planned, author)
    with transaction() as session:
        person = actor_of(session, author)
        rejected = session.scalar(
            select(Decision.submission_id)
            .where(Decision.author_id == person.person(), Decision.verdict == Verdict.REJECT)
            .order_by(Decision.id.desc())
            .limit(1)
        )
        if rejected is None or rejected not in queries.appealable_until(session, [rejected]):
            return
        filed = service.file_appeal(session, person, SubmissionId(rejected), reason=WHY)
        lab = actor_of(session, planned.reviewer)
        service.say_side(session, lab, filed.id, statement=SIDE)
