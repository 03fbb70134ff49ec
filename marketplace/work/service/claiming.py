"""Leasing the next seat: two statements, whose cost knows neither history nor size.

Seats of a job stand in one queue, by rank. A person goes through it in one direction, from their
front on, and meets no seat that they have passed. A seat may be theirs to pass over all the same
(they hold its task, or a conflict forbids it), so a look is bounded: it reads a window of open
seats, and a few windows at the most. Who found none there goes on behind them the next time and
begins anew at the end of the queue, so everybody comes past every seat: none starves, and the
oldest are offered first to whoever is new.
"""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Conflict
from marketplace.ids import ClaimId, PersonId, TemplateVersionId, new_id
from marketplace.jobs.models import Job
from marketplace.jobs.rules import PayPer, Purpose, seat_price
from marketplace.statements import (
    Fixed,
    condition_sql,
    forget,
    insert_sql,
    made,
    plain_sql,
    values_of,
    written,
)
from marketplace.tasktypes import task_type
from marketplace.work import queries, rules
from marketplace.work.models import Claim, Seat, WorkProgress
from marketplace.work.rules import ClaimState
from marketplace.work.service import versions

WINDOW = 256  # Open seats that one look reads at the most.
WINDOWS_MAX = 8
NO_MAX = 2**62

# The job stays open until the claim is committed. The count is raised only where the person's
# place is still the one that this statement saw: of two windows at once, one must look again.
# States are written out, so that one plan, kept by the server, can use the partial indexes. Whether
# a task is held is asked for the person of each seat looked at: asked for a value that is the same
# throughout, a plan made while claims were few would read all that the person ever held.
_NEXT = """WITH permit AS MATERIALIZED (
  {permit}
), wanting AS (
  SELECT id, template_version_id FROM job
  WHERE id = %(job_id)s AND state = 'open' AND (SELECT eligible FROM permit) FOR KEY SHARE
), before AS (
  SELECT live, done, front, live_cap, stopped_at FROM work_progress
  WHERE person_id = %(person_id)s AND job_id = %(job_id)s
), looked AS (
  SELECT seat.id, seat.rank, %(person_id)s::uuid AS person_id FROM seat
  WHERE seat.job_id = (SELECT id FROM wanting) AND seat.state = 'open' AND {mine}
    AND seat.rank > coalesce(%(after)s::bigint, (SELECT front FROM before), 0)
  ORDER BY seat.rank LIMIT {window}
), free AS (
  SELECT seat.id, seat.task_id, seat.rank, seat.price_minor
  FROM looked JOIN seat ON seat.id = looked.id
  WHERE seat.state = 'open' AND NOT EXISTS (
      SELECT FROM claim WHERE claim.task_id = seat.task_id
        AND claim.specialist_id = looked.person_id AND claim.state <> 'released')
    AND {allowed}
  ORDER BY looked.rank LIMIT 1 FOR NO KEY UPDATE OF seat SKIP LOCKED
), counted AS (
  INSERT INTO work_progress AS mine (person_id, job_id, live, done, front)
  SELECT %(person_id)s, %(job_id)s, 1, 0, rank FROM free
  ON CONFLICT (person_id, job_id) DO UPDATE SET live = mine.live + 1, front = excluded.front
  WHERE mine.live < least(%(live_max)s, mine.live_cap) AND mine.stopped_at IS NULL
    AND mine.live + mine.done < %(done_max)s AND mine.front = (SELECT front FROM before)
  RETURNING live
)
SELECT permit.eligible, permit.level, before.live, before.done, before.front, before.live_cap,
  before.stopped_at,
  free.id AS seat_id, free.task_id, free.rank, free.price_minor,
  (SELECT template_version_id FROM wanting) AS newest_id,
  item.id AS item_id, item.payload::text AS payload, EXISTS (SELECT FROM counted) AS counted,
  CASE WHEN free.id IS NOT NULL THEN nextval('claim_fence_seq') END AS fence
FROM permit LEFT JOIN before ON true LEFT JOIN free ON true
LEFT JOIN task ON task.id = free.task_id LEFT JOIN item ON item.id = task.item_id"""
_GIVEN = "SELECT true AS eligible, %(level)s::int AS level"
_RESERVED = "seat.reserved_for = %(person_id)s"
_ANYBODY = f"(seat.reserved_for IS NULL OR {_RESERVED})"  # Seats kept for them, in work too.
_LAST_OF_WINDOW = """SELECT count(*) AS seats, max(rank) AS last FROM (
  SELECT seat.rank FROM seat WHERE seat.job_id = %(job_id)s AND seat.state = 'open' AND {mine}
    AND seat.rank > %(after)s ORDER BY seat.rank LIMIT {window}) AS looked"""
_GO_ON = """INSERT INTO work_progress (person_id, job_id, live, done, front)
VALUES (%(person_id)s, %(job_id)s, 0, 0, %(front)s)
ON CONFLICT (person_id, job_id) DO UPDATE SET front = excluded.front"""
_TAKEN = "WITH taken AS (UPDATE seat SET state = 'claimed' WHERE id = %(seat_id)s)"
_TAKE = "\n".join((_TAKEN, insert_sql(Claim)))


