"""Putting evidence packs together: answers are read, looked at without a connection, kept frozen.

A pack is about one person. Where a finding is about several, each gets one of their own, and those
are a group. While one of a kind is open in a job, no other is made; after it was closed only later
work counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM
from marketplace.ids import new_id
from marketplace.jobs.models import Item, Job, Prelabel, TemplateVersion
from marketplace.jobs.rules import JobState, Purpose
from marketplace.quality.models import (
    ControlFiring,
    ControlVersion,
    EvidenceContent,
    EvidencePack,
)
from marketplace.quality.rules.ballots import Scheme
from marketplace.quality.rules.control import Action, sentence
from marketplace.quality.rules.evidence_packs import COLLECTS_INPUT, PackKind, PackState
from marketplace.quality.rules.integrity import Finding, FindingKind
from marketplace.quality.rules.suspicions import Answer, Seen
from marketplace.quality.service.gold import next_submissions
from marketplace.quality.service.likeness import near_of, signatures_of
from marketplace.specialists.queries.accommodations import accommodated
from marketplace.specialists.queries.devices import SharedDevice, shared_devices
from marketplace.statements import plain_sql
from marketplace.tasktypes import task_type
from marketplace.work.models import Submission, Task

CURSOR = "integrity"
ANSWERS_MAX = 20_000  # The newest answers of a job that are looked at together.
SOURCES_MAX = 2_000  # Of those, whose material is read for copied words: the newest.
SHOWN_MAX = 20  # Answers that a pack holds.
LATEST = 10
FIRINGS_AT_ONCE = 50
LOOK = "quality.look_for_signs"
LOOK_AFTER = timedelta(minutes=1)

_ANSWERS = """SELECT s.id AS name, s.specialist_id AS person, s.task_id AS task, s.round,
  s.active_seconds AS seconds, length(item.payload::text) AS characters,
  extract(epoch FROM s.submitted_at)::float8 AS at, s.presented_order AS shown,
  s.judgement::text AS judgement, coalesce(s.rationale, '') AS rationale
FROM submission s JOIN task ON task.id = s.task_id JOIN item ON item.id = task.item_id
WHERE s.job_id = %(job_id)s AND s.repeats_submission_id IS NULL
ORDER BY s.id DESC LIMIT %(most)s"""


def jobs_with_news(session: Session) -> tuple[bool, Collection[UUID]]:
    """The jobs with answers since this was last asked, and whether there may be more."""
    more, submission_ids = next_submissions(session, CURSOR)
    asked = select(Submission.job_id).where(Submission.id.in_(submission_ids)).distinct()
    return more, frozenset(session.scalars(asked))


def read_answers(session: Session, job_id: UUID) -> Seen | None:
    """What a job shows now; None for one that nobody works in."""
    job = session.get(Job, job_id)
    if job is None or job.purpose is not Purpose.WORK or job.state is JobState.DRAFT:
        return None
    rows = plain_sql(session, _ANSWERS, job_id=job_id, most=ANSWERS_MAX)
    answers = [_answer(row) for row in reversed(rows)]
    template = session.get_one(TemplateVersion, job.template_version_id).template
    written = [each.task for each in answers if each.rationale][-SOURCES_MAX:]
    return Seen(
        answers=answers,
        scheme=Scheme(task_type(job.task_type), template),
        signatures=signatures_of(session, job_id),
        near=near_of(session, job_id),
        sources=_sources(session, written),
        exempt=accommodated(session, {each.person for each in answers}),
        closed=_closed(session, job_id),
    )


def _answer(row: Any) -> Answer:
    return Answer(
        name=row.name,
        person=row.person,
        task=row.task,
        seconds=row.seconds,
        characters=row.characters,
        at=row.at,
        order=tuple(row.shown),
        judgement=orjson.loads(row.judgement),
        rationale=row.rationale,
        round=row.round,
    )


def _sources(session: Session, tasks: Sequence[UUID]) -> dict[UUID, str]:
    """What the authors of some tasks were shown: the material, and what models said of it."""
    material = select(Task.id, Item.payload).join(Item, Item.id == Task.item_id)
    said = select(Task.id, Prelabel.payload).join(Prelabel, Prelabel.item_id == Task.item_id)
    found: dict[UUID, str] = {}
    for asked in (material, said):
        for task_id, payload in session.execute(asked.where(Task.id.in_(tasks))):
            found[task_id] = " ".join([found.get(task_id, ""), *_words(payload)])
    return found


def _words(value: Any) -> Iterable[str]:
    """All texts in a payload, wherever they stand."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _words(each)
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)


