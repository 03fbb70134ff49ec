"""Freezing an export: the event that says when, and what may change later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.delivery import queries
from marketplace.delivery.models import Export, ExportAuthor
from marketplace.delivery.queries.frozen import (
    AUTHORS,
    BELIEFS,
    DOMAIN,
    LAST,
    VERSION,
    shown_of,
)
from marketplace.jobs.models import Job
from marketplace.outbox import Event
from marketplace.specialists import queries as specialists
from marketplace.specialists.models import CredentialChange, CredentialClaim
from marketplace.tasktypes import Policy
from marketplace.work.models import Submission

Moment = tuple[UUID, datetime]


def mark(session: Session, export: Export) -> None:
    """Let the job's chain say when an export is of; under `model` keep first what is believed.

    The job's row is held meanwhile: whoever makes a new version of it, or sets judgements aside
    under one, has done so before or comes after.
    """
    job = session.get_one(
        Job, export.job_id, with_for_update={"read": True}, populate_existing=True
    )
    frozen = {DOMAIN: job.domain or "general", VERSION: str(job.template_version_id)}
    session.flush()  # What is kept names the export.
    if export.policy == Policy.MODEL:
        queries.keep_beliefs(session, export)
        frozen[BELIEFS] = "kept"
    export.frozen, export.as_of = cast("dict[str, Any]", frozen), clock.now()
    told = outbox.fact(
        "export.requested",
        export.id,
        {"format": export.format, "policy": export.policy},
        organisation_id=export.organisation_id,
        job_id=export.job_id,
    )
    session.add(told)
    export.mark_id = told.id


def numbered(session: Session, export: Export) -> bool:
    """Whether the export's event has its number, which is then the export's."""
    if export.as_of_event is None:
        event = session.get(Event, export.mark_id, populate_existing=True)
        export.as_of_event = event.job_number if event is not None else None
    return export.as_of_event is not None


def freeze_authors(session: Session, export: Export) -> None:
    """Keep what the lab may know of the authors, as each of them held it at their judgements; and
    the place of the last item, since a file's pieces are cut by places.

    Once; who joins or leaves later, what they hold by then and which items are added changes no
    file.
    """
    if AUTHORS in (export.frozen or {}):
        return
    moments = _moments(session, export)
    found = specialists.attested_at(session, export.organisation_id, moments, crowd_at=export.as_of)
    rows = [
        {
            "export_id": export.id,
            "person_id": person_id,
            "since": since,
            "shown": shown_of(found[person_id, since].credentials),
        }
        for person_id, since in sorted(moments)
    ]
    if rows:
        session.execute(insert(ExportAuthor), rows)
    last = queries.last_position(session, export)
    export.frozen = {**(export.frozen or {}), AUTHORS: "kept", LAST: last}


def _moments(session: Session, export: Export) -> list[Moment]:
    """Each author with each time from which they held something else while they worked here."""
    worked = session.execute(
        select(
            Submission.specialist_id,
            func.min(Submission.submitted_at),
            func.max(Submission.submitted_at),
        )
        .where(Submission.job_id == export.job_id, queries.told(export, _widest(export)))
        .group_by(Submission.specialist_id)
    ).all()
    changed = _changes(session, {person_id for person_id, _, _ in worked})
    return [
        (person_id, at)
        for person_id, first, last in worked
        for at in _times(changed[person_id], first, last)
    ]


def _widest(export: Export) -> str:
    """The policy that reads the most: a folder tells every judgement beside its labels."""
    return Policy.MODEL if export.policy == Policy.MODEL else Policy.ALL


def _changes(session: Session, people: Iterable[UUID]) -> Mapping[UUID, list[datetime]]:
    asked = (
        select(CredentialClaim.person_id, CredentialChange.at)
        .join(CredentialChange, CredentialChange.claim_id == CredentialClaim.id)
        .where(CredentialClaim.person_id.in_(list(people)))
        .order_by(CredentialChange.at)
    )
    found: dict[UUID, list[datetime]] = defaultdict(list)
    for person_id, at in session.execute(asked):
        if at not in found[person_id][-1:]:
            found[person_id].append(at)
    return found


def _times(changes: list[datetime], first: datetime, last: datetime) -> list[datetime]:
    """The changes that held between two moments: the last before the first, and those between."""
    before = [at for at in changes if at <= first][-1:]
    return before + [at for at in changes if first < at <= last]
