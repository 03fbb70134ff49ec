"""The page on which a specialist shows who they are, and connects an account."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import stripe as sdk
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import stripe_client
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.outbox import OutboxRow
from marketplace.settings import Settings
from marketplace.specialists import queries, service
from marketplace.specialists.models import GithubConnection
from marketplace.specialists.rules.identity import SeenDocument
from marketplace.web.webhooks import note_event
from tests.make import identity, outside
from tests.make.billing import Stripe
from tests.make.outside import NAME, allow_github, show_document
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

PAGE = "/work/connections"


@pytest.fixture
def world(
    served_stripe: Stripe, settings: Settings, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stripe]:
    """The product asks this sandbox; the application is made before."""
    monkeypatch.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
    with outside.asked(settings, served_stripe) as asked:
        yield asked
    stripe_client.use(settings)


def doctor(session: Session, browser: Browser, name: str | None = NAME) -> Actor:
    person = identity.specialist(session)
    service.save_profile(session, person, legal_name=name)
    session.flush()
    browser.sign_in(session, person)
    return person


def page(browser: Browser) -> str:
    return text_of(checked(browser.get(PAGE)))


def test_without_a_name_the_page_asks_for_it(session: Session, browser: Browser) -> None:
    doctor(session, browser, None)

    shown = page(browser)
    refused = browser.post(f"{PAGE}/identity")

    assert "Write your name" in shown
    assert "Verify my identity" not in shown
    assert (303, PAGE) == (refused.status_code, urlsplit(refused.headers["Location"]).path)
    assert "legal name in your profile first" in page(browser)


def test_from_the_button_to_the_document_and_back(
    session: Session, browser: Browser, world: Stripe
) -> None:
    doctor(session, browser)
    assert "Verify my identity" in page(browser)

    away = browser.post(f"{PAGE}/identity").headers["Location"]
    begun = page(browser)
    back = show_document(away).headers["Location"]
    browser.get(urlsplit(back).path)
    done = page(browser)

    assert away.startswith(world.address)
    assert "Go on at Stripe" in begun
    assert "Verified" in done
    assert "There is nothing to do." in done


def test_a_document_that_does_not_do_says_what_to_do(
    session: Session, browser: Browser, world: Stripe
) -> None:
    doctor(session, browser)
    away = browser.post(f"{PAGE}/identity").headers["Location"]
    show_document(away, outcome="expired")
    browser.get(f"{PAGE}/identity/returned")

    assert "Use one that is valid." in page(browser)
    assert away == browser.post(f"{PAGE}/identity").headers["Location"]


def test_every_way_that_a_document_stands_has_words(session: Session, browser: Browser) -> None:
    person = doctor(session, browser)
    check = service.start_identity(session, person)

    def after(seen: SeenDocument) -> str:
        service.record_identity(session, check.id, seen)
        session.flush()
        return page(browser)

    assert "You have begun." in page(browser)
    assert "Try again" in after(SeenDocument("requires_input", error="selfie_manipulated"))
    assert "Being looked at" in after(SeenDocument("processing"))
    assert "Does not fit" in after(SeenDocument("verified", first_name="Else", last_name="Body"))
    service.save_profile(session, person, legal_name="Avery Other Ashdown")
    session.flush()
    assert "Out of date" in page(browser)


def test_stripe_away_is_said_and_nothing_is_lost(
    session: Session, browser: Browser, world: Stripe
) -> None:
    doctor(session, browser)
    world.controls.fault("error_503", count=3)

    browser.post(f"{PAGE}/identity")

    assert "Stripe does not answer at present" in page(browser)


def test_github_from_the_button_and_back(session: Session, browser: Browser, world: Stripe) -> None:
    person = doctor(session, browser)

    away = browser.post(f"{PAGE}/github").headers["Location"]
    came = allow_github(away, "isolde-q")
    browser.client.get(f"{PAGE}/github/returned", query_string=came)
    session.expire_all()
    connected = page(browser)
    browser.post(f"{PAGE}/github/forget")
    session.expire_all()

    assert "isolde-q" in connected
    assert "Merged pull requests" in connected
    assert queries.github_of(session, person, person.person()) is None


def test_a_visit_that_began_elsewhere_connects_nothing(
    session: Session, browser: Browser, world: Stripe
) -> None:
    person = doctor(session, browser)
    away = browser.post(f"{PAGE}/github").headers["Location"]
    came = allow_github(away, "isolde-q")

    browser.client.get(f"{PAGE}/github/returned", query_string={**came, "state": "forged"})
    forged = page(browser)
    browser.client.get(f"{PAGE}/github/returned", query_string=came)
    late = page(browser)
    browser.post(f"{PAGE}/github")

    assert "did not begin in this browser" in forged
    assert "did not begin in this browser" in late
    assert session.get(GithubConnection, person.person()) is None


def test_one_may_refuse_at_github(session: Session, browser: Browser, world: Stripe) -> None:
    doctor(session, browser)
    browser.post(f"{PAGE}/github")
    with browser.client.session_transaction() as kept:
        state = kept["github_state"]

    refused = {"state": state, "error": "access_denied"}
    browser.client.get(f"{PAGE}/github/returned", query_string=refused)

    assert "You did not allow it at GitHub" in page(browser)


def test_where_github_is_not_set_up_the_page_says_so(session: Session, browser: Browser) -> None:
    doctor(session, browser)

    browser.post(f"{PAGE}/github")

    assert "GitHub is not set up here." in page(browser)


def test_it_is_for_specialists_and_leads_where_the_policy_lets_it(
    session: Session, browser: Browser
) -> None:
    browser.sign_in(session, identity.staff(session, Role.AUDITOR))

    refused = browser.get(PAGE)

    assert 403 == refused.status_code
    allowed = refused.headers["Content-Security-Policy"].partition("form-action")[2]
    assert "https://verify.stripe.com" in allowed
    assert "https://github.com" in allowed


def test_what_stripe_tells_is_only_a_reason_to_ask(session: Session) -> None:
    said = {"id": "vs_1", "status": "verified", "metadata": {"check_id": "one"}}
    kind = "identity.verification_session.verified"
    for _ in range(2):
        note_event(session, {"id": "evt_identity", "type": kind, "data": {"object": said}})
    session.flush()

    waiting = select(OutboxRow.arguments).where(OutboxRow.name == "specialists.refresh_identity")
    assert [{"stripe_session_id": "vs_1", "check_id": "one"}] == session.scalars(waiting).all()
