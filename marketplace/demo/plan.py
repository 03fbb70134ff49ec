"""What happens in the demonstration: which jobs are posted, who works on them, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from marketplace.demo.timeline import Timeline
from marketplace.work.rules import OutcomeKind

TASKS_AT_ONCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How many tasks of a job someone does, between two days counted back from now."""

    tasks: int
    until_days_ago: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """A job, by the key of its material. hour: when people sit down to it, in UTC.

    title: another one than the material's; items_last: only so many of its items, 0 for all;
    terms: what the job asks for beyond its material; exports: the forms that the lab asks
    for; policy: whose answers they hold; is_reviewed: False leaves all that waits for whoever
    looks at the world.
    """

    material: str
    lab: str
    reviewer: str
    posted_days_ago: int
    hour: int
    efforts: Mapping[str, Effort]
    paused_days_ago: int | None = None
    title: str = ""
    items_last: int = 0
    terms: Mapping[str, Any] = field(default_factory=dict)
    asks_qualification: bool = False
    exports: tuple[str, ...] = ()
    policy: str = "majority"
    is_reviewed: bool = True


# Small jobs of the types that the larger ones do not show; one of ranking, since that rests.
SHOWN = (
    PlannedJob(
        material="practice_films",
        lab="lab@demo.test",
        reviewer="reviewer@demo.test",
        posted_days_ago=7,
        hour=9,
        efforts={
            "s.lindqvist@demo.test": Effort(tasks=2, until_days_ago=3),
            "r.calloway@demo.test": Effort(tasks=1),
        },
        exports=("coco",),
        policy="all",
    ),
    PlannedJob(
        material="red_team_dialogues",
        lab="lab@demo.test",
        reviewer="reviewer@demo.test",
        posted_days_ago=6,
        hour=11,
        efforts={
            "s.lindqvist@demo.test": Effort(tasks=1),
            "r.calloway@demo.test": Effort(tasks=2),
        },
    ),
    PlannedJob(
        material="triage_calibration",
        lab="lab@demo.test",
        reviewer="reviewer@demo.test",
        posted_days_ago=9,
        hour=17,
        efforts={
            "s.lindqvist@demo.test": Effort(tasks=3, until_days_ago=4),
            "r.calloway@demo.test": Effort(tasks=2, until_days_ago=5),
        },
    ),
    PlannedJob(
        material="reply_calibration",
        lab="lab@demo.test",
        reviewer="reviewer@demo.test",
        posted_days_ago=12,
        hour=19,
        efforts={
            "doctor@demo.test": Effort(tasks=17, until_days_ago=3),
            "s.lindqvist@demo.test": Effort(tasks=18, until_days_ago=4),
            "r.calloway@demo.test": Effort(tasks=18, until_days_ago=3),
        },
        is_reviewed=False,
    ),
    PlannedJob(
        material="health_rubrics",
        lab="lab@demo.test",
        reviewer="reviewer@demo.test",
        posted_days_ago=3,
        hour=14,
        efforts={"s.lindqvist@demo.test": Effort(tasks=2)},
        is_reviewed=False,
    ),
    PlannedJob(
        material="legal_critiques",
        lab="lab2@demo.test",
        reviewer="reviewer2@demo.test",
        posted_days_ago=6,
        hour=16,
        efforts={"j.abernathy@demo.test": Effort(tasks=3)},
    ),
    PlannedJob(
        material="contract_spans",
        lab="lab2@demo.test",
        reviewer="reviewer2@demo.test",
        posted_days_ago=8,
        hour=13,
        efforts={"j.abernathy@demo.test": Effort(tasks=3, until_days_ago=4)},
        exports=("doccano_relations",),
        policy="all",
    ),
    PlannedJob(
        material="clause_drafts",
        lab="lab2@demo.test",
        reviewer="reviewer2@demo.test",
        posted_days_ago=3,
        hour=14,
        efforts={"j.abernathy@demo.test": Effort(tasks=2)},
        title="Rank drafts of a clause, second batch",
        items_last=4,
        terms={"overlap_min": 2, "overlap_max": 2},
    ),
    PlannedJob(
        material="agent_runs",
        lab="lab3@demo.test",
        reviewer="manager3@demo.test",
        posted_days_ago=6,
        hour=12,
        efforts={
            "l.haddad@demo.test": Effort(tasks=2, until_days_ago=2),
            "b.oduya@demo.test": Effort(tasks=1),
        },
        exports=("who_and_when",),
        policy="all",
    ),
    PlannedJob(
        material="bug_explanations",
        lab="lab3@demo.test",
        reviewer="manager3@demo.test",
        posted_days_ago=5,
        hour=15,
        efforts={
            "l.haddad@demo.test": Effort(tasks=1),
            "b.oduya@demo.test": Effort(tasks=2),
        },
    ),
    PlannedJob(
        material="issue_triage",
        lab="lab3@demo.test",
        reviewer="manager3@demo.test",
        posted_days_ago=8,
        hour=8,
        efforts={
            "l.haddad@demo.test": Effort(tasks=3, until_days_ago=4),
            "b.oduya@demo.test": Effort(tasks=2, until_days_ago=5),
        },
    ),
)

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
        terms={"cannot_complete_ratio": 0.3, "contingency_ratio": 0.1},
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
        exports=("helpsteer2", "raw"),
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
        terms={"distinct_by": ["household"]},
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
        exports=("code_review",),
    ),
    PlannedJob(
        material="diff_reviews",
        lab="lab3@demo.test",
        reviewer="manager3@demo.test",
        posted_days_ago=3,
        hour=16,
        efforts={"l.haddad@demo.test": Effort(tasks=2)},
        title="Review small diffs, for those who passed the test",
        items_last=6,
        terms={"late_pay": "half", "contingency_ratio": 0.1},
        asks_qualification=True,
    ),
    *SHOWN,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAttempt:
    """Somebody sits the qualification. right_of_ten: how many of ten they answer rightly."""

    email: str
    days_ago: int
    hour: int
    right_of_ten: int


