"""What is true of an export: the facts that its card tells."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery.models import DataCard, Export
from marketplace.delivery.queries.standing import told
from marketplace.delivery.rules import facts as rules
from marketplace.delivery.rules.bundle import formats_of
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job, Prelabel, TemplateVersion
from marketplace.jobs.rules.lifecycle import AI_POLICY_LABELS
from marketplace.money import Money
from marketplace.quality import queries as quality
from marketplace.specialists import queries as specialists
from marketplace.tasktypes import task_type
from marketplace.work.models import Submission
from marketplace.work.rules import SubmissionState, reward

ROWS_AT_ONCE = 5_000
MODELS_MAX = 50
NO_CLASS = "no attested profession"
SECONDS_AN_HOUR = 3600


def facts_of(session: Session, export: Export) -> rules.Facts:
    """The facts of an export as they are now; memory grows with its judgements' numbers alone."""
    job = session.get_one(Job, export.job_id)
    kind = task_type(job.task_type)
    viewer = Actor(person_id=None, organisation_id=export.organisation_id)
    found = quality.quality_of(session, viewer, export.job_id)
    return rules.Facts(
        reference=job.reference,
        title=job.title,
        task_type=job.task_type,
        type_title=kind.title,
        domain=job.domain or "general",
        format=export.format,
        format_title=formats_of(kind)[export.format].title,
        policy=export.policy,
        as_of=export.as_of.isoformat(),
        words=_words(session, job),
        items=job.item_count,
        gold_items=_gold_items(session, job.id),
        currency=job.currency,
        requirements=_requirements(job),
        overlap=(job.overlap_min, job.overlap_max),
        review_ratio=str(job.review_sample_ratio),
        outcomes=_outcomes(session, export),
        ai_policy=AI_POLICY_LABELS[job.ai_policy],
        models=_models(session, job.id),
        guidelines=_guidelines(session, export),
        personal=_personal(session, job),
        agreement=tuple(_agreement(each) for each in found.units),
        agreement_at=found.computed_at.isoformat() if found.computed_at else None,
        agreement_judgements=found.submissions,
        **_Work(session, export).facts(),  # type: ignore[arg-type]
    )


