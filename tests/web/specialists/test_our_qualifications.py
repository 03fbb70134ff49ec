"""A qualification of the platform's own says whom it serves."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace.identity.rules import Role
from tests.make import identity, qualification, specialists
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def test_the_page_says_for_whom_it_is(session: Session, browse: Callable[[], Browser]) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    _, job = qualification.published(session, staff, credential_type="coder_qualification")
    doctor = browse().sign_in(session, specialists.doctor(session))
    session.flush()  # The pages read by sessions of their own.

    page = text_of(checked(doctor.get(f"/work/qualifications/{job.id}")))
    listed = text_of(checked(doctor.get("/work/qualifications")))
    sent = doctor.post(f"/work/qualifications/{job.id}/attempts")

    assert "It is for people who work in software." in page
    assert "It asks for more" in listed
    assert "people who work in software" in text_of(doctor.get(sent.location or "").text)
