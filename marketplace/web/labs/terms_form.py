"""The part of a job's form about who shares a task, how much one person takes, and late work."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marshmallow import fields, validate
from sqlalchemy.orm import Session

from marketplace.ids import OrganisationId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import LatePay
from marketplace.jobs.rules.fields import CLAIMS_LIVE_MAX, CLAIMS_LIVE_MOST, DISTINCT_BY
from marketplace.web.forms import Form
from marketplace.web.guards import me

LISTS = ("qualification_ids", "distinct_by")
NAMES: Mapping[str, str] = {
    "/requirements/skill_min": "/skill_percent",
    "/requirements/qualifications": "/qualification_ids",
    "/conflicts/distinct_by": "/distinct_by",
    "/limits/claims_live_max": "/claims_live_max",
    "/limits/tasks_a_person_max": "/tasks_a_person_max",
    "/cannot_complete_ratio": "/cannot_complete_percent",
    "/contingency_ratio": "/contingency_percent",
    "/repeat_ratio": "/repeat_percent",
}
DISTINCT_WORDS: Mapping[str, tuple[str, str]] = {
    "household": (
        "People of one household",
        "They say so themselves, with a code that they share.",
    ),
    "device": ("People who signed in from one browser", "Seen when they sign in."),
    "organisation": ("People of one employer", "As their profiles name it."),
}
LATE_WORDS: Mapping[LatePay, tuple[str, str]] = {
    LatePay.FULL: ("The whole pay", "A good answer is a good answer; you keep it as a surplus."),
    LatePay.HALF: ("Half of the pay", "Specialists read this before they claim."),
}
_NUMBER: dict[str, Any] = {"invalid": "Give a number.", "required": "Give a number."}
_WHOLE: dict[str, Any] = {"invalid": "Give a whole number.", "required": "Give a whole number."}


def _percent(most: int, default: Decimal | None) -> fields.Decimal:
    within = validate.Range(min=0, max=most, error=f"Give a number from 0 to {most}.")
    return fields.Decimal(load_default=default, validate=within, error_messages=_NUMBER)


class LimitsForm(Form):
    """How much of a job one person may take; it may change while the job runs."""

    claims_live_max = fields.Integer(
        load_default=CLAIMS_LIVE_MAX,
        error_messages=_WHOLE,
        validate=validate.Range(
            min=1, max=CLAIMS_LIVE_MOST, error=f"Give a number from 1 to {CLAIMS_LIVE_MOST}."
        ),
    )
    tasks_a_person_max = fields.Integer(
        load_default=None,
        error_messages=_WHOLE,
        validate=validate.Range(min=1, max=1_000_000, error="Give at least 1, or nothing."),
    )


class TermsForm(LimitsForm):
    """What was agreed beside the pay; fixed once published."""

    skill_percent = _percent(100, None)
    qualification_ids = fields.List(fields.String(), load_default=list)
    distinct_by = fields.List(
        fields.String(validate=validate.OneOf(DISTINCT_BY)), load_default=list
    )
    late_pay = fields.Enum(LatePay, by_value=True, load_default=LatePay.FULL)
    cannot_complete_percent = _percent(50, Decimal(0))
    contingency_percent = _percent(100, Decimal(0))
    repeat_percent = _percent(20, Decimal(0))


def given(typed: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the verbs of jobs, with percent as shares."""
    found = dict(typed)
    found["cannot_complete_ratio"] = found.pop("cannot_complete_percent") / 100
    found["contingency_ratio"] = found.pop("contingency_percent") / 100
    found["repeat_ratio"] = found.pop("repeat_percent") / 100
    skill = found.pop("skill_percent")
    found["skill_min"] = None if skill is None else skill / 100
    return found


def values_of(job: Job) -> dict[str, Any]:
    """What the form of a stored job shows."""
    return {
        "skill_percent": "" if job.skill_min is None else _shown(job.skill_min),
        "qualification_ids": [str(each) for each in job.qualification_ids],
        "distinct_by": job.distinct_by,
        "claims_live_max": job.claims_live_max,
        "tasks_a_person_max": job.tasks_a_person_max or "",
        "late_pay": job.late_pay.value,
        "cannot_complete_percent": _shown(job.cannot_complete_ratio),
        "contingency_percent": _shown(job.contingency_ratio),
        "repeat_percent": _shown(job.repeat_ratio),
    }


def _shown(ratio: Decimal) -> str:
    return f"{(ratio * 100).normalize():f}"


def defaults() -> dict[str, Any]:
    """What an empty form shows."""
    return {
        "claims_live_max": str(CLAIMS_LIVE_MAX),
        "late_pay": LatePay.FULL.value,
        "cannot_complete_percent": "0",
        "contingency_percent": "0",
        "repeat_percent": "0",
    }


def facts(session: Session) -> dict[str, Any]:
    """What the fieldsets need: the qualifications that may be asked for, and the words."""
    known = jobs.qualifications_for(session, OrganisationId(me().organisation()))
    return {
        "qualifications": [(str(job.id), f"{job.title} ({job.reference})") for job in known],
        "distinct_words": DISTINCT_WORDS,
        "late_pays": [(each.value, *words) for each, words in LATE_WORDS.items()],
    }
