"""Credentials verified by asking: from a claim to its state, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace import clock, outbox, settings
from marketplace.actor import SYSTEM, Actor
from marketplace.audit import AuditRow
from marketplace.db import transaction
from marketplace.identity.rules import Role
from marketplace.outbox import OutboxRow
from marketplace.specialists import background, registries, service
from marketplace.specialists.models import CredentialClaim, IdentityCheck, VerificationRun
from marketplace.specialists.queries.connections import papers_hash
from marketplace.specialists.rules import CredentialState, Outcome, Verdict
from marketplace.specialists.rules.identity import IdentityState
from tests.make import identity
from tests.make import specialists as make
from tests.make.background import run_all
from tests.make.billing import Stripe
from tests.make.outside import NAME, NPI

_S = CredentialState
NPPES = "us.npi.nppes"


def work_off(session: Session) -> None:
    """Do all that waits, and look afresh afterwards."""
    session.flush()
    run_all()
    session.expire_all()


def doctor(session: Session, name: str | None = NAME) -> Actor:
    person = identity.specialist(session)
    service.save_profile(session, person, professions=["medicine"], legal_name=name)
    return person


def shown(session: Session, person: Actor, name: str = NAME, score: float = 1.0) -> None:
    """A document was shown and compared, as the flow at Stripe leaves it."""
    session.add(
        IdentityCheck(
            person_id=person.person(),
            state=IdentityState.VERIFIED,
            papers_hash=papers_hash(name, None),
            name_score=score,
            started_at=clock.now(),
            verified_at=clock.now(),
        )
    )
    session.flush()
    service.look_again(session, person.person(), only=["stripe.identity"])


def npi(session: Session, person: Actor, number: str = NPI) -> CredentialClaim:
    return make.claimed(session, person, type="npi", identifier=number, jurisdiction="US")


def runs(session: Session, claim: CredentialClaim, verifier: str = NPPES) -> list[VerificationRun]:
    found = select(VerificationRun).where(
        VerificationRun.claim_id == claim.id, VerificationRun.verifier == verifier
    )
    return list(session.scalars(found.order_by(VerificationRun.id)))


def stands(session: Session, claim: CredentialClaim) -> tuple[str, int, str | None]:
    session.refresh(claim)
    return claim.state.value, claim.level, claim.reason


def verify(session: Session, claim_id: UUID, **arguments: Any) -> None:
    """Run the background function once, with a row of its own."""
    row = outbox.enqueue(session, "specialists.verify", claim_id=claim_id, **arguments)
    session.flush()
    work = outbox.Work(row, "specialists.verify", {}, 1)
    background.verify(work, str(claim_id), **arguments)
    session.expire_all()


def test_a_number_and_a_document_verify_by_themselves(session: Session, world: Stripe) -> None:
    person = doctor(session)
    claim = npi(session, person)
    work_off(session)
    found = stands(session, claim)

    shown(session, person)
    work_off(session)

    assert ("checking", 2, None) == found
    assert ("verified", 3, None) == stands(session, claim)
    assert claim.checked_at is not None
    assert 1 == len(runs(session, claim))


def test_a_register_says_which_specialties_a_number_covers(session: Session, world: Stripe) -> None:
    """What a holder ticks is nobody's finding: it is neither sold nor lets anybody claim."""
    person = doctor(session)
    shown(session, person)
    asked = ("neurosurgery", "cardiology")
    claim = make.claimed(
        session, person, type="npi", identifier=NPI, jurisdiction="US", specialties=asked
    )
    work_off(session)

    assert ("verified", 3, None) == stands(session, claim)
    assert ["internal_medicine"] == claim.specialties


def test_specialties_that_a_person_verified_stay(session: Session, world: Stripe) -> None:
    claim = make.verified(
        session,
        doctor(session),
        level=2,
        type="npi",
        identifier=NPI,
        jurisdiction="US",
        specialties=("neurosurgery",),
    )
    work_off(session)

    assert 1 == len(runs(session, claim))
    assert ["neurosurgery"] == claim.specialties