def _closed(session: Session, job_id: UUID | None) -> dict[tuple[PackKind, UUID], float]:
    """Until when people's work was looked at already; what was closed is not asked again."""
    asked = (
        select(EvidencePack)
        .where(EvidencePack.job_id == job_id, EvidencePack.state == PackState.CLOSED)
        .order_by(EvidencePack.id)
    )
    return {(row.kind, row.person_id): row.reached_at.timestamp() for row in session.scalars(asked)}


def keep_findings(session: Session, job_id: UUID | None, found: Iterable[Finding]) -> int:
    """Keep a pack for each person of each finding; how many are new."""
    return sum(_keep(session, job_id, finding) for finding in found)


def _keep(session: Session, job_id: UUID | None, finding: Finding) -> int:
    group_id, kind = new_id(), PackKind(finding.kind.value)
    together = [
        [str(name) for name in (each if isinstance(each, tuple) else (each,))]
        for each in finding.pieces
    ]
    named = dict.fromkeys(UUID(name) for each in together for name in each if _is_id(name))
    people = [UUID(str(each)) for each in finding.persons]
    made = 0
    for person_id in people:
        names = list(named)[:SHOWN_MAX] or _latest(session, person_id, job_id)
        made += _pack(
            session,
            {"group_id": group_id, "kind": kind, "person_id": person_id, "job_id": job_id},
            numbers=dict(finding.numbers),
            names=names,
            together=together,
            chance=finding.chance,
        )
    return made


def _is_id(name: str) -> bool:
    return len(name) == 36


def _latest(
    session: Session, person_id: UUID, job_id: UUID | None, until: Any = None
) -> list[UUID]:
    """The person's newest answers, for a finding that names none."""
    asked = select(Submission.id).where(Submission.specialist_id == person_id)
    if job_id is not None:
        asked = asked.where(Submission.job_id == job_id)
    if until is not None:
        asked = asked.where(Submission.submitted_at <= until)
    return list(session.scalars(asked.order_by(Submission.id.desc()).limit(LATEST)))


def _pack(
    session: Session,
    what: dict[str, Any],
    *,
    numbers: dict[str, Any],
    names: Sequence[UUID],
    together: list[list[str]],
    chance: float | None,
) -> bool:
    """Keep one pack, frozen; False where one of its kind is open."""
    rows, people = _frozen(session, names)
    mine = sum(each["person_id"] == str(what["person_id"]) for each in rows)
    fresh = what | {
        "id": new_id(),
        "state": PackState.OPEN,
        "chance": chance,
        "pieces": mine,
        "made_at": clock.now(),
        "reached_at": _reached(session, what["person_id"], what["job_id"]),
    }
    pack_id = session.scalar(
        insert(EvidencePack).values(fresh).on_conflict_do_nothing().returning(EvidencePack.id)
    )
    if pack_id is None:
        return False
    session.add(
        EvidenceContent(
            pack_id=pack_id, numbers=numbers, rows=rows, together=together, people=people
        )
    )
    audit.record(session, SYSTEM, "put together evidence pack", pack_id, kind=what["kind"].value)
    return True


def _reached(session: Session, person_id: UUID, job_id: UUID | None) -> datetime:
    """When the newest answer of a person in a job came; now, where it is about no job."""
    asked = select(func.max(Submission.submitted_at)).where(
        Submission.specialist_id == person_id, Submission.job_id == job_id
    )
    return session.scalar(asked) or clock.now()


