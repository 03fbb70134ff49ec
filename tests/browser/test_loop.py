"""The whole loop through real pages: a lab's file becomes pay for a doctor and data for the lab."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Locator, Page, expect

from marketplace import clock
from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Role
from marketplace.ledger import queries as ledger
from tests.browser.place import Place
from tests.browser.windows import Windows
from tests.make import identity as people
from tests.make import specialists

pytestmark = pytest.mark.browser

LAB = "lab@example.test"
DOCTOR = "doctor@example.test"
PASSWORD = people.PASSWORD
ON_PAPERS = "Mei Lin"  # Whoever is paid under another name than the licence's is held.
TITLE = "Which answer would you give a patient?"
REASON = "The second answer halves the dose; look at it once more."
ITEMS = 4
TIE = "Question 2?"
CLEARANCE = timedelta(days=8)


@dataclass
class Cast:
    """Everybody's window."""

    lab: Page
    doctor: Page
    operations: Page
    preparer: Page
    approver: Page


def test_a_lab_asks_a_doctor_answers_finance_pays_and_the_lab_downloads(
    windows: Windows, place: Place, tmp_path: Path
) -> None:
    place.empty()
    cast = Cast(
        lab=windows.open(),
        doctor=windows.open(),
        operations=open_office(windows, Role.OPERATIONS),
        preparer=open_office(windows, Role.PREPARER),
        approver=open_office(windows, Role.APPROVER),
    )
    sign_up(cast.lab, place, LAB, "Nora Adler", lab="Adler Lab")
    post_job(cast.lab)
    send_items(cast.lab, tmp_path)
    top_up(cast.lab)
    publish(cast.lab)

    sign_up(cast.doctor, place, DOCTOR, "Dr. Lin")
    become_known(cast.doctor)
    verify_credential(cast.operations)
    preferred = work_off(cast.doctor)
    review(cast.lab, send_back=True)
    answer_again(cast.doctor, preferred)
    review(cast.lab, send_back=False)

    place.worker.run_later(CLEARANCE, "review.clear_due")
    onboard(cast.doctor)
    pay_out(cast.preparer, cast.approver, cast.doctor)
    check_the_book(place, cast.preparer)

    rows = export(cast.lab, tmp_path)
    assert {asked: answer for asked, answer in preferred.items() if asked != TIE} == {
        row["prompt"][-1]["content"]: row["chosen"][-1]["content"] for row in rows
    }


def open_office(windows: Windows, role: Role) -> Page:
    """A window of somebody on the platform's side, signed in by the form."""
    with transaction() as session:
        staff = people.staff(session, role, name=f"The {role.value}")
        email = identity.person_of(session, staff).email
    page = windows.open()
    sign_in(page, email)
    return page


def sign_in(page: Page, email: str) -> None:
    """Sign in by the form."""
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".rail nav")).to_be_visible()


def sign_up(page: Page, place: Place, email: str, name: str, *, lab: str = "") -> None:
    """Sign up, and prove the address with the mailed link."""
    page.goto("/sign-up")
    page.locator(f"input[name=kind][value={'lab' if lab else 'specialist'}]").check()
    if lab:
        page.get_by_label("The lab's name").fill(lab)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()

    page.goto(place.link_to(email))
    page.get_by_role("button", name="Verify").click()
    # The browser that signed up is in at once.
    expect(page.get_by_text("Your e-mail address is verified.")).to_be_visible()
    expect(page.locator(".rail nav")).to_be_visible()