def test_a_register_without_an_answer_changes_nothing_and_is_asked_again(
    session: Session, world: Stripe
) -> None:
    person = doctor(session)
    shown(session, person)
    claim = npi(session, person)
    world.controls.registry_fault("rate_limit", count=2, seconds=600)
    work_off(session)
    during = stands(session, claim)

    with clock.shifted(timedelta(seconds=601)):
        work_off(session)
    with clock.shifted(timedelta(seconds=1_300)):
        work_off(session)

    assert ("checking", 1, None) == during
    assert ("verified", 3, None) == stands(session, claim)
    asked = runs(session, claim)
    assert [Outcome.UNAVAILABLE, Outcome.UNAVAILABLE, Outcome.PASS] == [
        each.outcome for each in asked
    ]
    wait = asked[0].next_check_at
    assert wait is not None
    assert timedelta(seconds=590) < wait - asked[0].ran_at <= timedelta(seconds=600)


def test_a_verified_one_stays_verified_while_the_register_is_away(
    session: Session, world: Stripe
) -> None:
    person = doctor(session)
    shown(session, person)
    claim = npi(session, person)
    work_off(session)

    for fault in ("errors", "changed_types", "not_json", "drop"):
        world.controls.registry_fault(fault)
        verify(session, claim.id)

    assert ("verified", 3, None) == stands(session, claim)


def test_a_deactivated_number_suspends_until_the_register_says_otherwise(
    session: Session, world: Stripe
) -> None:
    person = doctor(session)
    shown(session, person)
    claim = npi(session, person)
    work_off(session)
    world.controls.register(number=NPI, first="Avery", last="Ashdown", active=False)
    verify(session, claim.id)
    gone = stands(session, claim)

    world.controls.register(number=NPI, first="Avery", last="Ashdown")
    verify(session, claim.id)

    assert ("suspended", 1, "deactivated") == gone
    assert ("verified", 3, None) == stands(session, claim)


def test_what_a_person_suspended_only_a_person_lifts(session: Session, world: Stripe) -> None:
    person, staff = doctor(session), identity.staff(session, Role.OPERATIONS)
    shown(session, person)
    claim = npi(session, person)
    work_off(session)
    service.decide_credential(session, staff, claim.id, outcome="suspend", note=make.NOTE)

    verify(session, claim.id)

    assert "suspended" == stands(session, claim)[0]


def test_another_name_suspends_and_the_right_one_verifies(session: Session, world: Stripe) -> None:
    person = doctor(session, "Corwin Gildenhart")
    claim = npi(session, person)
    work_off(session)
    before = stands(session, claim)

    service.save_profile(session, person, legal_name=NAME)
    shown(session, person)
    work_off(session)

    assert ("suspended", 1, "name_differs") == before
    assert ("verified", 3, None) == stands(session, claim)


def test_a_changed_name_takes_the_level_away_at_once(session: Session, world: Stripe) -> None:
    person = doctor(session)
    shown(session, person)
    claim = npi(session, person)
    work_off(session)

    service.save_profile(session, person, legal_name="Avery M. Ashdown")
    work_off(session)

    assert ("suspended", 2, "name_changed") == stands(session, claim)
    shown(session, person, "Avery M. Ashdown")
    work_off(session)
    assert ("verified", 3, None) == stands(session, claim)


class Killed(BaseException):
    """The worker's process ends here."""


