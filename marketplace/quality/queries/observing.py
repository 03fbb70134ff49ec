"""What rules of quality control look at: pieces of people's work in a job, each worth 0..1."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from statistics import median
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, select
from sqlalchemy.orm import Session, aliased

from marketplace.jobs.models import Job, TemplateVersion
from marketplace.quality.models import GoldScore, SkillEvidence
from marketplace.quality.rules.control import Collector, Observations
from marketplace.quality.rules.evidence import EvidenceSource
from marketplace.quality.rules.evidence_packs import COLLECTS_INPUT
from marketplace.quality.rules.likeness import nearly_repeated
from marketplace.specialists.queries.accommodations import accommodated
from marketplace.tasktypes import task_type
from marketplace.work.models import Claim, Outcome, Submission
from marketplace.work.rules import ClaimState, OutcomeKind, SubmissionState

PIECES_MAX = 20_000  # The newest pieces of work of a job that are looked at.
SURE = 0.9
HASTY = 0.25
TEXTS_MAX = 400  # Rationales of one person that are compared with each other.

Row = tuple[UUID, float, float, UUID]  # Person, seconds, value, what was looked at.
Collect = Callable[[Session, Job], Iterable[Row]]
_OTHERS: dict[Collector, Collect] = {}


def provide(collector: Collector, collect: Collect) -> None:
    """Say how a higher slice collects what this one cannot know, such as verdicts overturned."""
    _OTHERS[collector] = collect


def observe(session: Session, job: Job, collector: Collector) -> Observations:
    """The newest pieces of work of a job as a rule sees them, by person and in order of time.

    Speed and wording of who works by dictation and the like are left out.
    """
    collect = _COLLECT.get(collector) or _OTHERS[collector]
    rows = collect(session, job)
    if collector in COLLECTS_INPUT:
        rows = list(rows)
        exempt = accommodated(session, {person for person, *_ in rows})
        rows = [row for row in rows if row[0] not in exempt]
    return Observations.of(rows)


def found_right(session: Session, job: Job) -> Observations:
    """How right gold and reviewers found people's work in a job to be, by when it was handed in."""
    rows = session.execute(
        select(
            SkillEvidence.person_id,
            Submission.submitted_at,
            SkillEvidence.agreement,
            SkillEvidence.source_id,
        )
        .join(Submission, Submission.id == SkillEvidence.source_id)
        .where(SkillEvidence.job_id == job.id)
        .where(SkillEvidence.source.in_([EvidenceSource.GOLD, EvidenceSource.REVIEW]))
        .order_by(Submission.id.desc())
        .limit(PIECES_MAX)
    )
    return Observations.of((who, at.timestamp(), value, of) for who, at, value, of in rows)


def _newest(job: Job, *columns: Any) -> Select[Any]:
    """The newest first answers of a job, with who gave each, when, and these columns."""
    return (
        select(Submission.specialist_id, Submission.submitted_at, Submission.id, *columns)
        .where(Submission.job_id == job.id, Submission.repeats_submission_id.is_(None))
        .order_by(Submission.id.desc())
        .limit(PIECES_MAX)
    )


def _gold(job: Job) -> Select[Any]:
    return (
        _newest(job, GoldScore.score, Submission.confidence)
        .join(GoldScore, GoldScore.submission_id == Submission.id)
        .where(GoldScore.superseded_at.is_(None), GoldScore.score.is_not(None))
        .where(GoldScore.weight > 0)
    )


def _gold_error(session: Session, job: Job) -> Iterable[Row]:
    for who, at, of, score, _ in session.execute(_gold(job)):
        yield who, at.timestamp(), 1 - score, of


def _overconfidence(session: Session, job: Job) -> Iterable[Row]:
    for who, at, of, score, said in session.execute(_gold(job)):
        if said is not None and said >= SURE:
            yield who, at.timestamp(), 1 - score, of


