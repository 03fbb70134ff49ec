"""The page about personal details: while it looks, when it found something, when it did not."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.jobs import queries, service
from tests.make import background, jobs
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def test_the_report_and_what_the_lab_says_of_it(
    session: Session, lab: Actor, owner: Browser
) -> None:
    secret = "123-45-6789"
    payload = jobs.pair(1, a=f"SSN {secret} of Mr John Smith")
    job = jobs.filled(session, lab, items=[jobs.line("row-1", payload), jobs.line("row-2")])
    path = f"/lab/jobs/{job.id}/scan"
    assert "0 of 2" in text_of(checked(owner.get(path)))
    assert "Looking through" in owner.get(path, **{"HX-Request": "true"}).text

    background.run_all()
    session.expire_all()
    page = checked(owner.get(path))
    assert "This keeps the job from being published" in text_of(page)
    assert "•••-••-••89" in page
    assert secret not in page
    publish = checked(owner.get(f"/lab/jobs/{job.id}/publish"))
    assert path in publish

    assert "Choose one of these" in checked(owner.post(f"{path}/declaration", {}), 422)
    assert 303 == owner.post(f"{path}/declaration", {"declaration": "none"}).status_code
    session.expire_all()
    assert "What you said of it" in text_of(checked(owner.get(path)))
    assert [] == queries.lint(session, job)
    assert 303 == owner.post(path).status_code


def test_nothing_found_is_no_proof(session: Session, lab: Actor, owner: Browser) -> None:
    job = jobs.filled(session, lab)
    session.flush()
    background.run_all()
    session.expire_all()

    assert "That is no proof" in text_of(checked(owner.get(f"/lab/jobs/{job.id}/scan")))
    empty = jobs.draft(session, lab)
    assert "No items yet" in text_of(checked(owner.get(f"/lab/jobs/{empty.id}/scan")))


def test_a_job_that_waits_for_the_labs_word_says_so_and_goes_on_with_it(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.opened(session, lab)
    payload = jobs.pair(9, a="SSN 123-45-6789")
    service.add_items(session, lab, job.id, [jobs.line("late", payload)])
    session.flush()
    background.run_all()
    session.expire_all()
    base = f"/lab/jobs/{job.id}"

    items = checked(owner.get(f"{base}/items"))
    assert "the scan found personal details" in text_of(items)
    assert f'<a href="{base}/scan">See what was found</a>' in items
    assert "waits for your word" in text_of(checked(owner.get(f"{base}/scan")))
    assert 303 == owner.post(f"{base}/scan/declaration", {"declaration": "permitted"}).status_code
    session.expire_all()
    assert "Paused" not in text_of(checked(owner.get(f"{base}/scan")))
