"""Erasing a person on their page, in twos."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from marketplace.identity.rules import Role
from tests.make import identity, specialists, work
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def test_one_writes_it_down_and_another_does_it(
    session: Session, browse: Callable[[], Browser]
) -> None:
    person = identity.specialist(session, name="Zolka Ferrante")
    specialists.verified(session, person)
    one = browse().sign_in(session, identity.staff(session, Role.OPERATIONS, name="Olga"))
    other = browse().sign_in(session, identity.staff(session, Role.ADMINISTRATOR))
    own = browse().sign_in(session, person)
    auditor = browse().sign_in(session, identity.staff(session, Role.AUDITOR))
    session.flush()
    path = f"/operations/people/{person.person_id}"

    assert "They asked to be erased" in text_of(checked(one.get(path)))
    assert "They asked to be erased" not in text_of(checked(auditor.get(path)))
    asked = one.post(f"{path}/erasure")
    mine = text_of(checked(one.get(asked.location or "")))
    theirs = text_of(checked(other.get(path)))
    refused = one.post(f"{path}/erasure/carried-out").status_code
    done = other.post(f"{path}/erasure/carried-out")
    after = text_of(checked(other.get(done.location or "")))

    assert "Olga wrote it down" in theirs
    assert "erase" not in mine.split("Olga wrote it down")[1].split("Do not erase")[0]
    assert "I looked as well: erase" in theirs
    assert 403 == refused
    assert "This person was erased." in after
    assert "Zolka" not in after
    assert 302 == own.get("/work").status_code or "/sign-in" in (own.get("/work").location or "")


def test_the_page_says_what_stands_against_it(
    session: Session, browse: Callable[[], Browser]
) -> None:
    lab, job = work.published(session, review_sample_ratio=1.0)
    doctor = specialists.doctor(session)
    work.decided(session, lab, work.submitted(session, doctor, job))
    one = browse().sign_in(session, identity.staff(session, Role.OPERATIONS))
    session.flush()
    path = f"/operations/people/{doctor.person_id}"

    page = text_of(checked(one.get(path)))
    sent = one.post(f"{path}/erasure")

    assert "is pending for them; it turns payable on its day." in page
    assert "They asked to be erased" not in page
    assert "pending for them" in text_of(checked(one.get(sent.location or "")))
