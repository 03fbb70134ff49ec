"""The form of a job: what was typed becomes the fields of the verbs of jobs, and back.

Fields have the names of the verbs' arguments; times are typed in minutes, money in major units,
shares in percent, and the deadline in the reader's zone. Faults of the verbs point into the body
of `POST /jobs`; `in_form_words` moves them to the form's own fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import request
from jinja2 import pass_context
from jinja2.runtime import Context
from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from marketplace.db import transaction
from marketplace.endpoints.queries import endpoint_names
from marketplace.errors import Fault, Faulty
from marketplace.jobs.models import Job
from marketplace.jobs.rules import EXPECTED_SECONDS, AiPolicy, JobFields, JobState, PayPer
from marketplace.jobs.rules.lifecycle import AI_POLICY_LABELS
from marketplace.money import parse_money
from marketplace.specialists.queries import catalogue
from marketplace.tasktypes import TASK_TYPES, Json
from marketplace.web.filters import reader_zone
from marketplace.web.forms import MESSAGE, load
from marketplace.web.guards import me
from marketplace.web.labs import schema_form, template_form, terms_form
from marketplace.web.labs.template_words import label_of
from marketplace.web.labs.terms_form import LimitsForm, TermsForm

CURRENCIES = ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "JPY")
LISTS = ("specialties", *terms_form.LISTS)
MINUTE_SECONDS = 60
ABSENT = "is missing. Add it."
DEADLINE = "%Y-%m-%dT%H:%M"
NAMES: Mapping[str, str] = {
    "/requirements/profession": "/profession",
    "/requirements/specialties": "/specialties",
    "/requirements/credential_level_min": "/credential_level_min",
    "/requirements/jurisdictions": "/jurisdictions",
    "/requirements/languages": "/languages",
    "/overlap/min": "/overlap_min",
    "/overlap/max": "/overlap_max",
    "/overlap/confidence_target": "/confidence_target",
    "/pay/amount_minor": "/pay",
    "/pay/per": "/pay_per",
    "/expected_seconds": "/expected_minutes",
    "/time_cap_seconds": "/time_cap_minutes",
    "/lease_seconds": "/lease_minutes",
    "/review/sample_ratio": "/review_percent",
    "/deadline_at": "/deadline",
    **terms_form.NAMES,
}
LEVELS = (
    (0, "None needed"),
    (1, "1: claimed, format checked"),
    (2, "2: found in the register"),
    (3, "3: register and identity"),
    (4, "4: active and unrestricted today"),
)
Words = dict[str, str | list[Any] | dict[Any, Any]]
WHOLE: Words = {"invalid": "Give a whole number.", "required": "Give a whole number."}
NUMBER: Words = {"invalid": "Give a number.", "required": "Give a number."}
TITLE: Words = {"required": "Write a title."}
CHOICE: Words = {"required": "Choose one.", "unknown": "Choose one of these."}
# Two weeks and a bit; the verbs know the exact limits, this keeps arithmetic small.
MINUTES = validate.Range(min=0, max=25_000, error="Give minutes from 0 to 25,000.")
PERCENT = validate.Range(min=0, max=100, error="Give a number from 0 to 100.")
RATIO = validate.Range(min=0, max=1, error="Give a number from 0 to 1.")
CURRENCY = validate.OneOf(CURRENCIES, error="Choose one of these.")


class JobForm(TermsForm):
    """A job as it is typed; fields left blank count as not given."""

    title = fields.String(required=True, error_messages=TITLE)
    domain = fields.String(load_default="")
    instructions_md = fields.String(load_default="")
    profession = fields.String(load_default=None)
    specialties = fields.List(fields.String(), load_default=list)
    credential_level_min = fields.Integer(load_default=0, error_messages=WHOLE)
    jurisdictions = fields.String(load_default="")
    languages = fields.String(load_default="")
    overlap_min = fields.Integer(required=True, error_messages=WHOLE)
    overlap_max = fields.Integer(required=True, error_messages=WHOLE)
    confidence_target = fields.Decimal(load_default=None, validate=RATIO, error_messages=NUMBER)
    pay = fields.String(load_default="0")
    currency = fields.String(required=True, validate=CURRENCY)
    pay_per = fields.Enum(PayPer, by_value=True, required=True, error_messages=CHOICE)
    expected_minutes = fields.Decimal(required=True, validate=MINUTES, error_messages=NUMBER)
    time_cap_minutes = fields.Decimal(load_default=None, validate=MINUTES, error_messages=NUMBER)
    lease_minutes = fields.Decimal(required=True, validate=MINUTES, error_messages=NUMBER)
    review_percent = fields.Decimal(
        load_default=Decimal(0), validate=PERCENT, error_messages=NUMBER
    )
    ai_policy = fields.Enum(AiPolicy, by_value=True, required=True, error_messages=CHOICE)
    deadline = fields.NaiveDateTime(
        format=DEADLINE, load_default=None, error_messages={"invalid": "Give a day and a time."}
    )

    @pre_load
    def without_blanks(self, given: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """What was left empty is not there."""
        return {
            name: value
            for name, value in given.items()
            if not (isinstance(value, str) and not value.strip())
        }

    @validates_schema(skip_on_field_errors=False)
    def fits(self, typed: Mapping[str, Any], **_: Any) -> None:
        """What takes two fields to say is told together with all the rest."""
        faults = {}
        try:
            parse_money(typed.get("pay", "0"), typed.get("currency", "USD"))
        except Faulty as wrong:
            faults["pay"] = [one.message for one in wrong.faults]
        least, most = typed.get("overlap_min"), typed.get("overlap_max")
        if least is not None and most is not None and most < least:
            faults["overlap_max"] = ["This must be at least the smallest number."]
        if faults:
            raise ValidationError(faults)


class RunningForm(LimitsForm):
    """What may change while a job runs."""

    title = fields.String(required=True, error_messages=TITLE)
    review_percent = fields.Decimal(
        load_default=Decimal(0), validate=PERCENT, error_messages=NUMBER
    )
    deadline = JobForm._declared_fields["deadline"]
    without_blanks = JobForm.without_blanks


def job_fields(kind: str, *, checked: bool = True) -> JobFields:
    """The arguments of `create_job` and `change_job` that the form describes; Faulty with all
    faults of its fields and, where it is to be checked, of its template at once."""
    template, faults = template_form.read(kind, request.form)
    wrong = TASK_TYPES[kind].check_template(template) if checked and not faults else []
    faults += [Fault(f"/template{fault.pointer}", _in_words(fault)) for fault in wrong]
    try:
        given = _given(load(JobForm))
    except Faulty as faulty:
        raise Faulty(MESSAGE, [*faulty.faults, *faults]) from None
    if faults:
        raise Faulty(MESSAGE, faults)
    fields: JobFields = given | {"template": template}  # type: ignore[assignment]
    return fields


def _in_words(fault: Fault) -> str:
    """What is missing is called as the form calls it."""
    if not fault.message.endswith(ABSENT):
        return fault.message
    return f"“{label_of(fault.pointer.rpartition('/')[2])}” is needed. Fill it in."


def seen_version() -> int | None:
    """The version of the job that the form was filled from."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def running_fields() -> dict[str, Any]:
    """The arguments of `change_job` for a job that was published."""
    typed = load(RunningForm)
    return {
        "title": typed["title"],
        "review_sample_ratio": _share(typed["review_percent"]),
        "deadline_at": _aware(typed["deadline"]),
        "claims_live_max": typed["claims_live_max"],
        "tasks_a_person_max": typed["tasks_a_person_max"],
    }