class _Work:
    """Goes through the judgements of an export once, numbers only."""

    def __init__(self, session: Session, export: Export) -> None:
        self._session, self._export = session, export
        self._items: Counter[UUID] = Counter()
        self._people: dict[UUID, rules.Worked] = defaultdict(rules.Worked)
        self._ai: Counter[str] = Counter()
        self._first: datetime | None = None
        self._last: datetime | None = None

    def facts(self) -> Mapping[str, object]:
        self._read()
        given = sum(self._items.values())
        people = len(self._people)
        return {
            "told_items": len(self._items),
            "judgements": given,
            "annotators": people if people >= rules.CELL_MIN else None,
            "from_on": self._first.date().isoformat() if self._first else None,
            "until_on": self._last.date().isoformat() if self._last else None,
            "spread": {str(n): k for n, k in sorted(Counter(self._items.values()).items())},
            "classes": rules.coarsened(self._by_class()),
            "ai_use": dict(sorted(self._ai.items())),
        }

    def _read(self) -> None:
        asked = (
            select(
                Submission.task_id, Submission.specialist_id, Submission.price_minor,
                Submission.currency, Submission.paid_seconds_max, Submission.active_seconds,
                Submission.claimed_at, Submission.submitted_at, Submission.ai_use,
            )
            .where(Submission.job_id == self._export.job_id)
            .where(told(self._export))
            .execution_options(yield_per=ROWS_AT_ONCE)
        )  # fmt: skip
        rows = self._session.execute(asked)
        for task, person, price, currency, cap, active, opened, given, ai_use in rows:
            self._items[task] += 1
            worked = self._people[person]
            worked.people.add(str(person))
            worked.judgements += 1
            if active > 0:
                pay = reward(Money(price, currency), active, cap)
                worked.hourly_minor.append(pay.minor * SECONDS_AN_HOUR // active)
                worked.seconds.append(active)
            self._ai["named" if ai_use and ai_use.get("used", True) else "not_named"] += 1
            self._first = min(self._first or opened, opened)
            self._last = max(self._last or given, given)

    def _by_class(self) -> Mapping[str, rules.Worked]:
        """What was done by attested profession, as it was held when the export was asked for."""
        at = self._export.as_of
        organisation_id = self._export.organisation_id
        known = specialists.attested(self._session, organisation_id, self._people, at=at)
        classes: dict[str, rules.Worked] = defaultdict(rules.Worked)
        for person, worked in self._people.items():
            held = known[person].credentials
            classes[held[0].profession if held else NO_CLASS].add(worked)
        return classes


def _words(session: Session, job: Job) -> rules.LabWords:
    card = session.get(DataCard, job.id)
    if card is None:
        return rules.LabWords(languages=tuple(job.languages))
    return rules.LabWords(
        title=card.title,
        licence=card.licence.value,
        licence_words=card.licence_words,
        languages=tuple(card.languages or job.languages),
        intended_use=card.intended_use,
        limits=card.limits,
        contact=card.contact,
    )


def _gold_items(session: Session, job_id: UUID) -> int:
    counted = select(func.count()).select_from(Item)
    return session.scalar(counted.where(Item.job_id == job_id, Item.gold.is_not(None))) or 0


def _requirements(job: Job) -> tuple[str, ...]:
    """What specialists had to hold, a phrase each."""
    said = [
        f"profession: {job.profession}" if job.profession else "",
        f"specialties: {', '.join(job.specialties)}" if job.specialties else "",
        f"credential level {job.credential_level_min} or higher"
        if job.credential_level_min
        else "",
        f"licensed in: {', '.join(job.jurisdictions)}" if job.jurisdictions else "",
        f"languages: {', '.join(job.languages)}" if job.languages else "",
        f"skill of at least {job.skill_min}" if job.skill_min is not None else "",
        f"{len(job.qualification_ids)} passed qualifications" if job.qualification_ids else "",
    ]
    return tuple(filter(None, said))


def _outcomes(session: Session, export: Export) -> dict[str, int]:
    """What became of every submission of the job until then, by state."""
    counted = (
        select(Submission.state, func.count())
        .where(Submission.job_id == export.job_id, Submission.submitted_at <= export.as_of)
        .group_by(Submission.state)
    )
    found = {state.value: number for state, number in session.execute(counted)}
    return {state.value: found[state.value] for state in SubmissionState if state.value in found}


def _models(session: Session, job_id: UUID) -> tuple[Mapping[str, object], ...]:
    """Whose pre-labels the items carry."""
    said = (
        select(Prelabel.model, Prelabel.version, func.count())
        .join(Item, Item.id == Prelabel.item_id)
        .where(Item.job_id == job_id)
        .group_by(Prelabel.model, Prelabel.version)
        .order_by(Prelabel.model, Prelabel.version)
        .limit(MODELS_MAX)
    )
    return tuple(
        {"model": model, "version": version, "items": items}
        for model, version, items in session.execute(said)
    )


def guidelines_of(session: Session, export: Export) -> Sequence[TemplateVersion]:
    """Every version of template and instructions until an export was asked for, in order."""
    versions = select(TemplateVersion).where(
        TemplateVersion.job_id == export.job_id, TemplateVersion.created_at <= export.as_of
    )
    return session.scalars(versions.order_by(TemplateVersion.number)).all()


def _guidelines(session: Session, export: Export) -> tuple[rules.Guideline, ...]:
    return tuple(
        rules.Guideline(
            each.number,
            bytes(each.instructions_sha256).hex(),
            bytes(each.template_sha256).hex(),
            each.created_at.date().isoformat(),
            each.change.value if each.change else "",
        )
        for each in guidelines_of(session, export)
    )


def _personal(session: Session, job: Job) -> dict[str, object] | None:
    report = jobs.scan_report(session, job)
    if report.scan is None or not report.is_whole:
        return None
    said = report.scan.declaration
    return {
        "found": report.scan.found,
        "items": report.scan.items,
        "scanner": report.scan.scanner_version,
        "declared": said.value if said else None,
    }


def _agreement(unit: quality.UnitAgreement) -> rules.Agreement:
    measures = {
        name: [each.value, each.lower, each.upper] for name, each in sorted(unit.measures.items())
    }
    return rules.Agreement(unit.unit, unit.level, unit.items, unit.labels, measures)
