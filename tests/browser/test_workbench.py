"""The workbench around every task: nothing typed is lost, keys go where a person wants them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from marketplace.db import transaction
from marketplace.identity.models import Person
from marketplace.work.models import Claim, Draft, Submission
from tests.browser.bench import Bench, assert_accessible, open_task
from tests.browser.windows import Windows
from tests.make import identity
from tests.tasktypes.examples import EXAMPLES

pytestmark = pytest.mark.browser
WORDS = "The dose of the second is a tenth of what it should be."


@pytest.fixture
def bench(windows: Windows) -> Bench:
    """A pairwise task in a doctor's workbench."""
    opened = open_task(windows, "pairwise", template={})
    ready(opened.page)
    return opened


def ready(page: Page) -> None:
    """Keys are heard from here on."""
    expect(page.locator("x-workbench:defined")).to_be_attached()


def chosen(page: Page) -> str | None:
    """The answer that is chosen, by its name in the item, whatever place it has on the screen."""
    return page.locator("[name=choice]:checked").get_attribute("value")


def why(page: Page) -> Locator:
    return page.locator("[name=rationale]")


def says(page: Page, words: str) -> None:
    expect(page.locator("[data-saved]")).to_contain_text(words)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def revisions(bench: Bench) -> list[str | None]:
    """The rationale of each saved revision, oldest first."""
    with transaction() as session:
        asked = (
            select(Draft)
            .join(Claim, Claim.id == Draft.claim_id)
            .where(Claim.job_id == bench.job_id)
            .order_by(Draft.saved_at)
            .limit(50)
        )
        return [each.content["rationale"] for each in session.scalars(asked)]


def holder(bench: Bench) -> str:
    """The e-mail address of who holds the task."""
    with transaction() as session:
        asked = select(Person.email).join(Claim, Claim.specialist_id == Person.id)
        return str(session.scalar(asked.where(Claim.job_id == bench.job_id).limit(1)))


def test_a_reload_and_a_closed_tab_keep_what_was_typed(bench: Bench) -> None:
    page = bench.page
    press(page, "b", "r")
    page.keyboard.type(WORDS)
    page.reload()  # Before the pause in typing that saves.
    expect(why(page)).to_have_value(WORDS)
    expect(page.get_by_role("radio", name="B is better")).to_be_checked()

    again = page.context.new_page()
    address = page.url
    page.close()
    again.goto(address)

    expect(why(again)).to_have_value(WORDS)
    says(again, "saved ")


def test_a_second_window_is_told_and_either_can_go_on(bench: Bench) -> None:
    first = bench.page
    press(first, "r")
    first.keyboard.type("First.")
    second = first.context.new_page()
    second.goto(first.url)
    expect(second.get_by_text("This task is open in another window.")).to_be_visible()
    expect(second.get_by_role("button", name="Submit Enter")).to_have_count(0)

    second.get_by_role("button", name="Work here").click()

    expect(why(second)).to_have_value("First.")
    expect(first.get_by_text("You go on with this task in another window.")).to_be_visible()
    assert ["First."] == revisions(bench)


def test_another_browsers_draft_is_not_written_over(bench: Bench, windows: Windows) -> None:
    here, elsewhere = bench.page, windows.open(cookie=bench.doctor_cookie)
    elsewhere.goto(here.url)
    ready(elsewhere)
    press(elsewhere, "r")
    elsewhere.keyboard.type("There.")
    says(elsewhere, "saved ")

    press(here, "r")
    here.keyboard.type("Here.")
    expect(here.get_by_text("saved in another window or browser")).to_be_visible()
    assert ["There."] == revisions(bench)
    here.get_by_role("button", name="Work here with what stands here").click()

    says(here, "revision 2")
    assert ["There.", "Here."] == revisions(bench)
    windows.forgive(412)


def test_minutes_without_a_network_lose_nothing(bench: Bench, windows: Windows) -> None:
    page = bench.page
    page.clock.install()
    page.reload()
    ready(page)
    page.context.set_offline(True)
    press(page, "a", "r")
    page.keyboard.type(WORDS)
    page.clock.fast_forward(70_000)
    says(page, "no network")
    press(page, "Control+Enter")
    says(page, "not handed in yet")

    page.context.set_offline(False)
    page.clock.fast_forward(70_000)

    says(page, "saved ")
    assert [WORDS] == revisions(bench)[-1:]
    page.clock.resume()
    press(page, "Escape", "2")
    assert chosen(page) == bench.handed_in()["choice"]
    expected = ("INTERNET_DISCONNECTED", "htmx:")
    windows.complaints = [
        one for one in windows.complaints if not any(each in one for each in expected)
    ]


def test_a_sign_in_that_ended_begins_again_in_place(bench: Bench, windows: Windows) -> None:
    page = bench.page
    press(page, "b", "2")
    says(page, "revision 1")
    page.context.clear_cookies()
    press(page, "r")
    page.keyboard.type(WORDS)
    dialog = page.get_by_role("dialog", name="Sign in again")
    dialog.get_by_label("E-mail address").fill(holder(bench))
    dialog.get_by_label("Password").fill("a wrong password")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    assert_accessible(page)

    dialog.get_by_label("E-mail address").fill(holder(bench))
    dialog.get_by_label("Password").fill(identity.PASSWORD)
    dialog.get_by_role("button", name="Sign in").click()

    expect(dialog).to_have_count(0)
    says(page, "saved ")
    assert [None, WORDS] == revisions(bench)[-2:]
    assert chosen(page) == bench.handed_in()["choice"]
    for status in (401, 400, 422):
        windows.forgive(status)


