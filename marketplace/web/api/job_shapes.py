"""The shapes of jobs, quotes, progress and quality over the API."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from marketplace.errors import Fault, Faulty
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import AiPolicy, JobState, LatePay, PayPer, Purpose
from marketplace.jobs.rules.fields import DISTINCT_BY
from marketplace.tasktypes import TASK_TYPES
from marketplace.web.api.answers import MoneySchema


class Requirements(Schema):
    """Who may work on the job; empty lists ask for nothing."""

    profession = fields.String(allow_none=True)
    specialties = fields.List(fields.String())
    credential_level_min = fields.Integer(strict=True)
    jurisdictions = fields.List(fields.String(), metadata={"description": "ISO 3166, US-CA"})
    languages = fields.List(fields.String(), metadata={"description": "BCP 47, en"})
    skill_min = fields.Float(
        allow_none=True, metadata={"description": "The lower 90 % bound of measured skill, 0 to 1"}
    )
    qualifications = fields.List(
        fields.UUID(), metadata={"description": "Ids of qualifications, all to be passed"}
    )


class Conflicts(Schema):
    """What two authors of one task must not share."""

    distinct_by = fields.List(fields.String(validate=validate.OneOf(DISTINCT_BY)))


class Limits(Schema):
    """How much of a job one person may take: at a time, and in all (null: as much as comes)."""

    claims_live_max = fields.Integer(strict=True)
    tasks_a_person_max = fields.Integer(strict=True, allow_none=True)


class Overlap(Schema):
    """How many judgements a task gets: at least, at most, and until which confidence."""

    min = fields.Integer(strict=True)
    max = fields.Integer(strict=True)
    confidence_target = fields.Float(allow_none=True)


class Pay(Schema):
    """What a specialist earns for one task, or for one hour."""

    amount_minor = fields.Integer(required=True, strict=True, metadata={"example": 450})
    currency = fields.String(required=True, metadata={"example": "USD"})
    per = fields.String(
        load_default=PayPer.TASK.value, validate=validate.OneOf([each.value for each in PayPer])
    )


class Review(Schema):
    """How much of the work a person of the lab looks at."""

    sample_ratio = fields.Float(metadata={"description": "0 to 1"})


class JobChange(Schema):
    """Fields of a job; all are optional when a job is changed."""

    title = fields.String()
    domain = fields.String()
    purpose = fields.String(validate=validate.OneOf([each.value for each in Purpose]))
    instructions_md = fields.String()
    template = fields.Dict(keys=fields.String())
    requirements = fields.Nested(Requirements)
    overlap = fields.Nested(Overlap)
    pay = fields.Nested(Pay)
    expected_seconds = fields.Integer(strict=True)
    time_cap_seconds = fields.Integer(strict=True)
    lease_seconds = fields.Integer(strict=True)
    review = fields.Nested(Review)
    ai_policy = fields.String(validate=validate.OneOf([each.value for each in AiPolicy]))
    deadline_at = fields.AwareDateTime(allow_none=True)
    conflicts = fields.Nested(Conflicts)
    limits = fields.Nested(Limits)
    late_pay = fields.String(
        validate=validate.OneOf([each.value for each in LatePay]),
        metadata={"description": "What a good answer earns whose seat had gone to somebody else"},
    )
    cannot_complete_ratio = fields.Float(
        metadata={"description": "Share of the pay for a task that cannot be done, 0 to 0.5"}
    )
    contingency_ratio = fields.Float(
        metadata={"description": "Reserved on top of the most, for late and impossible work"}
    )
    repeat_ratio = fields.Float(
        metadata={
            "description": "Share of a person's tasks that they are asked once more in another "
            "order, paid like any task; 0 to 0.2, reserved on top of the most"
        }
    )


class NewJob(JobChange):
    """A new job: its title and its task type are needed, the rest has defaults."""

    title = fields.String(required=True)
    task_type = fields.String(required=True, validate=validate.OneOf(sorted(TASK_TYPES)))


class JobShown(Schema):
    """A job as its lab sees it."""

    id = fields.UUID()
    reference = fields.String()
    title = fields.String()
    domain = fields.String()
    purpose = fields.String()
    task_type = fields.String()
    state = fields.String(validate=validate.OneOf([each.value for each in JobState]))
    pause_reason = fields.String(allow_none=True)
    instructions_md = fields.String()
    template = fields.Dict(keys=fields.String())
    template_version = fields.Integer()
    requirements = fields.Nested(Requirements)
    overlap = fields.Nested(Overlap)
    pay = fields.Nested(Pay)
    expected_seconds = fields.Integer()
    time_cap_seconds = fields.Integer()
    lease_seconds = fields.Integer()
    review = fields.Nested(Review)
    ai_policy = fields.String()
    deadline_at = fields.AwareDateTime(allow_none=True)
    conflicts = fields.Nested(Conflicts)
    limits = fields.Nested(Limits)
    late_pay = fields.String()
    cannot_complete_ratio = fields.Float()
    contingency_ratio = fields.Float()
    repeat_ratio = fields.Float()
    items = fields.Integer()
    version = fields.Integer()
    created_at = fields.AwareDateTime()
    published_at = fields.AwareDateTime(allow_none=True)
    closed_at = fields.AwareDateTime(allow_none=True)


SHOWN = (
    "id",
    "reference",
    "title",
    "domain",
    "purpose",
    "task_type",
    "state",
    "pause_reason",
    "instructions_md",
    "expected_seconds",
    "time_cap_seconds",
    "lease_seconds",
    "ai_policy",
    "deadline_at",
    "version",
    "created_at",
    "published_at",
    "closed_at",
    "late_pay",
    "cannot_complete_ratio",
    "contingency_ratio",
    "repeat_ratio",
)
REQUIREMENTS = (
    "profession",
    "specialties",
    "credential_level_min",
    "jurisdictions",
    "languages",
    "skill_min",
)


def shown(job: Job, version: TemplateVersion) -> dict[str, Any]:
    """The fields of `JobShown`."""
    plain = {name: getattr(job, name) for name in SHOWN}
    requirements = {name: getattr(job, name) for name in REQUIREMENTS}
    return plain | {
        "template": version.template,
        "template_version": version.number,
        "requirements": requirements | {"qualifications": job.qualification_ids},
        "conflicts": {"distinct_by": job.distinct_by},
        "limits": {
            "claims_live_max": job.claims_live_max,
            "tasks_a_person_max": job.tasks_a_person_max,
        },
        "overlap": {
            "min": job.overlap_min,
            "max": job.overlap_max,
            "confidence_target": job.confidence_target,
        },
        "pay": {"amount_minor": job.pay_minor, "currency": job.currency, "per": job.pay_per},
        "review": {"sample_ratio": job.review_sample_ratio},
        "items": job.item_count,
    }


def flat(asked: dict[str, Any]) -> dict[str, Any]:
    """The fields of a verb of jobs, from the nested body."""
    given = dict(asked)
    for group in ("requirements", "conflicts", "limits"):
        given |= given.pop(group, {})
    if "qualifications" in given:
        given["qualification_ids"] = given.pop("qualifications")
    given |= {
        {"min": "overlap_min", "max": "overlap_max"}.get(name, name): value
        for name, value in given.pop("overlap", {}).items()
    }
    if "review" in given and "sample_ratio" in (review := given.pop("review")):
        given["review_sample_ratio"] = review["sample_ratio"]
    if "pay" in given:
        pay = given.pop("pay")
        given |= {"pay": _money(pay), "pay_per": pay["per"]}
    return given


def _money(pay: dict[str, Any]) -> Any:
    faults = MoneySchema().validate({name: pay[name] for name in ("amount_minor", "currency")})
    if faults:
        listed = [Fault(f"/pay/{name}", " ".join(told)) for name, told in faults.items()]
        raise Faulty("The pay cannot be used.", listed)
    return MoneySchema().load({name: pay[name] for name in ("amount_minor", "currency")})


class PriceShown(Schema):
    """What specialists get, what we get, and the sum that the lab pays."""

    pay = fields.Nested(MoneySchema)
    fee = fields.Nested(MoneySchema)
    total = fields.Nested(MoneySchema)


class TimeToFill(Schema):
    """Seconds until all is done: half of the time, and nine times in ten; null without data."""

    p50 = fields.Integer(allow_none=True)
    p90 = fields.Integer(allow_none=True)
    note = fields.String()


class FeasibilityShown(Schema):
    """Whether the most judgements of a task reach the confidence that the job asks for."""

    reachable = fields.Boolean()
    accuracy = fields.Float(metadata={"description": "What the most judgements reach, 0 to 1"})
    labels_needed = fields.Integer(allow_none=True)
    why = fields.String()


class QuoteShown(Schema):
    """What a job costs as it stands. price and fee are those of the most, which is reserved.

    eligible_specialists: 4 stands for one to four, where eligible_is_coarse; so few could be told
    apart by asking on. removed: how many more would fit without one requirement, in the same way.
    """

    tasks = fields.Integer()
    specialist_tasks_max = fields.Integer(
        metadata={"description": "The most of the tasks that specialists judge; models the rest"}
    )
    price = fields.Nested(MoneySchema)
    fee = fields.Nested(MoneySchema)
    least = fields.Nested(PriceShown)
    most = fields.Nested(PriceShown)
    contingency = fields.Nested(
        PriceShown,
        metadata={"description": "Part of the most; what is not needed returns at closing"},
    )
    eligible_specialists = fields.Integer()
    eligible_is_coarse = fields.Boolean()
    removed = fields.Dict(keys=fields.String(), values=fields.Integer())
    time_to_fill_seconds = fields.Nested(TimeToFill)
    overlap = fields.Nested(
        FeasibilityShown,
        allow_none=True,
        metadata={"description": "Of a job with a confidence target; null of others"},
    )


class ProgressShown(Schema):
    """How far the job is, in tasks, seats and submissions."""

    tasks = fields.Integer()
    final = fields.Integer(metadata={"description": "Tasks with all judgements accepted"})
    filled = fields.Integer(
        metadata={"description": "Tasks with all judgements in, some undecided"}
    )
    seats_open = fields.Integer()
    seats_claimed = fields.Integer()
    submitted = fields.Integer()
    in_review = fields.Integer()
    accepted = fields.Integer()
    rejected = fields.Integer()
    rework = fields.Integer()
    surplus = fields.Integer()
    cannot_complete = fields.Integer()
    guideline_gaps = fields.Integer()
