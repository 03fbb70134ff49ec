"""The builder beside its preview: what is typed is seen at once, as specialists will see it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from marketplace.db import transaction
from tests.browser.bench import assert_accessible
from tests.browser.windows import Windows
from tests.make import identity, jobs

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_preview_follows_what_is_typed(windows: Windows, width: int, scheme: str) -> None:
    with transaction() as session:
        lab = identity.lab_owner(session)
        job = jobs.filled(session, lab, items=3)
        cookie = identity.cookie(session, lab)
    page = windows.open(cookie=cookie, width=width, scheme="dark" if scheme == "dark" else "light")
    page.goto(f"/lab/jobs/{job.id}/edit")
    preview = page.locator("#task-preview")
    expect(preview).to_contain_text("First answer 1")

    page.get_by_label("The question", exact=False).first.fill("Which would you sign?")
    expect(preview).to_contain_text("Which would you sign?")
    preview.get_by_role("button", name="Next").press("Enter")
    expect(preview).to_contain_text("First answer 2")
    expect(preview).to_contain_text("Which would you sign?")

    page.get_by_label("“Tie” may be chosen", exact=False).select_option("false")
    expect(preview.get_by_label("Tie", exact=False)).to_have_count(0)
    assert width >= page.evaluate("document.documentElement.scrollWidth")
    assert_accessible(page)
