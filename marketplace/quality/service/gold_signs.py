"""What an answer to gold may be a sign of: that the gold is wrong, or that it leaked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.ids import new_id
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.quality.models import (
    GoldAlarm,
    GoldDispute,
    GoldScore,
    Skill,
    SkillEvidence,
    skill_domain,
)
from marketplace.quality.rules.evidence import EvidenceSource
from marketplace.quality.rules.gold import (
    RIGHT,
    STRONG,
    AlarmKind,
    DisputeState,
    against,
    copied,
    leap,
)
from marketplace.quality.rules.posterior import posterior
from marketplace.tasktypes import task_type
from marketplace.work.models import Submission

ANSWERS_MAX = 60  # Answers to one item that are compared with each other; their pairs grow fast.
MUCH_SEEN = 0.5  # The part of the exposures allowed from which what was said may have spread.
NAMED_MAX = 50


def look_for_signs(
    session: Session, submission: Submission, item: Item, job: Job, *, exposures_max: int
) -> None:
    """Raise a doubt about the gold, or an alarm that it leaked, where the figures say so."""
    standing = select(GoldScore).where(
        GoldScore.submission_id == submission.id, GoldScore.superseded_at.is_(None)
    )
    scored = session.scalars(standing).one()
    if scored.score is None:
        return
    if scored.score < RIGHT:
        _doubt(session, submission, item, job)
    elif scored.exposure > MUCH_SEEN * exposures_max:
        _suspect_leap(session, submission, job, exposures_max)
    if submission.rationale:
        _suspect_copies(session, submission, item, job)


def _doubt(session: Session, submission: Submission, item: Item, job: Job) -> None:
    """Put gold in doubt that most strong authors contradict, all in the same way."""
    answers = session.execute(
        select(Submission.id, Submission.specialist_id, Submission.judgement, GoldScore.score)
        .join(GoldScore, GoldScore.submission_id == Submission.id)
        .where(GoldScore.item_id == item.id, GoldScore.superseded_at.is_(None))
        .where(GoldScore.score.is_not(None))
        .order_by(GoldScore.id.desc())
        .limit(ANSWERS_MAX)
    ).all()
    strong = _strong(session, [row.specialist_id for row in answers], item, job)
    weighty = [row for row in answers if row.specialist_id in strong]
    wrong = [at for at, row in enumerate(weighty) if row.score < RIGHT]
    found = against(wrong, _agreement(session, submission, job, weighty, wrong), people=len(strong))
    if not found.puts_in_doubt:
        return
    figures = {"people": found.people, "saying": found.saying, "lower": round(found.lower, 4)}
    first = weighty[wrong[0]].id
    reason = (
        f"{found.saying} of {found.people} authors who do well elsewhere gave the same other "
        "answer."
    )
    raise_doubt(session, item, first, raised_by=None, reason=reason, figures=figures)


def _agreement(
    session: Session, submission: Submission, job: Job, rows: Sequence[Row[Any]], of: list[int]
) -> dict[tuple[int, int], float]:
    template = session.get_one(TemplateVersion, submission.template_version_id).template
    kind = task_type(job.task_type)
    return {
        (one, other): kind.gold_agrees(rows[one].judgement, rows[other].judgement, template) or 0.0
        for one, other in permutations(of, 2)
    }


def _strong(session: Session, people: Sequence[UUID], item: Item, job: Job) -> set[UUID]:
    """Those of them who do well: by their skill, or by the job's other gold."""
    known = select(Skill.person_id).where(
        Skill.person_id.in_(people),
        Skill.domain == select(skill_domain()).where(Job.id == job.id).scalar_subquery(),
        Skill.task_type == job.task_type,
        Skill.lower >= STRONG,
    )
    elsewhere = (
        select(GoldScore.person_id, func.sum(GoldScore.score), func.count())
        .where(GoldScore.job_id == job.id, GoldScore.person_id.in_(people))
        .where(GoldScore.item_id != item.id, GoldScore.superseded_at.is_(None))
        .where(GoldScore.score.is_not(None), GoldScore.weight > 0)
        .group_by(GoldScore.person_id)
    )
    by_gold = {
        person
        for person, right, n in session.execute(elsewhere)
        if posterior(right or 0.0, n)[1] >= STRONG
    }
    return set(session.scalars(known)) | by_gold


