"""The form of a job and its file are the same job: over and back without loss."""

from __future__ import annotations

import html
import io
import re

import pytest
import yaml
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.errors import Faulty
from marketplace.jobs import queries, service
from marketplace.jobs.models import Job
from marketplace.jobs.rules import document_of, fields_of
from marketplace.jobs.rules.document import PLACES
from marketplace.tasktypes import TASK_TYPES, Json
from marketplace.web.api.job_shapes import NewJob, flat
from marketplace.web.labs import job_file, schema_form, template_form
from tests.make import jobs
from tests.tasktypes.examples import EXAMPLES
from tests.web.conftest import Browser
from tests.web.labs.test_builder import TYPED, newest
from tests.web.pages import checked

HIDDEN = re.compile(r'<textarea id="field-document".*?>\n(.*?)</textarea>', re.DOTALL)


def columns(job: Job) -> dict[str, object]:
    """What a lab wrote into a job."""
    return {name: getattr(job, name) for name in PLACES if name != "template"} | {"pay": job.pay}


def text_in(page: str) -> str:
    """The document of the page."""
    found = HIDDEN.search(page)
    assert found
    return html.unescape(found[1])


def test_the_form_and_its_file_make_the_same_job(
    session: Session, lab: Actor, owner: Browser
) -> None:
    owner.post("/lab/jobs/new", TYPED)
    by_form = newest(session, lab)
    template = queries.template_version(session, lab, by_form.id).template

    text = text_in(checked(owner.post("/lab/jobs/as-text", TYPED)))
    owner.post("/lab/jobs/from-text", {"document": text})

    by_text = newest(session, lab)
    assert by_form.id != by_text.id
    assert columns(by_form) == columns(by_text)
    assert template == queries.template_version(session, lab, by_text.id).template
    again = text_in(checked(owner.post("/lab/jobs/as-text", TYPED)))
    assert text == again == owner.get(f"/lab/jobs/{by_text.id}/job.yaml").text
    form = checked(owner.post("/lab/jobs/as-form", {"document": text}))
    assert 'value="Clinical safety"' in form


@pytest.mark.parametrize("kind", sorted(TASK_TYPES))
def test_the_form_holds_every_type_whole(kind: str) -> None:
    template = EXAMPLES[kind].template

    assert template_form.fits(kind, template)
    assert schema_form.parts_of(TASK_TYPES[kind].template_schema)


def test_what_is_posted_over_the_api_is_what_a_file_says(session: Session, lab: Actor) -> None:
    job = jobs.draft(session, lab, deadline_at=None, skill_min=0.7, languages=["en"])
    fields = {name: {} if name == "template" else getattr(job, name) for name in PLACES}
    document = document_of("pairwise", fields | {"pay": job.pay})

    assert set(NewJob().fields) == set(document)
    over_api = service.create_job(session, lab, **flat(NewJob().load(document)))
    kind, given = fields_of(yaml.safe_load(job_file.written(job, {})))
    from_file = service.create_job(session, lab, task_type=kind, **given)
    session.flush()
    session.expire_all()
    assert columns(over_api) == columns(from_file) == columns(job)


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        ([], [""]),
        ({}, ["/task_type", "/title"]),
        ({"title": "x", "task_type": "rubric", "colour": 1}, ["/colour"]),
        ({"title": "x", "task_type": "rubric", "pay": 3}, ["/pay"]),
        ({"title": "x", "task_type": "rubric", "overlap": {"most": 3}}, ["/overlap/most"]),
        ({"title": "x", "task_type": "rubric", "overlap": {"min": "3"}}, ["/overlap/min"]),
        (
            {"title": "x", "task_type": "rubric", "pay": {"amount_minor": 1.5, "currency": "USD"}},
            ["/pay/amount_minor"],
        ),
        ({"title": "x", "task_type": "rubric", "deadline_at": "soon"}, ["/deadline_at"]),
    ],
)
def test_a_faulty_document_says_where(document: Json, pointers: list[str]) -> None:
    with pytest.raises(Faulty) as refused:
        fields_of(document)

    assert pointers == [fault.pointer for fault in refused.value.faults]


def test_a_file_opens_in_the_form_and_a_faulty_one_as_it_is(owner: Browser) -> None:
    good = {"title": "Rate “summaries”", "task_type": "pairwise"}
    sent = io.BytesIO(yaml.safe_dump(good, allow_unicode=True).encode())
    page = checked(owner.post("/lab/jobs/from-file", {"file": (sent, "job.yaml")}))
    assert "Rate “summaries”" in html.unescape(page)

    sent = io.BytesIO(b"title: x\ntask_type: juggling\n")
    page = checked(owner.post("/lab/jobs/from-file", {"file": (sent, "job.yaml")}), 422)
    assert "Choose one of" in page
    assert "task_type: juggling" in page


def test_a_draft_is_changed_by_its_file(session: Session, lab: Actor, owner: Browser) -> None:
    job = jobs.draft(session, lab)
    text = owner.get(f"/lab/jobs/{job.id}/job.yaml").text.replace("safer?", "kinder?")

    answer = owner.post(
        "/lab/jobs/from-text", {"document": text, "job_id": str(job.id), "version": "1"}
    )

    assert 303 == answer.status_code
    assert "Which discharge summary is kinder?" == newest(session, lab).title
