"""What an author adds to a judgement that is in: rows beside it, never a change of it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty, Refused
from marketplace.ids import SubmissionId
from marketplace.tasktypes.judge_calibration import fault_tags
from marketplace.work.models import Addendum
from marketplace.work.queries import Receipt, receipt_of
from marketplace.work.rules import AddendumKind

ADDENDA_MAX = 200


class NothingToldOfJudges(Refused):
    """This task has no judge whose verdict its author has seen."""

    code = "no_judge_told"


class TooManyAddenda(Refused):
    """Nobody needs that many."""

    code = "too_many_addenda"


def add_judge_fault(
    session: Session,
    actor: Actor,
    submission_id: SubmissionId,
    *,
    model: str,
    version: str = "",
    tag: str,
    dimension: str | None = None,
) -> Addendum:
    """Name a fault of a judge, after one's own verdict is in; the same again is no second row.

    dimension: a key of the template's, None for the verdict as a whole. Raises Missing for
    another's submission, Faulty for a judge, tag or dimension that is not there.
    """
    receipt = receipt_of(session, actor, submission_id)
    if not receipt.judges:
        raise NothingToldOfJudges("No judge's verdict was shown to you here.")
    content = {"model": model, "version": version, "tag": tag, "dimension": dimension}
    faults = _faults(receipt, content)
    if faults:
        raise Faulty("Say which judge is meant, and its fault.", faults)
    # Two windows at once come one after the other.
    session.refresh(receipt.submission, with_for_update={"key_share": True})
    for former in receipt_of(session, actor, submission_id).addenda:
        if all(former[name] == value for name, value in content.items()):
            return session.get_one(Addendum, UUID(former["id"]))
    if len(receipt.addenda) >= ADDENDA_MAX:
        raise TooManyAddenda(f"There are {ADDENDA_MAX} remarks already.")
    addendum = Addendum(
        submission_id=submission_id,
        specialist_id=actor.person(),
        kind=AddendumKind.JUDGE_FAULT,
        content=content,
        made_at=clock.now(),
    )
    session.add(addendum)
    session.flush()  # Whoever asks for the receipt next finds it.
    outbox.announce(
        session,
        "submission.judge_fault",
        submission_id,
        {"tag": tag},
        organisation_id=receipt.job.organisation_id,
        job_id=receipt.job.id,
    )
    return addendum


def _faults(receipt: Receipt, content: dict[str, str | None]) -> list[Fault]:
    judges = {(each["model"], each["version"]) for each in receipt.judges}
    faults = []
    if (content["model"], content["version"]) not in judges:
        faults.append(Fault("/model", "Name a judge whose verdict stands here."))
    if content["tag"] not in {key for key, _ in fault_tags(receipt.template)}:
        faults.append(Fault("/tag", "Choose one of the faults that the job names."))
    dimensions = {aspect["key"] for aspect in receipt.template["aspects"]}
    if content["dimension"] is not None and content["dimension"] not in dimensions:
        faults.append(Fault("/dimension", "Choose one of the questions, or none."))
    return faults
