"""How a file would begin: its first rows from what is accepted now, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from psycopg.errors import QueryCanceled
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.delivery.models import Export
from marketplace.delivery.queries.reading import records
from marketplace.delivery.queries.standing import states_of
from marketplace.delivery.rules import ExportState
from marketplace.delivery.rules.bundle import BUNDLE, default_format, formats_of
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import ExportId, JobId, new_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job
from marketplace.tasktypes import Counts, Exporter, ExportRow, Policy, Record, task_type
from marketplace.work.models import Submission, Task

ROWS, ITEMS_MAX = 5, 60
PIECES, TEXT_BYTES, FILES_MAX = 200, 8_000, 40
WAIT_MS = 4_000


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file that is not there yet.

    rows: of formats of rows; text: how a format that is a text begins; files: of one that is an
    archive; items: how many items it was made from; counts: what became of them.
    """

    exporter: Exporter
    policy: Policy
    rows: tuple[ExportRow, ...]
    text: str
    files: tuple[str, ...]
    items: int
    counts: Mapping[str, Any]


def preview_of(
    session: Session, viewer: Actor, job_id: JobId, *, form: str, policy: str
) -> Preview:
    """The first rows of a job in a format, of at most sixty items, as they are now.

    Raises Faulty for a format that the job has not, PolicyUnavailable for a policy, Conflict where
    the look takes too long.
    """
    viewer.require(Permission.JOBS_VIEW)
    job = jobs.job_of(session, viewer, job_id)
    formats = formats_of(task_type(job.task_type))
    if form not in formats:
        raise Faulty(
            "This job cannot be exported in that format.",
            [Fault("/format", f"Choose one of {', '.join(sorted(formats))}.")],
        )
    asked = formats[form]
    chosen = asked.policy(policy)
    told = asked
    if form == BUNDLE:  # The rows of its main table say most of what it will hold.
        told = default_format(task_type(job.task_type), chosen) or asked
    try:
        found = _first(session, job, asked, chosen)
    except OperationalError as fault:
        if not isinstance(fault.orig, QueryCanceled):
            raise
        # The time for a look is over; the file itself takes as long as it takes.
        raise Conflict("The first rows take longer than a look; the file does not.") from fault
    return _made(told, asked, chosen, found)


def _first(session: Session, job: Job, exporter: Exporter, policy: Policy) -> list[Record]:
    """The records of the first items that have any, within a few seconds."""
    session.execute(text(f"SET LOCAL statement_timeout = {WAIT_MS}"))
    having = (
        select(Submission.id)
        .where(Submission.task_id == Task.id, Submission.state.in_(states_of(policy)))
        .exists()
    )
    positions = session.scalars(
        select(Item.position)
        .join(Task, Task.item_id == Item.id)
        .where(Item.job_id == job.id, having)
        .order_by(Item.position)
        .limit(ITEMS_MAX)
    ).all()
    if not positions:
        return []
    looked = _looked_at(job, exporter, policy)
    first, last = positions[0] - 1, positions[-1]
    return list(islice(records(session, looked, first=first, last=last), ITEMS_MAX))


def _looked_at(job: Job, exporter: Exporter, policy: Policy) -> Export:
    """An export that nobody asked for: it is never added to the session."""
    at = clock.now()
    return Export(
        id=ExportId(new_id()),
        job_id=job.id,
        organisation_id=job.organisation_id,
        format=exporter.key,
        policy=policy.value,
        filename="",
        state=ExportState.QUEUED,
        as_of=at,
        items_total=job.item_count,
        items_read=0,
        created_at=at,
    )


def _made(told: Exporter, asked: Exporter, policy: Policy, found: list[Record]) -> Preview:
    counts, begins = Counts(), ""
    rows: tuple[ExportRow, ...] = ()
    files: tuple[str, ...] = ()
    made = islice(told.rows(found, policy, counts), ROWS)
    if told.members is not None:
        files = tuple(name for name, _ in islice(told.members(iter(list(made))), FILES_MAX))
    elif told.suffix not in {".jsonl", ".json", ".parquet"}:
        begins = _begins(told.file(found, policy, counts))
    else:
        rows = tuple(made)
    return Preview(asked, policy, rows, begins, files, len(found), counts.as_json())


def _begins(pieces: Iterator[bytes]) -> str:
    """How a text begins, whole lines of it."""
    head = b"".join(islice(pieces, PIECES))[:TEXT_BYTES]
    return head.rpartition(b"\n")[0].decode("utf-8", "replace")
