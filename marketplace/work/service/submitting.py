"""Handing in an answer: one statement reads and locks all that it concerns, one writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty, Missing
from marketplace.ids import ClaimId, SubmissionId, new_id
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.queries import with_image
from marketplace.jobs.rules import JobState
from marketplace.secrets import new_salt, pseudonym
from marketplace.statements import (
    Remembered,
    forget,
    insert_sql,
    made,
    plain_sql,
    values_of,
    written,
)
from marketplace.tasktypes import task_type
from marketplace.tasktypes.raw import content_sha256
from marketplace.verify.seal import commitment
from marketplace.work import rules
from marketplace.work.models import Claim, Seat, Submission, Task, WorkProgress
from marketplace.work.queries import conversation_part, prelabels_of_task
from marketplace.work.rules import (
    ClaimState,
    Envelope,
    Interval,
    IntervalKind,
    SeatState,
    SubmissionState,
    step,
)
from marketplace.work.service.claims import in_claim

HELD = "work.held"
# Whether models spoke of the item of an answer that was handed in just now; absent after a repeat.
MODELS = "work.models"
_CLAIM = tuple(column.name for column in Claim.__table__.columns)
# Claim and seat are locked, and the job kept from being settled, by the statement that reads them.
IN_HAND = f"""SELECT {", ".join(f"claim.{name}" for name in _CLAIM)},
  {Remembered.version("job")} AS job_version, {Remembered.version("template_version")} AS version,
  seat.state AS seat_state, item.payload::text AS payload,
  (SELECT json_agg(json_build_array(spent.kind, spent.started_at, spent.ended_at))
    FROM time_interval spent WHERE spent.claim_id = claim.id) AS times,
  EXISTS (SELECT FROM prelabel WHERE prelabel.item_id = item.id) AS models
