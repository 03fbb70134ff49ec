"""The page of API tokens: least privilege at hand, warnings, and a question before revoking."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.identity import queries
from marketplace.web.account.token_words import PATTERN
from tests.make import identity as make
from tests.web.conftest import Browser

TICKED = re.compile(r'name="scopes" value="([a-z_.]+)" checked')


def test_the_form_starts_with_what_programs_need_and_offers_less_and_more(
    browser: Browser, session: Session
) -> None:
    browser.sign_in(session, make.lab_owner(session))

    ticked = {
        choice: set(TICKED.findall(browser.get(f"/account/tokens?may={choice}").text))
        for choice in ("", "look", "all")
    }

    run = {"jobs.view", "jobs.edit", "jobs.publish", "exports.create", "webhooks.manage"}
    assert run | {"balance.view"} == ticked[""]
    assert {"jobs.view", "balance.view"} == ticked["look"]
    assert {"tokens.manage", "members.manage"} < ticked["all"]


def test_a_specialist_is_offered_what_specialists_do(browser: Browser, session: Session) -> None:
    browser.sign_in(session, make.specialist(session))

    page = browser.get("/account/tokens").text

    assert {"work.do", "earnings.view"} == set(TICKED.findall(page))
    assert "Your own work" in page
    assert "quick-start" not in page


def test_a_new_token_fits_the_pattern_and_no_cache_keeps_it(
    browser: Browser, session: Session
) -> None:
    browser.sign_in(session, make.lab_owner(session))

    page = browser.post("/account/tokens", {"name": "Nightly", "scopes": "jobs.view", "days": 7})

    shown = re.search(r'id="new-token" value="([^"]+)"', page.text)
    assert shown is not None
    assert PATTERN.fullmatch(shown[1])
    assert "no-store" == page.headers["Cache-Control"]
    assert "ends soon" in page.text
    assert "long life" not in page.text


def test_old_and_idle_tokens_are_marked(browser: Browser, session: Session) -> None:
    owner = make.lab_owner(session)
    browser.sign_in(session, owner)
    for name, days in (("Idle", 366), ("Over", 30)):
        browser.post("/account/tokens", {"name": name, "scopes": "jobs.view", "days": days})
    over, idle = queries.tokens_of(session, owner)[:2]
    idle.created_at -= timedelta(days=70)
    over.expires_at = clock.now() - timedelta(days=1)
    session.flush()

    page = browser.get("/account/tokens").text

    assert "idle for two months" in page
    assert "long life" in page
    assert "1 token that ended" in page


def test_revoking_asks_first_and_tells_what_would_end(
    browse: Callable[[], Browser], session: Session
) -> None:
    owner = make.lab_owner(session)
    plain = make.token(session, owner)
    mine, other = (
        browse().sign_in(session, owner),
        browse().sign_in(session, make.lab_owner(session)),
    )
    mine.get("/api/v1/me", Authorization=f"Bearer {plain}")
    row = queries.tokens_of(session, owner)[0]

    asked = mine.get(f"/account/tokens/{row.id}/revoke").text

    assert f"Revoke “{row.name}”?" in asked
    assert "It was used" in asked
    assert plain not in asked
    assert 404 == other.get(f"/account/tokens/{row.id}/revoke").status_code
    assert 200 == mine.get("/api/v1/me", Authorization=f"Bearer {plain}").status_code
