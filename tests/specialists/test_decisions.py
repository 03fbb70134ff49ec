"""Decisions in twos, cases, renewals, and every way through the lifecycle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Faulty, Missing, Refused
from marketplace.identity.rules import Role
from marketplace.outbox import OutboxRow
from marketplace.specialists import queries, service
from marketplace.specialists.models import (
    CredentialChange,
    CredentialClaim,
    CredentialProposal,
    VerificationRun,
)
from marketplace.specialists.queries.credentials import Waits
from marketplace.specialists.rules import HOLDING, NEXT, CredentialState, Outcome, Verdict
from marketplace.specialists.rules.lifecycle import FREE
from marketplace.specialists.service.verification import record_verdict
from tests.make import identity
from tests.make import specialists as make

_S = CredentialState


def bar(session: Session, person: Actor | None = None) -> CredentialClaim:
    """An admission to the bar, which takes two people."""
    return make.claimed(
        session,
        person or identity.specialist(session),
        type="us_bar",
        identifier=f"{session.scalar(select(func.count()).select_from(CredentialClaim)) or 0:07d}",
        jurisdiction="US-NY",
        specialties=("tax",),
    )


def decide(session: Session, staff: Actor, claim: CredentialClaim, outcome: str) -> None:
    """A decision with every tick."""
    service.decide_credential(
        session, staff, claim.id, outcome=outcome, level=4, note=make.NOTE, checklist=make.ticks(4)
    )


def test_two_people_verify_and_the_first_changes_nothing(session: Session) -> None:
    one, two = (identity.staff(session, Role.OPERATIONS) for _ in range(2))
    claim = bar(session)

    decide(session, one, claim, "verify")

    assert (_S.CHECKING, 1) == (claim.state, claim.level)
    assert [claim] == list(queries.queue(session, two, waits=Waits.SECOND_PERSON))
    with pytest.raises(Denied, match="second person"):
        service.confirm_decision(session, one, claim.id, agrees=True, note=make.NOTE)
    with pytest.raises(Conflict, match="waits here"):
        decide(session, two, claim, "verify")
    with pytest.raises(Faulty):
        service.confirm_decision(session, two, claim.id, agrees=True, note="yes")
    service.confirm_decision(session, two, claim.id, agrees=True, note=make.NOTE)
    assert (_S.VERIFIED, 4, two.person()) == (claim.state, claim.level, claim.decided_by)
    assert [] == list(queries.queue(session, two, waits=Waits.SECOND_PERSON))


def test_a_proposal_is_dropped_by_another_or_taken_back(session: Session) -> None:
    one, two = (identity.staff(session, Role.OPERATIONS) for _ in range(2))
    claim = bar(session)

    for second in (two, one):
        decide(session, one, claim, "reject")
        service.confirm_decision(session, second, claim.id, agrees=False, note=make.NOTE)

    assert _S.CHECKING is claim.state
    found = queries.claim_of(session, two, claim.id).proposals
    assert [False, False] == [each.agreed for each in found]
    with pytest.raises(Conflict, match="No proposal"):
        service.confirm_decision(session, two, claim.id, agrees=True, note=make.NOTE)


def test_suspending_takes_one_person_and_the_database_wants_two(session: Session) -> None:
    one = identity.staff(session, Role.OPERATIONS)
    claim = make.verified(session, identity.specialist(session), type="sra", jurisdiction="GB",
                          identifier="4242", specialties=())  # fmt: skip
    decide(session, one, claim, "suspend")

    assert _S.SUSPENDED is claim.state
    proposal = session.scalars(select(CredentialProposal)).one()
    alone = update(CredentialProposal).values(settled_by=proposal.person_id)
    with pytest.raises(DBAPIError, match="two_people"), session.begin_nested():
        session.execute(alone)


def test_a_renewal_waits_beside_what_holds(session: Session) -> None:
    doctor, staff = identity.specialist(session), identity.staff(session, Role.OPERATIONS)
    today = clock.now().date()
    claim = make.verified(session, doctor, valid_until=today + timedelta(days=30))
    later = today + timedelta(days=760)

    with pytest.raises(Faulty):
        service.renew_credential(session, doctor, claim.id, valid_until=today)
    service.renew_credential(session, doctor, claim.id, valid_until=later)
    with pytest.raises(Conflict, match="already"):
        service.renew_credential(session, doctor, claim.id, valid_until=later)

    assert _S.VERIFIED is claim.state
    assert [claim] == list(queries.queue(session, staff, waits=Waits.RENEWAL))
    decide(session, staff, claim, "verify")
    assert (_S.VERIFIED, later) == (claim.state, claim.valid_until)
    assert [True] == [each.granted for each in queries.claim_of(session, doctor, claim.id).renewals]


def test_an_expired_one_is_checked_again_and_a_refusal_leaves_it_expired(session: Session) -> None:
    doctor, staff = identity.specialist(session), identity.staff(session, Role.OPERATIONS)
    claim = make.verified(session, doctor, valid_until=clock.now().date() + timedelta(days=9))
    with clock.shifted(timedelta(days=10)):
        service.expire_credentials(session)
        session.refresh(claim)
        assert _S.EXPIRED is claim.state
        later = clock.now().date() + timedelta(days=365)
        with pytest.raises(Conflict):
            service.recheck_credential(session, doctor, claim.id)

        service.renew_credential(session, doctor, claim.id, valid_until=later)
        service.refuse_renewal(session, staff, claim.id, refusal="unreadable")

    assert (_S.EXPIRED, "renewal_refused") == (claim.state, claim.reason)
    with pytest.raises(Conflict):
        service.refuse_renewal(session, staff, claim.id, refusal="unreadable")


def test_a_claim_is_taken_back_before_a_decision_only(session: Session) -> None:
    doctor, other = identity.specialist(session), identity.specialist(session)
    claim = make.claimed(session, doctor, identifier="A777777")
    with pytest.raises(Missing):
        service.withdraw_credential(session, other, claim.id)

    service.withdraw_credential(session, doctor, claim.id)

    assert _S.CHECKING is make.claimed(session, other, identifier="A777777").state
    held = make.verified(session, doctor)
    with pytest.raises(Conflict, match="decided already"):
        service.withdraw_credential(session, doctor, held.id)


def test_another_check_is_asked_once_a_day(session: Session) -> None:
    doctor = identity.specialist(session)
    claim = make.verified(session, doctor)

    service.recheck_credential(session, doctor, claim.id)

    assert _S.VERIFIED is claim.state
    with pytest.raises(Conflict, match="last day"):
        service.recheck_credential(session, doctor, claim.id)
    with clock.shifted(timedelta(days=2)):
        service.recheck_credential(session, doctor, claim.id)


def test_a_case_gives_the_identifier_to_whom_it_belongs(session: Session) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    first = make.claimed(session, identity.specialist(session), identifier="A888888")
    second = make.claimed(session, identity.specialist(session), identifier="A888888")
    (case,) = queries.open_cases(session, staff)

    with pytest.raises(Conflict, match="Revoke the first"), session.begin_nested():
        service.close_case(session, staff, case.id, outcome="claimant_holds")
    session.expire_all()
    decide(session, staff, first, "reject")
    service.close_case(session, staff, case.id, outcome="claimant_holds", note="Papers seen.")

    assert (_S.BLOCKED, _S.CHECKING) == (first.state, second.state)
    assert ("claimant_holds", "Papers seen.") == (case.outcome, case.note)
    # It is checked like any claim: how it is written now, registers and lists in a moment.
    runs = session.scalars(
        select(VerificationRun.kind).where(VerificationRun.claim_id == second.id)
    ).all()
    assert (["format"], 1) == (list(runs), second.level)
    asked = select(OutboxRow.arguments).where(OutboxRow.name == "specialists.verify")
    assert {"claim_id": str(second.id)} in session.scalars(asked).all()


def test_what_was_passed_is_granted_and_renewed(session: Session) -> None:
    person = identity.specialist(session).person()
    verdict = Verdict("qualification", "skill", Outcome.PASS, 3)
    until = clock.now().date() + timedelta(days=180)

    one = service.grant_credential(
        session, person, type="coder_qualification", verdict=verdict, valid_until=until
    )
    two = service.grant_credential(
        session, person, type="coder_qualification", verdict=verdict,
        valid_until=until + timedelta(days=180), specialties=("python",),
    )  # fmt: skip

    assert one.id == two.id
    assert (_S.VERIFIED, 3, ["python"]) == (two.state, two.level, two.specialties)
    with pytest.raises(Faulty):
        make.claimed(session, identity.specialist(session), type="coder_qualification")


STEPS = st.lists(
    st.sampled_from(
        ["claim", "verify", "reject", "suspend", "revoke", "reopen", "confirm", "disagree",
         "expire", "hit", "cleared", "away", "withdraw", "renew", "refuse", "recheck", "settle"]
    ),
    min_size=3,
    max_size=14,
)  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, two=st.booleans())
def test_every_way_through_life_is_legal(session: Session, steps: list[str], two: bool) -> None:
    with session.begin_nested() as point:
        life = _Life(session, two=two)
        shift = timedelta()
        for step in ["claim", *steps]:
            shift += timedelta(days=40 if step == "expire" else 2)
            with clock.shifted(shift):
                before = life.state()
                life.take(step)
                if step == "away":
                    assert before == life.state()
                life.hold()
        point.rollback()
    session.expire_all()


class _Life:
    """Two people who claim one identifier, two of operations, and what befalls the claims."""

    def __init__(self, session: Session, *, two: bool) -> None:
        self.session = session
        self.type = "us_bar" if two else "us_medical_license"
        self.people = [identity.specialist(session) for _ in range(2)]
        self.staff = [identity.staff(session, Role.OPERATIONS) for _ in range(2)]
        self.claims: list[CredentialClaim] = []

    def state(self) -> list[CredentialState]:
        """Where all claims stand."""
        for claim in self.claims:
            self.session.refresh(claim)
        return [claim.state for claim in self.claims]

    def take(self, step: str) -> None:
        """Try a step at each claim; one that is refused leaves nothing behind."""
        for claim in self.claims if step != "claim" else [None]:
            try:
                with self.session.begin_nested():
                    self._try(step, claim)
            except Refused:
                self.session.expire_all()

    def _try(self, step: str, claim: CredentialClaim | None) -> None:
        session, (one, two) = self.session, self.staff
        if claim is None:
            person = self.people[len(self.claims) % 2]
            number, place = ("0000007", "US-NY") if self.type == "us_bar" else ("A000007", "US-CA")
            self.claims.append(
                make.claimed(session, person, type=self.type, identifier=number,
                             jurisdiction=place, specialties=())
            )  # fmt: skip
            return
        holder = next(each for each in self.people if each.person() == claim.person_id)
        verdicts = {
            "hit": ("sanctions", Outcome.FAIL, 0, ("list_hit",)),
            "cleared": ("sanctions", Outcome.PASS, 0, ()),
            "away": ("registry", Outcome.UNAVAILABLE, 0, ("no_answer",)),
        }
        if step in verdicts:
            kind, outcome, level, reasons = verdicts[step]
            verdict = Verdict(f"test.{kind}", kind, outcome, level, reasons=reasons)
            record_verdict(session, one, claim.id, verdict)
            return
        later = clock.now().date() + timedelta(days=900)
        ways: dict[str, Callable[[], object]] = {
            "confirm": lambda: service.confirm_decision(
                session, two, claim.id, agrees=True, note=make.NOTE
            ),
            "disagree": lambda: service.confirm_decision(
                session, two, claim.id, agrees=False, note=make.NOTE
            ),
            "expire": lambda: service.expire_credentials(session),
            "withdraw": lambda: service.withdraw_credential(session, holder, claim.id),
            "renew": lambda: service.renew_credential(session, holder, claim.id, valid_until=later),
            "refuse": lambda: service.refuse_renewal(session, one, claim.id, refusal="not_shown"),
            "recheck": lambda: service.recheck_credential(session, holder, claim.id),
            "settle": lambda: [
                service.close_case(session, one, case.id, outcome="claimant_holds")
                for case in queries.open_cases(session, one)
            ],
        }
        ways.get(step, lambda: decide(session, one, claim, step))()

    def hold(self) -> None:
        """What must hold whatever happened."""
        states = self.state()
        assert 1 >= len([state for state in states if state not in FREE])
        for claim in self.claims:
            changes = self.session.scalars(
                select(CredentialChange.state)
                .where(CredentialChange.claim_id == claim.id)
                .order_by(CredentialChange.id)
            ).all()
            assert changes[-1] is claim.state
            for before, after in pairwise(changes):
                assert before is after or after in NEXT[before]
            if claim.state in HOLDING:
                assert 2 <= claim.level
                assert claim.checked_at is not None
                looked = select(func.count()).where(
                    VerificationRun.claim_id == claim.id, VerificationRun.outcome == Outcome.PASS
                )
                assert 2 <= (self.session.scalar(looked) or 0)
