"""What one submission or one verdict changes at once: the posteriors of its task, its author.

One statement reads, one writes. Nothing here waits for other people's rows: other authors of the
task are set right by the fit that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.errors import Missing
from marketplace.ids import TaskId, new_id
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.jobs.rules import Purpose
from marketplace.quality.rules.ballots import AuthorKind, Scheme
from marketplace.quality.rules.believing import Belief, Known, Lesson, Question, Vote, believed
from marketplace.quality.rules.calibration import Calibration
from marketplace.quality.rules.categorical.prior import Prior
from marketplace.statements import plain_sql
from marketplace.tasktypes import task_type
from marketplace.work.models import Submission, Task
from marketplace.work.service.submitting import MODELS

FIT = "quality.fit_job"
# A job that takes long to fit is fitted less often: at most a twentieth of the time.
REST = 20
SOON = timedelta(seconds=2)
_SCHEMES_MAX = 500
_schemes: dict[UUID, Scheme] = {}

_READ = """SELECT
  (SELECT json_agg(json_build_array(s.specialist_id, s.judgement, coalesce(e.agreement >= 0.5,
      false)) ORDER BY s.id)::text
    FROM submission s JOIN seat ON seat.id = s.seat_id
    LEFT JOIN skill_evidence e ON e.source = 'review' AND e.source_id = s.id
    WHERE s.task_id = %(task_id)s AND s.state IN ('submitted', 'in_review', 'accepted')
      AND seat.set_aside_at IS NULL) AS votes,
  (SELECT json_agg(json_build_array(p.model || '@' || p.version, p.payload) ORDER BY p.number)::text
    FROM task JOIN prelabel p ON p.item_id = task.item_id WHERE task.id = %(task_id)s) AS models,
  (SELECT json_agg(json_build_array(question, labels, population, fit))::text
    FROM question_fit WHERE job_id = %(job_id)s) AS questions,
  (SELECT json_agg(json_build_array(a.question, a.kind, a.author, a.counts, a.fit,
      sqrt(a.noise * a.noise + a.bias * a.bias)))::text
    FROM (SELECT DISTINCT specialist_id::text AS author FROM submission
        WHERE task_id = %(task_id)s
      UNION SELECT p.model || '@' || p.version FROM task
        JOIN prelabel p ON p.item_id = task.item_id WHERE task.id = %(task_id)s) who
    JOIN label_author a ON a.job_id = %(job_id)s AND a.author = who.author
      AND a.question = ANY(%(questions)s) AND a.kind IN ('human', 'model')) AS authors,
  (SELECT json_agg(json_build_array(unit, labels, probabilities))::text
    FROM posterior WHERE task_id = %(task_id)s) AS beliefs,
  (SELECT seconds FROM job_fit WHERE job_id = %(job_id)s) AS seconds"""

# The fit is asked for once, whoever comes first; who cannot be the first does not wait to hear it.
_WRITE = """WITH gone AS (
  DELETE FROM posterior WHERE task_id = %(task_id)s AND %(whole)s AND unit <> ALL(%(units)s)
), said AS (
  INSERT INTO posterior AS p (task_id, unit, job_id, question, label, confidence, labels,
      probabilities, n, humans, models, decided, fit, revision, updated_at, estimate,
      estimate_lower, estimate_upper)
  SELECT %(task_id)s, unit, %(job_id)s, question, label, confidence, labels, probabilities,
    humans + models, humans, models, decided, fit, 1, %(at)s, estimate, lower, upper
  FROM json_to_recordset(%(beliefs)s::json) AS x(unit text, question text, label text,
    confidence float8, labels text[], probabilities float8[], humans int8, models int8,
    decided bool, fit int8, estimate float8, lower float8, upper float8)
  ORDER BY unit
  ON CONFLICT (task_id, unit) DO UPDATE SET label = excluded.label,
    confidence = excluded.confidence, labels = excluded.labels,
    probabilities = excluded.probabilities, n = excluded.n, humans = excluded.humans,
    models = excluded.models, decided = excluded.decided, fit = excluded.fit,
    revision = p.revision + 1, updated_at = excluded.updated_at, estimate = excluded.estimate,
    estimate_lower = excluded.estimate_lower, estimate_upper = excluded.estimate_upper
), taught AS (
  INSERT INTO label_author AS a (job_id, question, kind, author, counts, n, reliability, lower,
      upper, fit, updated_at)
  SELECT %(job_id)s, question, kind, author, added, n, reliability, lower, upper, fit, %(at)s
  FROM json_to_recordset(%(lessons)s::json) AS x(question text, kind text, author text,
    added float8[], n int8, reliability float8, lower float8, upper float8, fit int8)
  ORDER BY question
  ON CONFLICT (job_id, question, kind, author) DO UPDATE SET counts = (
      SELECT array_agg(greatest(0, had + came) ORDER BY place)
      FROM unnest(a.counts, excluded.counts) WITH ORDINALITY AS both_(had, came, place)),
    n = a.n + excluded.n, reliability = excluded.reliability, lower = excluded.lower,
    upper = excluded.upper, updated_at = excluded.updated_at
  WHERE a.fit = excluded.fit
)
INSERT INTO outbox (id, name, arguments, once_key, not_before, attempts, created_at)
SELECT %(row_id)s, 'quality.fit_job', json_build_object('job_id', %(job_text)s::text),
  %(once_key)s, %(not_before)s, 0, %(at)s