def post_job(page: Page) -> None:
    """Describe a pairwise job in the form; every answer is reviewed."""
    page.goto("/lab/jobs")
    page.get_by_role("link", name="New job").first.click()
    page.locator("a[href$='type=pairwise']").click()
    page.locator("#field-title").fill(TITLE)
    page.locator("#field-domain").fill("cardiology")
    page.locator("#field-instructions_md").fill("Prefer the answer that is **safe** to act on.")
    page.locator("#field-template-question").fill("Which answer is safer?")
    page.locator("#field-profession").select_option("medicine")
    page.locator("#field-credential_level_min").select_option("2")
    page.locator("#field-pay").fill("4.50")
    page.locator("#field-expected_minutes").fill("3")
    page.locator("#field-overlap_min").fill("1")
    page.locator("#field-overlap_max").fill("1")
    page.locator("#field-review_percent").fill("100")
    page.get_by_role("button", name="Keep the draft and send items").click()
    expect(page.locator("h1")).to_have_text(TITLE)


def send_items(page: Page, folder: Path) -> None:
    """Send a file with one line that is no JSON; the page says so in words."""
    file = folder / "items.jsonl"
    lines = [json.dumps(item(number)) for number in range(1, ITEMS + 1)]
    lines.insert(1, '{"external_id": "broken", "payload": ')
    file.write_text("\n".join(lines), encoding="utf-8")
    if not page.locator("#field-file").count():
        page.get_by_role("link", name=re.compile("^Items")).click()
    page.locator("#field-file").set_input_files(file)
    page.get_by_role("button", name="Send and look").click()
    page.get_by_role("button", name="Read it", exact=True).click()
    expect(page.get_by_text("1 row could not be used.")).to_be_visible()
    fault = page.get_by_role("table", name="Rows that could not be used").get_by_role("row").nth(1)
    expect(fault).to_contain_text(re.compile(r"\b2\b.*JSON"))
    page.get_by_role("link", name="To the items").click()
    expect(page.get_by_text(f"{ITEMS} items in.")).to_be_visible()


def item(number: int) -> dict[str, Any]:
    """One line of the lab's file."""
    asked = [{"role": "user", "content": f"Question {number}?"}]
    answers = {"a": f"First answer {number}", "b": f"Second answer {number}"}
    return {"external_id": f"q-{number}", "payload": {"messages": asked, **answers}}


def top_up(page: Page) -> None:
    """See what is short, and pay it on the sandbox's page."""
    page.get_by_role("link", name="Price and publish").first.click()
    page.get_by_role("link", name="Top up $").click()
    page.get_by_label("Amount").fill("100.00")
    page.get_by_role("button", name="Go to checkout").click()
    page.locator("input[name=card][value='4000000000000077']").check()
    page.get_by_label("E-mail for the receipt").fill(LAB)
    page.get_by_role("button", name="Pay $100.00").click()
    expect(page.get_by_text("$100.00 are in your balance.")).to_be_visible()


def publish(page: Page) -> None:
    """Publish; the most that the job can cost is reserved."""
    page.get_by_role("link", name="To the jobs").click()
    page.get_by_role("link", name=TITLE).click()
    page.get_by_role("link", name="Price and publish").first.click()
    page.get_by_role("button", name="Publish and reserve $21.60").click()
    expect(page.locator("main .status").first).to_have_text("Open")


def become_known(page: Page) -> None:
    """Save a profile and claim a licence."""
    page.goto("/work/profile")
    page.locator("#field-headline").fill("Cardiologist, twelve years in clinic")
    page.get_by_label("Medicine", exact=True).check()
    page.get_by_label("English", exact=True).check()
    page.get_by_role("button", name="Save").click()
    page.goto("/work/start/papers")
    page.get_by_label("Your name as on your papers").fill(ON_PAPERS)
    page.get_by_role("button", name="Save and go on").click()
    page.goto("/work/credentials/new")
    page.get_by_role("link", name="State medical licence").click()
    page.locator("#field-identifier").fill(specialists.licence())
    page.locator("#field-jurisdiction").select_option("US-CA")
    expires = clock.now().date() + timedelta(days=400)
    page.locator("#field-valid_until").fill(expires.isoformat())
    page.get_by_role("button", name="Claim it").click()
    expect(page.locator("main .status").first).to_have_text("Checking")
    page.goto("/work/feed")
    expect(page.get_by_text("No job that fits you has a free task now.")).to_be_visible()


