"""What an author reads of a review: until when it is, what was wrong where, what they changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.ids import SubmissionId
from marketplace.review import queries as review
from marketplace.review.rules import defects as named
from marketplace.review.rules.rounds import changes
from marketplace.tasktypes import task_type
from marketplace.web.guards import me
from marketplace.work.queries import Receipt
from marketplace.work.rules import judgement_for_author


def round_facts(session: Session, receipt: Receipt) -> dict[str, Any]:
    """What the page of an own judgement says of its review and of the round before."""
    given = receipt.submission
    former = review.round_before(session, me(), SubmissionId(given.id))
    own = judgement_for_author(given.judgement)
    before = judgement_for_author(former.judgement) if former else {}
    places = named.places_of(task_type(receipt.job.task_type), receipt.template, given.judgement)
    return {
        "due_at": due_dates(session, [given.id]).get(given.id),
        "named_places": {place.name: place.answered for place in places if place.answered},
        "round_before": former,
        "changed": changes(before, own) if former else [],
        "said_why": (former.rationale or "", given.rationale or "") if former else None,
    }


def due_dates(session: Session, submission_ids: Sequence[UUID]) -> Mapping[UUID, datetime]:
    """By when own answers that wait for a reviewer are decided, where that date is to come."""
    now = clock.now()
    lots = review.draws_of(session, submission_ids)
    return {
        lot.submission_id: lot.due_at
        for lot in lots.values()
        if lot.due_at is not None and lot.ended_at is None and lot.due_at > now
    }