def _given(typed: dict[str, Any]) -> dict[str, Any]:
    given = terms_form.given(typed)
    given["pay"] = parse_money(given["pay"], given.pop("currency"), pointer="/pay")
    given["jurisdictions"] = listed(given["jurisdictions"])
    given["languages"] = listed(given["languages"])
    given["expected_seconds"] = _seconds(given.pop("expected_minutes"))
    given["lease_seconds"] = _seconds(given.pop("lease_minutes"))
    cap = given.pop("time_cap_minutes")
    if cap is not None:
        given["time_cap_seconds"] = _seconds(cap)
    given["review_sample_ratio"] = _share(given.pop("review_percent"))
    given["deadline_at"] = _aware(given.pop("deadline"))
    return given


def listed(text: str) -> list[str]:
    """The words between commas and line breaks."""
    return [word.strip() for word in re.split(r"[,;\n]", text) if word.strip()]


def _seconds(minutes: Decimal) -> int:
    """Whole seconds: what was stored in seconds comes back unchanged."""
    return int((minutes * MINUTE_SECONDS).to_integral_value())


def _share(percent: Decimal) -> Decimal:
    return percent / 100


def _aware(at: datetime | None) -> datetime | None:
    return at and at.replace(tzinfo=ZoneInfo(reader_zone()))


