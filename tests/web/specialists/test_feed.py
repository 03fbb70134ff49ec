"""The feed: its order and kinds stand in the address; closed jobs say why and what to do."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace import clock
from marketplace.actor import Actor
from marketplace.money import Money
from marketplace.specialists import service
from marketplace.web.specialists import offers
from tests.make import specialists, work
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def order_of(page: str, *titles: str) -> list[str]:
    """The titles as they follow each other on a page."""
    return sorted(titles, key=page.index)


def test_the_order_is_kept_in_the_address(desk: Browser, session: Session) -> None:
    work.published(session, title="Quick", pay=Money(2_00, "USD"), expected_seconds=60)
    work.published(session, title="Long", pay=Money(9_00, "USD"), expected_seconds=900)
    session.flush()  # The pages read by sessions of their own.

    by_pay = checked(desk.get("/work/feed?sort=pay"))
    by_rate = checked(desk.get("/work/feed?sort=rate"))

    assert ["Long", "Quick"] == order_of(text_of(by_pay), "Quick", "Long")
    assert ["Quick", "Long"] == order_of(text_of(by_rate), "Quick", "Long")
    assert '<option value="pay" selected>' in by_pay


@pytest.mark.parametrize("asked", [{"sort": "magic", "type": "none"}, {"sort": ""}, {}])
def test_words_that_mean_nothing_in_the_address_ask_for_nothing(asked: dict[str, str]) -> None:
    wish = offers.wish_from(MultiDict(asked))

    assert (offers.BEST, False) == (wish.sort, wish.narrows)


def test_a_kind_that_nothing_has_leads_back_to_all(desk: Browser, session: Session) -> None:
    work.published(session)
    session.flush()  # The pages read by sessions of their own.

    page = text_of(checked(desk.get("/work/feed?type=ranking")))

    assert "None of the 1 job that fit you is of this kind." in page
    assert "Show all that fit" in page


def test_a_closed_job_says_what_to_do_about_each_reason(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    work.published(session, languages=["sw"], specialties=["neurology"])
    session.flush()  # The pages read by sessions of their own.

    page = checked(desk.get("/work/feed"))

    assert "It asks for Swahili (sw)" in text_of(page)
    assert 'href="/work/profile">Change your languages' in page
    assert 'href="/work/credentials">Look at your credentials' in page


def test_jobs_for_other_professions_stand_last(
    desk: Browser, session: Session, doctor: Actor
) -> None:
    work.published(session, title="Clauses", profession="law", specialties=[])
    session.flush()  # The pages read by sessions of their own.

    assert "1 job for other professions" in text_of(checked(desk.get("/work/feed")))


def test_who_waits_for_a_check_is_not_told_to_claim_again(
    newcomer: Browser, session: Session
) -> None:
    work.published(session)
    session.flush()  # The pages read by sessions of their own.
    newcomer.post("/work/credentials/new", {"type": "npi", "identifier": specialists.npi()})

    page = text_of(checked(newcomer.get("/work/feed")))

    assert "Yours is not verified yet; this opens once it is." in page


def test_outside_ones_hours_nothing_presses(desk: Browser, session: Session, doctor: Actor) -> None:
    now = clock.now().hour
    begins, ends = (now + 2) % 24 * 60, (now + 3) % 24 * 60
    service.save_profile(session, doctor, time_zone="UTC", works_from=begins, works_until=ends)
    session.flush()  # The pages read by sessions of their own.

    page = text_of(checked(desk.get("/work/feed")))

    assert "outside the hours that you set" in page


def test_the_card_tells_caps_and_late_pay_before_a_claim(desk: Browser, session: Session) -> None:
    _, job = work.published(session)
    session.flush()  # The pages read by sessions of their own.

    page = text_of(checked(desk.get(f"/work/jobs/{job.id}")))

    assert "What a task asks" in page
    assert "You may hold 5 tasks of it at a time." in page
    assert "earns its full pay where somebody else has it by then" in page
