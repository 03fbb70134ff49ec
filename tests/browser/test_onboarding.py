"""A new doctor on a phone: from signing up to claimed credentials, and why jobs are closed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from marketplace import clock
from marketplace.db import transaction
from tests.browser.place import Place
from tests.browser.test_every_page import IN_OTHER_DRESS, TAGS
from tests.browser.wcag import violations
from tests.browser.windows import SHOTS, Windows
from tests.make import specialists, work
from tests.make.identity import PASSWORD

pytestmark = pytest.mark.browser

EMAIL = "ines@example.test"
PHONE = 390


@pytest.fixture
def job_title(place: Place) -> str:
    """An open job for cardiologists whose identity is shown."""
    place.empty()
    with transaction() as session:
        _, job = work.published(session, credential_level_min=3, specialties=["cardiology"])
        return job.title


@pytest.mark.slow
def test_a_doctor_on_a_phone_finds_out_what_opens_a_job(
    windows: Windows, place: Place, job_title: str
) -> None:
    page = windows.open(width=PHONE)
    sign_up(page, place)
    say_who_one_is(page)
    claim_npi(page, windows)
    put_off_the_rest(page)
    claim_licence(page)
    read_why_not(page, job_title)


def look(page: Page, name: str) -> None:
    """The page fits a phone and WCAG in both themes; the shots are there to be looked at."""
    SHOTS.mkdir(exist_ok=True)
    page.evaluate("document.fonts.ready")
    for scheme, rules in (("light", TAGS), ("dark", IN_OTHER_DRESS)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=SHOTS / f"start-{name}-{scheme}-{PHONE}.png", full_page=True)
        assert [] == violations(page, rules), (name, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, name


def heading(page: Page, words: str) -> None:
    """The page that one is led to."""
    expect(page.locator("h1")).to_have_text(words)


def sign_up(page: Page, place: Place) -> None:
    """The mailed link leads straight on in the browser that signed up."""
    page.goto("/sign-up")
    page.get_by_label("A specialist").check()
    page.get_by_label("Your name").fill("Dr. Ines Lin")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.goto(place.link_to(EMAIL))
    page.get_by_role("button", name="Verify").click()
    heading(page, "Your name and your time zone")
    expect(page.get_by_text("Your e-mail address is verified.")).to_be_visible()
    look(page, "you")


def go_on(page: Page) -> None:
    """Save the step."""
    page.get_by_role("button", name="Save and go on").click()


def say_who_one_is(page: Page) -> None:
    """The four steps about oneself; a slip is told and loses nothing, and one may go back."""
    page.locator("#field-time_zone").select_option("America/Los_Angeles")
    go_on(page)
    heading(page, "What you do")
    page.get_by_label("Medicine", exact=True).check()
    page.get_by_text("Specialties in medicine").click()
    page.get_by_label("Cardiology", exact=True).first.check()
    look(page, "profession")
    go_on(page)
    heading(page, "Languages and hours")
    page.get_by_label("Where you may practise").fill("California")
    look(page, "hours")
    go_on(page)
    heading(page, "Your name as on your papers")
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_label("Where you may practise")).to_have_value("California")
    page.goto("/work/start")
    heading(page, "Your name as on your papers")
    page.get_by_label("Your name as on your papers").fill("Ines Lin")
    page.get_by_label("Your date of birth").fill("2084-03-21")
    go_on(page)
    expect(page.get_by_role("alert")).to_contain_text("Look at the year once more.")
    expect(page.get_by_label("Your name as on your papers")).to_have_value("Ines Lin")
    look(page, "papers")
    page.get_by_label("Your date of birth").fill("1984-03-21")
    go_on(page)


def claim_npi(page: Page, windows: Windows) -> None:
    """The form says while one types whether the number can be right."""
    windows.forgive(422)
    heading(page, "Your first credential")
    look(page, "credential")
    page.get_by_role("link", name="National Provider Identifier").click()
    number = page.get_by_label("Number or name in the register")
    number.press_sequentially("1234567890")
    expect(page.locator("#identifier-check")).to_contain_text("The check digit does not fit")
    number.fill(specialists.npi())
    expect(page.locator("#identifier-check")).to_contain_text("This is well formed.")
    look(page, "npi")
    page.get_by_role("button", name="Claim it").click()


def put_off_the_rest(page: Page) -> None:
    """What can wait is listed at the end."""
    heading(page, "Show that it is you")
    look(page, "identity")
    page.get_by_role("button", name="Skip for now").click()
    heading(page, "Your first qualification")
    look(page, "qualification")
    page.get_by_role("button", name="Skip for now").click()
    heading(page, "Where you are paid")
    expect(page.get_by_label("Your name, as your bank has it")).to_have_value("Ines Lin")
    look(page, "paid")
    page.get_by_role("button", name="Skip for now").click()
    heading(page, "You are set up")
    expect(page.get_by_role("link", name="Verify your identity")).to_be_visible()
    look(page, "finished")


def claim_licence(page: Page) -> None:
    """A second credential, from its own page, by keyboard alone."""
    page.goto("/work/credentials/new")
    page.get_by_role("link", name="State medical licence").press("Enter")
    page.get_by_label("Where it was given").select_option("US-CA")
    page.get_by_label("Number or name in the register").fill(specialists.licence())
    expect(page.locator("#identifier-check")).to_contain_text("This is well formed.")
    ends = clock.now().date() + timedelta(days=400)
    page.get_by_label("Last day on which it is valid").fill(ends.isoformat())
    look(page, "licence")
    page.get_by_label("Last day on which it is valid").press("Enter")
    heading(page, "State medical licence, California")
    expect(page.locator("main .status").first).to_have_text("Checking")
    expect(page.get_by_text("Level 1: Identifier well formed.")).to_be_visible()
    look(page, "claimed")


def read_why_not(page: Page, job_title: str) -> None:
    """The feed says why the job is closed, with the way to change it; home says what opens it."""
    page.goto("/work/feed")
    closed = page.get_by_role("article", name=job_title)
    expect(closed).to_contain_text("Yours is not verified yet; this opens once it is.")
    look(page, "feed")
    closed.get_by_role("link", name=job_title).click()
    expect(page.get_by_text("You cannot start it now.")).to_be_visible()
    look(page, "closed-job")
    page.get_by_role("link", name="See how it stands").click()
    heading(page, "Credentials")
    page.goto("/work")
    expect(page.get_by_text("1 job is closed to you")).to_be_visible()
    look(page, "home")
