"""Credentials: claimed, checked, decided by another, expired by time, attested to labs."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from itertools import product

import pytest
from sqlalchemy import Engine, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock, outbox
from marketplace.audit import AuditRow
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.models import Person
from marketplace.identity.queries import actor_for
from marketplace.identity.rules import Role
from marketplace.ids import new_id
from marketplace.outbox import Event
from marketplace.specialists import background, queries, service
from marketplace.specialists.models import (
    CredentialCase,
    CredentialChange,
    CredentialClaim,
    VerificationRun,
)
from marketplace.specialists.rules import NEXT, CredentialState, Outcome
from marketplace.specialists.service.claims import OPEN_MAX
from tests.make import identity
from tests.make import specialists as make


def test_a_claim_is_checked_and_waits_for_a_person(session: Session) -> None:
    doctor = identity.specialist(session)

    claim = make.claimed(session, doctor, type="npi", identifier="1234567893", jurisdiction="us")

    assert (CredentialState.CHECKING, 1) == (claim.state, claim.level)
    run = session.scalars(select(VerificationRun)).one()
    assert (Outcome.PASS, "format.npi", ["format", "luhn"]) == (
        run.outcome,
        run.verifier,
        run.observed["checked"],
    )


def test_the_identifier_is_nowhere_in_the_clear(session: Session) -> None:
    doctor = identity.specialist(session)
    claim = make.claimed(session, doctor, type="npi", identifier="1234567893", jurisdiction="US")
    session.flush()

    for table in (
        "credential_claim",
        "verification_run",
        "verification_evidence",
        "audit",
        "event",
    ):
        rows = session.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t")).all()  # noqa: S608
        assert not [row for row in rows if "1234567893" in row]
    assert "1234567893" == claim.identifier


def test_a_wrong_check_digit_is_refused_and_not_stored(session: Session) -> None:
    with pytest.raises(Faulty, match="cannot be right"):
        make.claimed(
            session,
            identity.specialist(session),
            type="npi",
            identifier="1234567890",
            jurisdiction="US",
        )

    assert 0 == session.scalar(select(func.count()).select_from(CredentialClaim))


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": "dea"}, "/type"),
        ({"jurisdiction": "GB"}, "/jurisdiction"),
        ({"specialties": ("astrology",)}, "/specialties"),
        ({"identifier": "<script>alert(1)</script>"}, "/identifier"),
        ({"identifier": "\0"}, "/identifier"),
        ({"valid_until": clock.now().date() - timedelta(days=1)}, "/valid_until"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(
    session: Session, change: dict[str, object], pointer: str
) -> None:
    with pytest.raises(Faulty) as faulty:
        make.claimed(session, identity.specialist(session), **change)  # type: ignore[arg-type]

    assert [pointer] == [fault.pointer for fault in faulty.value.faults]


def test_one_person_has_so_many_claims_in_the_queue(session: Session) -> None:
    doctor = identity.specialist(session)
    claims = [make.claimed(session, doctor) for _ in range(OPEN_MAX)]

    with pytest.raises(Conflict, match="Wait for some"), session.begin_nested():
        make.claimed(session, doctor)
    service.withdraw_credential(session, doctor, claims[0].id)

    assert CredentialState.CHECKING is make.claimed(session, doctor).state


def test_no_licence_lasts_for_ever(session: Session) -> None:
    with pytest.raises(Faulty) as refused:
        make.claimed(session, identity.specialist(session), valid_until=date(9999, 12, 31))

    assert ["/valid_until"] == [each.pointer for each in refused.value.faults]


def test_a_strangers_credential_is_as_one_that_there_is_not(session: Session) -> None:
    claim = make.claimed(session, identity.specialist(session))
    stranger = identity.specialist(session)

    said = []
    for claim_id in (claim.id, new_id()):
        with pytest.raises(Missing) as refused:
            queries.claim_of(session, stranger, claim_id)
        said.append(refused.value.message)

    assert 1 == len(set(said))


def test_the_same_identifier_on_a_second_account_is_blocked(session: Session) -> None:
    first, second = identity.specialist(session), identity.specialist(session)
    held = make.claimed(session, first, type="gmc", identifier="C1234567", jurisdiction="GB")

    blocked = make.claimed(session, second, type="gmc", identifier="1234567", jurisdiction="GB")

    assert (CredentialState.BLOCKED, 0) == (blocked.state, blocked.level)
    case = session.scalars(select(CredentialCase)).one()
    assert (blocked.id, held.id) == (case.claim_id, case.other_claim_id)
    for again in (first, second):
        with pytest.raises(Conflict, match="before"):
            make.claimed(session, again, type="gmc", identifier="1234567", jurisdiction="GB")


def test_two_accounts_at_once_and_one_holds(committed: Engine) -> None:
    with transaction() as session:
        people = [identity.specialist(session) for _ in range(4)]
    states = []

    def claim(number: int) -> None:
        with transaction() as own:
            made = make.claimed(
                own, people[number], type="npi", identifier="1234567893", jurisdiction="US"
            )
            states.append(made.state)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    expected = [CredentialState.BLOCKED] * 3 + [CredentialState.CHECKING]
    assert expected == sorted(states)
    with transaction() as session:
        assert 3 == session.scalar(select(func.count()).select_from(CredentialCase))


def test_a_person_verifies_with_every_tick(session: Session) -> None:
    doctor = identity.specialist(session)
    claim = make.claimed(session, doctor)
    operations = identity.staff(session, Role.OPERATIONS)

    with pytest.raises(Faulty) as faulty:
        service.decide_credential(
            session,
            operations,
            claim.id,
            outcome="verify",
            level=3,
            note="short",
            checklist=make.ticks(2),
        )
    decided = service.decide_credential(
        session,
        operations,
        claim.id,
        outcome="verify",
        level=3,
        note=make.NOTE,
        checklist=make.ticks(3),
    )

    assert ["/note", "/checklist/identity_shown"] == [f.pointer for f in faulty.value.faults]
    assert (CredentialState.VERIFIED, 3) == (decided.state, decided.level)
    detail = queries.claim_of(session, operations, claim.id)
    assert make.NOTE == detail.runs[0][1][0].note
    assert [CredentialState.VERIFIED, CredentialState.CHECKING, CredentialState.CLAIMED] == [
        change.state for change in detail.changes
    ]
    assert make.NOTE not in str(session.scalars(select(AuditRow.facts)).all())
    told = session.scalars(select(Event.facts).where(Event.kind == "credential.changed")).all()
    assert {"state": "verified", "level": 3, "reason": None} == {
        key: value for key, value in told[-1].items() if key != "person_id"
    }


def test_nobody_decides_on_their_own(session: Session) -> None:
    operations = identity.staff(session, Role.OPERATIONS)
    someone = session.get_one(Person, operations.person())
    someone.is_specialist = True
    claim = make.claimed(session, actor_for(someone, (), None))

    with pytest.raises(Denied, match="their own"):
        service.decide_credential(session, operations, claim.id, outcome="reject", note=make.NOTE)
    with pytest.raises(Denied, match="their own"):
        service.strike_specialty(session, operations, claim.id, "cardiology")
    with pytest.raises(DBAPIError, match="not_by_oneself"), session.begin_nested():
        session.execute(update(CredentialClaim).values(decided_by=operations.person()))


def test_only_operations_decide_and_look(session: Session) -> None:
    claim = make.claimed(session, identity.specialist(session))

    for stranger in (identity.specialist(session), identity.lab_owner(session)):
        with pytest.raises(Denied):
            service.decide_credential(session, stranger, claim.id, outcome="reject", note=make.NOTE)
        with pytest.raises(Denied):
            queries.queue(session, stranger)
        with pytest.raises(Missing):
            queries.credentials_of(session, stranger, claim.person_id)
        with pytest.raises(Missing):
            queries.claim_of(session, stranger, claim.id)


def test_a_life_of_a_credential(session: Session) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    claim = make.verified(session, identity.specialist(session), staff=staff)

    def decide(outcome: str) -> CredentialState:
        return service.decide_credential(
            session,
            staff,
            claim.id,
            outcome=outcome,
            level=2,
            note=make.NOTE,
            checklist=make.ticks(2),
        ).state

    assert CredentialState.SUSPENDED is decide("suspend")
    assert CredentialState.VERIFIED is decide("verify")
    assert CredentialState.REVOKED is decide("revoke")
    with pytest.raises(Conflict, match="cannot become"):
        decide("suspend")
    session.refresh(claim)
    assert CredentialState.CHECKING is decide("reopen")
    assert CredentialState.REVOKED is decide("reject")
    with pytest.raises(Faulty, match="no such decision"):
        decide("promote")


def test_a_blocked_claim_opens_when_the_other_is_gone(session: Session) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    first, second = identity.specialist(session), identity.specialist(session)
    make.claimed(session, first, type="npi", identifier="1234567893", jurisdiction="US")
    blocked = make.claimed(session, second, type="npi", identifier="1234567893", jurisdiction="US")

    with pytest.raises(Conflict, match="still holds"):
        service.decide_credential(session, staff, blocked.id, outcome="reopen", note=make.NOTE)

    case = queries.open_cases(session, staff)[0]
    service.close_case(session, staff, case.id)
    assert [] == list(queries.open_cases(session, staff))


def test_time_expires_credentials_once(session: Session) -> None:
    doctor = identity.specialist(session)
    today = clock.now().date()
    short = make.verified(session, doctor, valid_until=today + timedelta(days=70))
    long = make.verified(session, doctor, valid_until=today + timedelta(days=4_000))

    def expire() -> list[CredentialState]:
        work_id = outbox.enqueue(session, "specialists.expire")
        session.flush()
        background.expire(outbox.Work(work_id, "specialists.expire", {}, 1))
        session.expire_all()
        return [short.state, long.state]

    verified, soon = CredentialState.VERIFIED, CredentialState.EXPIRING_SOON
    assert [verified, verified] == expire()
    with clock.shifted(timedelta(days=11)):
        assert [soon, verified] == expire()
        assert [soon, verified] == expire()
    with clock.shifted(timedelta(days=72)):
        assert [CredentialState.EXPIRED, verified] == expire()
    with clock.shifted(timedelta(days=366)):
        assert [CredentialState.EXPIRED, CredentialState.EXPIRED] == expire()
    assert ("licence_expired", "not_reverified") == (short.reason, long.reason)


def test_the_database_knows_the_same_steps(session: Session) -> None:
    claim = make.claimed(session, identity.specialist(session))
    fresh = text(
        "INSERT INTO credential_claim SELECT (jsonb_populate_record(c, jsonb_build_object("
        "'id', gen_random_uuid(), 'state', CAST(:state AS text), 'level', 2, 'checked_at', now(),"
        "'identifier_hash', CAST(:hash AS text)))).* FROM credential_claim c WHERE id = :id"
        " RETURNING id"
    )
    step = text("UPDATE credential_claim SET state = :state WHERE id = :id")
    ways = {
        "claimed": ["claimed"],
        "checking": ["claimed", "checking"],
        "verified": ["claimed", "checking", "verified"],
        "expiring_soon": ["claimed", "checking", "verified", "expiring_soon"],
        "expired": ["claimed", "checking", "verified", "expired"],
        "suspended": ["claimed", "checking", "suspended"],
        "revoked": ["claimed", "checking", "revoked"],
        "blocked": ["blocked"],
        "withdrawn": ["claimed", "withdrawn"],
    }
    allowed = set()
    for number, (before, after) in enumerate(product(CredentialState, CredentialState)):
        first, *rest = ways[before]
        identity_hash = f"\\x{number:04x}"
        made = session.execute(
            fresh, {"state": first, "hash": identity_hash, "id": claim.id}
        ).scalar_one()
        for state in rest:
            session.execute(step, {"state": state, "id": made})
        try:
            with session.begin_nested():
                session.execute(step, {"state": after.value, "id": made})
        except DBAPIError:
            continue
        allowed.add((before, after))

    stays = {(state, state) for state in CredentialState}
    assert {(before, after) for before in NEXT for after in NEXT[before]} | stays == allowed


@pytest.mark.parametrize("table", [VerificationRun, CredentialChange])
def test_what_was_found_is_never_changed(session: Session, table: type) -> None:
    make.verified(session, identity.specialist(session))

    for statement in (delete(table), update(table).values(level=4)):
        refused = pytest.raises(DBAPIError, match=r"permission denied|append-only")
        with refused, session.begin_nested():
            session.execute(statement)


def test_pages_of_the_queue(session: Session) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    doctor = identity.specialist(session)
    made = [make.claimed(session, doctor).id for _ in range(5)]

    first = queries.queue(session, staff, limit=3)
    second = queries.queue(session, staff, limit=3, after=first[-1].id)

    assert made == [claim.id for claim in [*first, *second]]
    assert [] == list(queries.queue(session, staff, state=CredentialState.VERIFIED))


def test_a_profile_is_saved_step_by_step(session: Session) -> None:
    doctor = identity.specialist(session)
    service.save_profile(session, doctor, professions=["medicine"], headline="  Heart   person ")

    profile = service.save_profile(
        session, doctor, languages=["en", "de", "en"], works_from=8 * 60, works_until=17 * 60
    )
    with pytest.raises(Faulty) as faulty:
        service.save_profile(
            session,
            doctor,
            professions=["alchemy"],
            time_zone="Mars/Olympus",
            country="Germany",
            payout_currency="XXX",
            daily_minutes_max=5_000,
            headline="\0",
        )

    assert (["medicine"], "Heart person", ["en", "de"]) == (
        profile.professions,
        profile.headline,
        profile.languages,
    )
    assert [
        "/professions",
        "/time_zone",
        "/country",
        "/payout_currency",
        "/daily_minutes_max",
        "/headline",
    ] == [fault.pointer for fault in faulty.value.faults]
    assert profile is queries.profile_of(session, doctor, doctor.person())
    with pytest.raises(Missing):
        queries.profile_of(session, identity.lab_owner(session), doctor.person())
