"""Reports on judges, and checks of later runs against them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.quality.models import (
    Judge,
    JudgeAnswer,
    JudgeCheck,
    JudgeReport,
    JudgeRun,
    JudgeVersion,
)
from marketplace.quality.queries.judge_ratings import (
    Judged,
    Panel,
    panel_of,
    people_of,
    ratings_of,
)
from marketplace.quality.rules.judges import asking, drift
from marketplace.quality.rules.judges.answers import Answer, AnswerOutcome, combined
from marketplace.quality.rules.judges.ratings import CONFIDENCE, REPLICATES
from marketplace.quality.rules.judges.report import as_json, findings
from marketplace.quality.rules.judges.runs import RunPurpose
from marketplace.quality.rules.judges.standing import MARGIN, SURE

MARGIN_MAX = 0.5
ANCHORS_MAX = 2_000


def make_report(
    session: Session,
    actor: Actor,
    job_id: UUID,
    *,
    model: str,
    version: str,
    slice_key: str = "",
    margin: float = MARGIN,
) -> JudgeReport:
    """A report on who gave verdicts as `model` and `version` on a job's items, as things stand.

    The newest report where nothing has changed since. Raises Conflict where no item has both a
    verdict of the judge and one of a person.
    """
    actor.require(Permission.JOBS_VIEW)
    job = _judged_job(session, actor, job_id, margin)
    asked = _asked_here(session, job, version, model)
    panel = panel_of(
        session, job, model=model, version=version,
        judge_version_id=asked.id if asked else None, slice_key=slice_key,
    )  # fmt: skip
    if not any(each.people for each in panel.judged):
        raise Conflict("No item has both a verdict of this judge and one of a specialist yet.")
    dimensions = ratings_of(panel)
    found = as_json(findings(dimensions, [each.slice for each in panel.judged], margin=margin))
    facts = _facts(session, job, panel, asked, margin)
    sha256 = asking.sha256_of({"findings": found, "facts": facts, "slice_key": slice_key})
    former = _newest(session, job, model, version)
    if former is not None and bytes(former.findings_sha256) == sha256:
        return former
    report = JudgeReport(
        id=new_id(),
        job_id=job.id,
        organisation_id=job.organisation_id,
        model=model,
        version=version,
        number=former.number + 1 if former else 1,
        judge_version_id=asked.id if asked else None,
        slice_key=slice_key,
        items=sum(bool(each.people) for each in panel.judged),
        facts=facts,
        findings=found,
        anchors=_anchors(panel),
        findings_sha256=sha256,
        created_by=actor.person_id,
        created_at=clock.now(),
    )
    session.add(report)
    session.flush()  # Whoever goes on reads it back.
    audit.record(session, actor, "made a report on a judge", report.id, job=str(job.id))
    return report


def _judged_job(session: Session, actor: Actor, job_id: UUID, margin: float) -> Job:
    job = jobs.job_of(session, actor, job_id)
    if job.task_type not in asking.JUDGED_TYPES:
        raise Missing("Jobs of this type have no reports on judges.")
    if not 0 <= margin <= MARGIN_MAX:
        fault = Fault("/margin", f"Give a number from 0 to {MARGIN_MAX}.")
        raise Faulty("The margin needs mending.", [fault])
    return job


def _asked_here(session: Session, job: Job, version: str, model: str) -> JudgeVersion | None:
    """The version of a judge of ours that pre-labels of this name come from, if any."""
    name, _, number = version.rpartition("-v")
    if not name or not number.isdecimal() or len(number) > 9:
        return None
    found = (
        select(JudgeVersion)
        .join(Judge, Judge.id == JudgeVersion.judge_id)
        .join(JudgeRun, JudgeRun.judge_version_id == JudgeVersion.id)
        .where(
            Judge.organisation_id == job.organisation_id,
            Judge.name == name,
            JudgeVersion.number == int(number),
            JudgeVersion.model == model,
            JudgeRun.job_id == job.id,
        )
    )
    return session.scalars(found.limit(1)).first()


def _newest(session: Session, job: Job, model: str, version: str) -> JudgeReport | None:
    found = select(JudgeReport).where(
        JudgeReport.job_id == job.id, JudgeReport.model == model, JudgeReport.version == version
    )
    return session.scalars(found.order_by(JudgeReport.number.desc()).limit(1)).first()


def _facts(
    session: Session, job: Job, panel: Panel, asked: JudgeVersion | None, margin: float
) -> dict[str, Any]:
    """How it was judged: enough to judge the report, and nothing that names anybody."""
    template = session.get_one(TemplateVersion, job.template_version_id)
    verdicts = [len(each.people) for each in panel.judged]
    facts: dict[str, Any] = {
        "task_type": job.task_type,
        "template_version": template.number,
        "items_judged": len(panel.judged),
        "items_with_people": sum(bool(each) for each in verdicts),
        "people": len(panel.people),
        "verdicts_of_people": sum(verdicts),
        "titles": {each["key"]: each["title"] for each in panel.aspects},
        "margin": margin,
        "confidence": CONFIDENCE,
        "sure": SURE,
        "replicates": REPLICATES,
    }
    if asked is not None:
        facts["judge"] = {
            "number": asked.number,
            "prompt_sha256": asked.prompt_sha256.hex(),
            "frozen_sha256": asked.frozen_sha256.hex(),
            "both_orders": asked.both_orders,
            "temperature": None if asked.temperature is None else float(asked.temperature),
            "seed": asked.seed,
        }
        facts["outcomes"] = _outcomes(session, job, asked)
    return facts


def _outcomes(session: Session, job: Job, asked: JudgeVersion) -> dict[str, int]:
    """How the questions about a job's items ended: refusals and failures are part of a judge."""
    rows = (
        select(JudgeAnswer.outcome, func.count())
        .join(Item, Item.payload_sha256 == JudgeAnswer.content_sha256)
        .where(
            Item.job_id == job.id,
            JudgeAnswer.judge_version_id == asked.id,
            JudgeAnswer.epoch == 0,
        )
        .group_by(JudgeAnswer.outcome)
    )
    counted = {outcome.value: count for outcome, count in session.execute(rows)}
    return {each.value: counted.get(each.value, 0) for each in AnswerOutcome}


