"""What the self-check finds of credentials, their decisions and their evidence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.ids import new_id
from marketplace.routing import queries as routing
from marketplace.specialists import queries, service
from marketplace.specialists.models import CredentialClaim, VerificationRun
from marketplace.specialists.queries.invariants import StoredFile
from marketplace.specialists.rules import Outcome
from tests.make import identity, specialists, work

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def person(session: Session) -> Actor:
    """A specialist."""
    return identity.specialist(session)


@pytest.fixture
def bar(session: Session, person: Actor) -> CredentialClaim:
    """An admission that two people verified, beside a licence that one did."""
    specialists.verified(session, person)
    return specialists.verified(
        session, person, type="us_bar", identifier="1234567", jurisdiction="US-NY",
        specialties=("tax",),
    )  # fmt: skip


def decided(session: Session, claim: CredentialClaim, by: object, **observed: str) -> None:
    """A person's decision, written past every verb."""
    session.add(
        VerificationRun(
            id=new_id(), claim_id=claim.id, verifier="manual.us_bar", kind="manual",
            outcome=Outcome.PASS, level=4, observed={"decision": "verify", **observed}, match={},
            reasons=[], person_id=by, ran_at=clock.now(),
        )
    )  # fmt: skip
    session.flush()


def changed(session: Session, claim: CredentialClaim, what: str) -> None:
    """The claim's row, changed past every verb."""
    session.flush()
    session.execute(text(f"UPDATE credential_claim SET {what} WHERE id = :id"), {"id": claim.id})  # noqa: S608


BREAKS: dict[str, Callable[[Session, CredentialClaim], None]] = {
    "counts, though its last day": lambda s, c: changed(s, c, "valid_until = '2020-01-01'"),
    "was last looked up": lambda s, c: changed(s, c, "checked_at = '2020-01-01Z'"),
    "newest change says": lambda s, c: changed(s, c, "level = 3"),
    "rests on no proposal": lambda s, c: decided(s, c, c.decided_by, proposal=str(new_id())),
    "one person alone": lambda s, c: decided(s, c, c.decided_by),
    "by its own holder": lambda s, c: decided(s, c, c.person_id),
}


def test_nothing_is_broken_in_what_the_verbs_left(session: Session, bar: CredentialClaim) -> None:
    assert [] == queries.broken_invariants(session)


@pytest.mark.parametrize("said", BREAKS)
def test_what_cannot_be_is_found(session: Session, bar: CredentialClaim, said: str) -> None:
    BREAKS[said](session, bar)

    found = queries.broken_invariants(session)

    assert [said] == [said for sentence in found if said in sentence and str(bar.id) in sentence]


def test_work_that_nobody_was_fit_for_is_found(session: Session) -> None:
    _, job = work.published(session, credential_level_min=4)
    doctor = specialists.doctor(session)
    claim = work.claimed(session, doctor, job)
    assert [] == routing.broken_invariants(session)

    stranger = identity.specialist(session)
    session.execute(
        text("UPDATE claim SET specialist_id = :person, credential_level = 1 WHERE id = :id"),
        {"person": stranger.person_id, "id": claim.id},
    )

    found = routing.broken_invariants(session)
    assert 2 == len(found)
    assert "which asks for 4." in found[0]
    assert "without a credential in medicine at level 4." in found[1]


def test_files_are_there_or_were_destroyed(
    session: Session, person: Actor, bar: CredentialClaim
) -> None:
    with service.sealed_in_store(PDF, "card.pdf") as file:
        row = service.add_evidence(session, person, bar.id, file)
        file.taken = True
    kept = queries.files_kept(session)
    there = service.files_missing(kept)
    service.delete_stored(row.reference)

    assert [StoredFile(row.id, row.reference)] == list(kept)
    assert [] == there
    assert [f"The evidence file {row.id} is neither in the store nor destroyed."] == (
        service.files_missing(kept)
    )
    service.forget_evidence(session, row.id)
    assert [] == list(queries.files_kept(session))