FROM claim JOIN job ON job.id = claim.job_id
JOIN template_version ON template_version.id = claim.template_version_id
JOIN seat ON seat.id = claim.seat_id
JOIN task ON task.id = claim.task_id JOIN item ON item.id = task.item_id
WHERE claim.id = %(claim_id)s AND claim.specialist_id = %(person_id)s
FOR NO KEY UPDATE OF claim, seat FOR KEY SHARE OF job"""  # noqa: S608 - names of our own columns.
Reviewed = Callable[[SubmissionId, int, Job], bool]
# By whether it counts and whether it is reviewed: so that it need not be written twice.
_ARRIVES = {
    (True, False): SubmissionState.SUBMITTED,
    (True, True): SubmissionState.IN_REVIEW,
    (False, False): SubmissionState.SURPLUS,
    (False, True): SubmissionState.SURPLUS_IN_REVIEW,
}
_JOBS, _VERSIONS = Remembered(Job), Remembered(TemplateVersion)
WRITE = "\n".join(
    (
        """WITH handed_in AS (
          UPDATE claim SET state = 'submitted', ended_at = %(submitted_at)s
          WHERE id = %(claim_id)s
        ), filled AS (
          UPDATE seat SET state = 'submitted' WHERE id = %(seat_id)s AND %(counts)s
        ), counted AS (
          UPDATE task SET counted = counted + 1,
            state = CASE WHEN counted + 1 = wanted THEN 'filled' ELSE state END,
            filled_at = CASE WHEN counted + 1 = wanted THEN %(submitted_at)s ELSE filled_at END
          WHERE id = %(task_id)s AND %(counts)s
        ), tallied AS (
          UPDATE work_progress SET live = live - %(was_live)s, done = done + %(counts_done)s,
            seen_version_id = %(template_version_id)s
          WHERE person_id = %(specialist_id)s AND job_id = %(job_id)s
        ), timed AS (
          INSERT INTO time_interval (id, claim_id, kind, started_at, ended_at)
          SELECT spent.id, %(claim_id)s, spent.kind, spent.started_at, spent.ended_at
          FROM json_to_recordset(%(times)s::json)
            AS spent(id uuid, kind text, started_at timestamptz, ended_at timestamptz)
        ), told AS (""",
        insert_sql(outbox.Event, "told_"),
        ")",
        insert_sql(Submission),
    )
)


@dataclass(frozen=True, slots=True)
class _InHand:
    """A claim with all that an answer to it is checked against. spent: the time on it so far;
    item_sha256: of what the lab sent, before anything was added for the task type."""

    claim: Claim
    job: Job
    version: TemplateVersion
    seat_state: SeatState
    payload: Any
    spent: Sequence[Interval]
    item_sha256: str

    @property
    def counts(self) -> bool:
        """Whether an answer fills the seat: its lease runs, or the seat is free and wanted."""
        if self.claim.repeats_submission_id is not None:
            return False  # Its author's first answer counts.
        if self.claim.state is ClaimState.LIVE:
            return True
        return self.seat_state is SeatState.OPEN and self.job.state is not JobState.CLOSED


def submit(
    session: Session,
    actor: Actor,
    claim_id: ClaimId,
    *,
    fence: int,
    envelope: Envelope,
    reviewed: Reviewed | None = None,
) -> Submission:
    """Turn a claim into a submission; the same content again gives the same submission.

    After the lease it counts while the seat is free, else it is kept as surplus, for review and
    pay by the job's rule for late work. reviewed: whether a person looks at a fresh submission, by
    its id, its round and its job. Raises Faulty with pointers into the judgement.
    """
    held = _in_hand(session, actor, claim_id)
    if held.claim.fence != fence:
        raise rules.WrongFence("This claim moved on; load the task again to go on with it.")
    rules.refuse_unstorable(envelope.content())
    held = _with_prelabels(session, held)
    envelope = _completed(held, envelope)
    repeated = _already(session, held.claim, envelope)
    if repeated is not None:
        return repeated
    _check(held, envelope)
    step(rules.NEXT_CLAIM, held.claim.state, ClaimState.SUBMITTED)
    at = clock.now()
    fresh = in_claim(held.claim, envelope.intervals)
    if not fresh and not held.spent:
        # Where the page reported no time, it is up to the expected time of the task.
        read = rules.unreported(held.claim.claimed_at, at, held.job.expected_seconds)
        fresh = [read] if read is not None else []
    submission = _submission(session, held, envelope, [*held.spent, *fresh], at, reviewed=reviewed)
    _write(session, held, submission, fresh)
    return written(session, submission)


def _in_hand(session: Session, actor: Actor, claim_id: ClaimId) -> _InHand:
    found = plain_sql(session, IN_HAND, claim_id=claim_id, person_id=actor.person())
    if not found:
        raise Missing("This claim is not there, or it is not yours.")
    (row,) = found
    columns = dict(zip(_CLAIM, row, strict=False))  # The claim's own come first.
    claim = made(Claim, **columns | {"state": ClaimState(row.state)})
    job = _JOBS.row(session, row.job_id, row.job_version)
    version = _VERSIONS.row(session, row.template_version_id, row.version)
    spent = [
        Interval(IntervalKind(kind), datetime.fromisoformat(start), datetime.fromisoformat(end))
        for kind, start, end in row.times or ()
    ]
    # A session forgets what nobody holds; the next claim of the job needs both again.
    session.info[HELD] = job, version
    session.info[MODELS] = row.models
    payload = orjson.loads(row.payload)
    seat = SeatState(row.seat_state)
    return _InHand(claim, job, version, seat, payload, spent, content_sha256(payload))


def _with_prelabels(session: Session, held: _InHand) -> _InHand:
    """The same, with what models said and the size of its image, for types that show them, and
    with the conversation for types that hold one."""
    kind = task_type(held.job.task_type)
    if kind.conversation is not None:
        template, payload = held.version.template, held.payload
        part = conversation_part(session, held.claim, held.job, template, payload)
        held = replace(held, payload=payload | part)
    if kind.prelabels_shown is None:
        return held
    said = prelabels_of_task(session, held.claim.task_id)
    seen = with_image(session, held.job, held.payload)
    return replace(held, payload={**seen, "prelabels": said})


def _completed(held: _InHand, envelope: Envelope) -> Envelope:
    """The answer with what its task type works out itself; the same answer, the same result."""
    kind = task_type(held.job.task_type)
    if kind.prelabels_shown is None and kind.conversation is None:
        return envelope
    judgement = kind.completed(held.version.template, held.payload, envelope.judgement)
    return replace(envelope, judgement=judgement)


def _already(session: Session, claim: Claim, envelope: Envelope) -> Submission | None:
    if claim.state is ClaimState.RELEASED:
        raise rules.GivenBack("You gave this task back, so it can no longer be submitted.")
    if claim.state in {ClaimState.LIVE, ClaimState.EXPIRED}:
        return None
    former = session.scalars(select(Submission).where(Submission.claim_id == claim.id)).one()
    session.info.pop(MODELS, None)
    if former.content_sha256 != envelope.sha256():
        raise rules.AlreadySubmitted("Another answer was submitted for this task already.")
    return former


def _check(held: _InHand, envelope: Envelope) -> None:
    kind, template = task_type(held.job.task_type), held.version.template
    faults = [
        Fault(f"/judgement{fault.pointer}", fault.message)
        for fault in kind.check_judgement(template, held.payload, envelope.judgement)
    ]
    faults += [
        Fault(f"/rationale{fault.pointer}", fault.message)
        for fault in kind.check_rationale(template, envelope.said())
    ]
    faults += rules.envelope_faults(envelope)
    if held.job.ai_policy == "forbidden" and (envelope.ai_use or {}).get("used"):
        faults.append(
            Fault("/ai_use", "This job wants answers made without AI. Give the task back instead.")
        )
    if faults:
        raise Faulty("The answer is not complete yet.", faults)


def _submission(
    session: Session,
    held: _InHand,
    envelope: Envelope,
    spent: Sequence[Interval],
    at: datetime,
    *,
    reviewed: Reviewed | None,
) -> Submission:
    claim = held.claim
    reworks = claim.reworks_submission_id
    former = session.get(Submission, reworks) if reworks else None
    submission_id, round_ = SubmissionId(new_id()), former.round + 1 if former else 1
    looked_at = reviewed is not None and reviewed(submission_id, round_, held.job)
    late = not held.counts and claim.repeats_submission_id is None
    price = rules.late_price(claim.pay, held.job.late_pay) if late else claim.pay
    return made(
        Submission,
        id=submission_id,
        claim_id=claim.id,
        seat_id=claim.seat_id,
        task_id=claim.task_id,
        job_id=claim.job_id,
        specialist_id=claim.specialist_id,
        template_version_id=claim.template_version_id,
        judgement=envelope.judgement,
        rationale=envelope.rationale,
        confidence=envelope.confidence,
        references=list(envelope.references),
        ai_use=dict(envelope.ai_use) if envelope.ai_use is not None else None,
        rationale_claims=list(envelope.rationale_claims),
        flags=sorted(set(envelope.flags)),
        spent=rules.spent_of(spent, envelope.time_notes),
        repeats_submission_id=claim.repeats_submission_id,
        content_sha256=envelope.sha256(),
        state=_ARRIVES[held.counts, looked_at],
        presented_order=claim.presented_order,
        credential_level=claim.credential_level,
        # An hourly seat pays for the time of all its rounds.
        active_seconds=rules.working_seconds(spent) + (former.active_seconds if former else 0),
        price_minor=price.minor,
        currency=claim.currency,
        paid_seconds_max=claim.paid_seconds_max,
        round=round_,
        claimed_at=claim.claimed_at,
        submitted_at=at,
        salt=new_salt(),
    )


def _sealed(held: _InHand, submission: Submission) -> str:
    """The commitment to all that was handed in, in hexadecimal: the chain of the job binds it."""
    content = rules.sealed_content(
        submission,
        pseudonym=pseudonym(str(held.job.organisation_id), str(submission.specialist_id)),
        item_sha256=held.item_sha256,
        template_version=held.version.number,
        guidelines_sha256=held.version.instructions_sha256,
        ai_policy=held.job.ai_policy,
    )
    return commitment(submission.salt or b"", content).hex()


def _write(
    session: Session, held: _InHand, submission: Submission, fresh: Sequence[Interval]
) -> None:
    claim = held.claim
    told = outbox.fact(
        "task.submitted",
        submission.id,
        {
            "task_id": claim.task_id,
            "counted": held.counts,
            "commitment": _sealed(held, submission),
        },
        organisation_id=held.job.organisation_id,
        job_id=held.job.id,
    )
    plain_sql(
        session,
        WRITE,
        counts=held.counts,
        was_live=1 if claim.state is ClaimState.LIVE else 0,
        # The caps on one person's tasks are about tasks, not about asking twice.
        counts_done=0 if claim.repeats_submission_id else 1,
        times=orjson.dumps([{"id": new_id(), **asdict(each)} for each in fresh]).decode(),
        **values_of(submission),
        **values_of(told, "told_"),
    )
    forget(session, WorkProgress, (claim.specialist_id, claim.job_id))
    # The claim comes last: what is asked of it afterwards is read anew.
    for kind, row_id in ((Task, claim.task_id), (Seat, claim.seat_id), (Claim, claim.id)):
        forget(session, kind, row_id)
