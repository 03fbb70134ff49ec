"""The mark that a browser carries, which links those who sign in with it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.specialists.models import PersonLink
from marketplace.web.sign_in.device import COOKIE
from marketplace.web.visitors import COOKIE as SIGN_IN
from tests.make import identity
from tests.web.conftest import Browser


def sign_in(browser: Browser, session: Session) -> str:
    """Somebody new signs in with a browser; the mark that it carries then."""
    person = identity.person(session, is_specialist=True)
    session.flush()
    sent = browser.post("/sign-in", {"email": person.email, "password": identity.PASSWORD})
    assert 303 == sent.status_code
    browser.client.delete_cookie(SIGN_IN)
    carried = browser.client.get_cookie(COOKIE)
    assert carried is not None
    return carried.value


def test_two_people_with_one_browser_carry_one_mark(browser: Browser, session: Session) -> None:
    first, second = sign_in(browser, session), sign_in(browser, session)

    rows = session.execute(select(PersonLink.person_id, PersonLink.link_hash)).all()
    assert first == second
    assert 2 == len({person for person, _ in rows})
    assert 1 == len({mark for _, mark in rows})
    assert first.encode() not in rows[0].link_hash


def test_a_mark_that_we_never_gave_is_replaced(browser: Browser, session: Session) -> None:
    browser.client.set_cookie(COOKIE, "mine")

    assert sign_in(browser, session).startswith("dev_")