def test_an_earlier_revision_comes_back_on_top(bench: Bench) -> None:
    page = bench.page
    press(page, "r")
    page.keyboard.type("First.")
    says(page, "revision 1")
    page.keyboard.type(" Second.")
    says(page, "revision 2")
    press(page, "Escape", "h")
    panel = page.get_by_role("dialog", name="Saved revisions")
    expect(panel.get_by_text("Revision 1", exact=True)).to_be_visible()
    assert_accessible(page)

    panel.get_by_role("button", name="Bring revision 1 back").click()

    expect(why(page)).to_have_value("First.")
    says(page, "revision 3")
    assert ["First.", "First. Second.", "First."] == revisions(bench)


def test_a_moved_key_is_shown_and_obeyed_and_no_two_share_one(
    bench: Bench, windows: Windows
) -> None:
    page = bench.page
    address = page.url
    page.goto("/work/keys")
    field = page.get_by_label("Your key in place of A", exact=True)
    field.fill("b")
    page.get_by_role("button", name="Keep these keys").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert_accessible(page)
    field.fill("`")
    page.get_by_role("button", name="Keep these keys").click()
    expect(page.get_by_text("Your keys are kept.")).to_be_visible()

    page.goto(address)
    ready(page)
    choice = page.get_by_role("radio", name="A is better")
    expect(page.locator("label", has=choice).locator("kbd")).to_have_text("`")
    press(page, "a")
    expect(choice).not_to_be_checked()
    press(page, "`")

    expect(choice).to_be_checked()
    windows.forgive(422)


def test_the_envelope_is_written_by_keys_and_kept(bench: Bench) -> None:
    page = bench.page
    press(page, "b", "2", "e")
    page.keyboard.type("The second leaves the dose out.")
    page.keyboard.press("Escape")
    page.locator("x-workbench").evaluate(
        """bench => bench.dispatchEvent(new CustomEvent("evidence", {bubbles: true, detail:
        {kind: "span", field: "b", start: 0, end: 6, label: "Second"}}))"""
    )
    expect(page.get_by_role("button", name="Take away the evidence “Second”")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("[data-slot=b] .material").select_text()
    press(page, "e", "Escape", "l")
    expect(page.get_by_role("button", name=re.compile("Looking things up"))).to_have_attribute(
        "aria-pressed", "true"
    )
    press(page, "l")
    page.get_by_text("Sources", exact=True).click()
    page.get_by_label("Source 1").fill("https://example.test/guideline")
    page.get_by_label("I am not sure").check()
    assert_accessible(page)

    bench.handed_in()

    with transaction() as session:
        given = session.scalars(select(Submission).where(Submission.job_id == bench.job_id)).one()
        (reason,) = given.rationale_claims
        first, second = reason["evidence"]
        assert ("The second leaves the dose out.", 6) == (reason["text"], first["end"])
        assert ("span", "/b", EXAMPLES["pairwise"].payload["b"]) == (
            second["kind"],
            second["place"],
            second["quote"],
        )
        assert [{"type": "url", "url": "https://example.test/guideline"}] == given.references
        assert ["unsure"] == given.flags
        assert "research" in {each["kind"] for each in given.spent}


def test_instructions_are_found_in_and_lie_over_a_phones_task(windows: Windows) -> None:
    page = open_task(windows, "pairwise", width=390).page
    asked = "document.querySelector('.asked').getBoundingClientRect().top"
    top = page.evaluate(asked)
    press(page, "i")
    assert top == page.evaluate(asked)
    expect(page.get_by_role("region", name="Instructions")).to_be_in_viewport()

    press(page, "f")
    page.keyboard.type("COLLEAGUE")

    expect(page.locator("#found-in-instructions")).to_have_text("1 of 1")
    assert 390 == page.evaluate("document.documentElement.scrollWidth")
    press(page, "Escape", "q")
    expect(page.get_by_role("radio", name="The task itself")).to_be_checked()


def test_a_task_with_bold_words_weighs_under_150_kilobytes(windows: Windows) -> None:
    said = EXAMPLES["pairwise"].payload | {"a": "**Stop** the drug. " * 20}
    page = open_task(windows, "pairwise", template={"question": "Which?"}, payload=said).page
    expect(page.locator(".answer strong").first).to_be_visible()
    page.wait_for_load_state("networkidle")

    fetched: list[tuple[str, int]] = page.evaluate(
        """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
          .map((each) => [each.name, each.encodedBodySize])"""
    )

    faces = sorted(name.rpartition("/")[2] for name, _ in fetched if name.endswith("woff2"))
    assert ["inter-latin-normal.woff2", "source-serif-4-latin-400-normal.woff2"] == faces
    assert sum(size for _, size in fetched) < 150_000
