"""The pages of screening: hits, held payees, what runs out, and editions of lists."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity.rules import Role
from marketplace.ids import PersonId, new_id
from marketplace.payouts.models import PayeeAccount, PayeeHold
from marketplace.payouts.rules import HoldState
from marketplace.specialists import service
from marketplace.specialists.models import ReferenceSnapshot, SanctionHit
from marketplace.specialists.queries.lists import open_hits
from marketplace.specialists.rules.lists import HitState, PublishedList
from tests.make import background, identity, lists, specialists
from tests.web.conftest import Browser
from tests.web.pages import checked

TALVIK = lists.Excluded("TALVIK", "MIRENA", born="19610207", state="NY")
NOTE = "Compared the birth date with the entry; the address is another."


@pytest.fixture
def staff(session: Session) -> Actor:
    """Somebody of operations."""
    return identity.staff(session, Role.OPERATIONS, name="Op Erations")


@pytest.fixture
def desk(browse: Callable[[], Browser], session: Session, staff: Actor) -> Browser:
    """Their browser."""
    return browse().sign_in(session, staff)


def text(page: TestResponse) -> str:
    """The page's source, after it was found to be valid."""
    return checked(page, page.status_code)


def talvik(session: Session, valid_until: date | None = None) -> PersonId:
    """A doctor of that name, who is on the list."""
    person = identity.specialist(session, name="Mirena Talvik")
    service.save_profile(session, person, professions=["medicine"], born_on="1961-02-07")
    specialists.verified(session, person, valid_until=valid_until)
    session.flush()
    return person.person()


def a_hit(session: Session) -> SanctionHit:
    """An open strong hit on her."""
    person_id = talvik(session)
    snapshot = lists.leie(TALVIK)
    background.run("specialists.screen_edition", snapshot_id=str(snapshot.id))
    (hit,) = open_hits(session, person_id)
    return hit


@pytest.mark.parametrize("path", ["hits", "hits?state=cleared", "payees", "expiring", "lists"])
def test_pages_without_anything_say_so(desk: Browser, path: str) -> None:
    """Nothing is empty without a word."""
    page = desk.get(f"/operations/{path}")

    assert 200 == page.status_code
    assert 'class="empty"' in text(page)


def test_without_an_edition_the_page_says_that_nobody_is_compared(desk: Browser) -> None:
    """An empty queue must not look like a clean one."""
    assert "No edition of LEIE and OFAC SDN is loaded." in text(desk.get("/operations/hits"))


def test_a_hit_is_compared_and_cleared(session: Session, desk: Browser) -> None:
    """Both sides stand beside each other; a decision needs its note."""
    hit = a_hit(session)
    queue = text(desk.get("/operations/hits"))
    page = text(desk.get(f"/operations/hits/{hit.id}"))

    assert f"/operations/hits/{hit.id}" in queue
    assert ["TALVIK, MIRENA", "1961-02-07", "US-NY", "US-CA"] == [
        said for said in ("TALVIK, MIRENA", "1961-02-07", "US-NY", "US-CA") if said in page
    ]
    assert "Credentials that this list concerns are suspended." in page

    refused = desk.post(f"/operations/hits/{hit.id}", {"verb": "clear", "note": "no"})
    assert (422, True) == (refused.status_code, "Write what you compared" in text(refused))
    unchosen = desk.post(f"/operations/hits/{hit.id}", {"note": NOTE})
    assert (422, True) == (unchosen.status_code, "Choose what you decide." in text(unchosen))

    done = desk.post(f"/operations/hits/{hit.id}", {"verb": "clear", "note": NOTE})
    assert 303 == done.status_code
    session.expire_all()
    assert HitState.CLEARED is session.get_one(SanctionHit, hit.id).state
    assert "Look at it again" in text(desk.get(f"/operations/hits/{hit.id}"))


def test_the_second_person_is_asked_for(
    session: Session, desk: Browser, browse: Callable[[], Browser]
) -> None:
    """Who proposed it is not offered to confirm it."""
    hit = a_hit(session)
    desk.post(f"/operations/hits/{hit.id}", {"verb": "propose", "note": NOTE})
    colleague = identity.staff(session, Role.OPERATIONS, name="Second Eyes")
    session.flush()
    other = browse().sign_in(session, colleague)

    assert "A second person has to confirm it." in text(desk.get(f"/operations/hits/{hit.id}"))
    assert 'value="confirm"' not in text(desk.get(f"/operations/hits/{hit.id}"))
    assert 'value="confirm"' in text(other.get(f"/operations/hits/{hit.id}"))
    assert (
        303
        == other.post(f"/operations/hits/{hit.id}", {"verb": "confirm", "note": NOTE}).status_code
    )
    session.expire_all()
    assert HitState.CONFIRMED is session.get_one(SanctionHit, hit.id).state


