"""Operations: the queue, a claim's page, decisions, cases, people."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.identity import queries as identity_queries
from marketplace.identity.rules import Role
from marketplace.specialists import queries, service
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import CredentialState
from tests.make import identity, specialists
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def staff(session: Session) -> Actor:
    """Someone of operations."""
    return identity.staff(session, Role.OPERATIONS, name="Olga")


@pytest.fixture
def desk(browse: Callable[[], Browser], session: Session, staff: Actor) -> Browser:
    """The browser of operations."""
    return browse().sign_in(session, staff)


@pytest.fixture
def claim(session: Session) -> CredentialClaim:
    """A licence that waits for a person."""
    return specialists.claimed(session, identity.specialist(session, name=f"Dr. {NASTY}"))


def decision(outcome: str, level: int = 2, **more: object) -> dict[str, object]:
    """The form, with every tick that the level needs."""
    ticks = {f"checklist.{key}": "1" for key in specialists.ticks(level)}
    return {"outcome": outcome, "level": str(level), "note": specialists.NOTE, **ticks, **more}


@pytest.mark.parametrize(
    "path", ["/operations/credentials", "/operations/cases", "/operations/people?q=nobody-at-all"]
)
def test_pages_without_anything_say_so(desk: Browser, path: str) -> None:
    page = text_of(checked(desk.get(path)))

    assert any(words in page for words in ("Nothing waits for you", "No case is", "Nobody's name"))


def test_the_queue_leads_to_the_claim_and_its_register(
    desk: Browser, claim: CredentialClaim
) -> None:
    queue = checked(desk.get("/operations/credentials"))
    page = checked(desk.get(f"/operations/credentials/{claim.id}"))

    assert f"/operations/credentials/{claim.id}" in queue
    assert "https://www.docinfo.org/search/" in page
    assert str(claim.identifier) in page
    for each in (queue, page):
        assert NASTY not in each
        assert "&lt;script&gt;" in each


def test_the_name_to_compare_is_that_of_the_papers(desk: Browser, session: Session) -> None:
    """An account may bear any name, also that of whom the register lists."""
    impostor = identity.specialist(session, name="Mirena Talvik")
    claim = specialists.claimed(session, impostor)
    path = f"/operations/credentials/{claim.id}"
    without = text_of(checked(desk.get(path)))
    service.save_profile(session, impostor, legal_name="Zolka Ferrante")
    session.flush()

    assert "The name on this person's papers is not given." in without
    assert "Compare the register with Zolka Ferrante" in text_of(checked(desk.get(path)))


def test_a_specialty_that_nothing_shows_is_struck(
    desk: Browser, session: Session, claim: CredentialClaim
) -> None:
    """Labs read what stays, so whoever verifies answers for the specialties as well."""
    path = f"/operations/credentials/{claim.id}"
    page = checked(desk.get(path))

    answer = desk.post(f"{path}/specialties/cardiology/strike", {})
    again = desk.post(f"{path}/specialties/cardiology/strike", {})

    session.refresh(claim)
    assert f'action="{path}/specialties/cardiology/strike"' in page
    assert (303, 404, []) == (answer.status_code, again.status_code, claim.specialties)


def test_a_licence_is_verified_by_hand(
    desk: Browser, session: Session, staff: Actor, claim: CredentialClaim
) -> None:
    sent = decision("verify", 3, note=f"Seen there: {NASTY}", valid_until="2090-05-01")

    answer = desk.post(f"/operations/credentials/{claim.id}/decision", sent)

    page = checked(desk.get(answer.location))
    session.refresh(claim)
    assert (CredentialState.VERIFIED, 3) == (claim.state, claim.level)
    assert "2090-05-01" == str(claim.valid_until)
    assert "I opened the register's own page." in text_of(page)
    assert NASTY not in page
    assert str(claim.id) in desk.get("/operations/credentials?state=verified").text
    assert str(claim.id) not in desk.get("/operations/credentials").text


@pytest.mark.parametrize(
    ("sent", "advice"),
    [
        ({"outcome": "verify", "level": "2", "note": specialists.NOTE}, "Level 2 needs this"),
        (decision("verify", note=""), "Write what you saw and where"),
        (decision("verify", valid_until="never"), "Write the day as 2027-01-31."),
        (decision("verify", valid_until="2001-01-01"), "This day has passed"),
        (decision("verify") | {"level": "9"}, "level 2, 3 or 4"),
        (decision("verify") | {"level": "x"}, "Write a whole number."),
        (decision("shrug"), "Choose one of"),
        ({"note": specialists.NOTE}, "Choose what you decide."),
    ],
)
def test_a_decision_that_lacks_something_comes_back(
    desk: Browser, session: Session, claim: CredentialClaim, sent: dict[str, object], advice: str
) -> None:
    answer = desk.post(f"/operations/credentials/{claim.id}/decision", sent)

    assert advice in text_of(checked(answer, 422))
    session.refresh(claim)
    assert CredentialState.CHECKING is claim.state


def test_only_steps_of_the_lifecycle_are_offered(
    desk: Browser, session: Session, claim: CredentialClaim
) -> None:
    path = f"/operations/credentials/{claim.id}"

    def offered() -> list[str]:
        page = desk.get(path).text
        every = ("verify", "reject", "suspend", "revoke", "reopen")
        return [one for one in every if f'name="outcome" value="{one}"' in page]

    steps = [offered()]
    for outcome in ("verify", "suspend", "revoke", "reopen"):
        assert 303 == desk.post(f"{path}/decision", decision(outcome)).status_code
        session.expire_all()
        steps.append(offered())

    assert [
        ["verify", "reject", "suspend"],
        ["verify", "suspend", "revoke"],
        ["verify", "revoke"],
        ["reopen"],
        ["verify", "reject", "suspend"],
    ] == steps
    stale = desk.post(f"{path}/decision", decision("reopen"))
    assert 422 == stale.status_code


def test_nobody_decides_on_their_own(browse: Callable[[], Browser], session: Session) -> None:
    both = identity.staff(session, Role.OPERATIONS)
    identity_queries.person_of(session, both).is_specialist = True
    session.flush()
    someone = identity_queries.person_of(session, both)
    own = specialists.claimed(session, identity_queries.actor_for(someone, (), None))
    browser = browse().sign_in(session, both)

    page = checked(browser.get(f"/operations/credentials/{own.id}"))
    answer = browser.post(f"/operations/credentials/{own.id}/decision", decision("verify"))

    assert "This is your own credential." in text_of(page)
    assert 'name="outcome"' not in page
    assert 403 == answer.status_code


def test_two_accounts_with_one_identifier_are_a_case(
    desk: Browser, session: Session, claim: CredentialClaim
) -> None:
    copied = specialists.claimed(
        session, identity.specialist(session), identifier=str(claim.identifier)
    )
    assert CredentialState.BLOCKED is copied.state
    session.flush()

    cases = checked(desk.get("/operations/cases"))
    page = checked(desk.get(f"/operations/credentials/{copied.id}"))
    case = queries.open_cases(session, identity.staff(session, Role.OPERATIONS))[0]
    closed = desk.post(f"/operations/cases/{case.id}/close")

    assert str(copied.id) in cases
    assert "Dr. <script>alert(1)</script>, claimed" in text_of(cases)
    assert "Another account holds this identifier." in text_of(page)
    assert 303 == closed.status_code
    assert "No case is open" in text_of(checked(desk.get("/operations/cases")))


def test_people_are_found_by_name_or_address(
    desk: Browser, session: Session, claim: CredentialClaim
) -> None:
    someone = identity.person(session, name="Grace Hopper", is_specialist=True)

    by_name = text_of(checked(desk.get("/operations/people?q=HOPPER")))
    by_address = text_of(checked(desk.get(f"/operations/people?q={someone.email}")))
    one = checked(desk.get(f"/operations/people/{claim.person_id}"))

    assert "Grace Hopper" in by_name
    assert "Grace Hopper" in by_address
    assert "alert(1)" not in by_name
    assert "State medical licence" in text_of(one)
    assert NASTY not in one
    assert 200 == desk.get("/operations/people?q=%00%25_").status_code
    assert 404 == desk.get(f"/operations/people/{claim.id}").status_code


def test_an_auditor_sees_people_and_decides_nothing(
    browse: Callable[[], Browser], session: Session, claim: CredentialClaim
) -> None:
    auditor = browse().sign_in(session, identity.staff(session, Role.AUDITOR))

    person = checked(auditor.get(f"/operations/people/{claim.person_id}"))

    assert f"/operations/credentials/{claim.id}" not in person
    assert 403 == auditor.get("/operations/credentials").status_code
    assert 403 == auditor.get(f"/operations/credentials/{claim.id}").status_code


def test_what_waits_for_its_holder_is_not_to_look_at(desk: Browser, session: Session) -> None:
    coder = identity.specialist(session)
    account = specialists.claimed(
        session, coder, type="github", identifier="octocat", jurisdiction="", specialties=()
    )
    session.flush()

    queue = checked(desk.get("/operations/credentials"))
    theirs = desk.get("/operations/credentials?waits=holder").text
    page = desk.get(f"/operations/credentials/{account.id}").text

    assert str(account.id) not in queue
    assert "1 claim more waits for the holder to sign in" in text_of(queue)
    assert str(account.id) in theirs
    assert 'name="outcome" value="reject"' in page


def test_specialties_are_added_or_refused_for_a_reason(desk: Browser, session: Session) -> None:
    person = identity.specialist(session)
    claim = specialists.verified(session, person)
    service.amend_credential(session, person, claim.id, specialties=["oncology", "urology"])
    session.flush()
    path = f"/operations/credentials/{claim.id}"
    queue = desk.get("/operations/credentials?waits=amendment").text
    page = checked(desk.get(path))

    without = desk.post(f"{path}/amendment/refusal")
    answer = desk.post(f"{path}/decision", decision("verify", 4, specialties=["urology"]))
    session.refresh(claim)

    assert str(claim.id) in queue
    assert "Specialties to add: Oncology, Urology." in text_of(page)
    assert "Choose one of" in text_of(checked(without, 422))
    assert 303 == answer.status_code
    assert ["cardiology", "urology"] == claim.specialties
    assert "Added: Urology." in text_of(checked(desk.get(path)))
