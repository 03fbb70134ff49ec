"""Identity shown at Stripe and accounts connected at GitHub, over real HTTP to their emulations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Conflict, GatewayError
from marketplace.specialists import background, queries, service
from marketplace.specialists.models import GithubConnection, IdentityCheck
from marketplace.specialists.registries.github import GithubSaidNo
from marketplace.specialists.rules.identity import IDENTITY_NEXT, IdentityState, SeenDocument
from tests.make import identity
from tests.make import specialists as make
from tests.make.background import run_all
from tests.make.billing import Stripe
from tests.make.outside import NAME, NPI, allow_github, show_document

BACK = "http://localhost:8000/work/connections/identity/returned"
GITHUB_BACK = "http://localhost:8000/work/connections/github/returned"
BORN = "1980-02-03"
_S = IdentityState


def doctor(session: Session, born_on: str | None = BORN, name: str = NAME) -> Actor:
    person = identity.specialist(session)
    service.save_profile(session, person, legal_name=name, born_on=born_on)
    session.flush()
    return person


def address(person: Actor) -> str:
    found = background.identity_url(person, return_url=BACK)
    assert found is not None
    return found


def returned(session: Session, person: Actor) -> IdentityCheck:
    """Come back from Stripe's page; the check as it is then."""
    session.expire_all()
    check = queries.identity_of(session, person, person.person())
    assert check is not None
    background.read_identity(check)
    session.expire_all()
    return session.get_one(IdentityCheck, check.id)


def work_off(session: Session) -> None:
    session.flush()
    run_all()
    session.expire_all()


def test_a_shown_document_lifts_every_credential(session: Session, world: Stripe) -> None:
    person = doctor(session)
    claim = make.claimed(session, person, type="npi", identifier=NPI, jurisdiction="US")
    work_off(session)
    before = claim.level

    show_document(address(person))
    check = returned(session, person)
    work_off(session)

    assert (_S.VERIFIED, 1.0, True, "GB") == (
        check.state,
        check.name_score,
        check.birth_matches,
        check.document_country,
    )
    assert (2, "verified", 3) == (before, claim.state.value, claim.level)


def test_what_the_document_said_is_kept_nowhere(session: Session, world: Stripe) -> None:
    person = doctor(session)
    show_document(address(person), "Avery Middlename Ashdown")
    check = returned(session, person)
    work_off(session)
    world.controls.advance(5)

    at_stripe = world.sdk.v1.identity.verification_sessions.retrieve(
        str(check.stripe_session_id), {"expand": ["verified_outputs"]}
    ).to_dict()
    assert ("redacted", None) == (at_stripe["redaction"]["status"], at_stripe["verified_outputs"])
    assert check.redacted_at is not None
    rows = session.scalars(text("SELECT to_jsonb(t)::text FROM identity_check t")).all()
    assert not [row for row in rows if "Middlename" in row or BORN in row]


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        ("unreadable", _S.NEEDS_INPUT, "document_unverified_other"),
        ("expired", _S.NEEDS_INPUT, "document_expired"),
        ("processing", _S.PROCESSING, None),
    ],
)
def test_a_document_that_does_not_do_yet(
    session: Session, world: Stripe, outcome: str, state: IdentityState, reason: str | None
) -> None:
    person = doctor(session)
    first = address(person)
    show_document(first, outcome=outcome)

    check = returned(session, person)

    assert (state, reason) == (check.state, check.reason)
    again = background.identity_url(person, return_url=BACK)
    assert (first if state is _S.NEEDS_INPUT else None) == again
    assert 1 == session.scalar(select(func.count()).select_from(IdentityCheck))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"outcome": "name_differs"}, "identity_name_differs"),
        ({"born_on": "1980-02-04"}, "birth_differs"),
    ],
)
def test_a_document_of_somebody_else_suspends(
    session: Session, world: Stripe, changed: dict[str, str], reason: str
) -> None:
    person = doctor(session)
    claim = make.claimed(session, person, type="npi", identifier=NPI, jurisdiction="US")
    show_document(address(person), **changed)
    returned(session, person)
    work_off(session)

    assert ("suspended", 2, reason) == (claim.state.value, claim.level, claim.reason)


