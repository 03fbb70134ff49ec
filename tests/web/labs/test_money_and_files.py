"""Publishing, review, top-ups, files: what a lab does, and who may not."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.ids import OrganisationId
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.review.rules import Verdict
from marketplace.routing import service as routing
from marketplace.work import queries as work_queries
from tests.jobs.test_import_archives import SHELF, cells
from tests.make import identity, jobs, specialists, uploads, work
from tests.make.files import zipped
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

PRICE = Money(16_20, "USD")


def free(session: Session, lab: Actor) -> Money:
    """What the lab may still reserve."""
    session.expire_all()
    return ledger.lab_balance(session, OrganisationId(lab.organisation()), "USD").available


def test_the_price_is_shown_before_any_money_moves(
    session: Session, lab: Actor, owner: Browser
) -> None:
    work.money_in(session, lab, Money(20_00, "USD"))
    specialists.doctor(session)
    job = jobs.filled(session, lab, items=3)

    page = text_of(checked(owner.get(f"/lab/jobs/{job.id}/publish")))

    assert "Publish and reserve $16.20" in page
    assert "Specialists eligible now fewer than five" in page
    assert Money(20_00, "USD") == free(session, lab)


def test_publishing_reserves_the_price(session: Session, lab: Actor, owner: Browser) -> None:
    work.money_in(session, lab, Money(20_00, "USD"))
    job = jobs.filled(session, lab, items=3)

    answer = owner.post(f"/lab/jobs/{job.id}/publish")

    assert (303, f"/lab/jobs/{job.id}") == (answer.status_code, answer.location)
    assert Money(20_00, "USD") - PRICE == free(session, lab)
    assert JobState.OPEN is session.get_one(Job, job.id).state


def test_without_the_money_the_page_says_how_much_is_missing(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.filled(session, lab, items=3)

    page = text_of(checked(owner.post(f"/lab/jobs/{job.id}/publish"), 409))

    assert "Your balance is $16.20 short." in page
    assert "amount=16.20" in owner.get(f"/lab/jobs/{job.id}/publish").text
    assert JobState.DRAFT is session.get_one(Job, job.id).state


def test_what_stands_in_the_way_is_listed_with_the_place_to_mend_it(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.draft(session, lab, instructions_md="", pay=Money(0, "USD"))

    page = checked(owner.post(f"/lab/jobs/{job.id}/publish"), 422)

    for place in ("edit#field-instructions_md", "edit#field-pay", "items"):
        assert f'href="/lab/jobs/{job.id}/{place}"' in page


def test_closing_says_first_what_comes_back(session: Session, lab: Actor, owner: Browser) -> None:
    _, job = work.published(session, lab, items=3)
    work.claimed(session, specialists.doctor(session), job)
    before = free(session, lab)

    page = text_of(checked(owner.get(f"/lab/jobs/{job.id}/close")))
    owner.post(f"/lab/jobs/{job.id}/close")

    assert "Returns to your balance at once $10.80" in page
    assert before + Money(10_80, "USD") == free(session, lab)


VERBS = ["publish", "pause", "resume", "close", "edit", "items", "imports"]


@pytest.mark.parametrize("part", VERBS)
def test_a_viewer_looks_on(
    session: Session, lab: Actor, browse: Callable[[], Browser], part: str
) -> None:
    job = jobs.filled(session, lab)
    viewer = browse().sign_in(session, identity.member(session, lab, Role.VIEWER))

    assert 403 == viewer.post(f"/lab/jobs/{job.id}/{part}").status_code
    page = checked(viewer.get(f"/lab/jobs/{job.id}/publish"))
    assert f'action="/lab/jobs/{job.id}/publish"' not in page
    for hidden in ("/lab/balance", "/lab/review", "/lab/exports", "/lab/jobs/new"):
        assert 403 == viewer.get(hidden).status_code


def test_another_lab_sees_nothing(
    session: Session, lab: Actor, browse: Callable[[], Browser]
) -> None:
    _, job = work.published(session, lab, review_sample_ratio=1)
    given = work.submitted(session, specialists.doctor(session), job)
    stranger = browse().sign_in(session, identity.lab_owner(session, name="Halden"))

    for path in (
        *(f"/lab/jobs/{job.id}{part}" for part in ("", "/items", "/edit", "/exports", "/close")),
        f"/lab/review/{job.id}",
        f"/lab/submissions/{given.id}",
    ):
        assert 404 == stranger.get(path).status_code
    assert 404 == stranger.post(f"/lab/jobs/{job.id}/pause").status_code
    decision = f"/lab/submissions/{given.id}/decision"
    assert 404 == stranger.post(decision, {"verdict": "accept"}).status_code


def test_reviewing_goes_from_one_to_the_next(session: Session, lab: Actor, owner: Browser) -> None:
    _, job = work.published(session, lab, review_sample_ratio=1)
    doctor = specialists.doctor(session)
    first, second = (work.submitted(session, doctor, job) for _ in range(2))
    page = checked(owner.get(f"/lab/review/{job.id}"))
    assert f'name="next" value="{second.id}"' in page
    shown = text_of(page)
    assert "Level 4 Medicine" in shown
    assert "US-CA" not in shown  # The only cardiologist there would be known by it.

    answer = owner.post(
        f"/lab/submissions/{first.id}/decision", {"verdict": "accept", "next": str(second.id)}
    )

    assert f"/lab/review/{job.id}?at={second.id}" == answer.location
    session.expire_all()
    assert "accepted" == work_queries.submission_of(session, lab, first.id).submission.state


def test_sending_back_without_a_reason_keeps_what_was_typed(
    session: Session, lab: Actor, owner: Browser
) -> None:
    _, job = work.published(session, lab, review_sample_ratio=1)
    given = work.submitted(session, specialists.doctor(session), job)
    typed: dict[str, object] = {
        "verdict": "rework",
        "note": "Too bad",
        "defects.0.what": "<b>Dose</b>",
    }

    page = checked(owner.post(f"/lab/submissions/{given.id}/decision", typed), 422)

    assert "Choose one of minor, major, critical." in page
    assert 'value="&lt;b&gt;Dose&lt;/b&gt;"' in page
    assert "Too bad</textarea>" in page


def test_a_second_round_shows_the_first(session: Session, lab: Actor, owner: Browser) -> None:
    _, job = work.published(session, lab, items=1, review_sample_ratio=1)
    doctor = specialists.doctor(session)
    first = work.submitted(session, doctor, job, work.answer("a"))
    work.decided(session, lab, first, Verdict.REWORK)
    claim = work_queries.claims_in_hand(session, doctor)[0][0]
    routing.submit_and_claim_next(
        session,
        doctor,
        claim.id,
        fence=claim.fence,
        envelope=work.answer("b"),
        wants_next=False,
    )

    page = text_of(checked(owner.get(f"/lab/review/{job.id}")))

    assert "Answer B is better" in page
    assert "Round 1, sent back" in page
    assert "The first answer names the dose." in page


def test_lines_that_cannot_be_used_stay_in_the_box(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.draft(session, lab)
    good = jobs.line("one").decode()

    page = checked(owner.post(f"/lab/jobs/{job.id}/items", {"lines": f"{good}\nnot json"}), 422)

    assert "1 line could not be used." in text_of(page)
    assert "\nnot json</textarea>" in page
    again = owner.post(f"/lab/jobs/{job.id}/items", {"lines": good})
    assert 303 == again.status_code


def test_a_file_is_looked_at_and_then_read_in_the_background(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.draft(session, lab)
    sent = (BytesIO(b"\n".join([*jobs.lines(1), b"broken"])), "items.jsonl")

    answer = owner.post(f"/lab/jobs/{job.id}/imports", {"file": sent})

    looked = checked(owner.get(answer.location))
    assert "Nothing of it is read yet." in text_of(looked)
    assert "Row 2 cannot be used." in text_of(looked)
    owner.post(f"{answer.location}/look", {"kind": "records"})
    assert "Columns" in text_of(checked(owner.get(answer.location)))
    owner.post(f"{answer.location}/read", {"kind": "jsonl"})
    page = checked(owner.get(answer.location))
    assert 'hx-trigger="every 1s"' in page
    part = owner.get(answer.location, **{"HX-Request": "true", "HX-Target": "import-progress"})
    assert part.text.strip().startswith('<div id="import-progress"')


def test_an_archive_is_looked_at_before_its_images_are_in(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = cells(session, lab)
    sent = (BytesIO(zipped(SHELF)), "set.zip")

    answer = owner.post(f"/lab/jobs/{job.id}/imports", {"file": sent})

    page = text_of(checked(owner.get(answer.location)))
    assert "In it: 1 file .json, 1 file .md, 2 files .png." in page
    assert "one.png comes with the archive" in page
    assert 303 == owner.post(f"{answer.location}/drop", {}).status_code
    assert "This file was not read." in text_of(checked(owner.get(answer.location)))
    access: dict[str, object] = {
        "source": "s3://x",
        "access_key_id": "a",
        "secret_access_key": "b",
    }
    wrong = checked(owner.post(f"/lab/jobs/{job.id}/imports/bucket", access), 422)
    assert 'id="field-source-error"' in wrong
    assert 'value="b"' not in wrong


@pytest.mark.parametrize("name", ["items.exe", ""])
def test_a_file_that_we_do_not_read_is_refused_beside_its_field(
    session: Session, lab: Actor, owner: Browser, name: str
) -> None:
    job = jobs.draft(session, lab)

    answer = owner.post(f"/lab/jobs/{job.id}/imports", {"file": (BytesIO(b"x"), name)})

    assert 'id="field-file-error"' in checked(answer, 422)


@pytest.mark.parametrize("amount", ["", "abc", "0.10", "-5", "99999999999"])
def test_a_top_up_that_no_card_can_pay_is_refused(owner: Browser, amount: str) -> None:
    page = checked(owner.post("/lab/balance/top-ups", {"amount": amount, "currency": "USD"}), 422)

    assert 'id="field-amount-error"' in page


def test_an_export_is_asked_for_with_its_policy(
    session: Session, lab: Actor, owner: Browser
) -> None:
    _, job = work.published(session, lab)
    asked: dict[str, object] = {"format": "trl_preference", "policy": "majority"}

    answer = owner.post(f"/lab/jobs/{job.id}/exports", asked)

    assert 'hx-trigger="every 1s"' in checked(owner.get(answer.location))
    assert 409 == owner.get(f"{answer.location}/file").status_code
    wrong = owner.post(f"/lab/jobs/{job.id}/exports", asked | {"policy": "loudest"})
    assert "cannot follow the policy" in checked(wrong, 422)
    assert "Choose one of" in checked(
        owner.post(f"/lab/jobs/{job.id}/exports", asked | {"format": "<x>"}), 422
    )


def test_a_running_job_keeps_what_specialists_agreed_to(
    session: Session, lab: Actor, owner: Browser
) -> None:
    _, job = work.published(session, lab)

    owner.post(f"/lab/jobs/{job.id}/settings", {"title": "New title", "review_percent": "50"})
    refused = owner.post(f"/lab/jobs/{job.id}/settings", {"title": "", "review_percent": "50"})

    session.expire_all()
    assert "New title" == session.get_one(Job, job.id).title
    checked(refused, 422)


def test_numbers_in_addresses_never_break_a_page(
    session: Session, lab: Actor, owner: Browser
) -> None:
    _, job = work.published(session, lab)
    for path in (
        f"/lab/jobs/{job.id}/items?after=99999999999999999999999",
        f"/lab/jobs/{job.id}/items?after=-1",
        f"/lab/jobs/{job.id}/submissions?after=x&state=none",
        "/lab/jobs?after=x&state=%00",
        f"/lab/review/{job.id}?at=x&after=y",
        "/lab/balance?amount=%3Cscript%3E",
    ):
        checked(owner.get(path))


def test_a_file_over_the_limit_of_forms_is_taken_by_the_page(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = jobs.draft(session, lab)
    rows = b"\n".join(jobs.line(str(n), jobs.pair(n, a="long " * 20_000)) for n in range(30))

    form = uploads.form("items.jsonl", rows, csrf_token=owner.form_token())
    answer = owner.client.post(f"/lab/jobs/{job.id}/imports", **form)

    assert len(rows) > 2 * 1024 * 1024
    assert 303 == answer.status_code