def _anchors(panel: Panel) -> dict[str, Any]:
    """The judge's verdicts on the items that people judged, by dimension; what drift is seen by."""
    chosen = [at for at, each in enumerate(panel.judged) if each.people][:ANCHORS_MAX]
    return {
        "items": [panel.judged[at].external_id for at in chosen],
        "verdicts": [panel.judged[at].verdicts for at in chosen],
    }


def check_run(session: Session, run: JudgeRun) -> JudgeCheck | None:
    """Set a run that is done beside a report, and write to the lab where the judge has drifted.

    A check of anchors stands against its own report; other runs against the newest report on any
    version of their judge, of another job. None where there is nothing to compare.
    """
    anchored = run.purpose is RunPurpose.CHECK
    report = (
        session.get_one(JudgeReport, run.report_id)
        if run.report_id is not None
        else _report_on(session, run)
    )
    if report is None:
        return None
    now, then = _now(session, run, report) if anchored else _elsewhere(session, run, report)
    if not now.judged:
        return None
    moved = drift.moved(
        {key: ratings.judge.tolist() for key, ratings in ratings_of(then).items()},
        ratings_of(now),
        report.findings,
        anchored=anchored,
    )
    check = JudgeCheck(
        id=new_id(),
        report_id=report.id,
        run_id=run.id,
        anchored=anchored,
        drifted=any(each.drifted for each in moved),
        moved=drift.as_json(moved),
        made_at=clock.now(),
    )
    session.add(check)
    session.flush()  # The letter is about it.
    if check.drifted:
        _write(session, run, report)
    return check


