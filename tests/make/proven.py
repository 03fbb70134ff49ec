"""A job that was worked on, with an envelope of it and the proof of that; all by the real code."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock, secrets
from marketplace.actor import Actor
from marketplace.delivery.background import ProofFile, write_proof
from marketplace.delivery.models import Export
from marketplace.delivery.queries.judged import told_of
from marketplace.delivery.rules import ExportState, proof_name
from marketplace.ids import ExportId, SubmissionId, new_id
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.outbox import ChainHead
from marketplace.review import service as review
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.secrets import pseudonym
from marketplace.tasktypes import AuthoredJudgement, Counts, Record, task_type
from marketplace.work.models import Submission, Task
from tests.make import background, specialists, work

FILE = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Worked:
    """A job with its lab, and who worked on it."""

    lab: Actor
    job: Job
    doctor: Actor


def worked(session: Session, *, items: int = 4, lab: Actor | None = None) -> Worked:
    """A job whose items are all judged: accepted, but for one that was rejected and then not."""
    lab, job = work.published(session, lab, items=items)
    doctor = specialists.doctor(session)
    for number in range(items):
        said = work.answer("a" if number % 2 else "b", rationale=f"Reason {number}: 0.5 mg, 1e-7.")
        given = work.submitted(session, doctor, job, said)
        verdict = Verdict.REJECT if number == 1 else Verdict.ACCEPT
        work.decided(session, lab, given, verdict)
        if verdict is Verdict.REJECT:
            review.overturn(
                session,
                specialists.doctor(session),
                SubmissionId(given.id),
                verdict=Verdict.ACCEPT,
                cause=OverturnCause.APPEAL,
                note="It names the dose.",
                clearance_days=work.CLEARANCE_DAYS,
            )
    session.flush()
    background.number_facts()
    return Worked(lab, job, doctor)


def export_of(session: Session, made: Worked, *, form: str = "raw") -> Export:
    """An export as of the last event of the job's chain; not stored, and not in the chain."""
    head = session.get_one(ChainHead, f"job:{made.job.id}", populate_existing=True)
    return Export(
        id=ExportId(new_id()),
        job_id=made.job.id,
        organisation_id=made.job.organisation_id,
        format=form,
        policy="all",
        filename=FILE,
        state=ExportState.RUNNING,
        as_of=clock.now(),
        as_of_event=head.number,
    )


def rows(session: Session, made: Worked, export: Export) -> bytes:
    """The envelope of every judgement of the job, as its exporter writes it."""
    asked = (
        select(Submission, Item, TemplateVersion)
        .join(Task, Task.id == Submission.task_id)
        .join(Item, Item.id == Task.item_id)
        .join(TemplateVersion, TemplateVersion.id == Submission.template_version_id)
        .where(Submission.job_id == made.job.id)
        .order_by(Item.position)
    )
    found = session.execute(asked, execution_options={"populate_existing": True}).all()
    told = told_of(session, export, [given.id for given, _, _ in found])
    records = []
    for given, item, version in found:
        judgement = AuthoredJudgement(
            annotation_id=str(given.id),
            judgement=given.judgement,
            author=pseudonym(str(export.organisation_id), str(given.specialist_id)),
            rationale=given.rationale,
            confidence=given.confidence,
            references=tuple(given.references),
            ai_use=given.ai_use,
            presented_order=tuple(given.presented_order),
            opened_at=given.claimed_at.isoformat(),
            submitted_at=given.submitted_at.isoformat(),
            active_seconds=given.active_seconds,
            rationale_claims=tuple(given.rationale_claims),
            flags=tuple(given.flags),
            spent=tuple(given.spent),
            template_version=version.number,
            guidelines_sha256=bytes(version.instructions_sha256).hex(),
            round=given.round,
            **told[given.id],
        )
        records.append(
            Record(
                item_id=str(item.id),
                external_id=item.external_id,
                task_type=made.job.task_type,
                payload=item.payload,
                judgements=(judgement,),
            )
        )
    exporter = task_type(made.job.task_type).exports["raw"]
    return b"".join(exporter.file(records, "all", Counts()))


def written(session: Session, made: Worked, folder: Path) -> Path:
    """The file of an export in a folder, with its proof beside it."""
    export = export_of(session, made)
    path = folder / FILE
    path.write_bytes(rows(session, made, export))
    prove(export, path)
    return path


def prove(export: Export, path: Path) -> None:
    """Write the proof of a file beside it."""
    out = io.BytesIO()
    write_proof(out, export, [ProofFile(path.name, lambda: path.open("rb"))])
    path.with_name(proof_name(path.name)).write_bytes(out.getvalue())


def keys() -> dict[str, bytes]:
    """The platform's public keys."""
    return secrets.public_keys()
