"""Agreement in a job, for the lab that owns it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId, PersonId, TaskId
from marketplace.jobs import queries as jobs
from marketplace.quality.rules import cohen_kappa, krippendorff_alpha_nominal, percent_agreement
from marketplace.secrets import pseudonym
from marketplace.tasktypes import task_type
from marketplace.work.models import Seat, Submission
from marketplace.work.rules import SubmissionState

SUBMISSIONS_MAX = 20_000
PEOPLE_MAX = 12
COUNTED = (SubmissionState.SUBMITTED, SubmissionState.IN_REVIEW, SubmissionState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class UnitAgreement:
    """Agreement on one unit, such as `choice`. items: those with two labels or more."""

    unit: str
    items: int
    labels: int
    agreement_ratio: float | None
    alpha: float | None


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two people, by this lab's pseudonyms, on the items that both judged."""

    first: str
    second: str
    items: int
    agreement_ratio: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class JobQuality:
    """What is known of a job's quality, from `submissions` of them."""

    submissions: int
    units: list[UnitAgreement]
    pairs: list[PairAgreement]


Labels = dict[TaskId, dict[PersonId, Hashable]]


def quality_of(session: Session, viewer: Actor, job_id: JobId) -> JobQuality:
    """Agreement by unit, and between the people who did most, on the job's first unit."""
    job = jobs.job_of(session, viewer, job_id)
    rows = session.execute(
        select(Submission.task_id, Submission.specialist_id, Submission.judgement)
        .join(Seat, Seat.id == Submission.seat_id)
        .where(Submission.job_id == job.id, Submission.state.in_(COUNTED))
        .where(Seat.set_aside_at.is_(None))  # Judged anew under a newer version.
        .order_by(Submission.id.desc())
        .limit(SUBMISSIONS_MAX)
    ).all()
    units = task_type(job.task_type).units
    labels: dict[str, Labels] = defaultdict(lambda: defaultdict(dict))
    for task_id, person_id, judgement in rows:
        for unit, label in units(judgement).items():
            labels[unit][task_id][person_id] = label
    first = next(iter(sorted(labels, key=lambda unit: -len(labels[unit]))), None)
    return JobQuality(
        submissions=len(rows),
        units=[_unit(unit, labels[unit]) for unit in sorted(labels)],
        pairs=_pairs(labels[first], job.organisation_id) if first else [],
    )


def _unit(unit: str, labels: Labels) -> UnitAgreement:
    together = [list(by_person.values()) for by_person in labels.values()]
    shared = [each for each in together if len(each) > 1]
    return UnitAgreement(
        unit=unit,
        items=len(shared),
        labels=sum(len(each) for each in together),
        agreement_ratio=percent_agreement(
            pair for each in shared for pair in combinations(each, 2)
        ),
        alpha=krippendorff_alpha_nominal(shared),
    )


def _pairs(labels: Labels, organisation_id: UUID) -> list[PairAgreement]:
    counts: dict[PersonId, int] = defaultdict(int)
    for by_person in labels.values():
        for person_id in by_person:
            counts[person_id] += 1
    most = sorted(counts, key=lambda person: (-counts[person], person))[:PEOPLE_MAX]
    result = []
    for first, second in combinations(most, 2):
        both = [
            (by_person[first], by_person[second])
            for by_person in labels.values()
            if first in by_person and second in by_person
        ]
        if both:
            names = [pseudonym(str(organisation_id), str(person)) for person in (first, second)]
            result.append(
                PairAgreement(
                    names[0], names[1], len(both), percent_agreement(both), cohen_kappa(both)
                )
            )
    return result
