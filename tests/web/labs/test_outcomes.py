"""The page of a job's reports: gaps closed with a note, tasks that cannot be done."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import ClaimId
from marketplace.jobs.models import Job, TemplateVersion
from marketplace.jobs.rules import JobState
from marketplace.routing import service as routing
from marketplace.work.models import Outcome
from marketplace.work.rules import OutcomeKind
from tests.make import specialists, work
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

SAYING = "It does not say what a tie is."


def reported(session: Session, job: Job, kind: OutcomeKind, evidence: str = SAYING) -> Outcome:
    person = specialists.doctor(session)
    claim = work.claimed(session, person, job)
    return routing.report_outcome(
        session,
        person,
        ClaimId(claim.id),
        fence=claim.fence,
        kind=kind,
        evidence=evidence,
        clearance_days=7,
    ).outcome


def test_without_reports_the_page_says_what_would_stand_there(
    session: Session, lab: Actor, owner: Browser
) -> None:
    _, job = work.published(session, lab)

    page = text_of(checked(owner.get(f"/lab/jobs/{job.id}/reports")))

    assert "No gap is open" in page
    assert "Every task that was taken could be done so far" in page


def test_gaps_pause_the_job_and_a_note_resumes_it(
    session: Session, lab: Actor, owner: Browser
) -> None:
    _, job = work.published(session, lab, items=5)
    gaps = [reported(session, job, OutcomeKind.GUIDELINE_GAP) for _ in range(3)]
    path = f"/lab/jobs/{job.id}/reports"
    assert "Gaps open 3 met by 3 people" in text_of(checked(owner.get(path)))
    assert "See the reports" in text_of(checked(owner.get(f"/lab/jobs/{job.id}")))

    answer = owner.post(
        path, {"gap": [str(gap.id) for gap in gaps], "note": "Call it a tie.", "resume": "1"}
    )

    assert 303 == answer.status_code
    session.refresh(job)
    assert JobState.OPEN is job.state
    version = session.get_one(TemplateVersion, job.template_version_id)
    assert "Call it a tie." in version.instructions_md
    after = text_of(checked(owner.get(path)))
    assert "3 gaps that you closed" in after
    assert "The job hands out tasks again." in after


def test_a_note_is_asked_for_beside_its_field(session: Session, lab: Actor, owner: Browser) -> None:
    _, job = work.published(session, lab, items=2)
    gap = reported(session, job, OutcomeKind.GUIDELINE_GAP)
    path = f"/lab/jobs/{job.id}/reports"

    short = owner.post(path, {"gap": str(gap.id), "note": "no"})
    none = owner.post(path, {"note": "Call it a tie."})

    assert (422, 422) == (short.status_code, none.status_code)
    assert "Say what specialists should do there" in text_of(checked(short, 422))
    assert "Choose at least one of the reports." in text_of(checked(none, 422))


def test_tasks_that_cannot_be_done_are_listed_with_what_they_cost(
    session: Session, lab: Actor, owner: Browser
) -> None:
    _, job = work.published(session, lab, items=1, cannot_complete_ratio=0.2)
    for words in ("Both answers are empty.", "There is no text."):
        reported(session, job, OutcomeKind.CANNOT_COMPLETE, words)

    page = text_of(checked(owner.get(f"/lab/jobs/{job.id}/reports")))

    for words in ("Both answers are empty.", "There is no text.", "Not handed out any more"):
        assert words in page
    assert 2 == page.count("$0.90")


def test_an_extra_answer_is_reviewed_without_rework(
    session: Session, lab: Actor, owner: Browser
) -> None:
    _, job = work.published(session, lab, items=1, review_sample_ratio=1)
    late = work.late(session, specialists.doctor(session), job)

    page = checked(owner.get(f"/lab/review/{job.id}"))

    assert str(late.id) in page
    assert "An extra answer" in text_of(page)
    assert 'value="rework"' not in page
    checked(owner.get(f"/lab/jobs/{job.id}/submissions?state=surplus_in_review"))
    assert "1 to review" in text_of(checked(owner.get(f"/lab/jobs/{job.id}/reports")))
