"""Qualifications as specialists are offered them, and what their items are worth to the owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Uuid, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Missing
from marketplace.identity.models import Organisation
from marketplace.identity.rules import OrganisationKind, Permission
from marketplace.ids import JobId, PersonId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job, Qualification
from marketplace.jobs.rules import JobState, Purpose, seat_price
from marketplace.money import Money, total
from marketplace.quality.rules.bank import ItemFigures, Sitting, figures_of
from marketplace.review.models import Decision
from marketplace.review.rules import Verdict
from marketplace.routing.queries import ours, predicate
from marketplace.routing.queries.eligibility import eligibility, visible_job
from marketplace.specialists.models import QualificationResult
from marketplace.specialists.queries import qualifications as attempts
from marketplace.specialists.rules.qualifications import AttemptState, retry_at
from marketplace.work.models import Seat
from marketplace.work.rules import SeatState

OFFERED_MAX = 50
JOBS_LOOKED_AT_MAX = 500
SEATS_LOOKED_AT_MAX = 500
RESULTS_MAX = 5_000
DECISIONS_MAX = 200_000


class Standing(StrEnum):
    """How a person stands to a qualification."""

    OPEN = "open"
    LIVE = "live"
    PASSED = "passed"
    COOLING = "cooling"
    NO_FORM = "no_form"
    FULL = "full"
    CLOSED = "closed"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class Opened:
    """What passing opens: jobs that fit the person in all else. worth: the pay of their free
    tasks, at most 500 of each job counted, one sum a currency."""

    jobs: int
    worth: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """A qualification as one person sees it. attempts: theirs, newest first; again_at: from when
    another may begin, None for now; reasons: why not at all, as sentences."""

    job: Job
    terms: Qualification
    standing: Standing
    attempts: Sequence[QualificationResult]
    again_at: datetime | None
    reasons: tuple[str, ...]
    opened: Opened

    @property
    def forms_left(self) -> int:
        """Forms that the person has not met."""
        return max(0, self.terms.forms - len(self.attempts))

    @property
    def pay(self) -> Money:
        """What one attempt pays in all."""
        return seat_price(self.job.terms(0)).pay * self.terms.items_a_form


def offered(session: Session, viewer: Actor, *, limit: int = OFFERED_MAX) -> list[Offered]:
    """Qualifications that the viewer may take or has taken, those that open most work first."""
    viewer.require(Permission.WORK_DO)
    me = literal(viewer.person(), Uuid())
    own = attempts.own_attempts(session, viewer)
    taken = {each.job_id for each in own}
    rows = session.execute(
        select(Job, Qualification)
        .join(Qualification, Qualification.job_id == Job.id)
        .where(Job.purpose == Purpose.QUALIFICATION)
        .where(
            or_(and_(Job.state == JobState.OPEN, predicate.may_work(me)), Job.id.in_(list(taken)))
        )
        .order_by(Job.id.desc())
        .limit(min(limit, OFFERED_MAX))
    ).all()
    ids = [job.id for job, _ in rows]
    opens, anew = _opened(session, viewer.person(), ids), jobs.asked_anew(session, ids)
    found = [
        _offered(
            Asked(job, terms, anew.get(job.id), ours.money_is_out(session, job, terms)),
            [each for each in own if each.job_id == job.id],
            ours.not_served(session, viewer.person(), job, terms),
            opens[job.id],
        )
        for job, terms in rows
    ]
    return sorted(found, key=lambda each: (-each.opened.jobs, each.job.id))


def offered_one(session: Session, viewer: Actor, job_id: JobId) -> Offered:
    """One qualification as the viewer sees it, with every reason why not."""
    viewer.require(Permission.WORK_DO)
    job = visible_job(session, job_id)
    if job.purpose is not Purpose.QUALIFICATION:
        raise Missing("There is no such qualification.")
    reasons = eligibility(session, viewer, job_id).reasons
    own = attempts.attempts_of(session, viewer.person(), job_id)
    opens = _opened(session, viewer.person(), [job.id])
    anew = jobs.asked_anew(session, [job.id]).get(job.id)
    terms = jobs.terms_of(session, job_id)
    reasons += ours.not_served(session, viewer.person(), job, terms)
    asked = Asked(job, terms, anew, ours.money_is_out(session, job, terms))
    return _offered(asked, own, reasons, opens[job.id])


@dataclass(frozen=True, slots=True)
class Asked:
    """A qualification with its terms. anew_since: passes from before it do not count for a job
    that changed then, so whoever has one may try again; out: nobody pays for more at present."""

    job: Job
    terms: Qualification
    anew_since: datetime | None
    out: bool


def _offered(
    asked: Asked,
    own: Sequence[QualificationResult],
    reasons: tuple[str, ...],
    opens: Opened,
) -> Offered:
    past = attempts.past_attempts(own, asked.anew_since)
    again = retry_at(past, cooldown_days=asked.terms.cooldown_days)
    again = again if again is not None and again > clock.now() else None
    standing = _standing(asked, own, again, reasons)
    return Offered(asked.job, asked.terms, standing, own, again, reasons, opens)


def _standing(
    asked: Asked,
    own: Sequence[QualificationResult],
    again: datetime | None,
    reasons: tuple[str, ...],
) -> Standing:
    now, job, terms = clock.now(), asked.job, asked.terms
    checks = (
        (Standing.LIVE, any(each.state is AttemptState.LIVE for each in own)),
        (
            Standing.PASSED,
            again is not None
            and any(each.passed and each.expires_at and each.expires_at > now for each in own),
        ),
        (Standing.CLOSED, job.state is not JobState.OPEN),
        (Standing.UNFIT, bool(reasons)),
        (Standing.NO_FORM, len(own) >= terms.forms),
        (Standing.COOLING, again is not None),
        (Standing.FULL, asked.out or terms.places_taken >= terms.candidates_max),
    )
    return next((standing for standing, holds in checks if holds), Standing.OPEN)


def _opened(
    session: Session, person_id: PersonId, qualification_ids: Sequence[UUID]
) -> Mapping[UUID, Opened]:
    """What each qualification would open to a person, by its id."""
    me = literal(person_id, Uuid())
    free = (
        select(Seat.id)
        .where(Seat.job_id == Job.id, Seat.state == SeatState.OPEN)
        .limit(SEATS_LOOKED_AT_MAX)
        .correlate(Job)
        .subquery("free")
    )
    seats = select(func.count()).select_from(free).correlate(Job).scalar_subquery()
    fits = [part(me) for name, part in predicate.STANDING.items() if name != "qualification"]
    rows = session.execute(
        select(Job, seats)
        .where(Job.state == JobState.OPEN, Job.purpose == Purpose.WORK)
        .where(Job.qualification_ids.overlap(list(qualification_ids)))
        .where(predicate.credential(me), *fits)
        .order_by(Job.id.desc())
        .limit(JOBS_LOOKED_AT_MAX)
    ).all()
    return {
        each: _summed((job, count) for job, count in rows if each in job.qualification_ids)
        for each in qualification_ids
    }


def _summed(rows: Iterable[tuple[Job, int]]) -> Opened:
    by_currency: dict[str, list[Money]] = defaultdict(list)
    count = 0
    for job, seats in rows:
        count += 1
        by_currency[job.currency].append(seat_price(job.terms(0)).pay * seats)
    sums = (total(amounts, currency) for currency, amounts in sorted(by_currency.items()))
    return Opened(count, tuple(each for each in sums if each))


def qualifications_asked_by(session: Session, job: Job) -> Sequence[Job]:
    """The qualifications that a job asks for, for one who may see the job."""
    if not job.qualification_ids:
        return []
    return session.scalars(
        select(Job).where(Job.id.in_(job.qualification_ids)).order_by(Job.id).limit(OFFERED_MAX)
    ).all()


def figures_of_bank(session: Session, viewer: Actor, job_id: JobId) -> dict[UUID, ItemFigures]:
    """What each item of the viewer's qualification is worth, by item; from its newest results.

    Later acceptance is what reviewers said of the same people's work afterwards: in the lab's own
    jobs, or in all jobs for a qualification of the platform's.
    """
    job = jobs.job_of(session, viewer, job_id)
    results = session.scalars(
        select(QualificationResult)
        .where(QualificationResult.job_id == job.id)
        .where(QualificationResult.state == AttemptState.SCORED)
        .order_by(QualificationResult.id.desc())
        .limit(RESULTS_MAX)
    ).all()
    later = _later_verdicts(session, job)
    sittings = [
        Sitting(
            {UUID(item): float(score) for item, score in each.by_item.items()},
            _accepted_after(later.get(PersonId(each.person_id), ()), each.finished_at),
        )
        for each in results
    ]
    return {each.item_id: each for each in figures_of(sittings)}


def _later_verdicts(session: Session, job: Job) -> dict[PersonId, list[tuple[datetime, bool]]]:
    """Each candidate's verdicts by reviewers, in whichever jobs the owner may count."""
    ours = select(Organisation.id).where(
        Organisation.id == job.organisation_id, Organisation.kind == OrganisationKind.PLATFORM
    )
    counted = or_(Job.organisation_id == job.organisation_id, ours.exists())
    candidates = select(QualificationResult.person_id).where(QualificationResult.job_id == job.id)
    rows = session.execute(
        select(Decision.author_id, Decision.decided_at, Decision.verdict)
        .join(Job, Job.id == Decision.job_id)
        .where(Job.purpose == Purpose.WORK, counted, Decision.reviewer_id.is_not(None))
        .where(Decision.author_id.in_(candidates))
        .order_by(Decision.id.desc())
        .limit(DECISIONS_MAX)
    )
    found: dict[PersonId, list[tuple[datetime, bool]]] = defaultdict(list)
    for author_id, decided_at, verdict in rows:
        found[author_id].append((decided_at, verdict is Verdict.ACCEPT))
    return found


def _accepted_after(verdicts: Sequence[tuple[datetime, bool]], at: datetime | None) -> float | None:
    """The share of verdicts after a time that accepted; None without one."""
    after = [accepted for decided_at, accepted in verdicts if at is not None and decided_at > at]
    return sum(after) / len(after) if after else None