@contextmanager
def in_form_words() -> Iterator[None]:
    """Move the faults of a verb from the API's body to the fields of the form."""
    try:
        yield
    except Faulty as faulty:
        moved = [Fault(NAMES.get(one.pointer, one.pointer), one.message) for one in faulty.faults]
        raise Faulty(faulty.message, moved) from None


def defaults(kind: str) -> dict[str, Any]:
    """What an empty form of a task type shows."""
    expected = EXPECTED_SECONDS[kind]
    return {
        "overlap_min": "2",
        "overlap_max": "3",
        "currency": "USD",
        "pay_per": PayPer.TASK.value,
        "expected_minutes": minutes(expected),
        "lease_minutes": minutes(max(1_800, 3 * expected)),
        "review_percent": "20",
        "ai_policy": AiPolicy.FORBIDDEN.value,
        "credential_level_min": "2",
        "template.rationale": "optional",
        **terms_form.defaults(),
    }


def values_of(job: Job, template: Json) -> dict[str, Any]:
    """What the form of a stored job shows."""
    deadline = job.deadline_at and job.deadline_at.astimezone(ZoneInfo(reader_zone()))
    return {
        "title": job.title,
        "domain": job.domain,
        "instructions_md": job.instructions_md,
        "profession": job.profession or "",
        "specialties": job.specialties,
        "credential_level_min": job.credential_level_min,
        "jurisdictions": ", ".join(job.jurisdictions),
        "languages": ", ".join(job.languages),
        "overlap_min": job.overlap_min,
        "overlap_max": job.overlap_max,
        "confidence_target": "" if job.confidence_target is None else f"{job.confidence_target:f}",
        "pay": f"{job.pay.decimal():f}" if job.pay_minor else "",
        "currency": job.currency,
        "pay_per": job.pay_per.value,
        "expected_minutes": minutes(job.expected_seconds),
        "time_cap_minutes": minutes(job.time_cap_seconds),
        "lease_minutes": minutes(job.lease_seconds),
        "review_percent": f"{(job.review_sample_ratio * 100).normalize():f}",
        "ai_policy": job.ai_policy.value,
        "deadline": deadline.strftime(DEADLINE) if deadline else "",
        **terms_form.values_of(job),
        **template_form.values_of(job.task_type, template),
    }


def typed_values() -> dict[str, Any]:
    """What was typed, to fill the form again."""
    return {
        name: texts if name in LISTS else texts[0] for name, texts in request.form.lists() if texts
    }


def minutes(seconds: int) -> str:
    """Seconds as the minutes that a person types: `4`, `5.5`."""
    return f"{(Decimal(seconds) / MINUTE_SECONDS).quantize(Decimal('0.0001')).normalize():f}"


@pass_context
def fault_below(context: Context, name: str) -> str:
    """The faults of a field that holds a whole list: of itself, and of what is in it."""
    errors = context.get("errors") or {}
    found = [text for at, text in errors.items() if at == name or at.startswith(f"{name}.")]
    return " ".join(dict.fromkeys(found))


def facts(kind: str, values: Mapping[str, Any], job: Job | None = None) -> dict[str, Any]:
    """What the template of the form needs."""
    with transaction() as session:
        offered = catalogue(session).offered_professions()
        terms = terms_form.facts(session)
        models = endpoint_names(session, me())
    return terms | {
        "job": job,
        "kind": TASK_TYPES[kind],
        "values": values,
        "rows": template_form.rows_of(values),
        "parts": schema_form.parts_of(TASK_TYPES[kind].template_schema),
        "fault": fault_below,
        "models": models,
        "zone": reader_zone(),
        "professions": [("", "Any"), *((each.key, each.title) for each in offered.values())],
        "catalogue": offered,
        "levels": LEVELS,
        "currencies": [(code, code) for code in CURRENCIES],
        "ai_policies": [(each.value, AI_POLICY_LABELS[each], "") for each in AiPolicy],
        "running": job is not None and job.state is not JobState.DRAFT,
    }
