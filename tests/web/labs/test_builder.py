"""The builder: what is typed becomes a job, what is wrong stands beside its field."""

from __future__ import annotations

import html
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.demo.materials import job_materials
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.tasktypes import TASK_TYPES
from marketplace.web.labs import template_form
from tests.make import jobs
from tests.tasktypes.examples import EXAMPLES
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

SCRIPT = '<script>alert("x")</script>'
TYPED: dict[str, object] = {
    "task_type": "rubric",
    "title": "Rate summaries",
    "domain": "cardiology",
    "instructions_md": "Score what the note says.",
    "profession": "medicine",
    "specialties": ["cardiology", "neurology"],
    "credential_level_min": "2",
    "jurisdictions": "us-ca, GB",
    "languages": "en",
    "overlap_min": "2",
    "overlap_max": "3",
    "confidence_target": "0.9",
    "pay": "12.50",
    "currency": "EUR",
    "pay_per": "task",
    "expected_minutes": "5.5",
    "lease_minutes": "30",
    "review_percent": "25",
    "ai_policy": "disclosed",
    "deadline": "2099-05-01T12:00",
    "skill_percent": "70",
    "distinct_by": ["household", "device"],
    "claims_live_max": "3",
    "tasks_a_person_max": "20",
    "late_pay": "half",
    "cannot_complete_percent": "25",
    "contingency_percent": "10",
    "template.question": "How good is it?",
    "template.rationale": "required",
    "template.aspects.0.title": "Clinical safety",
    "template.aspects.0.key": "",
    "template.aspects.0.scale.min": "1",
    "template.aspects.0.scale.max": "5",
    "template.aspects.0.scale.anchors": "1: Would harm\n5: Safe",
    "template.aspects.1.title": "",
    "template.aspects.2.title": "Tone",
    "template.aspects.2.key": "tone",
    "template.aspects.2.scale.min": "0",
    "template.aspects.2.scale.max": "2",
    "template.aspects.2.allow_na": "true",
}


def newest(session: Session, lab: Actor) -> Job:
    """The lab's newest job."""
    session.expire_all()
    return queries.jobs_of(session, lab)[0]


def test_everything_typed_becomes_the_job(session: Session, lab: Actor, owner: Browser) -> None:
    answer = owner.post("/lab/jobs/new", TYPED)

    job = newest(session, lab)
    assert (303, f"/lab/jobs/{job.id}/items") == (answer.status_code, answer.location)
    assert ["cardiology", "neurology"] == job.specialties
    assert (["US-CA", "GB"], ["en"]) == (job.jurisdictions, job.languages)
    assert (Money(12_50, "EUR"), 330, 1_800) == (job.pay, job.expected_seconds, job.lease_seconds)
    assert ("0.250", "0.900") == (str(job.review_sample_ratio), str(job.confidence_target))
    assert (["household", "device"], 3, 20) == (
        job.distinct_by,
        job.claims_live_max,
        job.tasks_a_person_max,
    )
    assert ("half", "0.700", "0.250", "0.100") == (
        job.late_pay,
        str(job.skill_min),
        str(job.cannot_complete_ratio),
        str(job.contingency_ratio),
    )
    assert queries.template_version(session, lab, job.id).template == {
        "question": "How good is it?",
        "rationale": "required",
        "aspects": [
            {
                "key": "clinical_safety",
                "title": "Clinical safety",
                "scale": {
                    "min": 1,
                    "max": 5,
                    "anchors": {"1": "Would harm", "5": "Safe"},
                },
            },
            {
                "key": "tone",
                "title": "Tone",
                "scale": {"min": 0, "max": 2},
                "allow_na": True,
            },
        ],
    }


def test_saving_unchanged_changes_nothing(session: Session, lab: Actor, owner: Browser) -> None:
    owner.post("/lab/jobs/new", TYPED)
    job = newest(session, lab)
    before = {column.key: getattr(job, column.key) for column in Job.__table__.columns}

    owner.post(f"/lab/jobs/{job.id}/edit", TYPED | {"version": "1"})

    job = newest(session, lab)
    assert before == {column.key: getattr(job, column.key) for column in Job.__table__.columns}


