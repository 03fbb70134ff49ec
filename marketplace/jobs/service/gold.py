"""Writing an item's gold anew: settled by people, corrected, or taken away."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from marketplace.errors import Fault, Faulty
from marketplace.jobs.models import Item, Job, TemplateVersion
from marketplace.tasktypes import task_type

EXACT = 1 - 1e-9


def set_gold(session: Session, job: Job, item: Item, gold: dict[str, Any] | None) -> None:
    """Let this be an item's gold from now on; None makes it an item like any other.

    gold: {"judgement": …, "explanation": "…"}. Faulty at /gold where the job's task type cannot
    read it, or cannot mark answers by it, as with free text alone. What was sent stays on record
    by its hash: sending the same line again is still the same line.
    """
    if gold is not None:
        _refuse_unfit(session, job, item, gold)
    item.gold = gold
    session.flush()


def _refuse_unfit(session: Session, job: Job, item: Item, gold: dict[str, Any]) -> None:
    kind = task_type(job.task_type)
    template = session.get_one(TemplateVersion, job.template_version_id).template
    faults = [
        Fault(f"/gold{fault.pointer}", fault.message)
        for fault in kind.check_gold(template, item.payload, gold)
    ]
    if not faults:
        said = gold["judgement"]
        if (kind.gold_agrees(said, said, template) or 0) < EXACT:
            words = "Answers cannot be marked by this, since nothing in it can be compared."
            faults = [Fault("/gold", words)]
    if faults:
        raise Faulty("This cannot be the right answer of the item.", faults)