def _report_on(session: Session, run: JudgeRun) -> JudgeReport | None:
    judge = select(JudgeVersion.judge_id).where(JudgeVersion.id == run.judge_version_id)
    found = (
        select(JudgeReport)
        .join(JudgeVersion, JudgeVersion.id == JudgeReport.judge_version_id)
        .where(
            JudgeVersion.judge_id == judge.scalar_subquery(),
            JudgeReport.organisation_id == run.organisation_id,
            JudgeReport.job_id != run.job_id,
        )
    )
    return session.scalars(found.order_by(JudgeReport.id.desc()).limit(1)).first()


def _now(session: Session, run: JudgeRun, report: JudgeReport) -> tuple[Panel, Panel]:
    """The anchors as the run judged them, with what people said, and as the report has them."""
    job = session.get_one(Job, report.job_id)
    template = session.get_one(TemplateVersion, job.template_version_id).template
    held = dict(zip(report.anchors["items"], report.anchors["verdicts"], strict=True))
    items = session.scalars(
        select(Item)
        .where(Item.job_id == job.id, Item.external_id.in_(held))
        .order_by(Item.position)
    ).all()
    answers = _answers(session, run, [bytes(item.payload_sha256) for item in items])
    people = people_of(session, job, template)
    now, then = [], []
    for item in items:
        put = asking.matter(job.task_type, template, item.payload)
        said = answers.get(bytes(item.payload_sha256))
        if not said:
            continue
        answer = combined(put, said)
        if answer.outcome is not AnswerOutcome.ANSWERED:
            continue
        spoken = people.get(item.id, {})
        row = (item.external_id, put, None)
        now.append(Judged(*row, answer.verdicts, answer.confidence, spoken, {}))
        then.append(Judged(*row, held[item.external_id], None, {}, {}))
    aspects = now[0].put.aspects if now else ()
    return Panel(aspects, now), Panel(aspects, then)


def _answers(
    session: Session, run: JudgeRun, contents: list[bytes]
) -> Mapping[bytes, list[Answer]]:
    rows = select(JudgeAnswer).where(
        JudgeAnswer.judge_version_id == run.judge_version_id,
        JudgeAnswer.content_sha256.in_(contents),
        JudgeAnswer.epoch == run.epoch,
    )
    found: dict[bytes, list[Answer]] = {}
    for each in session.scalars(rows.order_by(JudgeAnswer.turned)):
        said = Answer(each.outcome, each.verdicts, each.confidence)
        found.setdefault(bytes(each.content_sha256), []).append(said)
    return found


def _elsewhere(session: Session, run: JudgeRun, report: JudgeReport) -> tuple[Panel, Panel]:
    """The verdicts on the items of the run's job, and those of the report."""
    version = session.get_one(JudgeVersion, run.judge_version_id)
    judge = session.get_one(Judge, version.judge_id)
    job = session.get_one(Job, run.job_id)
    now = panel_of(session, job, model=version.model, version=f"{judge.name}-v{version.number}")
    made = session.get_one(Job, report.job_id)
    then = panel_of(session, made, model=report.model, version=report.version)
    alike = {each["key"] for each in then.aspects}
    aspects = [each for each in now.aspects if each["key"] in alike]
    bare = [Judged(e.external_id, e.put, None, e.verdicts, None, {}, {}) for e in now.judged]
    return Panel(aspects, bare), Panel(aspects, then.judged)


def _write(session: Session, run: JudgeRun, report: JudgeReport) -> None:
    version = session.get_one(JudgeVersion, run.judge_version_id)
    judge = session.get_one(Judge, version.judge_id)
    for person in identity.lab_addressees(session, run.organisation_id, Permission.JOBS_EDIT):
        mail.send(
            session,
            to=person.email,
            template="judge_drifted",
            name=person.name,
            judge=f"{judge.name}-v{version.number}",
            report_id=report.id,
            judge_id=judge.id,
        )
    audit.record(session, SYSTEM, "saw a judge drift", judge.id, report=str(report.id))