def event(kind: str, check: IdentityCheck) -> dict[str, Any]:
    return {"stripe_session_id": check.stripe_session_id, "check_id": str(check.id)}


def test_a_webhook_is_believed_in_nothing_but_its_name(session: Session, world: Stripe) -> None:
    person = doctor(session)
    show_document(address(person), outcome="processing")
    check = returned(session, person)

    def told() -> IdentityState:
        outbox.enqueue(session, "specialists.refresh_identity", **event("verified", check))
        work_off(session)
        return check.state

    early = told()
    world.controls.advance(3_600)

    assert (_S.PROCESSING, _S.VERIFIED) == (early, told())
    assert _S.VERIFIED is told()


def test_a_slow_document_is_asked_about_though_no_event_comes(
    session: Session, world: Stripe
) -> None:
    person = doctor(session)
    show_document(address(person), outcome="processing")
    check = returned(session, person)
    with clock.shifted(timedelta(minutes=61)):
        work_off(session)
        still = check.state
    world.controls.advance(3_600)

    with clock.shifted(timedelta(minutes=122)):
        work_off(session)

    assert (_S.PROCESSING, _S.VERIFIED) == (still, check.state)


def test_a_webhook_before_we_kept_the_session_and_one_about_nobody(
    session: Session, world: Stripe
) -> None:
    person = doctor(session)
    show_document(address(person))
    check = queries.identity_of(session, person, person.person())
    assert check is not None
    named, check.stripe_session_id = str(check.stripe_session_id), None
    outbox.enqueue(
        session,
        "specialists.refresh_identity",
        stripe_session_id=named,
        check_id=str(check.id),
    )
    outbox.enqueue(session, "specialists.refresh_identity", stripe_session_id="vs_nobody")
    work_off(session)

    kept = session.get_one(IdentityCheck, check.id)
    assert (_S.VERIFIED, named) == (kept.state, kept.stripe_session_id)


def test_stripe_away_leaves_everything_as_it_was(session: Session, world: Stripe) -> None:
    person = doctor(session)
    # One try and the SDK's own two.
    world.controls.fault("error_503", count=3)

    with pytest.raises(GatewayError):
        background.identity_url(person, return_url=BACK)
    check = queries.identity_of(session, person, person.person())
    show_document(address(person))

    assert check is not None
    assert _S.VERIFIED is returned(session, person).state
    assert 1 == session.scalar(select(func.count()).select_from(IdentityCheck))


def test_a_name_is_needed_and_five_showings_are_enough(session: Session, world: Stripe) -> None:
    nameless = identity.specialist(session)
    with pytest.raises(Conflict, match="legal name"):
        background.identity_url(nameless, return_url=BACK)
    person = doctor(session)
    for _ in range(5):
        check = service.start_identity(session, person)
        service.record_identity(session, check.id, SeenDocument("canceled"))
    session.flush()

    with pytest.raises(Conflict, match="five times"):
        service.start_identity(session, person)
    with clock.shifted(timedelta(days=31)):
        assert _S.STARTED is service.start_identity(session, person).state


def test_what_was_left_open_for_a_month_is_forgotten(session: Session, world: Stripe) -> None:
    person = doctor(session)
    address(person)
    assert 0 == service.forget_abandoned(session)

    with clock.shifted(timedelta(days=31)):
        assert 1 == service.forget_abandoned(session)
        work_off(session)

    check = queries.identity_of(session, person, person.person())
    assert check is not None
    assert (_S.CANCELLED, True) == (check.state, check.redacted_at is not None)