def _disagreement(session: Session, job: Job) -> Iterable[Row]:
    """The share of an answer's labels that differ from what most others said of the same thing;
    ties and things that fewer than two others judged say nothing."""
    units = task_type(job.task_type).units
    asked = _newest(job, Submission.task_id, Submission.judgement)
    answers = [
        (who, at, of, {(task, unit): label for unit, label in units(judgement).items()})
        for who, at, of, task, judgement in session.execute(asked)
    ]
    votes: dict[Any, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
    for *_, labels in answers:
        for thing, label in labels.items():
            votes[thing][label] += 1
    for who, at, of, labels in answers:
        unlike = [
            most != label
            for thing, label in labels.items()
            if (most := _most_of_others(votes[thing], label)) is not None
        ]
        if unlike:
            yield who, at.timestamp(), sum(unlike) / len(unlike), of


def _most_of_others(votes: Mapping[Any, int], own: Any) -> Any:
    """What most of the others said, one vote for `own` left out; None where that says nothing."""
    others = {label: n - (label == own) for label, n in votes.items()}
    if sum(others.values()) < 2:
        return None
    first, *rest = sorted(others.items(), key=lambda each: -each[1])
    return None if rest and rest[0][1] == first[1] else first[0]


def _haste(session: Session, job: Job) -> Iterable[Row]:
    """Against the median of the job's answers, or what the lab expects while there are few."""
    rows = session.execute(_newest(job, Submission.active_seconds)).all()
    seconds = [row.active_seconds for row in rows if row.active_seconds]
    usual = median(seconds) if len(seconds) >= 20 else job.expected_seconds
    for who, at, of, spent in rows:
        if spent:
            yield who, at.timestamp(), float(spent < HASTY * usual), of


def _first_shown(session: Session, job: Job) -> Iterable[Row]:
    """Of choices between things that were shown in an order drawn by lot; ties say nothing."""
    asked = _newest(job, Submission.presented_order, Submission.judgement)
    for who, at, of, order, judgement in session.execute(asked):
        choice = judgement.get("choice") if isinstance(judgement, dict) else None
        if len(order) >= 2 and choice in order:
            yield who, at.timestamp(), float(order[0] == choice), of


def _near_duplicates(session: Session, job: Job) -> Iterable[Row]:
    asked = _newest(job, Submission.rationale).where(Submission.rationale.is_not(None))
    texts: dict[UUID, list[tuple[datetime, UUID, str]]] = defaultdict(list)
    for who, at, of, rationale in session.execute(asked):
        if len(texts[who]) < TEXTS_MAX:
            texts[who].append((at, of, rationale))
    for who, written in texts.items():
        written.reverse()  # They came newest first.
        repeated = nearly_repeated([text for *_, text in written])
        for (at, of, _), again in zip(written, repeated, strict=True):
            if again is not None:
                yield who, at.timestamp(), float(again), of


def _inconsistency(session: Session, job: Job) -> Iterable[Row]:
    first = aliased(Submission)
    rows = session.execute(
        select(
            Submission.specialist_id,
            Submission.submitted_at,
            Submission.id,
            Submission.judgement,
            first.judgement,
            TemplateVersion.template,
        )
        .join(first, first.id == Submission.repeats_submission_id)
        .join(TemplateVersion, TemplateVersion.id == Submission.template_version_id)
        .where(Submission.job_id == job.id)
        .order_by(Submission.id.desc())
        .limit(PIECES_MAX)
    )
    agrees = task_type(job.task_type).gold_agrees
    for who, at, of, again, before, template in rows:
        share = agrees(again, before, template)
        if share is not None:
            yield who, at.timestamp(), 1 - share, of


def _rejected(session: Session, job: Job) -> Iterable[Row]:
    states = (SubmissionState.ACCEPTED, SubmissionState.REJECTED)
    asked = _newest(job, Submission.state, Submission.decided_at)
    for who, _, of, state, decided_at in session.execute(
        asked.where(Submission.state.in_(states), Submission.decided_at.is_not(None))
    ):
        yield who, decided_at.timestamp(), float(state is SubmissionState.REJECTED), of


def _ended(session: Session, job: Job) -> Sequence[Any]:
    """How the newest claims of a job ended, oldest key first where several."""
    kind = case((Outcome.id.is_not(None), Outcome.kind), else_=None)
    return session.execute(
        select(Claim.specialist_id, Claim.ended_at, Claim.id, Claim.state, kind)
        .outerjoin(Outcome, Outcome.claim_id == Claim.id)
        .where(Claim.job_id == job.id, Claim.ended_at.is_not(None))
        .order_by(Claim.id.desc())
        .limit(PIECES_MAX)
    ).all()


def _cannot_complete(session: Session, job: Job) -> Iterable[Row]:
    for who, at, of, _, kind in _ended(session, job):
        # Whoever stops for their own sake, or finds a gap in the instructions, is not counted.
        if kind is None or kind == OutcomeKind.CANNOT_COMPLETE:
            yield who, at.timestamp(), float(kind is not None), of


def _given_back(session: Session, job: Job) -> Iterable[Row]:
    for who, at, of, state, kind in _ended(session, job):
        if kind is None:
            yield who, at.timestamp(), float(state is ClaimState.RELEASED), of


def _lapsed(session: Session, job: Job) -> Iterable[Row]:
    for who, at, of, state, kind in _ended(session, job):
        if kind is None:
            yield who, at.timestamp(), float(state is ClaimState.EXPIRED), of


def _idle(session: Session, job: Job) -> Iterable[Row]:
    for who, at, of, spent in session.execute(_newest(job, Submission.spent)):
        lasted = [(each["kind"], _seconds(each)) for each in spent]
        whole = sum(seconds for _, seconds in lasted)
        if whole > 0:
            idle = sum(seconds for kind, seconds in lasted if kind == "idle")
            yield who, at.timestamp(), idle / whole, of


def _seconds(stretch: Mapping[str, str]) -> float:
    begun, ended = (datetime.fromisoformat(stretch[name]) for name in ("started_at", "ended_at"))
    return max(0.0, (ended - begun).total_seconds())


_COLLECT: Mapping[Collector, Collect] = {
    Collector.GOLD_ERROR: _gold_error,
    Collector.OVERCONFIDENCE: _overconfidence,
    Collector.DISAGREEMENT: _disagreement,
    Collector.HASTE: _haste,
    Collector.FIRST_SHOWN: _first_shown,
    Collector.NEAR_DUPLICATES: _near_duplicates,
    Collector.INCONSISTENCY: _inconsistency,
    Collector.REJECTED: _rejected,
    Collector.CANNOT_COMPLETE: _cannot_complete,
    Collector.GIVEN_BACK: _given_back,
    Collector.LAPSED: _lapsed,
    Collector.IDLE: _idle,
}