def _frozen(session: Session, names: Sequence[UUID]) -> tuple[list[dict[str, Any]], list[UUID]]:
    """Answers as they are now, in the order of their names, and whose they are."""
    asked = (
        select(Submission, Item.external_id)
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .where(Submission.id.in_(names))
    )
    found: dict[UUID, tuple[Submission, str]] = {
        each.id: (each, item) for each, item in session.execute(asked)
    }
    kept = [found[name] for name in names if name in found]
    rows = [
        {
            "submission_id": str(each.id),
            "person_id": str(each.specialist_id),
            "task_id": str(each.task_id),
            "job_id": str(each.job_id),
            "item": item,
            "submitted_at": each.submitted_at.isoformat(),
            "seconds": each.active_seconds,
            "judgement": each.judgement,
            "rationale": each.rationale,
        }
        for each, item in kept
    ]
    return rows, sorted({each.specialist_id for each, _ in kept})


def keep_firings(session: Session) -> int:
    """Put a pack together for each firing of a rule that asks for one; how many firings.

    A rule about speed or wording says nothing of whoever works by dictation and the like.
    """
    waiting = session.execute(
        select(ControlFiring, ControlVersion)
        .join(ControlVersion, ControlVersion.id == ControlFiring.version_id)
        .where(ControlFiring.action == Action.EVIDENCE_PACK)
        .where(ControlFiring.evidence_pack_id.is_(None), ControlFiring.decided_at.is_(None))
        .order_by(ControlFiring.id.desc())
        .limit(FIRINGS_AT_ONCE)
        .with_for_update(of=ControlFiring, skip_locked=True)
    ).all()
    exempt = accommodated(session, {firing.person_id for firing, _ in waiting})
    made = 0
    for firing, version in waiting:
        if not (firing.person_id in exempt and version.collector in COLLECTS_INPUT):
            _keep_firing(session, firing, version)
            made += 1
    return made


def _keep_firing(session: Session, firing: ControlFiring, version: ControlVersion) -> None:
    figures = ("value", "lower", "upper", "n")
    numbers = {name: getattr(firing, name) for name in figures}
    group_id = new_id()
    what = {
        "group_id": group_id,
        "kind": PackKind.RULE,
        "person_id": firing.person_id,
        "job_id": firing.job_id,
    }
    _pack(
        session,
        what,
        numbers=numbers | {"rule": sentence(version.text)},
        names=_latest(session, firing.person_id, firing.job_id, firing.fired_at),
        together=[],
        chance=None,
    )
    session.flush()
    pack = select(EvidencePack.id).where(EvidencePack.group_id == group_id).scalar_subquery()
    session.execute(
        update(ControlFiring).where(ControlFiring.id == firing.id).values(evidence_pack_id=pack)
    )


def find_shared_devices(session: Session) -> int:
    """Keep packs about browsers that several people sign in with; how many are new."""
    closed = _closed(session, None)
    return keep_findings(
        session,
        None,
        [
            Finding(FindingKind.SHARING, people, None, _device_numbers(each))
            for each in shared_devices(session)
            if len(people := _unasked(each, closed)) > 1
        ],
    )


def _unasked(
    shared: SharedDevice, closed: Mapping[tuple[PackKind, UUID], float]
) -> tuple[UUID, ...]:
    return tuple(
        person
        for person, at in shared.people.items()
        if at.timestamp() > closed.get((PackKind.SHARING, person), 0.0)
    )


def _device_numbers(shared: SharedDevice) -> dict[str, float | int | str]:
    return {"what": "one_device", "people": len(shared.people)}


def ask_to_look(session: Session, job_id: UUID) -> None:
    """Have a job looked at soon, once however often this is asked."""
    outbox.enqueue_once(
        session,
        f"look_for_signs:{job_id}",
        LOOK,
        not_before=clock.now() + LOOK_AFTER,
        job_id=str(job_id),
    )