def raise_doubt(
    session: Session,
    item: Item,
    submission_id: UUID,
    *,
    raised_by: UUID | None,
    reason: str,
    figures: dict[str, Any],
) -> GoldDispute | None:
    """Keep a doubt about gold, for a person of the lab; None where the same one is open."""
    row = {
        "id": new_id(),
        "item_id": item.id,
        "job_id": item.job_id,
        "submission_id": submission_id,
        "raised_by": raised_by,
        "reason": reason,
        "figures": figures,
        "state": DisputeState.OPEN,
        "raised_at": clock.now(),
    }
    made = session.scalar(
        insert(GoldDispute).values(row).on_conflict_do_nothing().returning(GoldDispute.id)
    )
    if made is None:
        return None
    job = session.get_one(Job, item.job_id)
    outbox.announce(
        session,
        "gold.disputed",
        made,
        {"item_id": item.id},
        organisation_id=job.organisation_id,
        job_id=job.id,
    )
    return session.get_one(GoldDispute, made)


def _suspect_leap(session: Session, submission: Submission, job: Job, exposures_max: int) -> None:
    """Raise an alarm where somebody does better on much-seen gold than the rest makes likely."""
    person_id = submission.specialist_id
    much = GoldScore.exposure > MUCH_SEEN * exposures_max
    mine = and_(
        GoldScore.job_id == job.id,
        GoldScore.person_id == person_id,
        GoldScore.superseded_at.is_(None),
        GoldScore.score.is_not(None),
    )
    right, n = _summed(session, and_(mine, much))
    fresh_right, fresh_n = _summed(session, and_(mine, ~much))
    judged = select(
        func.coalesce(func.sum(SkillEvidence.agreement * SkillEvidence.weight), 0.0),
        func.coalesce(func.sum(SkillEvidence.weight), 0.0),
    ).where(
        SkillEvidence.person_id == person_id,
        SkillEvidence.job_id == job.id,
        # What others of the job say alike may have leaked by the same way.
        or_(
            SkillEvidence.source == EvidenceSource.REVIEW,
            SkillEvidence.source == EvidenceSource.APPEAL,
        ),
    )
    other_right, other_n = session.execute(judged).one()
    found = leap(right, n, elsewhere_right=fresh_right + other_right, elsewhere_n=fresh_n + other_n)
    if not found.is_sudden:
        return
    evidence = {
        "right": round(found.right, 3),
        "n": found.n,
        "expected": round(found.expected, 4),
        "expected_n": round(found.expected_n, 2),
        "chance": float(f"{found.chance:.2g}"),
        "submissions": _ids(session, and_(mine, much)),
    }
    _raise_alarm(session, job, person_id, AlarmKind.SUDDEN, evidence)


def _summed(session: Session, where: Any) -> tuple[float, int]:
    right, n = session.execute(
        select(func.coalesce(func.sum(GoldScore.score), 0.0), func.count()).where(where)
    ).one()
    return float(right or 0), int(n)


def _ids(session: Session, where: Any) -> list[str]:
    found = session.scalars(select(GoldScore.submission_id).where(where).limit(NAMED_MAX))
    return [str(each) for each in found]


def _suspect_copies(session: Session, submission: Submission, item: Item, job: Job) -> None:
    """Raise an alarm where others wrote the same rationale for the same gold before."""
    others = session.execute(
        select(Submission.id, Submission.rationale)
        .where(Submission.task_id == submission.task_id, Submission.id < submission.id)
        .where(Submission.specialist_id != submission.specialist_id)
        .where(Submission.rationale.is_not(None))
        .order_by(Submission.id.desc())
        .limit(ANSWERS_MAX)
    ).all()
    alike = [row.id for row in others if copied(submission.rationale or "", [row.rationale])]
    if alike:
        evidence = {
            "item_id": str(item.id),
            "submission_id": str(submission.id),
            "others": [str(each) for each in alike],
        }
        _raise_alarm(session, job, submission.specialist_id, AlarmKind.COPIED, evidence)


def _raise_alarm(
    session: Session, job: Job, person_id: UUID, kind: AlarmKind, evidence: dict[str, Any]
) -> None:
    """Keep an alarm, unless the same one is open; the lab is told, and nothing else follows."""
    row = {
        "id": new_id(),
        "job_id": job.id,
        "person_id": person_id,
        "kind": kind,
        "evidence": evidence,
        "raised_at": clock.now(),
    }
    made = session.scalar(
        insert(GoldAlarm).values(row).on_conflict_do_nothing().returning(GoldAlarm.id)
    )
    if made is not None:
        outbox.announce(
            session,
            "gold.alarm",
            made,
            {"kind": kind.value},
            organisation_id=job.organisation_id,
            job_id=job.id,
        )