WHERE pg_try_advisory_xact_lock(hashtextextended(%(once_key)s, 0))
ON CONFLICT (once_key) DO NOTHING"""


def update(session: Session, submission: Submission, job: Job) -> list[Belief]:
    """Believe anew of the task of a fresh submission, and learn of its author; what is believed.

    Called in the transaction of the submission, which holds the task, right after `work.submit`.
    Does nothing for an answer that came before or does not count, in a qualification, and where
    one judgement a task is all there is.
    """
    models = session.info.pop(MODELS, None)
    if models is None or submission.is_surplus or job.purpose is Purpose.QUALIFICATION:
        return []  # Handed in before, or it does not count.
    if job.overlap_max == 1 and not models:
        return []
    scheme = _scheme(session, job, submission.template_version_id)
    return _change(
        session, submission.task_id, job.id, scheme, newest=str(submission.specialist_id)
    )


def rescore_task(session: Session, task_id: TaskId) -> list[Belief]:
    """Believe anew of a task after a verdict, an overturned one or a change of gold.

    Reads the submissions that count now, what people said of them, and gold. Locks the task, as
    whoever settles a submission has done already. Raises Missing without the task.
    """
    task = session.get(Task, task_id, with_for_update={"key_share": True})
    if task is None:
        raise Missing("This task is not there.")
    job = session.get_one(Job, task.job_id)
    if job.purpose is Purpose.QUALIFICATION:
        return []
    gold = session.scalar(select(Item.gold).where(Item.id == task.item_id))
    scheme = _scheme(session, job, job.template_version_id)
    return _change(session, task_id, job.id, scheme, gold=gold["judgement"] if gold else None)


def ask_for_fit(session: Session, job_id: UUID) -> None:
    """Have a job fitted soon, once however many ask."""
    empty: dict[str, Any] = {"task_id": None, "whole": False, "units": [], "beliefs": "[]"}
    plain_sql(session, _WRITE, **empty, lessons="[]", **_asking(job_id, None))


def _scheme(session: Session, job: Job, version_id: UUID) -> Scheme:
    known = _schemes.get(version_id)
    if known is None:
        template = session.get_one(TemplateVersion, version_id).template
        if len(_schemes) >= _SCHEMES_MAX:
            _schemes.clear()
        known = _schemes[version_id] = Scheme(task_type(job.task_type), template)
    return known


def _change(
    session: Session,
    task_id: UUID,
    job_id: UUID,
    scheme: Scheme,
    *,
    newest: str | None = None,
    gold: Any = None,
) -> list[Belief]:
    (row,) = plain_sql(session, _READ, task_id=task_id, job_id=job_id, questions=scheme.questions())
    votes = [Vote(AuthorKind.MODEL, author, said) for author, said in _of(row.models)]
    votes += [
        Vote(AuthorKind.HUMAN, author, judgement, accepted=accepted)
        for author, judgement, accepted in _of(row.votes)
    ]
    beliefs, lessons = believed(scheme, votes, _known(row), newest=newest, gold=gold)
    plain_sql(
        session,
        _WRITE,
        task_id=task_id,
        # A fresh vote leaves no unit without any, but where units are named by what is marked.
        whole=newest is None or scheme.matches,
        units=[belief.unit for belief in beliefs],
        beliefs=orjson.dumps([_row_of(belief) for belief in beliefs]).decode(),
        lessons=orjson.dumps([_taught(lesson) for lesson in lessons]).decode(),
        **_asking(job_id, row.seconds),
    )
    return beliefs


def _of(rows: str | None) -> list[Any]:
    return orjson.loads(rows) if rows else []


def _known(row: Any) -> Known:
    questions = {
        question: Question(
            labels,
            Prior.from_json(population),
            Calibration.from_json(population["calibration"]),
            fit,
        )
        for question, labels, population, fit in _of(row.questions)
    }
    fits = {name: question.fit for name, question in questions.items()}
    authors = _of(row.authors)
    return Known(
        questions,
        {
            (question, AuthorKind(kind), author): counts
            for question, kind, author, counts, fit, _ in authors
            # Counts stand in the order of labels of their own fit.
            if fit == fits.get(question, 0)
        },
        {unit: (labels, probabilities) for unit, labels, probabilities in _of(row.beliefs)},
        {
            (question, AuthorKind(kind), author): noise
            for question, kind, author, _, _, noise in authors
            if noise is not None
        },
    )


def _row_of(belief: Belief) -> Mapping[str, Any]:
    return {
        "unit": belief.unit,
        "question": belief.question,
        "label": belief.labels[belief.best],
        "confidence": belief.confidence,
        "labels": belief.labels,
        "probabilities": belief.probabilities.tolist(),
        "humans": belief.humans,
        "models": belief.models,
        "decided": belief.decided,
        "fit": belief.fit,
        "estimate": belief.estimate and belief.estimate.value,
        "lower": belief.estimate and belief.estimate.lower,
        "upper": belief.estimate and belief.estimate.upper,
    }


def _taught(lesson: Lesson) -> Mapping[str, Any]:
    return {
        "question": lesson.question,
        "kind": lesson.kind,
        "author": lesson.author,
        "added": lesson.added.ravel().tolist(),
        "n": lesson.n,
        "reliability": lesson.reliability,
        "lower": lesson.lower,
        "upper": lesson.upper,
        "fit": lesson.fit,
    }


def _asking(job_id: UUID, seconds: float | None) -> dict[str, Any]:
    now = clock.now()
    return {
        "job_id": job_id,
        "job_text": str(job_id),
        "row_id": new_id(),
        "once_key": f"fit:{job_id}",
        "not_before": now + max(SOON, timedelta(seconds=REST * (seconds or 0.0))),
        "at": now,
    }
