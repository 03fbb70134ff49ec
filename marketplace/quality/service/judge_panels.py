"""Panels: a blind paid job that calibrates a judge, drafted for the lab to price and publish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit
from marketplace.actor import Actor
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.jobs import queries as jobs
from marketplace.jobs import service as job_service
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.quality.queries.judges import reports_of_judge
from marketplace.quality.rules.judges import asking, power
from marketplace.quality.service.judges import live_version

ITEMS_LOOKED_AT_MAX = 20_000
INSTRUCTIONS = """\
Read what was asked and what was answered, then give your own verdict on every dimension.

{dimensions}

Judge by the words above and by what you know, not by what a model might say: what one said is \
shown to you only after your own verdict is in. Other specialists judge the same items.
"""
# What a panel takes over from the job whose items it judges.
TAKEN_OVER = (
    "domain", "profession", "specialties", "credential_level_min", "jurisdictions", "languages",
    "skill_min", "qualification_ids",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Power:
    """What a panel of so many items can tell of a dimension. variance: of one item, learned from
    an earlier report, None where the usual one is taken."""

    dimension: str
    title: str
    items: int
    half_width: float
    variance: float | None


def power_of(
    session: Session, actor: Actor, judge_version_id: UUID, *, half_width: float
) -> list[Power]:
    """How many items each dimension needs for a 90 % interval that reaches `half_width`."""
    judge, version = live_version(session, actor, judge_version_id)
    known = learned(session, actor, judge.id)
    return [
        Power(
            dimension=each["key"],
            title=each["title"],
            items=power.items_for(half_width, variance=variance_of(known, each["key"])),
            half_width=half_width,
            variance=known.get(each["key"]),
        )
        for each in version.aspects
    ]


def learned(session: Session, actor: Actor, judge_id: UUID) -> Mapping[str, float]:
    """By dimension, the variance that one item brings, from the newest report on a judge."""
    reports = reports_of_judge(session, actor, judge_id)
    return power.variances(reports[0].findings) if reports else {}


def variance_of(known: Mapping[str, float], key: str) -> float:
    """The variance of one item on a dimension; the usual one where no report tells it."""
    return known.get(key) or power.VARIANCE_AN_ITEM


def propose_panel(
    session: Session,
    actor: Actor,
    *,
    judge_version_id: UUID,
    source_job_id: UUID,
    half_width: float = power.HALF_WIDTH,
    experts: int = power.EXPERTS,
) -> Job:
    """A draft of a judge calibration with items drawn at random from a job of the lab's.

    As many items as the neediest dimension asks for, or all there are; each is judged by `experts`
    people. The lab asks the judge about them, sets the pay, sees the price and publishes. Raises
    Faulty where the limits or the items do not fit.
    """
    actor.require(Permission.JOBS_EDIT)
    judge, version = live_version(session, actor, judge_version_id)
    _refuse_odd(half_width, experts)
    source = jobs.job_of(session, actor, source_job_id)
    template = session.get_one(TemplateVersion, source.template_version_id).template
    wrong = asking.fits(source.task_type, template, version.aspects)
    if wrong:
        raise Faulty("The judge does not fit these items.", [Fault("/job", e) for e in wrong])
    rows = power_of(session, actor, version.id, half_width=half_width)
    chosen = _drawn(session, source, max(each.items for each in rows), seed=str(version.id))
    if not chosen:
        raise Conflict("This job has no items yet.")
    taken = {name: getattr(source, name) for name in TAKEN_OVER}
    panel = job_service.create_job(
        session,
        actor,
        task_type="judge_calibration",
        title=f"Calibrate the judge {judge.name}, version {version.number}"[:200],
        instructions_md=INSTRUCTIONS.format(
            dimensions="\n".join(
                f"- **{each['title']}**: {each.get('question') or each['title']}"
                for each in version.aspects
            )
        ),
        template={"aspects": version.aspects, "reveal": "after_submission"},
        pay=source.pay,
        **{name: value for name, value in taken.items() if value},
    )
    report = job_service.add_items(
        session, actor, panel.id, _lines(session, source, template, chosen)
    )
    if report.rows_rejected:
        fault = Fault("/job", report.rejected[0].message)
        raise Faulty("Some items do not fit a calibration.", [fault])
    _ask_people(session, actor, panel, experts)
    audit.record(session, actor, "drafted a panel for a judge", panel.id, judge=str(judge.id))
    return panel


def _refuse_odd(half_width: float, experts: int) -> None:
    faults = []
    if not power.HALF_WIDTHS[-1] <= half_width <= power.HALF_WIDTHS[0]:
        advice = f"Give a number from {power.HALF_WIDTHS[-1]} to {power.HALF_WIDTHS[0]}."
        faults.append(Fault("/half_width", advice))
    if not power.EXPERTS_LEAST <= experts <= power.EXPERTS_MOST:
        advice = f"Give a whole number from {power.EXPERTS_LEAST} to {power.EXPERTS_MOST}."
        faults.append(Fault("/experts", advice))
    if faults:
        raise Faulty("The size of the panel needs mending.", faults)


def _ask_people(session: Session, actor: Actor, panel: Job, experts: int) -> None:
    job_service.change_job(session, actor, panel.id, overlap_min=experts, overlap_max=experts)


def _drawn(session: Session, source: Job, wanted: int, *, seed: str) -> list[UUID]:
    """So many items of a job by lot, the same for the same version, in the order of the job."""
    rows = session.execute(
        select(Item.id, Item.payload_sha256)
        .where(Item.job_id == source.id)
        .order_by(Item.position)
        .limit(ITEMS_LOOKED_AT_MAX)
    ).all()
    once = {bytes(row.payload_sha256): row.id for row in rows}
    order = {item_id: at for at, item_id in enumerate(once.values())}
    drawn = list(order)
    Random(seed).shuffle(drawn)
    return sorted(drawn[:wanted], key=order.__getitem__)


def _lines(
    session: Session, source: Job, template: Mapping[str, object], chosen: list[UUID]
) -> Iterator[bytes]:
    """The items as those of a judge calibration, with the lab's own metadata for slices."""
    items = select(Item).where(Item.id.in_(chosen)).order_by(Item.position)
    for item in session.scalars(items):
        put = asking.matter(source.task_type, dict(template), item.payload)
        payload = dict(put.payload)
        if isinstance(item.payload.get("metadata"), dict):
            payload["metadata"] = item.payload["metadata"]
        yield orjson.dumps({"external_id": item.external_id, "payload": payload})
