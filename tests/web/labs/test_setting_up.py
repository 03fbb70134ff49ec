"""Setting up a job: previews, ready jobs, Label Studio, what is worth a look, versions."""

from __future__ import annotations

import html
import json
import re

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.endpoints import service as endpoints
from marketplace.ids import JobId
from marketplace.jobs import queries, service
from marketplace.jobs.rules import fields_of
from marketplace.jobs.rules.gallery import ReadyJob, ready_jobs
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from tests.make import jobs, specialists
from tests.make import work as make
from tests.make.endpoints import endpoint
from tests.tasktypes.examples import EXAMPLES
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

ASPECT = {
    "template.aspects.0.title": "Safety",
    "template.aspects.0.scale.min": "1",
    "template.aspects.0.scale.max": "5",
}


def test_the_preview_follows_the_form_and_shows_own_rows(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.filled(session, lab, items=3)
    asked: dict[str, object] = {
        "task_type": "pairwise",
        "job_id": str(job.id),
        "template.question": "Kinder?",
    }

    page = checked(owner.post("/lab/jobs/preview-task", asked))
    later = text_of(checked(owner.post("/lab/jobs/preview-task", asked | {"row": "1"})))

    assert "Kinder?" in page
    assert "Item 1 of your first 3: item-1" in text_of(page)
    assert "First answer 2" in later
    assert "First answer 1" not in later


@pytest.mark.parametrize("ready", ready_jobs(), ids=lambda each: each.key)
def test_every_ready_job_opens_in_the_builder_with_its_task(
    owner: Browser, ready: ReadyJob
) -> None:
    page = html.unescape(checked(owner.get(f"/lab/jobs/ready/{ready.key}")))
    assert ready.title in page
    shown: dict[str, object] = {
        "task_type": ready.task_type,
        "template_text": json.dumps(ready.document["template"]),
    }
    preview = checked(owner.post("/lab/jobs/preview-task", shown))
    first = "Example 1 of" if ready.items else "There is no item yet to show."
    assert first in text_of(preview)
    assert bool(ready.items) == ("<fieldset" in preview)


def test_a_ready_chat_takes_the_labs_own_models(
    session: Session, lab: Actor, owner: Browser
) -> None:
    ready = next(each for each in ready_jobs() if each.task_type == "chat")
    address = f"/lab/jobs/ready/{ready.key}"
    assert "No model is set up yet." in text_of(checked(owner.get(address)))
    for name in ("small", "large"):
        endpoint(session, lab, name)
    retired = endpoint(session, lab, "retired")
    endpoints.retire_endpoint(session, lab, retired.id)

    chosen = re.findall(r'value="([^"]*)" selected>', _models(checked(owner.get(address))))
    kind, fields = fields_of(ready.document)
    job = service.create_job(session, lab, task_type=kind, **fields)
    kept = _models(checked(owner.get(f"/lab/jobs/{job.id}/edit")))

    assert ["large", "small"] == chosen[:2]
    assert "your-model (not under Models)" in kept
    assert "retired" not in kept


def _models(page: str) -> str:
    """The lists of models of a form."""
    return "".join(re.findall(r'<select[^>]*name="template[^"]*endpoint".*?</select>', page))


def test_a_red_team_job_needs_the_model_that_it_names(session: Session, lab: Actor) -> None:
    template = EXAMPLES["red_team"].template | {"mode": "live", "endpoint": "nowhere"}
    job = service.create_job(
        session, lab, task_type="red_team", title="Attack it", template=template
    )

    assert ["/template/endpoint"] == [
        each.pointer for each in queries.lint(session, job) if "endpoint" in each.pointer
    ]


def test_a_template_with_faults_says_them_instead(owner: Browser) -> None:
    wrong: dict[str, object] = {
        "task_type": "rubric",
        **ASPECT,
        "template.aspects.0.scale.max": "0",
    }
    page = text_of(checked(owner.post("/lab/jobs/preview-task", wrong)))

    assert "The task appears once its template fits." in page
    assert "The scale must end above" in page


def test_the_gallery_filters(owner: Browser) -> None:
    page = text_of(checked(owner.get("/lab/jobs/ready?profession=law&type=ranking")))

    assert "Rank drafts of a clause" in page
    assert "Review a change" not in page


def test_a_label_studio_configuration_becomes_a_form(owner: Browser) -> None:
    config = (
        '<View><Header value="Mark it"/><Text name="t" value="$note"/><Labels name="l" toName="t">'
        '<Label value="Drug" hotkey="1"/></Labels><Taxonomy name="x" toName="t"/></View>'
    )
    page = text_of(checked(owner.post("/lab/jobs/label-studio", {"config": config})))

    assert "It becomes: " in page
    assert "Trees of labels are not carried over" in page
    refused = owner.post("/lab/jobs/label-studio", {"config": "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"})
    assert "declares entities" in checked(refused, 422)


def test_publishing_shows_what_is_worth_a_look(
    session: Session, lab: Actor, owner: Browser
) -> None:
    template = {"allow_tie": False, "allow_both_bad": False}
    job = jobs.filled(session, lab, template=template)

    page = checked(owner.get(f"/lab/jobs/{job.id}/publish"))

    assert "One answer must win" in page
    assert f"/lab/jobs/{job.id}/edit#field-template-allow_tie" in page
    assert "First answer 1" in page
    assert [] == queries.lint(session, job)


def test_a_new_version_is_looked_at_before_it_is_made(
    session: Session, lab: Actor, owner: Browser
) -> None:
    lab, job = make.published(session, lab, items=1, overlap_min=1, pay=Money(4_50, "USD"))
    make.submitted(session, specialists.doctor(session), job)
    before = ledger.job_balance(session, JobId(job.id), "USD")
    address = f"/lab/jobs/{job.id}/versions"
    typed: dict[str, object] = {
        "version": str(job.version),
        "template.question": "Safer?",
        "template.aspects.0.title": "Dosing",
        "instructions_md": "Prefer the safer one.",
        "change": "reopen",
        "pay": "6.05",
    }
    checked(owner.get(f"{address}/new"))

    looked = checked(owner.post(address, typed))
    page = text_of(looked)
    (text,) = re.findall(r'name="template_text"[^>]*>([^<]*)<', looked)
    typed["template_text"] = html.unescape(text)
    assert "1 judgement is asked for again, at $6.05 each and $7.26 with our fee" in page
    assert before == ledger.job_balance(session, JobId(job.id), "USD")
    answer = owner.post(address, typed | {"seen": "726"})

    assert 303 == answer.status_code
    session.expire_all()
    assert Money(7_26, "USD") == ledger.job_balance(session, JobId(job.id), "USD") - before
    listed = text_of(checked(owner.get(address)))
    assert "Version 2" in listed
    assert "judged tasks are asked again" in listed
    assert "Prefer the safer one." in listed
    assert {"question": "Safer?", "aspects": [{"key": "dosing", "title": "Dosing"}]} == (
        queries.template_version(session, lab, job.id).template
    )


def test_a_draft_has_versions_too(session: Session, lab: Actor, owner: Browser) -> None:
    job = jobs.draft(session, lab)
    service.change_job(session, lab, job.id, template={"question": "Which?"})

    page = text_of(checked(owner.get(f"/lab/jobs/{job.id}/versions")))

    assert "/question" in page
    assert "Added" in page
