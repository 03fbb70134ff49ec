"""What happens in the demonstration: which jobs are posted, who works on them, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from marketplace.demo.timeline import Timeline

TASKS_AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How many tasks of a job someone does, between two days counted back from now."""

    tasks: int
    until_days_ago: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """A job, by the key of its material. hour: when people sit down to it, in UTC."""

    material: str
    lab: str
    reviewer: str
    posted_days_ago: int
    hour: int
    efforts: Mapping[str, Effort]
    paused_days_ago: int | None = None


JOBS = (
    PlannedJob(
        material="clinical_preferences",
        lab="lab@demo.test",
        reviewer="reviewer@demo.test",
        posted_days_ago=18,
        hour=8,
        efforts={
            "doctor@demo.test": Effort(tasks=12),
            "s.lindqvist@demo.test": Effort(tasks=18),
            "r.calloway@demo.test": Effort(tasks=14),
            "h.brandvold@demo.test": Effort(tasks=8, until_days_ago=11),
        },
    ),
    PlannedJob(
        material="clinical_summaries",
        lab="lab@demo.test",
        reviewer="reviewer@demo.test",
        posted_days_ago=17,
        hour=12,
        efforts={
            "doctor@demo.test": Effort(tasks=4, until_days_ago=9),
            "s.lindqvist@demo.test": Effort(tasks=9, until_days_ago=2),
            "r.calloway@demo.test": Effort(tasks=10),
        },
    ),
    PlannedJob(
        material="clause_drafts",
        lab="lab2@demo.test",
        reviewer="reviewer2@demo.test",
        posted_days_ago=17,
        hour=15,
        efforts={
            "lawyer@demo.test": Effort(tasks=5, until_days_ago=5),
            "j.abernathy@demo.test": Effort(tasks=6, until_days_ago=5),
            "k.vasquez@demo.test": Effort(tasks=3, until_days_ago=12),
        },
        paused_days_ago=4,
    ),
    PlannedJob(
        material="memo_fact_checks",
        lab="lab2@demo.test",
        reviewer="reviewer2@demo.test",
        posted_days_ago=15,
        hour=18,
        efforts={
            "lawyer@demo.test": Effort(tasks=4),
            "j.abernathy@demo.test": Effort(tasks=7),
        },
    ),
    PlannedJob(
        material="diff_reviews",
        lab="lab3@demo.test",
        reviewer="manager3@demo.test",
        posted_days_ago=16,
        hour=10,
        efforts={
            "coder@demo.test": Effort(tasks=6),
            "l.haddad@demo.test": Effort(tasks=8),
            "b.oduya@demo.test": Effort(tasks=5, until_days_ago=3),
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One task that someone does. number: which one of theirs in this job, from 1."""

    at: datetime
    job: PlannedJob
    email: str
    number: int


def turns(timeline: Timeline) -> Iterator[Turn]:
    """Everyone's tasks: a few at a sitting, sittings spread evenly over the days."""
    for job in JOBS:
        for email, effort in job.efforts.items():
            rng = Random(f"{email}:{job.material}")
            sittings = -(-effort.tasks // TASKS_AT_ONCE)
            first, last = job.posted_days_ago - 1, effort.until_days_ago
            for number in range(effort.tasks):
                sitting, place = divmod(number, TASKS_AT_ONCE)
                if place == 0:
                    days = first - round((first - last) * sitting / max(1, sittings - 1))
                    start = timeline.on(days, job.hour) + timedelta(minutes=rng.uniform(0, 25))
                pause = timedelta(minutes=14 * place + rng.uniform(0, 5))
                yield Turn(start + pause, job, email, number + 1)
