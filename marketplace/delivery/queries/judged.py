"""What was said of judgements by an export's event: verdicts, earlier rounds, gold, skill."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Uuid, bindparam, func, select, text, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from marketplace.delivery import rules
from marketplace.delivery.models import Export
from marketplace.jobs.models import Job
from marketplace.outbox import Event
from marketplace.quality.models import GoldScore, Skill, SkillPoint, skill_domain
from marketplace.quality.rules.posterior import posterior
from marketplace.review.queries import sealing

LATER = "delivery.later_decisions"
# The answers before, of the same seat, that each answer was done again after; as pairs.
ROUNDS = text(
    """WITH RECURSIVE line(last, id) AS (
      SELECT submission.id, claim.reworks_submission_id FROM submission
      JOIN claim ON claim.id = submission.claim_id
      WHERE submission.id = ANY(:ids) AND submission.round > 1
      UNION
      SELECT line.last, claim.reworks_submission_id FROM line
      JOIN submission ON submission.id = line.id JOIN claim ON claim.id = submission.claim_id
    )
    SELECT line.last, line.id, submission.round, submission.submitted_at FROM line
    JOIN submission ON submission.id = line.id ORDER BY line.last, submission.round"""
)
# Plain rows: to load them as rows of models takes several times as long.
GIVEN = text(
    "SELECT id, specialist_id, submitted_at, round FROM submission WHERE id = ANY(:ids)"
).columns(id=Uuid(), specialist_id=Uuid())
VERDICTS = text(
    """SELECT id, submission_id, verdict, reviewer_id,
      CASE WHEN defects = '[]'::jsonb THEN NULL ELSE defects END AS defects,
      note, decided_at, cause
    FROM decision WHERE submission_id = ANY(:ids) ORDER BY submission_id, id"""
)
Told = dict[str, Any]


def told_of(
    session: Session, export: Export, submission_ids: Sequence[UUID]
) -> Mapping[UUID, Told]:
    """Fields of `AuthoredJudgement` by submission: ai_policy, review, history, gold, skill.

    As of the export's event: verdicts that came later are not told, whatever they overturned.
    Scores of gold are those that stood at its moment, skill is that of the day before the hand-in.
    """
    if not submission_ids:
        return {}
    given = session.execute(GIVEN, {"ids": list(submission_ids)}).all()
    job = session.get_one(Job, export.job_id)
    rounds: dict[UUID, list[Row[Any]]] = defaultdict(list)
    reworked = [row.id for row in given if row.round > 1]
    for row in session.execute(ROUNDS, {"ids": reworked}) if reworked else ():
        rounds[row.last].append(row)
    earlier = [row.id for rows in rounds.values() for row in rows]
    verdicts = _verdicts(session, export, [*submission_ids, *earlier])
    gold = _gold(session, export, submission_ids)
    skill = _skills(session, job, {row.specialist_id for row in given})
    return {
        row.id: {
            "ai_policy": str(job.ai_policy),
            "review": verdicts[row.id][-1] if verdicts.get(row.id) else None,
            "history": tuple(_history(row.id, rounds[row.id], verdicts)),
            "gold": gold.get(row.id),
            "skill": _known(skill.get(row.specialist_id, ()), row.submitted_at),
        }
        for row in given
    }


def _verdicts(
    session: Session, export: Export, submission_ids: Sequence[UUID]
) -> dict[UUID, list[Told]]:
    later = _later(session, export)
    lines: dict[UUID, list[Told]] = defaultdict(list)
    for row in session.execute(VERDICTS, {"ids": list(submission_ids)}):
        if str(row.id) not in later:
            lines[row.submission_id].append(sealing.told(row, export.organisation_id))
    return lines


def _later(session: Session, export: Export) -> frozenset[str]:
    """Verdicts that the chain tells of after the export's event, or not at all as yet."""
    known = session.info.get(LATER)
    if known is not None and known[0] == (export.id, export.as_of_event):
        return frozenset(known[1])
    named = Event.facts["decision_id"].astext
    after: ColumnElement[bool] = Event.job_number.is_(None)
    if export.as_of_event is not None:
        after |= Event.job_number > export.as_of_event
    asked = select(named).where(Event.job_id == export.job_id, after, named.is_not(None))
    found = frozenset(session.scalars(asked))
    session.info[LATER] = (export.id, export.as_of_event), found
    return found


def _history(
    submission_id: UUID, rounds: Sequence[Row[Any]], verdicts: Mapping[UUID, Sequence[Told]]
) -> list[Told]:
    """Earlier rounds with their verdicts, then the verdicts on this one that stand no more."""
    found: list[Told] = []
    for row in rounds:
        found.append(
            {
                "what": "submitted",
                "annotation_id": str(row.id),
                "round": row.round,
                "at": row.submitted_at.isoformat(),
            }
        )
        found += [_decided(each, str(row.id)) for each in verdicts.get(row.id, ())]
    own = verdicts.get(submission_id, ())
    return found + [_decided(each, str(submission_id)) for each in own[:-1]]


def _decided(verdict: Told, annotation_id: str) -> Told:
    at = verdict["decided_at"]
    return {"what": "decided", "annotation_id": annotation_id, "at": at, **verdict}


def _gold(session: Session, export: Export, submission_ids: Sequence[UUID]) -> dict[UUID, Told]:
    stood = select(
        GoldScore.submission_id, GoldScore.score, GoldScore.weight, GoldScore.version
    ).where(
        GoldScore.submission_id == func.any(bindparam("ids", list(submission_ids), ARRAY(Uuid()))),
        GoldScore.scored_at <= export.as_of,
        func.coalesce(GoldScore.superseded_at > export.as_of, True),
    )
    return {
        each.submission_id: {"score": each.score, "weight": each.weight, "version": each.version}
        for each in session.execute(stood)
    }


def _skills(
    session: Session, job: Job, people: set[Any]
) -> Mapping[UUID, Sequence[tuple[date, int, float, float]]]:
    """What was known of people's skill in the job's kind of work at the end of days, newest first.

    The newest is in the row of the skill until something is learned on a later day.
    """
    domain = select(skill_domain()).where(Job.id == job.id).scalar_subquery()
    points, now = (
        select(kind.person_id, day, kind.n, kind.right, kind.weight).where(
            kind.person_id.in_(people), kind.domain == domain, kind.task_type == job.task_type
        )
        for kind, day in (
            (SkillPoint, SkillPoint.on_date.label("day")),
            (Skill, func.date(func.timezone("UTC", Skill.updated_at)).label("day")),
        )
    )
    found: dict[UUID, list[tuple[date, int, float, float]]] = defaultdict(list)
    for row in session.execute(union_all(points, now).order_by(text("day DESC"))):
        found[row.person_id].append((row.day, row.n, row.right, row.weight))
    return found


def _known(days: Sequence[tuple[date, int, float, float]], at: datetime) -> Told | None:
    """The last day before counts, coarsely: exact figures are the same for every lab that a person
    works for, and two labs could join their pseudonyms by them."""
    day = at.astimezone(UTC).date()
    for on, n, right, weight in days:
        if on < day and n:
            mean, lower = posterior(right, weight)
            return {
                "mean": rules.coarse_share(mean),
                "lower": rules.coarse_share(lower),
                "n": rules.coarse_count(n),
            }
    return None