def test_an_edition_is_sent_and_followed(session: Session, desk: Browser) -> None:
    """The files are read in the background; the page shows what changed."""
    rows = lists.some_excluded(60)
    files: dict[str, object] = {
        "updated": (io.BytesIO(lists.leie_csv([*rows, TALVIK])), "UPDATED.csv"),
    }
    sent = desk.post("/operations/lists/leie", files)
    assert 303 == sent.status_code
    assert "This page follows along" in text(desk.get(sent.location))
    background.run_all()
    session.expire_all()
    page = text(desk.get(f"{sent.location}?kind=added"))
    loaded = session.scalars(select(ReferenceSnapshot)).one()

    assert ("loaded", []) == (loaded.state, loaded.stored)
    assert loaded.screened_at is not None
    assert f"Added ({loaded.added})" in page
    assert "LEIE" in text(desk.get("/operations/lists"))

    again: dict[str, object] = {
        "updated": (io.BytesIO(lists.leie_csv([*rows, TALVIK])), "renamed.csv")
    }
    assert sent.location == desk.post("/operations/lists/leie", again).location


def test_missing_files_are_named(desk: Browser) -> None:
    """Each one at its field; an unknown list is not there."""
    refused = desk.post("/operations/lists/ofac", {"source_on": "soon"})

    assert 422 == refused.status_code
    assert ["Choose the file alt.csv.", "Write the day as 2026-11-05"] == [
        said
        for said in ("Choose the file alt.csv.", "Write the day as 2026-11-05")
        if said in text(refused)
    ]
    assert 404 == desk.post("/operations/lists/nobody").status_code


def test_what_changed_is_shown_with_what_was(session: Session, desk: Browser) -> None:
    """A changed row says what it was before."""
    lists.leie(TALVIK)
    second = lists.leie(lists.Excluded("TALVIK", "MIRENA", born="19610207", state="TX"))
    page = text(desk.get(f"/operations/lists/editions/{second.id}?kind=changed"))

    assert "places US-NY" in page
    assert PublishedList.LEIE is second.source


def test_what_runs_out_is_listed_with_its_reminders(session: Session, desk: Browser) -> None:
    """The nearest first, with who was told."""
    talvik(session, clock.now().date() + timedelta(days=20))
    background.run("specialists.remind")
    page = text(desk.get("/operations/expiring"))

    assert "Mirena Talvik" in page
    assert "30 days: " in page
    assert "Mirena Talvik" not in text(desk.get("/operations/expiring?days=7"))
    assert 200 == desk.get("/operations/expiring?after=nonsense~x").status_code


def test_a_held_payee_is_cleared_with_a_note(session: Session, desk: Browser) -> None:
    """Both names are shown; without a reason nothing happens."""
    hold = a_held_payee(session)
    page = text(desk.get("/operations/payees"))
    assert ["Mirena Talvik", "Quite Another"] == [
        said for said in ("Mirena Talvik", "Quite Another") if said in page
    ]

    refused = desk.post(f"/operations/payees/{hold.id}/clear", {"note": ""})
    assert (422, True) == (refused.status_code, "both are one person" in text(refused))
    assert 303 == desk.post(f"/operations/payees/{hold.id}/clear", {"note": NOTE}).status_code
    session.expire_all()
    now = session.get_one(PayeeHold, hold.id)
    assert (HoldState.CLEARED, None, NOTE) == (now.state, now.account_name, now.note)


def a_held_payee(session: Session) -> PayeeHold:
    """A doctor whose account is somebody else's."""
    person_id, now = talvik(session), clock.now()
    session.add(
        PayeeAccount(
            person_id=person_id,
            account_key=new_id(),
            payee_name="Quite Another",
            country="US",
            currency="USD",
            transfers_active=False,
            details_submitted=False,
            requirements=[],
            version=1,
            changed_by=person_id,
            changed_at=now,
            created_at=now,
        )
    )
    session.flush()
    background.run("payouts.compare_names")
    return session.scalars(select(PayeeHold)).one()
