"""The words of review: why an answer is looked at, what can be wrong with it, what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marketplace.jobs.models import Job
from marketplace.review.models import HeldDecision
from marketplace.review.rules import Reason, Severity, Verdict
from marketplace.review.rules import defects as named
from marketplace.review.service import Said
from marketplace.tasktypes import Json, task_type

REASONS: Mapping[Reason, str] = {
    Reason.REWORKED: "It was sent back before",
    Reason.WATCHED: "A rule asks for all of this person's next answers",
    Reason.NEW_IN_JOB: "Its author is new in this job",
    Reason.SKILL_UNPROVEN: "Its author's skill is not proven yet",
    Reason.UNSURE: "Its author was unsure",
    Reason.OUTSIDE_COMPETENCE: "Its author called it outside of their competence",
    Reason.BAD_ITEM: "Its author called the item bad",
    Reason.UNLIKE_OTHERS: "Others answered otherwise",
    Reason.UNLIKE_MODEL: "A model answered otherwise",
    Reason.LABEL_UNSURE: "What holds is not sure yet",
    Reason.GOLD_MISSED: "Its author missed a known answer lately",
}
SAID: Mapping[Verdict, str] = {
    Verdict.ACCEPT: "Accepted. Its author has earned the pay.",
    Verdict.REWORK: "Sent back. Its author sees your reasons and has the first refusal.",
    Verdict.REJECT: "Rejected. Its author sees your reasons and may appeal.",
}
HELD = (
    "Your rejection is held, and not lost: lately far more was rejected here than before. An owner "
    "of your lab and our operations look at it; nobody was told and no money moved."
)
SEVERITIES = [("", "Not said"), *((one.value, one.value.title()) for one in Severity)]


def said_words(said: Said, verdict: Verdict) -> str:
    """What to tell a reviewer of their verdict; a second look answers like a first."""
    return HELD if isinstance(said, HeldDecision) else SAID[verdict]


def defect_options(job: Job, template: Json, judgement: Json) -> dict[str, Any]:
    """What a defect of an answer may be chosen from: codes, places, severities."""
    kind = task_type(job.task_type)
    places = named.places_of(kind, template, judgement)
    return {
        "codes": [("", "Choose"), *named.codes_of(kind, template)],
        "places": [
            ("", "Not said"),
            *((place.name, _with_answer(place.words, place.answered)) for place in places),
        ],
        "severities": SEVERITIES,
    }


def _with_answer(words: str, answered: str) -> str:
    shown = answered if len(answered) <= 40 else f"{answered[:40]}…"
    return f"{words}: {shown}" if shown else words