# The coder failed once, waited for the two weeks between attempts, and passed.
ATTEMPTS = (
    PlannedAttempt(email="l.haddad@demo.test", days_ago=17, hour=12, right_of_ten=10),
    PlannedAttempt(email="coder@demo.test", days_ago=17, hour=16, right_of_ten=5),
    PlannedAttempt(email="coder@demo.test", days_ago=2, hour=9, right_of_ten=10),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedReport:
    """Somebody ends a task of a job without an answer and says why."""

    material: str
    email: str
    days_ago: int
    kind: OutcomeKind
    evidence: str


REPORTS = (
    PlannedReport(
        material="clinical_preferences",
        email="s.lindqvist@demo.test",
        days_ago=6,
        kind=OutcomeKind.GUIDELINE_GAP,
        evidence="Both answers follow a guideline, one the American and one the European. The "
        "instructions do not say which of them counts where they disagree on the threshold.",
    ),
    PlannedReport(
        material="clinical_preferences",
        email="r.calloway@demo.test",
        days_ago=5,
        kind=OutcomeKind.CANNOT_COMPLETE,
        evidence="The question refers to a laboratory value that is not in the text, and both "
        "answers depend on it.",
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
            rng = Random(f"{email}:{job.material}{job.title}")
            sittings = -(-effort.tasks // TASKS_AT_ONCE)
            first, last = job.posted_days_ago - 1, effort.until_days_ago
            for number in range(effort.tasks):
                sitting, place = divmod(number, TASKS_AT_ONCE)
                if place == 0:
                    days = first - round((first - last) * sitting / max(1, sittings - 1))
                    start = timeline.on(days, job.hour) + timedelta(minutes=rng.uniform(0, 25))
                pause = timedelta(minutes=14 * place + rng.uniform(0, 5))
                yield Turn(start + pause, job, email, number + 1)