@pytest.mark.parametrize(
    "fault",
    [
        ("title", " ", "Write a title."),
        ("pay", "abc", "Write an amount such as"),
        ("pay", "1.234", "EUR has 2 decimal places"),
        ("overlap_max", "1", "at least the smallest"),
        ("overlap_min", "many", "Give a whole number."),
        ("jurisdictions", "Elbonia", "ISO 3166"),
        ("lease_minutes", "1e9", "Give minutes from 0 to 25,000."),
        ("review_percent", "101", "Give a number from 0 to 100."),
        ("deadline", "tomorrow", "Give a day and a time."),
        ("currency", "XXX", "Choose one of these."),
        ("template.aspects.0.scale.max", "0", "The scale must end above"),
        ("template.aspects.0.key", "Not A Key", "lower-case letters"),
        ("template_text", "{", "neither JSON nor YAML"),
        ("template_text", "a: &x [1]\nb: *x", "neither JSON nor YAML"),
        ("template_text", "[" * 100_000, "neither JSON nor YAML"),
        ("template_text", "- a list", "Write an object"),
    ],
)
def test_a_fault_stands_beside_its_field_and_nothing_typed_is_lost(
    session: Session, lab: Actor, owner: Browser, fault: tuple[str, str, str]
) -> None:
    name, value, words = fault
    page = checked(owner.post("/lab/jobs/new", TYPED | {name: value}), 422)

    assert f'id="field-{name.replace(".", "-")}-error"' in page
    assert words in html.unescape(page)
    kept = {"title": "Rate summaries", "pay": "12.50", "jurisdictions": "us-ca, GB"} | {name: value}
    for each, text in kept.items():
        if len(text) < 100 and each not in {"currency", "deadline", "template_text"}:
            assert f'value="{text}"' in page
    assert [] == list(queries.jobs_of(session, lab))


def test_all_faults_are_told_at_once(owner: Browser) -> None:
    chat = checked(owner.post("/lab/jobs/new", TYPED | {"task_type": "chat"}), 422)
    assert "“Models that answer” is needed. Fill it in." in html.unescape(chat)
    wrong = {"title": "", "pay": "x", "overlap_min": "9", "template.aspects.0.title": ""}
    page = text_of(checked(owner.post("/lab/jobs/new", TYPED | wrong), 422))

    assert "4 things stand in the way." in page


def test_script_in_every_text_field_is_shown_as_text(
    session: Session, lab: Actor, owner: Browser
) -> None:
    texts = ("title", "domain", "instructions_md", "template.question", "template.aspects.0.title")
    owner.post("/lab/jobs/new", TYPED | dict.fromkeys(texts, SCRIPT))
    job = newest(session, lab)
    for part in ("", "/items", "/edit", "/publish", "/close"):
        page = checked(owner.get(f"/lab/jobs/{job.id}{part}"))
        assert "<script>alert" not in page
        assert "alert(" in text_of(page)
    preview = owner.post("/lab/jobs/preview", {"instructions_md": SCRIPT})
    assert "<script>alert" not in checked(preview)


def test_an_old_page_does_not_undo_what_a_colleague_changed(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.draft(session, lab)
    service.change_job(session, lab, job.id, title="Changed by a colleague")

    plain = {name: text for name, text in TYPED.items() if ".aspects." not in name}
    answer = owner.post(f"/lab/jobs/{job.id}/edit", plain | {"version": "1"})

    assert 409 == answer.status_code
    assert "Changed by a colleague" == newest(session, lab).title


def test_the_hourly_rate_is_told_with_the_floor(owner: Browser) -> None:
    asked = "pay=1&currency=USD&pay_per=task&expected_minutes=6&profession=medicine"
    assert "$10.00 an hour" in owner.get(f"/lab/jobs/hourly-rate?{asked}").text
    assert (
        "The floor for this profession is $20.00"
        in owner.get(f"/lab/jobs/hourly-rate?{asked}").text
    )
    assert "appears here" in owner.get("/lab/jobs/hourly-rate?pay=x").text


TEMPLATES: list[tuple[str, dict[str, Any]]] = [
    *((kind, example.template) for kind, example in EXAMPLES.items()),
    *((material.task_type, material.template) for material in job_materials()),
]


@pytest.mark.parametrize(("kind", "template"), TEMPLATES)
def test_a_stored_template_comes_back_from_its_form(kind: str, template: dict[str, Any]) -> None:
    assert template_form.fits(kind, template)
    assert (template, []) == template_form.read(kind, template_form.values_of(kind, template))


def filled(schema: dict[str, Any], at: int = 0) -> Any:
    """A value with every part that a schema knows, two rows in each list."""
    if "enum" in schema:
        return schema["enum"][-1]
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: filled(each, at) for name, each in schema["properties"].items()}
        case "object":
            return {"1": "Mostly wrong", "2": "So: so"}
        case "array":
            return [filled(schema["items"], each) for each in range(2)]
        case "boolean":
            return False
        case "integer" | "number":
            return int(max(schema.get("minimum", 0), 1)) + at
    if "0-9a-f" in schema.get("pattern", ""):
        return "ab" * 32
    return f"key_{at}" if "a-z0-9_" in schema.get("pattern", "") else f"Words {at}: “here”, there"


@pytest.mark.parametrize("kind", TASK_TYPES)
def test_no_part_of_a_template_needs_raw_text(kind: str) -> None:
    assert template_form.fits(kind, filled(TASK_TYPES[kind].template_schema))