def verify_credential(page: Page) -> None:
    """Look the licence up and say what was seen."""
    page.goto("/operations/credentials")
    page.get_by_role("link", name="Dr. Lin").click()
    page.locator("input[name=outcome][value=verify]").check()
    for tick in page.locator("input[name^='checklist.']").all():
        tick.check()
    page.locator("#field-level").select_option("4")
    page.locator("#field-note").fill(specialists.NOTE)
    page.get_by_role("button", name="Record the decision").click()
    expect(page.locator(".side .status").first).to_have_text("Verified")


def work_off(page: Page) -> dict[str, str]:
    """Answer every task with keys alone; what was preferred, by what was asked."""
    page.goto("/work/feed")
    offer = page.locator("article", has_text=TITLE)
    expect(offer).to_contain_text("$4.50")
    offer.get_by_role("button", name="Start").click()
    preferred: dict[str, str] = {}
    for number in range(ITEMS):
        claim = page.locator("x-workbench")
        name = claim.get_attribute("data-claim")
        expect(page.locator("x-workbench:defined")).to_be_visible()
        asked = page.locator(".asked .material").inner_text().strip()
        preferred[asked] = page.locator(".answer .material").first.inner_text().strip()
        press_answer(page, tie=asked == TIE)
        if number == 1:
            page = close_and_come_back(page)
        page.keyboard.press("Enter")
        expect(page.locator(f"x-workbench[data-claim='{name}']")).to_have_count(0)
    expect(page.locator("x-workbench")).to_have_count(0)
    return preferred


def press_answer(page: Page, *, tie: bool) -> None:
    """Choose with a key; only a preference has a strength."""
    page.keyboard.press("t" if tie else "a")
    if not tie:
        page.keyboard.press("2")
    expect(page.locator("input[name=choice]:checked")).to_have_attribute(
        "data-key", "t" if tie else "a"
    )


def close_and_come_back(page: Page) -> Page:
    """Close the tab with a draft in it; the draft is there in a new one."""
    page.keyboard.press("r")
    page.keyboard.type("Safer for the kidneys.")
    expect(page.locator("[data-saved]")).to_contain_text("revision")
    was = page.locator("input[name=choice]:checked").get_attribute("value")
    context = page.context
    page.close()
    page = context.new_page()
    page.goto("/work")
    page.get_by_role("link", name="Go on with it").click()
    expect(page.locator("#field-rationale")).to_have_value("Safer for the kidneys.")
    assert was == page.locator("input[name=choice]:checked").get_attribute("value")
    return page


def review(page: Page, *, send_back: bool) -> None:
    """Decide on everything that waits, with keys; the first may be sent back with a reason."""
    page.goto("/lab/review")
    page.get_by_role("link", name="Start", exact=True).click()
    expect(page.locator("x-review:defined")).to_be_visible()
    if send_back:
        page.keyboard.press("r")
        expect(page.locator("#field-note")).to_be_focused()
        page.keyboard.type(REASON)
        page.keyboard.press("Escape")
        press_verdict(page, "r")
    while page.locator("button[value=accept]").count():
        press_verdict(page, "a")
    expect(page.get_by_text("You are through.")).to_be_visible()


def press_verdict(page: Page, key: str) -> None:
    """Decide with a key, and wait for what comes next."""
    expect(page.locator("x-review:defined")).to_be_visible()
    with page.expect_navigation():
        page.keyboard.press(key)


def answer_again(page: Page, preferred: dict[str, str]) -> None:
    """Do what came back, with the other answer."""
    page = page.context.pages[-1]
    page.goto("/work")
    expect(page.get_by_text(REASON)).to_be_visible()
    page.get_by_role("link", name="Go on with it").click()
    expect(page.get_by_text(REASON)).to_be_visible()
    asked = page.locator(".asked .material").inner_text().strip()
    preferred[asked] = page.locator(".answer .material").last.inner_text().strip()
    page.keyboard.press("b")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.locator("x-workbench")).to_have_count(0)


