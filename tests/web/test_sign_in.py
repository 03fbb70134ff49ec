"""The pages before one is signed in, as a browser sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pyotp
import pytest
from redis import Redis
from sqlalchemy.orm import Session

from marketplace import clock, limits
from marketplace.identity import queries, service
from marketplace.settings import Settings
from marketplace.web.sign_in.blueprint import mailbox_address
from marketplace.web.visitors import COOKIE
from tests.make import identity as make
from tests.web.conftest import Browser


def fields(address: str, password: str = make.PASSWORD) -> dict[str, object]:
    """What one types to sign in."""
    return {"email": address, "password": password}


def test_a_lab_signs_up_proves_its_address_and_is_in(browser: Browser, session: Session) -> None:
    address = make.email("ada")
    asked = {"kind": "lab", "organisation_name": "Engine Lab", "name": "Ada Byron"}
    sent = browser.post("/sign-up", {**asked, **fields(address)})
    assert (303, "/sign-up/sent") == (sent.status_code, sent.location)

    browser.post("/sign-in", fields(address))
    assert "/sign-up/unverified" == browser.get("/account").location

    browser.post("/verify-email", {"token": make.mailed_token(session, address)})
    page = browser.get("/organisation/members")
    assert 200 == page.status_code
    assert "Engine Lab" in page.get_data(as_text=True)


def test_signing_up_says_the_same_for_a_known_address(browser: Browser, session: Session) -> None:
    known = make.person(session).email
    asked = {"kind": "specialist", "name": "Ada Byron"}

    answers = [
        browser.post("/sign-up", {**asked, **fields(address)}) for address in (known, make.email())
    ]

    assert {(303, "/sign-up/sent")} == {(one.status_code, one.location) for one in answers}


def test_faults_stand_beside_their_fields_and_passwords_are_not_sent_back(
    browser: Browser,
) -> None:
    asked: dict[str, object] = {"kind": "lab", "name": "Ada", "email": "no address"}

    page = browser.post("/sign-up", {**asked, "organisation_name": "L", "password": "secret words"})

    text = page.get_data(as_text=True)
    assert 422 == page.status_code
    assert 'value="no address"' in text
    assert 'href="#field-email"' in text
    assert "secret words" not in text


def test_the_cookie_is_out_of_reach_for_scripts(browser: Browser, session: Session) -> None:
    answer = browser.post("/sign-in", fields(make.person(session).email))

    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith(COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # The tests run over http.


@pytest.mark.parametrize(
    ("target", "landing"),
    [
        ("/account/tokens", "/account/tokens"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\r\nX: y", "/"),
        ("/sign-out", "/"),
    ],
)
def test_signing_in_leads_to_our_own_pages_only(
    browser: Browser, session: Session, target: str, landing: str
) -> None:
    page = browser.get("/sign-in").status_code
    answer = browser.client.post("/sign-in")  # Without a form token nothing is read.
    assert (200, 400) == (page, answer.status_code)

    address = make.person(session).email
    found = browser.post(f"/sign-in?next={quote(target)}", fields(address))

    assert landing == found.location


def test_guessing_one_account_is_slowed_down(browser: Browser, session: Session) -> None:
    address = make.person(session).email

    statuses = [browser.post("/sign-in", fields(address, "not it")).status_code for _ in range(11)]
    blocked = browser.post("/sign-in", fields(address))

    assert [422] * 10 + [429] == statuses
    assert 429 == blocked.status_code
    assert int(blocked.headers["Retry-After"]) > 0


def test_without_redis_sign_in_is_closed_and_pages_are_not(
    browser: Browser, session: Session, settings: Settings, redis: Redis
) -> None:
    address = make.person(session).email
    limits.use("redis://127.0.0.1:1/0")
    try:
        closed = browser.post("/sign-in", fields(address))
        open_page = browser.get("/sign-in")
    finally:
        limits.use(settings.redis_url)

    assert (429, 200) == (closed.status_code, open_page.status_code)


def test_a_second_factor_is_asked_for(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    person = queries.person_of(session, owner)
    secret, _ = service.start_totp(session, owner)
    app = pyotp.TOTP(secret)
    service.confirm_totp(session, owner, app.at(clock.now()))
    session.flush()

    half = browser.post("/sign-in?next=/account", fields(person.email))
    assert "/sign-in/code?next=/account" == half.location
    assert "/sign-in?next=/account" == browser.get("/account").location

    wrong = browser.post("/sign-in/code?next=/account", {"code": "000000"})
    with clock.shifted(timedelta(seconds=30)):
        right = browser.post("/sign-in/code?next=/account", {"code": app.at(clock.now())})

    assert (422, "/account") == (wrong.status_code, right.location)
    assert 200 == browser.get("/account").status_code


def test_signing_out_ends_the_sign_in_itself(
    browse: Callable[[], Browser], session: Session
) -> None:
    owner = make.lab_owner(session)
    token = make.cookie(session, owner)
    one, copy = browse(), browse()
    for browser in (one, copy):
        browser.client.set_cookie(COOKIE, token)

    one.post("/sign-out")

    assert 303 == copy.get("/account").status_code


def test_a_new_password_by_mail(browser: Browser, session: Session) -> None:
    address = make.person(session).email
    browser.post("/reset-password", {"email": address})
    link = f"/reset-password/new?token={make.mailed_token(session, address)}"
    assert 200 == browser.get(link).status_code

    done = browser.post(link, {"password": "another good passphrase"})

    assert "/sign-in" == done.location
    assert 303 == browser.post("/sign-in", fields(address, "another good passphrase")).status_code
    assert "/reset-password" == browser.get(link).location


def test_an_invited_person_joins_and_lands_in_the_lab(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session, name="Engine Lab")
    address = make.email("guest")
    service.invite(session, owner, email=address, role="owner")
    token = make.mailed_token(session, address)
    assert "Engine Lab invites you" in browser.get(f"/invitations?token={token}").text

    joined = browser.post(
        "/invitations", {"token": token, "name": "Guest", "password": make.PASSWORD}
    )

    assert 303 == joined.status_code
    assert "Engine Lab" in browser.get("/organisation/members").text


def test_who_has_an_account_accepts_with_one_press(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session, name="Engine Lab")
    guest = make.specialist(session)
    address = queries.person_of(session, guest).email
    service.invite(session, owner, email=address, role="owner")
    token = make.mailed_token(session, address)
    browser.sign_in(session, guest)
    assert 'action="/invitations/accept"' in browser.get(f"/invitations?token={token}").text

    browser.post("/invitations/accept", {"token": token})

    assert "Engine Lab" in browser.get("/organisation/members").text


@pytest.mark.parametrize(
    ("path", "landing", "advice"),
    [
        ("/verify-email", "/sign-in", "the next page mails a new link"),
        ("/reset-password/new", "/reset-password", "a new one is mailed"),
    ],
)
def test_used_up_links_lead_to_where_new_ones_come_from(
    browser: Browser, path: str, landing: str, advice: str
) -> None:
    answer = browser.post(path, {"token": "mkl_unknown", "password": make.PASSWORD})

    assert (303, landing) == (answer.status_code, answer.location)
    assert advice in browser.get(landing).text


NEWCOMER = {"kind": "specialist", "name": "Ada Byron", "timezone": "Europe/Berlin"}


def test_the_browser_that_signed_up_goes_straight_on(browser: Browser, session: Session) -> None:
    address = make.email()
    browser.post("/sign-up", {**NEWCOMER, **fields(address)})

    answer = browser.post("/verify-email", {"token": make.mailed_token(session, address)})

    assert (303, "/work/start") == (answer.status_code, answer.location)
    landed = browser.client.get("/work/start", follow_redirects=True)
    assert 200 == landed.status_code
    assert "Your e-mail address is verified." in landed.text
    person = queries.person_by_email(session, address)
    assert person is not None
    assert "Europe/Berlin" == person.timezone


def test_another_browser_is_asked_to_sign_in_and_then_goes_on(
    browse: Callable[[], Browser], session: Session
) -> None:
    address = make.email()
    browse().post("/sign-up", {**NEWCOMER, **fields(address)})
    token = make.mailed_token(session, address)
    # Signing up once more with the same address makes nobody, so it opens nothing either.
    other = browse()
    other.post("/sign-up", {**NEWCOMER, **fields(address)})

    answer = other.post("/verify-email", {"token": token})

    assert (303, "/sign-in?next=/work/start") == (answer.status_code, answer.location)
    page = other.get(answer.location or "").text
    assert "Your e-mail address is verified." in page
    assert "Sign in here with the password that you chose" in page
    assert "/work/start" == other.post(answer.location or "", fields(address)).location


def test_whoever_else_is_signed_in_here_stays_so(browser: Browser, session: Session) -> None:
    address, stranger = make.email(), make.specialist(session)
    browser.post("/sign-up", {**NEWCOMER, **fields(address)})
    browser.sign_in(session, stranger)

    answer = browser.post("/verify-email", {"token": make.mailed_token(session, address)})

    assert (303, "/") == (answer.status_code, answer.location)
    page = browser.client.get("/account").text
    assert "Sign out to go on as Ada Byron." in page
    assert address not in page


@pytest.mark.parametrize("zone", ["", "Mars/Olympus"])
def test_a_zone_that_nobody_knows_stops_no_newcomer(
    browser: Browser, session: Session, zone: str
) -> None:
    address = make.email()
    asked = {"kind": "specialist", "name": "Ada Byron", "timezone": zone}

    assert 303 == browser.post("/sign-up", {**asked, **fields(address)}).status_code

    person = queries.person_by_email(session, address)
    assert person is not None
    assert "UTC" == person.timezone


def test_a_demonstration_says_where_its_mail_is(settings: Settings) -> None:
    shown = replace(
        settings,
        public_development=True,
        smtp_url="",
        stripe_api_base="http://127.0.0.1:8001",
        public_url="http://localhost:8000",
    )
    with_smtp = replace(shown, smtp_url="smtp://mail.example.org")

    assert "http://localhost:8001/mailbox" == mailbox_address(shown)
    assert "" == mailbox_address(with_smtp)
    assert "" == mailbox_address(replace(shown, public_development=False))
