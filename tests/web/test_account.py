"""A person's own pages, and the members' page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity import queries
from marketplace.identity.rules import Role
from tests.make import identity as make
from tests.web.conftest import Browser


def test_a_token_is_shown_once_and_works(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    browser.sign_in(session, owner)

    page = browser.post("/account/tokens", {"name": "Nightly", "scopes": ["jobs.view"], "days": 7})

    shown = re.search(r'value="(mkt_[^"]+)"', page.text)
    assert shown is not None
    assert shown[1] not in browser.get("/account/tokens").text
    answer = browser.get("/api/v1/me", Authorization=f"Bearer {shown[1]}")
    assert ["jobs.view"] == (answer.json or {})["scopes"]


def test_revoking_a_token_ends_it(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    token = make.token(session, owner)
    browser.sign_in(session, owner)
    row = queries.tokens_of(session, owner)[0]

    browser.post(f"/account/tokens/{row.id}/revoke")

    assert 401 == browser.get("/api/v1/me", Authorization=f"Bearer {token}").status_code


def test_a_token_without_scopes_is_refused_beside_the_field(
    browser: Browser, session: Session
) -> None:
    browser.sign_in(session, make.lab_owner(session))

    page = browser.post("/account/tokens", {"name": "Empty", "days": 7})

    assert 422 == page.status_code
    assert "Choose at least one." in page.text


def test_browsers_are_listed_and_ended(browse: Callable[[], Browser], session: Session) -> None:
    owner = make.lab_owner(session)
    here, there = browse().sign_in(session, owner), browse().sign_in(session, owner)
    rows = re.findall(r"/account/sign-ins/([0-9a-f-]+)/end", here.get("/account/sign-ins").text)
    assert 1 == len(rows)

    here.post(f"/account/sign-ins/{rows[0]}/end")

    assert (200, 303) == (here.get("/account").status_code, there.get("/account").status_code)


def test_all_other_browsers_are_ended_at_once(
    browse: Callable[[], Browser], session: Session
) -> None:
    owner = make.lab_owner(session)
    browsers = [browse().sign_in(session, owner) for _ in range(3)]

    browsers[0].post("/account/sign-ins/end-others")

    assert [200, 303, 303] == [one.get("/account").status_code for one in browsers]


def test_the_second_factor_is_set_up_on_the_page(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    browser.sign_in(session, owner)
    page = browser.post("/account/second-factor/set-up").text
    secret = re.search(r'id="totp-secret" value="([A-Z2-7]+)"', page)
    assert secret is not None
    assert "<svg" in page
    assert "style=" not in page

    wrong = browser.post("/account/second-factor/confirm", {"code": "000000"})
    right = browser.post(
        "/account/second-factor/confirm", {"code": pyotp.TOTP(secret[1]).at(clock.now())}
    )

    assert (422, 200) == (wrong.status_code, right.status_code)
    assert secret[1] in wrong.text  # The same square again, not a new one.
    codes = re.findall(r"[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}", right.text)
    assert 10 == len(codes)

    off = browser.post("/account/second-factor/stop", {"code": codes[0]})
    assert 303 == off.status_code
    assert queries.person_of(session, owner).id == owner.person_id


def test_codes_cannot_be_guessed_without_end(browser: Browser, session: Session) -> None:
    browser.sign_in(session, make.lab_owner(session))
    browser.post("/account/second-factor/set-up")

    statuses = [
        browser.post("/account/second-factor/confirm", {"code": "000000"}).status_code
        for _ in range(11)
    ]

    assert [422] * 10 + [429] == statuses


def test_the_switcher_changes_what_one_may_do(browser: Browser, session: Session) -> None:
    both = make.lab_owner(session, name="Engine Lab", is_specialist=True)
    browser.sign_in(session, both)
    assert 200 == browser.get("/organisation/members").status_code

    browser.post("/account/organisations", {"organisation_id": ""})
    assert 403 == browser.get("/organisation/members").status_code

    browser.post("/account/organisations", {"organisation_id": str(both.organisation_id)})
    assert 200 == browser.get("/organisation/members").status_code


def test_the_switcher_stands_on_every_page(browser: Browser, session: Session) -> None:
    both = make.lab_owner(session, name="Engine Lab", is_specialist=True)

    page = browser.sign_in(session, both).get("/account").text

    assert f'name="organisation_id" value="{both.organisation_id}" aria-current="true"' in page
    assert '<button class="row" name="organisation_id" value="">' in page


@pytest.mark.parametrize(
    ("role", "landing"),
    [
        (Role.AUDITOR, "/finance"),
        (Role.PREPARER, "/finance"),
        (Role.OPERATIONS, "/operations/credentials"),
        (Role.ADMINISTRATOR, "/operations/people"),
    ],
)
def test_everyones_day_begins_where_their_work_is(
    browser: Browser, session: Session, role: Role, landing: str
) -> None:
    browser.sign_in(session, make.staff(session, role))

    assert landing == browser.get("/").location


def test_nobody_switches_to_a_foreign_organisation(browser: Browser, session: Session) -> None:
    other = make.lab_owner(session)
    browser.sign_in(session, make.lab_owner(session))

    answer = browser.post("/account/organisations", {"organisation_id": str(other.organisation_id)})

    assert 404 == answer.status_code


def test_changing_the_password_signs_the_others_out(
    browse: Callable[[], Browser], session: Session
) -> None:
    owner = make.lab_owner(session)
    here, there = browse().sign_in(session, owner), browse().sign_in(session, owner)

    here.post(
        "/account/password",
        {"current_password": make.PASSWORD, "password": "another good passphrase"},
    )

    assert (200, 303) == (here.get("/account").status_code, there.get("/account").status_code)


def test_names_with_markup_are_shown_as_text(browser: Browser, session: Session) -> None:
    browser.sign_in(session, make.lab_owner(session))
    name = "<script>alert(1)</script>"

    browser.post("/account", {"name": name, "timezone": "Europe/Berlin"})

    page = browser.get("/account").text
    assert name not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_members_are_invited_changed_and_removed(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    member = make.member(session, owner, Role.VIEWER, name="Grace")
    browser.sign_in(session, owner)
    browser.post("/organisation/invitations", {"email": "new@example.org", "role": "manager"})
    assert "new@example.org" in browser.get("/organisation/members").text

    browser.post(f"/organisation/members/{member.person_id}", {"roles": ["reviewer"]})
    assert "reviewer" in browser.get("/organisation/members").text
    browser.post(f"/organisation/members/{member.person_id}", {})
    assert "Grace" not in browser.get("/organisation/members").text


def test_the_last_owner_is_told_what_to_do_first(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    browser.sign_in(session, owner)

    page = browser.post(f"/organisation/members/{owner.person_id}", {"roles": ["viewer"]})

    assert 409 == page.status_code
    assert "Make someone else owner first" in page.text


def test_staff_are_signed_out_after_two_idle_hours(browser: Browser, session: Session) -> None:
    browser.sign_in(session, make.staff(session, Role.PREPARER))

    with clock.shifted(timedelta(hours=3)):
        assert 303 == browser.get("/account").status_code