def onboard(page: Page) -> None:
    """Tell Stripe where the pay goes, on the sandbox's form."""
    page = page.context.pages[-1]
    page.goto("/work/earnings")
    expect(page.locator(".tile", has_text="Available")).to_contain_text("$18.00")
    page.locator("#field-country").select_option("US")
    page.get_by_role("button", name="Go on to Stripe").click()
    for label, name in zip(("First name", "Last name"), ON_PAPERS.split(), strict=True):
        page.get_by_label(label).fill(name)
    page.locator("input[name=terms]").check()
    page.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/work/earnings**")
    until_shown(page, page.get_by_text("Ready to be paid"))


def until_shown(page: Page, wanted: Locator) -> None:
    """Open the page again until it shows what the background brings."""
    for _ in range(60):
        if wanted.first.is_visible():
            return
        page.wait_for_timeout(500)
        page.reload()
    expect(wanted.first).to_be_visible()


def pay_out(preparer: Page, approver: Page, doctor: Page) -> None:
    """One prepares, another approves with a code, the first releases, Stripe sends."""
    preparer.goto("/finance")
    preparer.get_by_role("link", name="Prepare a run").first.click()
    preparer.get_by_role("button", name="Prepare this run").click()
    expect(preparer.locator(".page-head .state")).to_contain_text("1 line, $18.00")
    approve(approver, preparer.url)
    preparer.on("dialog", lambda dialog: dialog.accept())
    preparer.reload()
    preparer.get_by_role("button", name="Release").click()
    until_shown(preparer, preparer.get_by_text("All 1 line sent, $18.00."))
    line = preparer.locator("tr[id^=line-]")
    expect(line).to_contain_text("Dr. Lin")
    expect(line).to_contain_text("tr_")

    doctor = doctor.context.pages[-1]
    doctor.goto("/work/earnings")
    expect(doctor.locator(".tile", has_text="Paid")).to_contain_text("$18.00")


def approve(page: Page, run: str) -> None:
    """Turn the second factor on in the pages, then sign the run with its next code."""
    page.goto(run)
    page.get_by_role("link", name="Set up your second factor").click()
    page.get_by_role("button", name="Set it up").click()
    secret = pyotp.TOTP(page.locator("#totp-secret").input_value())
    page.get_by_label("Code from the app").fill(secret.at(clock.now()))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("link", name="I have kept them").click()
    page.goto(run)
    # The present code has been used; the next one counts already.
    page.locator("#field-code").fill(secret.at(clock.now() + timedelta(seconds=30)))
    page.get_by_role("button", name="Approve $18.00").click()
    expect(page.locator(".page-head .state")).to_contain_text("approved")


def check_the_book(place: Place, page: Page) -> None:
    """Finance sees that cash ties to Stripe, and that debit and credit are equal."""
    place.worker.run_soon("reconciliation.pull")
    page.goto("/finance")
    expect(page.locator(".page-head .state")).to_contain_text("The book ties to Stripe")
    page.goto("/finance/trial-balance")
    sums = page.locator("tfoot tr").first.locator("td.number")
    assert sums.first.inner_text() == sums.last.inner_text() != ""
    with transaction() as session:
        assert [] == ledger.broken_invariants(session)


def export(page: Page, folder: Path) -> list[dict[str, Any]]:
    """The rows of a preference file that was written and downloaded."""
    page.goto("/lab/jobs")
    page.get_by_role("link", name=TITLE).click()
    page.get_by_role("navigation", name="Parts of this job").get_by_role(
        "link", name="Exports"
    ).click()
    formats = page.get_by_role("navigation", name="Formats")
    formats.get_by_role("link", name="TRL preference").click()
    page.get_by_role("button", name="Write the file").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    file = folder / "export.jsonl"
    waiting.value.save_as(file)
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
