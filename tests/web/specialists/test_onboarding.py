"""Onboarding: each step saved on its own; who comes back goes on where they stopped."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity import queries as people
from marketplace.specialists import queries
from tests.make import identity, specialists, work
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

YOU: dict[str, object] = {"name": "Dr. Ines Lin", "time_zone": "Europe/Berlin", "country": "DE"}
PROFESSION: dict[str, object] = {"professions": ["medicine"], "specialties": ["cardiology"]}
HOURS: dict[str, object] = {
    "languages": ["en", "de"],
    "jurisdictions": "California",
    "works_from": "18:00",
    "works_until": "23:00",
}
PAPERS: dict[str, object] = {
    "legal_name": "Ines Lin",
    "born_on": "1984-03-21",
    "employers": "Clinic",
}


@pytest.fixture
def someone(session: Session) -> Actor:
    """A specialist who has just signed up."""
    return identity.specialist(session, name="Dr. New")


@pytest.fixture
def visit(browse: Callable[[], Browser], session: Session, someone: Actor) -> Browser:
    """Their browser."""
    return browse().sign_in(session, someone)


def onward(browser: Browser, step: str, fields: dict[str, object]) -> str:
    """Where saving a step leads."""
    answer = browser.post(f"/work/start/{step}", fields)
    assert 303 == answer.status_code, text_of(answer.text)[:600]
    return str(answer.location)


def test_every_step_is_saved_and_leads_to_the_next(
    visit: Browser, session: Session, someone: Actor
) -> None:
    assert "/work/start/you" == visit.get("/work/start").location
    assert "/work/start/profession" == onward(visit, "you", YOU)
    assert "/work/start/hours" == onward(visit, "profession", PROFESSION)
    assert "/work/start/hours" == visit.get("/work/start").location
    assert "/work/start/papers" == onward(visit, "hours", HOURS)
    assert "/work/start/credential" == onward(visit, "papers", PAPERS)
    npi: dict[str, object] = {"type": "npi", "identifier": specialists.npi()}
    assert "/work/start/identity" == onward(visit, "credential", npi)

    assert "Dr. Ines Lin" == people.person_of(session, someone).name
    saved = queries.profile_of(session, someone, someone.person())
    assert saved is not None
    assert ("Ines Lin", "1984-03-21", ["Clinic"]) == (
        saved.legal_name, saved.born_on, saved.employers
    )  # fmt: skip
    assert (["en", "de"], ["US-CA"], 1_080) == (
        saved.languages, saved.jurisdictions, saved.works_from
    )  # fmt: skip
    (claim,) = queries.credentials_of(session, someone, someone.person())
    assert ("npi", "US") == (claim.type, claim.jurisdiction)


def test_what_can_wait_is_put_off_and_listed_at_the_end(visit: Browser) -> None:
    onward(visit, "you", YOU)
    onward(visit, "profession", PROFESSION)
    onward(visit, "hours", HOURS)
    for step in ("papers", "credential", "identity", "qualification"):
        visit.post(f"/work/start/{step}/skip")
    last = visit.post("/work/start/paid/skip")

    assert "/work/start" == last.location
    page = text_of(checked(visit.get("/work/start")))
    assert "5 steps put off" in page
    assert "Claim a credential" in page
    home = text_of(checked(visit.get("/work")))
    assert "3 of 8" in home
    assert "Verify your identity" in home


def test_what_nothing_works_without_has_no_way_past(visit: Browser) -> None:
    assert "Skip for now" not in visit.get("/work/start/hours").text
    assert "Skip for now" in visit.get("/work/start/papers").text
    assert 409 == visit.post("/work/start/hours/skip").status_code
    assert 404 == visit.get("/work/start/elsewhere").status_code


@pytest.mark.parametrize(
    ("step", "fields", "advice", "kept"),
    [
        ("you", YOU | {"time_zone": "Mars"}, "Choose a zone", 'value="Dr. Ines Lin"'),
        ("you", YOU | {"name": " "}, "Write a name", 'value="DE" selected'),
        ("profession", PROFESSION | {"professions": "alchemy"}, "Choose from",
         'value="cardiology" checked'),
        ("hours", HOURS | {"languages": []}, "Tick at least one", 'value="California"'),
        ("hours", HOURS | {"works_from": "late"}, "18:30", 'value="23:00"'),
        ("hours", HOURS | {"jurisdictions": "Narnia"}, "ISO 3166", 'value="Narnia"'),
        ("papers", PAPERS | {"born_on": "2020-01-01"}, "at least 18", 'value="Ines Lin"'),
        ("papers", PAPERS | {"legal_name": "R2-D2"}, "in letters", 'value="R2-D2"'),
        ("credential", {"type": "npi", "identifier": "1234567890"}, "check digit",
         'value="1234567890"'),
        ("credential", {}, "Choose what you hold.", "National Provider Identifier"),
    ],
)  # fmt: skip
def test_bad_input_is_told_beside_its_field_and_kept(
    visit: Browser, step: str, fields: dict[str, object], advice: str, kept: str
) -> None:
    page = checked(visit.post(f"/work/start/{step}", fields), 422)

    assert advice in text_of(page)
    assert kept in page


def test_home_says_what_each_step_would_open(
    visit: Browser, session: Session, someone: Actor
) -> None:
    onward(visit, "you", YOU)
    onward(visit, "profession", PROFESSION)
    onward(visit, "hours", HOURS)
    work.published(session)
    session.flush()  # The pages read by sessions of their own.

    page = text_of(checked(visit.get("/work")))

    assert "It opens 1 of the 1 job in medicine." in page
    assert "Claim a credential" in page


def test_being_paid_begins_with_the_name_on_the_papers(visit: Browser) -> None:
    onward(visit, "papers", PAPERS)

    page = checked(visit.get("/work/start/paid"))

    assert 'name="payee_name" type="text" value="Ines Lin"' in page
