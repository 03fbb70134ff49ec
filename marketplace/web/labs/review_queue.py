"""The queue of a reviewer as a page has it: its filters, its neighbours, its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.ids import JobId, PersonId, SubmissionId
from marketplace.jobs.models import Job
from marketplace.review import queries
from marketplace.review.rules import Reason
from marketplace.review.rules import defects as named
from marketplace.tasktypes import Json, task_type
from marketplace.web.guards import me
from marketplace.web.labs import shown
from marketplace.web.labs.review_words import REASONS
from marketplace.work.queries import SubmissionView

WINDOW = 50
NAMES = ("reason", "author", "defect")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page or form says of its queue. authors: who has answers waiting, by pseudonym."""

    job: Job
    said: dict[str, str]
    authors: dict[str, tuple[UUID, int]]

    @property
    def filters(self) -> queries.Filters:
        """The same for the query; what names nothing known narrows nothing."""
        reason = self.said.get("reason")
        author = self.authors.get(self.said.get("author", ""))
        return queries.Filters(
            reason=Reason(reason) if reason in set(Reason) else None,
            author_id=PersonId(author[0]) if author else None,
            defect=self.said.get("defect"),
        )

    def address(self, **more: Any) -> str:
        """The address of the queue with these filters."""
        said: dict[str, Any] = {**self.said, **more}
        return url_for("lab_review.queue", job_id=self.job.id, **said)


def asked_of(session: Session, job: Job, said: MultiDict[str, str]) -> Asked:
    """What a request says of the queue of a job."""
    waiting = queries.waiting_authors(session, me(), JobId(job.id))
    authors = {shown.author_name(person): (person, number) for person, number in waiting}
    # No row holds a NUL, which addresses may carry all the same.
    held = {name: said.get(name, "").replace("\0", "") for name in NAMES}
    return Asked(job, {name: text for name, text in held.items() if text}, authors)


def options_of(asked: Asked, template: Json) -> dict[str, Any]:
    """What the filters of a queue may be."""
    kind = task_type(asked.job.task_type)
    return {
        "filters": asked.said,
        "reasons": [("", "Any"), *((key.value, words) for key, words in REASONS.items())],
        "authors": [
            ("", "Anybody"),
            *((name, f"{name} ({number})") for name, (_, number) in asked.authors.items()),
        ],
        "former_defects": [("", "Any or none"), *named.codes_of(kind, template)],
    }


def window_of(session: Session, asked: Asked, after: UUID | None) -> list[SubmissionView]:
    """The next 50 submissions of a queue."""
    return list(
        queries.review_queue(
            session,
            me(),
            JobId(asked.job.id),
            filters=asked.filters,
            after=SubmissionId(after) if after else None,
            limit=WINDOW,
        )
    )


def neighbours(
    asked: Asked, views: list[SubmissionView], at: UUID | None, after: UUID | None
) -> dict[str, Any]:
    """Where one stands in a window, and what comes before and after."""
    ids: list[UUID] = [view.submission.id for view in views]
    place = ids.index(at) if at in ids else 0
    facts = {"place": place, "number": len(ids), "after": after, "view": None}
    if not ids:
        return facts
    last = place == len(ids) - 1
    following = None if last else asked.address(after=after, at=ids[place + 1])
    if last and len(ids) == WINDOW:
        following = asked.address(after=ids[-1])
    return facts | {
        "next": following,
        "next_id": None if last else ids[place + 1],
        "former": asked.address(after=after, at=ids[place - 1]) if place else None,
        "view": views[place],
    }