def claim_seat(
    session: Session,
    *,
    specialist_id: PersonId,
    job: Job,
    permit: int | Fixed,
    unless: ColumnElement[bool] | None = None,
) -> Claim | None:
    """Lease the next open seat of a job that this specialist has not held; None without one.

    permit: the level of the specialist's credential, where the caller has decided that they may
    work on the job; or what decides it in the same statement, `eligible` and `level` in one row
    for `person_id` and `job_id`, which raises NotPermitted. Seats that others are taking at this
    moment are passed over. unless: a condition on `seat` under which one is passed over too.
    Raises TooManyInHand and EnoughDone at the job's limits for one person.
    """
    asked = _Asked(session, specialist_id, job, permit, unless)
    after: int | None = None
    wrapped = False
    for _ in range(WINDOWS_MAX):
        found = asked.next(after)
        if not found.eligible:
            raise NotPermitted
        _refuse_over_limits(job, found)
        if found.seat_id is not None and found.counted:
            return _lease(session, found, specialist_id, job)
        if found.seat_id is not None:
            continue  # Another window of theirs claimed meanwhile; look again from its place.
        front = found.front or 0
        seats, last = asked.end_of_window(front if after is None else after)
        if seats == WINDOW:
            after = last
        elif wrapped or front == 0:
            return None
        else:
            after, wrapped = 0, True
        if wrapped and after is not None and after >= front:
            return None
    if after is not None:
        asked.go_on(after)
    return None


class NotPermitted(Exception):
    """The person may not work on the job; whoever knows the conditions says why."""


class _Asked:
    """The statements of one search, with the values that stay the same."""

    def __init__(
        self,
        session: Session,
        person_id: PersonId,
        job: Job,
        permit: int | Fixed,
        unless: ColumnElement[bool] | None,
    ) -> None:
        self._session = session
        self._mine = _RESERVED if job.purpose is Purpose.QUALIFICATION else _ANYBODY
        barred, values = condition_sql(Seat, unless) if unless is not None else ("false", {})
        if isinstance(permit, int):
            may, asked = _GIVEN, {"level": permit}
        else:
            may, asked = permit.sql, permit.asked()
        self._next = next_sql(self._mine, barred, may)
        self._ids = {"person_id": person_id, "job_id": job.id}
        most = job.tasks_a_person_max
        self._values = self._ids | values | asked | {
            "live_max": job.claims_live_max,
            "done_max": NO_MAX if most is None else most,
        }  # fmt: skip

    def next(self, after: int | None) -> Any:
        """Lock the next seat and count it; one row, whose seat_id is None where there is none."""
        return plain_sql(self._session, self._next, after=after, **self._values)[0]

    def end_of_window(self, after: int) -> tuple[int, int | None]:
        """How many seats the window after a rank has, and the last one's rank."""
        asked = _LAST_OF_WINDOW.format(mine=self._mine, window=WINDOW)
        ((seats, last),) = plain_sql(self._session, asked, after=after, **self._ids)
        return seats, last

    def go_on(self, front: int) -> None:
        """Begin behind this rank the next time."""
        plain_sql(self._session, _GO_ON, front=front, **self._ids)


@functools.lru_cache(maxsize=64)
def next_sql(mine: str = _ANYBODY, barred: str = "false", permit: str = _GIVEN) -> str:
    """The statement that finds, locks and counts the next seat, where it is permitted."""
    return _NEXT.format(mine=mine, window=WINDOW, allowed=f"NOT ({barred})", permit=permit)


def take_sql() -> str:
    """The statement that makes the claim of a seat that is locked."""
    return _TAKE


def _refuse_over_limits(job: Job, found: Any) -> None:
    if found.live is None:
        return
    if found.stopped_at is not None:
        raise rules.HeldBack(
            "You get no further tasks of this job for now. Why, with the figures, stands under "
            "Quality checks; you can answer there, and a person reads it."
        )
    if found.live >= min(job.claims_live_max, found.live_cap or job.claims_live_max):
        raise rules.TooManyInHand(
            f"You have {found.live} tasks of this job in hand, which is as many as it allows. "
            "Hand one in or give one back first."
        )
    most = job.tasks_a_person_max
    if most is not None and found.live + found.done >= most:
        tasks = "one task" if most == 1 else f"{most} tasks"
        raise rules.EnoughDone(f"This job takes at most {tasks} from one person.")


def _version(session: Session, found: Any, job: Job) -> TemplateVersionId:
    """The version that a seat is judged under: the newest, or the one that its task keeps."""
    kept = versions.kept_by(session, found.task_id, job.id) if job.keeps_versions else None
    return TemplateVersionId(kept or found.newest_id)


def _lease(session: Session, found: Any, specialist_id: PersonId, job: Job) -> Claim:
    price = seat_price(job.terms(0)).pay  # The fee is the lab's matter.
    at = clock.now()
    payload = orjson.loads(found.payload)
    claim = made(
        Claim,
        id=ClaimId(new_id()),
        seat_id=found.seat_id,
        task_id=found.task_id,
        job_id=job.id,
        specialist_id=specialist_id,
        template_version_id=_version(session, found, job),
        seat_rank=found.rank,
        fence=found.fence,
        state=ClaimState.LIVE,
        claimed_at=at,
        expires_at=at + timedelta(seconds=job.lease_seconds),
        price_minor=price.minor if found.price_minor is None else found.price_minor,
        currency=price.currency,
        paid_seconds_max=job.time_cap_seconds if job.pay_per is PayPer.HOUR else None,
        credential_level=found.level,
        presented_order=task_type(job.task_type).presented_order(payload, str(found.seat_id)),
    )
    try:
        plain_sql(session, _TAKE, **values_of(claim))
    except IntegrityError:
        raise Conflict("Another window of yours took this task; ask for the next.") from None
    forget(session, Seat, found.seat_id)
    forget(session, WorkProgress, (specialist_id, job.id))
    queries.bring(session, claim, found.item_id, payload)
    return written(session, claim)
