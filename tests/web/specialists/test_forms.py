"""Forms of a specialist: credentials, profile, and where to be paid."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.payouts import queries as payouts
from marketplace.specialists import queries
from tests.make import identity, specialists
from tests.make.billing import Stripe
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

NASTY = "<b>x</b>"


def test_a_credential_is_claimed_and_checked_at_once(newcomer: Browser) -> None:
    answer = newcomer.post(
        "/work/credentials/new",
        {"type": "npi", "identifier": specialists.npi(), "jurisdiction": "US", "specialties": []},
    )

    page = text_of(checked(newcomer.get(answer.location)))
    assert 303 == answer.status_code
    assert "National Provider Identifier, United States" in page
    assert "Level 1: Identifier well formed" in page


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"type": "npi", "identifier": "1234567890", "jurisdiction": "US"}, "check digit"),
        ({"type": "npi", "identifier": NASTY, "jurisdiction": "US"}, "ten digits that start"),
        ({"type": "npi", "identifier": "1234567893", "jurisdiction": "GB"}, "give US"),
        ({"type": "gmc", "identifier": "1234567", "jurisdiction": "GB", "valid_until": "soon"},
         "2027-01-31"),
        ({"type": "gmc", "identifier": "1234567", "jurisdiction": "GB",
          "valid_until": "2001-01-01"}, "This day has passed"),
        ({"type": "gmc", "identifier": "1234567", "jurisdiction": "GB", "specialties": "magic"},
         "There is no “magic”"),
        ({"identifier": "1234567"}, "Choose what you hold."),
        ({"type": NASTY, "identifier": "1"}, "Choose one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_said_beside_the_field(
    newcomer: Browser, fields: dict[str, str], advice: str
) -> None:
    page = checked(newcomer.post("/work/credentials/new", dict(fields)), 422)

    assert advice in text_of(page)
    assert NASTY not in page


def test_claiming_twice_is_told_and_a_strangers_identifier_is_blocked(
    newcomer: Browser, desk: Browser, session: Session, doctor: Actor
) -> None:
    held = queries.credentials_of(session, doctor, doctor.person())[0]
    fields: dict[str, object] = {
        "type": held.type,
        "identifier": held.identifier,
        "jurisdiction": held.jurisdiction,
        "valid_until": (clock.now().date() + timedelta(days=400)).isoformat(),
    }

    again = desk.post("/work/credentials/new", fields)
    other = newcomer.post("/work/credentials/new", fields)

    assert "You claimed this credential before" in text_of(checked(again, 422))
    assert "Another account here holds the same identifier" in text_of(
        newcomer.get(other.location).text
    )


def test_anothers_credential_is_not_there(
    desk: Browser, browse: Callable[[], Browser], session: Session, doctor: Actor
) -> None:
    held = queries.credentials_of(session, doctor, doctor.person())[0]
    stranger = browse().sign_in(session, identity.specialist(session))

    assert 200 == desk.get(f"/work/credentials/{held.id}").status_code
    assert 404 == stranger.get(f"/work/credentials/{held.id}").status_code


PROFILE: dict[str, object] = {
    "headline": NASTY,
    "professions": ["medicine", "law"],
    "languages": ["en"],
    "other_languages": "Danish, pt-BR ",
    "jurisdictions": "california, GB",
    "time_zone": "Europe/Berlin",
    "works_from": "18:30",
    "works_until": "02:00",
    "daily_hours_max": "2.5",
    "country": "DE",
    "payout_currency": "EUR",
}


def test_a_profile_is_kept_and_shown_again(
    newcomer: Browser, browse: Callable[[], Browser], session: Session
) -> None:
    someone = identity.specialist(session)
    browser = browse().sign_in(session, someone)

    assert 303 == browser.post("/work/profile", PROFILE).status_code

    saved = queries.profile_of(session, someone, someone.person())
    assert saved is not None
    assert (["en", "da", "pt-BR"], ["US-CA", "GB"]) == (saved.languages, saved.jurisdictions)
    assert (1_110, 120, 150) == (saved.works_from, saved.works_until, saved.daily_minutes_max)
    page = checked(browser.get("/work/profile"))
    assert NASTY not in page
    for shown in (
        'value="18:30"',
        'value="02:00"',
        'value="2.5"',
        'value="Danish, Brazilian Portuguese"',
    ):
        assert shown in page


def test_a_faulty_profile_comes_back_as_it_was_typed(newcomer: Browser) -> None:
    wrong = {"other_languages": "Elvish!", "works_from": "late", "daily_hours_max": "99"}

    page = checked(newcomer.post("/work/profile", PROFILE | wrong), 422)

    assert 'value="Elvish!"' in page
    assert "Write a time of day such as 18:30, or nothing." in page
    assert "Write hours from 0 to 24" in page
    assert 'value="DE" selected' in page


def test_a_household_is_begun_joined_and_left(newcomer: Browser, desk: Browser) -> None:
    begun = checked(newcomer.post("/work/profile/household/begin"))
    found = re.search(r"<code>([A-Z0-9-]{14})</code>", begun)
    assert found is not None
    assert found[1] not in newcomer.get("/work/profile/household").text

    wrong = checked(desk.post("/work/profile/household/join", {"household_code": "ABCD"}), 422)
    assert 'value="ABCD"' in wrong
    assert (
        303 == desk.post("/work/profile/household/join", {"household_code": found[1]}).status_code
    )
    assert "You share a household" in text_of(checked(desk.get("/work/profile/household")))
    desk.post("/work/profile/household/leave")
    assert "One of you begins" in text_of(checked(desk.get("/work/profile/household")))


PAYEE: dict[str, object] = {"payee_name": "Dr. Lin", "country": "US", "currency": "USD"}


def test_being_paid_is_set_up_at_stripe_and_read_back(
    desk: Browser, session: Session, doctor: Actor, stripe: Stripe
) -> None:
    away = desk.post("/work/earnings/account", PAYEE)
    assert 303 == away.status_code
    assert away.location is not None
    assert away.location.startswith(stripe.address)
    assert 200 == httpx.get(away.location, trust_env=False).status_code

    desk.get("/work/earnings/account/returned")
    unfinished = text_of(checked(desk.get("/work/earnings")))
    assert "Stripe's form is not finished" in unfinished
    assert "Stripe still wants" in unfinished

    payee = payouts.payee_of(session, doctor)
    assert payee is not None
    stripe.controls.enable(payee.stripe_account_id or "")
    desk.get("/work/earnings/account/returned")
    assert "Ready to be paid" in text_of(checked(desk.get("/work/earnings")))


def test_a_link_that_ran_out_leads_to_a_fresh_one(desk: Browser, stripe: Stripe) -> None:
    first = desk.post("/work/earnings/account", PAYEE).location
    again = desk.get("/work/earnings/account/again").location
    once_more = desk.post("/work/earnings/account/continue").location

    assert 3 == len({first, again, once_more})
    assert all((each or "").startswith(stripe.address) for each in (first, again, once_more))


def test_a_payee_without_a_country_is_told(desk: Browser) -> None:
    page = checked(desk.post("/work/earnings/account", PAYEE | {"country": ""}), 422)

    assert "Choose a country" in text_of(page)
    assert 'value="Dr. Lin"' in page


def test_a_stripe_that_is_away_loses_nothing(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    # Nothing serves Stripe here.
    answer = desk.post("/work/earnings/account", PAYEE)

    assert (303, "/work/earnings") == (answer.status_code, answer.location)
    assert "Stripe does not answer" in text_of(desk.get("/work/earnings").text)
    assert payouts.payee_of(session, doctor) is not None
