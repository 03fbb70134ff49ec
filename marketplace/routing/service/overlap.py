"""Adaptive overlap: one more judgement of a task only while it is worth its price."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from marketplace.ids import TaskId
from marketplace.jobs.models import Job
from marketplace.quality.rules import overlap
from marketplace.quality.rules.believing import Belief
from marketplace.quality.rules.overlap import Verdict
from marketplace.routing.queries.overlap import adapts
from marketplace.work import service as work
from marketplace.work.models import Seat, Submission, Task
from marketplace.work.rules import TaskState

# A lab that asks for a confidence of 95 % lets a doubt of 5 % stand; a judgement that is expected
# to take away less than a quarter of that is not worth its price.
SHARE_OF_DOUBT = 0.25


def open_if_worth(
    session: Session, job: Job, submission: Submission, beliefs: Sequence[Belief]
) -> Seat | None:
    """Open one more seat of a task that a submission has just filled, where it is worth it.

    Called in the transaction of the submission, which holds the task: of two that come at once
    only the later one fills it. None while other seats of the task wait, where nothing can be
    believed of it, and where `overlap_max` is reached.
    """
    if not adapts(job) or not beliefs or submission.is_surplus:
        return None
    task = session.get_one(Task, submission.task_id, populate_existing=True)
    if task.state is TaskState.OPEN:
        return None
    verdict = worth(job, beliefs)
    if not verdict.wanted:
        return None
    return work.open_seat(session, TaskId(submission.task_id), why=verdict.why)


def worth(job: Job, beliefs: Sequence[Belief]) -> Verdict:
    """Whether one more judgement of a task is worth its price, over all of its units alike.

    The task is sure enough where its units are in the mean; a judgement speaks of all of them, so
    its gain is their mean, too.
    """
    target = float(job.confidence_target or 1)
    sure = float(np.mean([belief.confidence for belief in beliefs]))
    if sure >= target:
        return Verdict(False, 0.0, f"Its confidence of {sure:.2f} meets the target.")
    taken = max(belief.humans for belief in beliefs)
    gains = [
        overlap.another(
            belief.probabilities,
            price=SHARE_OF_DOUBT * (1 - target),
            value=1.0,
            confusion=belief.confusion,
            taken=taken,
            most=job.overlap_max,
            least=job.overlap_min,
        ).gain
        for belief in beliefs
    ]
    gain = float(np.mean(gains))
    wanted = gain > 0 and gain >= SHARE_OF_DOUBT * (1 - target)
    say = "is worth" if wanted else "is not worth"
    return Verdict(
        wanted,
        gain,
        f"Its confidence is {sure:.2f} of {target:.2f}; a gain of {gain:.3f} {say} its price.",
    )
