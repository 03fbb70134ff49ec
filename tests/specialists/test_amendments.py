"""Specialties earned after the decision: checked like a claim, with nothing lost meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.rules import Role
from marketplace.ids import new_id
from marketplace.specialists import queries, service
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.queries.credentials import Waits
from marketplace.specialists.rules import CredentialState, Refusal
from tests.make import identity
from tests.make import specialists as make
from tests.make.billing import Stripe
from tests.specialists.test_verification import doctor, npi, shown, work_off

_S = CredentialState


@pytest.fixture
def person(session: Session) -> Actor:
    """A specialist."""
    return identity.specialist(session)


@pytest.fixture
def licence(session: Session, person: Actor) -> CredentialClaim:
    """Their licence, verified in cardiology."""
    return make.verified(session, person)


def verify(session: Session, staff: Actor, claim: CredentialClaim, *added: str) -> None:
    """Verify what stands once more, with what the source shows beside it."""
    service.decide_credential(
        session, staff, claim.id, outcome="verify", level=4, note=make.NOTE,
        checklist=make.ticks(4), specialties=added,
    )  # fmt: skip


def settled(session: Session, person: Actor, claim: CredentialClaim) -> list[object]:
    found = queries.claim_of(session, person, claim.id).amendments
    return [(each.granted, each.refusal) for each in found]


def test_what_stands_stands_until_somebody_looked(
    session: Session, person: Actor, licence: CredentialClaim
) -> None:
    staff = identity.staff(session, Role.OPERATIONS)

    service.amend_credential(session, person, licence.id, specialties=["oncology", "nephrology"])

    assert (_S.VERIFIED, 4, ["cardiology"]) == (licence.state, licence.level, licence.specialties)
    assert [licence] == list(queries.queue(session, staff, waits=Waits.AMENDMENT))
    with pytest.raises(Conflict, match="already"):
        service.amend_credential(session, person, licence.id, specialties=["urology"])
    with pytest.raises(Faulty) as others:
        verify(session, staff, licence, "urology")
    assert ["/specialties"] == [fault.pointer for fault in others.value.faults]

    verify(session, staff, licence, "oncology")

    assert (_S.VERIFIED, ["cardiology", "oncology"]) == (licence.state, licence.specialties)
    assert [(["oncology"], Refusal.NOT_SHOWN)] == settled(session, person, licence)
    assert [] == list(queries.queue(session, staff, waits=Waits.AMENDMENT))


def test_what_was_added_later_is_not_read_into_earlier_work(
    session: Session, person: Actor, licence: CredentialClaim
) -> None:
    staff, lab = identity.staff(session, Role.OPERATIONS), new_id()
    for _ in range(5):  # A crowd, so that nothing is coarsened.
        other = make.verified(session, identity.specialist(session))
        service.amend_credential(
            session, _holder(session, other), other.id, specialties=["oncology"]
        )
        with clock.shifted(timedelta(hours=1)):
            verify(session, staff, other, "oncology")
    service.amend_credential(session, person, licence.id, specialties=["oncology"])
    with clock.shifted(timedelta(hours=1)):
        verify(session, staff, licence, "oncology")

    now = clock.now()
    held = [
        queries.attested(session, lab, [person.person()], at)[person.person()].credentials
        for at in (now, now + timedelta(hours=2))
    ]

    assert [("cardiology",), ("cardiology", "oncology")] == [each[0].specialties for each in held]


def _holder(session: Session, claim: CredentialClaim) -> Actor:
    return Actor(claim.person_id, permissions=frozenset({"credentials.claim"}))  # type: ignore[arg-type]


def test_two_people_add_where_two_people_verify(session: Session, person: Actor) -> None:
    one, two = (identity.staff(session, Role.OPERATIONS) for _ in range(2))
    bar = make.verified(
        session, person, type="us_bar", identifier="1234567", jurisdiction="US-NY",
        specialties=("tax",), staff=one,
    )  # fmt: skip
    service.amend_credential(session, person, bar.id, specialties=["contracts"])

    verify(session, one, bar, "contracts")
    assert ["tax"] == bar.specialties
    service.confirm_decision(session, two, bar.id, agrees=True, note=make.NOTE)

    assert ["tax", "contracts"] == bar.specialties


def test_a_register_that_lists_them_settles_it(session: Session, world: Stripe) -> None:
    person = doctor(session)
    claim = npi(session, person)
    shown(session, person)
    work_off(session)
    claim.specialties = []  # As before the register listed the specialty.
    service.amend_credential(session, person, claim.id, specialties=["internal_medicine"])
    work_off(session)

    session.refresh(claim)
    assert (_S.VERIFIED, ["internal_medicine"]) == (claim.state, claim.specialties)
    assert [(["internal_medicine"], None)] == settled(session, person, claim)


def test_nothing_is_added_for_a_reason_or_taken_back(
    session: Session, person: Actor, licence: CredentialClaim
) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    ways: tuple[Callable[[], object], ...] = (
        lambda: service.refuse_amendment(session, staff, licence.id, refusal="unreadable"),
        lambda: service.take_back_amendment(session, person, licence.id),
    )
    for ask in ways:
        service.amend_credential(session, person, licence.id, specialties=["oncology"])
        ask()
        with pytest.raises(Conflict):
            ask()

    assert ["cardiology"] == licence.specialties
    assert [([], Refusal.TAKEN_BACK), ([], Refusal.UNREADABLE)] == settled(session, person, licence)
    service.amend_credential(session, person, licence.id, specialties=["oncology"])
    with pytest.raises(Faulty):
        service.refuse_amendment(session, staff, licence.id, refusal="taken_back")


@pytest.mark.parametrize("wanted", [[], ["cardiology"], ["cardiology", "oncology"], ["poetry"]])
def test_what_cannot_be_added_is_refused(
    session: Session, person: Actor, licence: CredentialClaim, wanted: list[str]
) -> None:
    with pytest.raises(Faulty):
        service.amend_credential(session, person, licence.id, specialties=wanted)


def test_only_its_holder_asks_and_nobody_decides_on_their_own(
    session: Session, person: Actor, licence: CredentialClaim
) -> None:
    staff = identity.staff(session, Role.OPERATIONS)
    with pytest.raises(Missing):
        service.amend_credential(
            session, identity.specialist(session), licence.id, specialties=["oncology"]
        )
    service.amend_credential(session, person, licence.id, specialties=["oncology"])
    both = Actor(person.person(), permissions=staff.permissions)
    with pytest.raises(Denied):
        service.refuse_amendment(session, both, licence.id, refusal="not_shown")

    service.decide_credential(session, staff, licence.id, outcome="revoke", note=make.NOTE)

    assert [([], Refusal.NOT_SHOWN)] == settled(session, person, licence)
    with pytest.raises(Conflict):
        service.amend_credential(session, person, licence.id, specialties=["urology"])
