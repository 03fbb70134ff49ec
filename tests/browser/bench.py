"""One task of a type, open in the workbench of a doctor, for the browser tests of task types."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import select

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.work.models import Submission
from tests.browser.wcag import violations
from tests.browser.windows import Scheme, Windows
from tests.make import endpoints, identity, images, specialists, work
from tests.make.jobs import FEE_BASIS_POINTS
from tests.tasktypes.examples import EXAMPLES


@dataclass(frozen=True)
class Bench:
    """An open task. lab: who posted the job; cookies: of the doctor and of the lab."""

    page: Page
    job_id: JobId
    lab: Actor
    lab_cookie: str
    doctor_cookie: str

    def judgements(self) -> list[dict[str, Any]]:
        """What was handed in for the job, oldest first."""
        with transaction() as session:
            found = session.scalars(
                select(Submission.judgement)
                .where(Submission.job_id == self.job_id)
                .order_by(Submission.id)
                .limit(50)
            )
            return [dict(each) for each in found]

    def submission_id(self) -> str:
        """The first submission of the job."""
        with transaction() as session:
            wanted = select(Submission.id).where(Submission.job_id == self.job_id)
            return str(session.scalar(wanted.order_by(Submission.id).limit(1)))

    def reasons(self) -> list[dict[str, Any]]:
        """The reasons of the first submission of the job."""
        with transaction() as session:
            wanted = select(Submission.rationale_claims).where(Submission.job_id == self.job_id)
            return list(session.scalars(wanted.order_by(Submission.id).limit(1)).one())

    def handed_in(self) -> dict[str, Any]:
        """Press Enter outside of every field, and read what arrived."""
        self.page.keyboard.press("Control+Enter")
        expect(self.page.locator("x-workbench")).to_have_count(0)
        (judgement,) = self.judgements()
        return judgement


def open_task(
    windows: Windows,
    kind: str,
    *,
    template: dict[str, Any] | None = None,
    payload: dict[str, Any] | None = None,
    prelabels: list[dict[str, Any]] | None = None,
    width: int = 1280,
    scheme: Scheme = "light",
    image: bytes = images.SCAN,
    **fields: Any,
) -> Bench:
    """A running job of one item, by default the type's example, claimed by a doctor and open."""
    with transaction() as session:
        lab = identity.lab_owner(session)
        work.money_in(session, lab, Money(1_000_00, "USD"))
        job = jobs.create_job(
            session,
            lab,
            task_type=kind,
            title="Second opinions",
            domain="cardiology",
            instructions_md="Prefer what a colleague could act on.",
            profession="medicine",
            pay=Money(30_00, "USD"),
            template=EXAMPLES[kind].template if template is None else template,
            **fields,
        )
        job_id = JobId(job.id)
        row = {
            "external_id": "item-1",
            "payload": payload or EXAMPLES[kind].payload,
            "prelabels": prelabels or [],
        }
        jobs.add_items(session, lab, job_id, [json.dumps(row).encode()])
    images.sent(lab, job_id, payload or EXAMPLES[kind].payload, image)
    with transaction() as session:
        endpoints.wanted(session, lab, EXAMPLES[kind].template if template is None else template)
        routing.publish_job(session, lab, job_id, fee_basis_points=FEE_BASIS_POINTS)
        doctor = specialists.doctor(session)
    with transaction() as session:
        claim = routing.claim_next(session, doctor, job_id=job_id)
        assert claim is not None
        path = f"/work/tasks/{claim.id}"
        lab_cookie, cookie = identity.cookie(session, lab), identity.cookie(session, doctor)
    page = windows.open(cookie=cookie, width=width, scheme=scheme)
    page.goto(path)
    return Bench(page, job_id, lab, lab_cookie, cookie)


def assert_accessible(page: Page) -> None:
    """No violation of WCAG 2.2 A or AA in the page as it stands."""
    assert [] == violations(page)
