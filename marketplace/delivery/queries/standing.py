"""Which judgements stood at one event of a job, whatever became of them later.

Chains only grow, so a moment is a number of the job's chain. What an answer was then is what it
is now, unless something happened to it since: the first fact after that number says what it was
before (`was`), and an answer that was handed in later was not there at all.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, column, select, text
from sqlalchemy.orm import Session

from marketplace.delivery.models import Export
from marketplace.delivery.rules.bundle import BUNDLE, ENVELOPES
from marketplace.quality.queries import COUNTED
from marketplace.tasktypes.exports import Policy
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState

HANDED_IN = "task.submitted"
# What a fact about an answer is called says what it became; further facts change no state.
BECAME = tuple(f"task.{state.value}" for state in SubmissionState)
ADDED = "submission.judge_fault"
GILDED = "gold.changed"
# Facts that came after the event: those with a greater number, and those without any as yet.
AFTER_NUMBER = "(event.job_number > :number OR event.job_number IS NULL)"
# Until the mark of an export has its number, ids tell the order: they are made of time.
AFTER_MARK = "event.id > :mark_id"
AFTER_NOW = "false"
SPLIT = ", ".join(f"'{kind}'" for kind in BECAME)
# The numbers of versions, names of our own and `after` are all that stands in it.
LATER = f"""later AS MATERIALIZED (
  SELECT DISTINCT ON (event.subject_id) event.subject_id, event.kind, event.facts->>'was' AS was
  FROM event WHERE event.job_id = :job_id AND {{after}} AND event.kind IN ({SPLIT})
  ORDER BY event.subject_id, event.job_number NULLS LAST, event.id
)"""  # noqa: S608 - see above.
# Facts that were told before they said what had been: the one before them does.
FORMER = f"""(SELECT substr(past.kind, 6) FROM event past
  WHERE past.job_id = :job_id AND past.subject_id = submission.id AND past.kind IN ({SPLIT})
    AND past.job_number <= :number ORDER BY past.job_number DESC LIMIT 1)"""  # noqa: S608 - names of kinds.
STATE = f"""CASE WHEN later.subject_id IS NULL THEN submission.state
  WHEN later.kind = '{HANDED_IN}' THEN NULL
  ELSE coalesce(later.was, {FORMER}) END"""


def states_of(policy: str) -> tuple[SubmissionState, ...]:
    """The states of answers that a policy reads: those that count, under `all` extra ones too.

    Under `model` all that what is believed rests on.
    """
    if policy == Policy.MODEL:
        return COUNTED
    if policy == Policy.ALL:
        return (SubmissionState.ACCEPTED, SubmissionState.SURPLUS_ACCEPTED)
    return (SubmissionState.ACCEPTED,)


def after(export: Export) -> str:
    """The condition on facts that came after an export's event."""
    if export.as_of_event is not None:
        return AFTER_NUMBER
    return AFTER_NOW if export.mark_id is None else AFTER_MARK


def later(export: Export) -> str:
    """What happened first to answers after an export's event, as a part of a statement."""
    return LATER.format(after=after(export))


def conditions(export: Export, policy: str, *, every: bool = False) -> str:
    """The condition on a submission, beside `later` by its id, that it stands in an export.

    An answer that repeats its author's own is no further vote, nor is one that was asked for
    again under a newer version: only the envelope tells them, and who asks for `every` one.
    """
    states = ", ".join(f"'{state.value}'" for state in states_of(policy))
    found = [f"({STATE}) IN ({states})"]
    whole = every or (policy != Policy.MODEL and _as_envelope(export, policy))
    if not whole:
        found.append(
            "NOT EXISTS (SELECT FROM seat WHERE seat.id = submission.seat_id"
            " AND seat.set_aside_at <= :as_of)"
        )
    if not whole and policy != Policy.MODEL:
        found.append("submission.repeats_submission_id IS NULL")
    return " AND ".join(found)


def _as_envelope(export: Export, policy: str) -> bool:
    if export.format == BUNDLE:
        return policy == Policy.ALL
    return export.format in ENVELOPES


def values(export: Export) -> dict[str, Any]:
    """What stands for the names in these statements."""
    return {
        "job_id": export.job_id,
        "number": export.as_of_event,
        "mark_id": export.mark_id,
        "as_of": export.as_of,
    }


def told(export: Export, policy: str | None = None) -> ColumnElement[bool]:
    """The condition on Submission that it stands in an export, for statements on its job."""
    return Submission.id.in_(_standing(export, policy or export.policy))


def _standing(export: Export, policy: str) -> Select[Any]:
    statement = _ids(export, policy)
    bound: list[BindParameter[Any]] = [
        bindparam(name, value) for name, value in _named(export, statement).items()
    ]
    found = text(statement).bindparams(*bound).columns(column("id", Submission.id.type))
    return select(found.subquery().c.id)


def standing_count(
    session: Session, export: Export, policy: str | None = None, *, every: bool = False
) -> int:
    """How many judgements an export must have read, one statement of its own; with `every` also
    those that its format leaves out."""
    ids = _ids(export, policy or export.policy, every=every)
    statement = f"SELECT count(*) FROM ({ids}) AS standing"  # noqa: S608 - as in `_ids`.
    return int(session.execute(text(statement), _named(export, statement)).scalar_one())


def _ids(export: Export, policy: str, *, every: bool = False) -> str:
    # Names of our own and numbers of states are all that it is made of; values are bound.
    return f"""WITH {later(export)}
      SELECT submission.id FROM submission LEFT JOIN later ON later.subject_id = submission.id
      WHERE submission.job_id = :job_id AND {conditions(export, policy, every=every)}"""  # noqa: S608


def _named(export: Export, statement: str) -> dict[str, Any]:
    return {name: value for name, value in values(export).items() if f":{name}" in statement}


def chained_count(session: Session, export: Export, policy: str | None = None) -> int | None:
    """How many judgements stood at the event by the job's chain alone, which rows cannot change.

    Of all answers with such a state, also those that a format leaves out; None before the
    export's event has its number.
    """
    if export.as_of_event is None:
        return None
    states = [f"task.{state.value}" for state in states_of(policy or export.policy)]
    statement = f"""SELECT count(*) FROM (
      SELECT DISTINCT ON (event.subject_id) event.kind FROM event
      WHERE event.job_id = :job_id AND event.job_number <= :number AND event.kind IN ({SPLIT})
      ORDER BY event.subject_id, event.job_number DESC) AS last
    WHERE last.kind = ANY(:states)"""  # noqa: S608
    given = {"job_id": export.job_id, "number": export.as_of_event, "states": states}
    return int(session.execute(text(statement), given).scalar_one())