@pytest.fixture
def killed_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The worker dies between the answer and the record, the first time."""
    deaths: list[int] = []
    real = service.record_verdicts

    def record(*arguments: Any, **named: Any) -> None:
        if not deaths:
            deaths.append(1)
            raise Killed
        real(*arguments, **named)

    monkeypatch.setattr(service, "record_verdicts", record)
    return deaths


def test_a_worker_killed_between_the_phases_comes_to_the_same_end(
    session: Session, world: Stripe, killed_once: list[int]
) -> None:
    person = doctor(session)
    shown(session, person)
    claim = npi(session, person)

    with pytest.raises(Killed):
        work_off(session)
    with transaction() as lost:
        outbox.release_leases(lost)
    work_off(session)

    assert [1] == killed_once
    assert ("verified", 3, None) == stands(session, claim)
    assert 1 == len(runs(session, claim))


def test_running_twice_changes_nothing_more(session: Session, world: Stripe) -> None:
    person = doctor(session)
    shown(session, person)
    claim = npi(session, person)
    work_off(session)
    before = session.execute(text("SELECT count(*) FROM credential_change")).scalar_one()

    verify(session, claim.id)
    verify(session, claim.id)

    assert ("verified", 3, None) == stands(session, claim)
    assert before == session.execute(text("SELECT count(*) FROM credential_change")).scalar_one()
    assert 1 == len(runs(session, claim, "stripe.identity"))


def test_an_answer_about_a_former_name_is_not_kept(session: Session, world: Stripe) -> None:
    person = doctor(session)
    claim = npi(session, person)
    known = registries.verifiers(settings.current())
    look = service.look_at(session, claim.id, known, [NPPES])
    assert look is not None
    verdict = known[NPPES].verify(look.claimed, look.subject, clock.now())
    stale = replace(look, subject=replace(look.subject, legal_name="Somebody Else"))

    service.record_verdicts(session, stale, [verdict], only=[NPPES])

    assert [] == runs(session, claim)
    waiting = select(OutboxRow.arguments).where(OutboxRow.name == "specialists.verify")
    assert {"claim_id": str(claim.id), "only": [NPPES]} in session.scalars(waiting).all()


def hit(outcome: Outcome) -> Verdict:
    return Verdict("us.leie", "sanctions", outcome, 0, reasons=("list_hit",))


def test_a_hit_suspends_and_clearing_it_lifts(session: Session, world: Stripe) -> None:
    claim = make.verified(session, identity.specialist(session), level=4)

    service.record_verdict(session, SYSTEM, claim.id, hit(Outcome.FAIL))
    during = stands(session, claim)
    service.record_verdict(session, SYSTEM, claim.id, hit(Outcome.PASS))

    assert ("suspended", 3, "list_hit") == during
    assert ("verified", 4, None) == stands(session, claim)


def test_level_four_fades_after_120_days(session: Session, world: Stripe) -> None:
    claim = make.verified(session, doctor(session), level=4)
    work_off(session)

    with clock.shifted(timedelta(days=121)):
        row = outbox.enqueue(session, "specialists.recheck")
        session.flush()
        background.recheck(outbox.Work(row, "specialists.recheck", {}, 1))
        work_off(session)

        assert ("verified", 3, None) == stands(session, claim)


def test_a_check_that_grows_old_is_repeated_in_time(session: Session, world: Stripe) -> None:
    person = doctor(session)
    shown(session, person)
    claim = npi(session, person)
    work_off(session)
    with transaction() as other:
        service.recheck_due(other)
    work_off(session)
    early = claim.checked_at

    with clock.shifted(timedelta(days=340)):
        with transaction() as other:
            service.recheck_due(other)
            service.recheck_due(other)
        work_off(session)
        session.refresh(claim)

    assert claim.checked_at is not None
    assert early is not None
    assert timedelta(days=339) < claim.checked_at - early
    assert 2 == len(runs(session, claim))


def test_nothing_personal_is_told_or_kept_in_the_clear(
    session: Session, world: Stripe, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    person = doctor(session)
    shown(session, person)
    world.controls.registry_fault("rate_limit")
    claim = npi(session, person)
    work_off(session)
    verify(session, claim.id)
    session.flush()

    kept = [
        row
        for table in (
            "verification_run",
            "verification_evidence",
            "identity_check",
            "audit",
            "event",
        )
        for row in session.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t"))  # noqa: S608
    ]
    told = [*kept, *map(str, session.scalars(select(AuditRow.facts))), caplog.text]
    assert "verified" == stands(session, claim)[0]
    assert not [each for each in told if NPI in each or "ashdown" in each.lower()]