def test_old_news_changes_nothing(session: Session) -> None:
    person = doctor(session)
    check = service.start_identity(session, person)
    service.record_identity(session, check.id, SeenDocument("processing"))
    verified = SeenDocument("verified", first_name="Avery", last_name="Ashdown")
    service.record_identity(session, check.id, verified)

    service.record_identity(session, check.id, SeenDocument("processing"))
    service.record_identity(session, check.id, SeenDocument("verified", redacted=True))

    assert (_S.VERIFIED, 1.0) == (check.state, check.name_score)


def test_the_database_knows_the_same_steps(session: Session) -> None:
    person = doctor(session)
    allowed = {(before, after) for before, ends in IDENTITY_NEXT.items() for after in ends}
    found = set()
    for before in _S:
        for after in _S:
            fresh = IdentityCheck(person_id=person.person(), state=before, started_at=clock.now())
            try:
                with session.begin_nested() as step:
                    session.add(fresh)
                    session.flush()
                    row = update(IdentityCheck).where(IdentityCheck.id == fresh.id)
                    session.execute(row.values(state=after))
                    step.rollback()
                found.add((before, after))
            except DBAPIError:
                continue

    assert allowed | {(state, state) for state in _S} == found


def coder(session: Session) -> Actor:
    person = identity.specialist(session)
    service.save_profile(session, person, professions=["software"])
    session.flush()
    return person


def connect(person: Actor, login: str, state: str = "a-random-state") -> GithubConnection:
    url = background.github_url(state, redirect_uri=GITHUB_BACK)
    assert url is not None
    came = allow_github(url, login)
    assert state == came["state"]
    return background.connect_github(
        person, code=came["code"], state=state, redirect_uri=GITHUB_BACK
    )


def test_a_connected_account_proves_control(session: Session, world: Stripe) -> None:
    person = coder(session)
    claim = make.claimed(
        session,
        person,
        type="github",
        identifier="Isolde-Q",
        jurisdiction="",
        specialties=("rust",),
    )
    work_off(session)
    before = claim.level

    connection = connect(person, "isolde-q")
    work_off(session)

    assert (1, "verified", 3) == (before, claim.state.value, claim.level)
    assert [] == claim.specialties  # Nobody has looked whether it shows any.
    assert "isolde-q" == connection.login
    assert {"merged_pull_requests", "repositories", "followers", "contributions_year"} == (
        connection.numbers.keys()
    )
    kept = session.scalars(text("SELECT to_jsonb(t)::text FROM github_connection t")).one()
    assert "isolde" not in kept.lower()
    service.disconnect_account(session, person)
    work_off(session)
    assert ("suspended", 1) == (claim.state.value, claim.level)


def test_another_account_proves_nothing(session: Session, world: Stripe) -> None:
    person = coder(session)
    claim = make.claimed(
        session, person, type="github", identifier="isolde-q", jurisdiction="", specialties=()
    )
    connect(person, "isoldeq")
    work_off(session)

    assert ("checking", 1) == (claim.state.value, claim.level)


def test_one_account_is_one_persons(session: Session, world: Stripe) -> None:
    connect(coder(session), "shared")

    with pytest.raises(Conflict, match="connected to this GitHub account"):
        connect(coder(session), "SHARED")


def test_a_code_from_another_visit_is_refused(session: Session, world: Stripe) -> None:
    person = coder(session)
    url = background.github_url("my-state", redirect_uri=GITHUB_BACK)
    assert url is not None
    asked = parse_qs(urlsplit(url).query)
    code = allow_github(url, "isolde")["code"]

    with pytest.raises(GithubSaidNo):
        background.connect_github(
            person, code=code, state="another-state", redirect_uri=GITHUB_BACK
        )

    assert (["S256"], ["my-state"]) == (asked["code_challenge_method"], asked["state"])
    assert "scope" not in asked
    with transaction() as other:
        assert other.get(GithubConnection, person.person()) is None


def test_github_is_not_set_up(session: Session) -> None:
    assert not background.github_is_set_up()
    assert background.github_url("state", redirect_uri=GITHUB_BACK) is None
