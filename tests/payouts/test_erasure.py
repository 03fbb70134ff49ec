"""The right to erasure: what goes, what stays, what stands against it, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace import clock, storage
from marketplace.actor import Actor
from marketplace.errors import Conflict, Denied, Missing
from marketplace.identity import queries as identity_queries
from marketplace.identity import service as identity_service
from marketplace.identity.models import Person
from marketplace.identity.rules import PersonState, Role
from marketplace.identity.service import erasure
from marketplace.identity.service.sign_ins import WrongPassword
from marketplace.outbox import OutboxRow
from marketplace.payouts import service
from marketplace.payouts.service import NotYetErasable
from marketplace.review.rules import Verdict
from marketplace.specialists import queries as specialist_queries
from marketplace.specialists import service as specialists
from marketplace.specialists.models import CredentialClaim, EvidenceFile, SpecialistProfile
from marketplace.specialists.rules import CredentialState
from marketplace.work import service as work_service
from marketplace.work.models import ConversationEntry, Submission
from marketplace.work.rules.conversation import EntryKind
from tests.make import identity, work
from tests.make import specialists as make

NAME, PAPERS, NUMBER = "Zolka Ferrante", "Zolka Maria Ferrante", "A987654"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@dataclass(frozen=True, slots=True)
class Life:
    """A specialist with all that a person leaves here, and who they worked for."""

    person: Actor
    email: str
    claim: CredentialClaim
    file: EvidenceFile
    submission: Submission
    lab: Actor


@pytest.fixture
def life(session: Session) -> Life:
    """Papers, a licence, a file, a token, a browser, and one answer that was rejected."""
    person = identity.specialist(session, name=NAME)
    email = identity_queries.person_of(session, person).email
    specialists.save_profile(
        session, person, professions=["medicine"], languages=["en"], legal_name=PAPERS,
        born_on="1980-02-03", headline=f"{NAME}, cardiologist",
    )  # fmt: skip
    claim = make.verified(session, person, identifier=NUMBER)
    with specialists.sealed_in_store(PDF, "zolka.pdf") as sealed:
        file = specialists.add_evidence(session, person, claim.id, sealed)
        sealed.taken = True
    lab, job = work.published(session, items=2, review_sample_ratio=1.0)
    submission = work.submitted(session, person, job)
    work.decided(session, lab, submission, Verdict.REJECT)
    session.flush()
    return Life(person, email, claim, file, submission, lab)


def two(session: Session) -> tuple[Actor, Actor]:
    """Someone of operations and an administrator."""
    return identity.staff(session, Role.OPERATIONS), identity.staff(session, Role.ADMINISTRATOR)


def erased(session: Session, who: UUID) -> None:
    one, other = two(session)
    service.ask_erasure(session, one, who)
    service.carry_out_erasure(session, other, who)
    session.flush()
    session.expire_all()


def places_with(session: Session, words: str) -> Iterator[str]:
    """Every column of text in the database that contains these words."""
    columns = session.execute(
        text(
            """SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name <> 'alembic_version'
              AND (data_type IN ('text', 'character varying', 'jsonb', 'json', 'ARRAY'))"""
        )
    )
    for table, column in columns.all():
        sought = text(f'SELECT 1 FROM "{table}" WHERE "{column}"::text ILIKE :words LIMIT 1')  # noqa: S608
        if session.scalar(sought, {"words": f"%{words}%"}):
            yield f"{table}.{column}"


def test_what_is_personal_goes_and_what_was_done_stays(session: Session, life: Life) -> None:
    before = specialist_queries.attested_at(
        session, life.lab.organisation(), [(life.person.person(), life.submission.submitted_at)]
    )
    judgement = life.submission.judgement

    erased(session, life.person.person())

    assert [] == [
        place for word in (life.email, "Zolka", NUMBER) for place in places_with(session, word)
    ]
    claim = session.get_one(CredentialClaim, life.claim.id)
    assert (CredentialState.REVOKED, "erased", None) == (
        claim.state,
        claim.reason,
        claim.identifier,
    )
    assert session.get(SpecialistProfile, life.person.person()) is None
    file = session.get_one(EvidenceFile, life.file.id)
    assert (None, None) == (file.name, file.file_key)
    assert file.purged_at is not None
    kept = session.get_one(Submission, life.submission.id)
    assert (judgement, life.person.person(), 4) == (
        kept.judgement, kept.specialist_id, kept.credential_level,
    )  # fmt: skip
    after = specialist_queries.attested_at(
        session, life.lab.organisation(), [(life.person.person(), kept.submitted_at)]
    )
    assert before == after
    assert [] == specialist_queries.broken_invariants(session)


def test_what_was_said_to_a_model_and_never_handed_in_goes(session: Session) -> None:
    person = make.doctor(session)
    _, job = work.published(session)
    claim = work.claimed(session, person, job)
    session.add(
        ConversationEntry(
            claim_id=claim.id, number=1, kind=EntryKind.SAID,
            content={"text": "As for my own illness"}, made_at=clock.now(),
        )
    )  # fmt: skip
    work_service.release_claim(session, person, claim.id, fence=claim.fence)
    session.flush()

    erased(session, person.person())

    assert [] == list(places_with(session, "my own illness"))


def test_nobody_signs_in_any_more(session: Session, life: Life) -> None:
    cookie = identity.cookie(session, life.person)
    token = identity.token(session, life.person)

    erased(session, life.person.person())

    assert identity_service.visitor_of_sign_in(session, cookie) is None
    with pytest.raises(Exception, match="token"):
        identity_service.visitor_of_token(session, token)
    with pytest.raises(WrongPassword):
        identity_service.sign_in(session, email=life.email, password=identity.PASSWORD)
    row = session.get_one(Person, life.person.person())
    assert (PersonState.ERASED, "Erased person") == (row.state, row.name)
    identity_service.register_verified(
        session, email=life.email, name="Anew", password=identity.PASSWORD
    )


def test_files_are_deleted_and_a_licence_may_be_claimed_by_its_owner_anew(
    session: Session, life: Life
) -> None:
    erased(session, life.person.person())

    row = session.scalars(
        select(OutboxRow).where(OutboxRow.name == "specialists.delete_file")
    ).one()
    assert {"reference": life.file.reference} == row.arguments
    specialists.delete_stored(str(row.arguments["reference"]))
    with pytest.raises(Missing):
        storage.current().size(life.file.reference)
    again = make.claimed(session, identity.specialist(session), identifier=NUMBER)
    assert CredentialState.CHECKING is again.state


def test_it_takes_two_people_and_neither_is_the_person(session: Session, life: Life) -> None:
    one, other = two(session)
    who = life.person.person()
    with pytest.raises(Conflict, match="Nobody wrote down"):
        service.carry_out_erasure(session, other, who)
    with pytest.raises(Denied):
        service.ask_erasure(session, life.person, who)
    with pytest.raises(Denied):
        service.ask_erasure(session, other, who)
    both = identity.staff(session, Role.OPERATIONS, Role.ADMINISTRATOR)
    service.ask_erasure(session, both, who)
    with pytest.raises(Conflict, match="already"):
        service.ask_erasure(session, one, who)
    with pytest.raises(Denied, match="second person"):
        service.carry_out_erasure(session, both, who)
    with pytest.raises(Denied):
        service.carry_out_erasure(session, one, who)
    erasure.drop_erasure(session, one, who)
    with pytest.raises(Conflict):
        erasure.drop_erasure(session, one, who)

    erased(session, who)
    with pytest.raises(Missing):
        service.ask_erasure(session, one, who)


def money(session: Session, life: Life) -> None:
    _, job = work.published(session, life.lab, items=1, review_sample_ratio=1.0)
    work.decided(session, life.lab, work.submitted(session, life.person, job))


def in_hand(session: Session, life: Life) -> None:
    work.claimed(session, life.person, work.published(session, life.lab)[1])


def undecided(session: Session, life: Life) -> None:
    _, job = work.published(session, life.lab, review_sample_ratio=1.0)
    work.submitted(session, life.person, job)


def in_a_case(session: Session, life: Life) -> None:
    make.claimed(session, identity.specialist(session), identifier=NUMBER)


def a_member(session: Session, life: Life) -> None:
    person = identity_queries.person_of(session, life.person)
    identity_service.found_platform(session, person, frozenset({Role.AUDITOR}))


AGAINST: dict[str, Callable[[Session, Life], None]] = {
    "pending for them": money,
    "tasks in hand": in_hand,
    "waits for a verdict": undecided,
    "A case about one of their identifiers": in_a_case,
    "member of an organisation": a_member,
}


@pytest.mark.parametrize("words", AGAINST)
def test_it_waits_while_anything_is_owed_or_open(session: Session, life: Life, words: str) -> None:
    one, other = two(session)
    who = life.person.person()
    service.ask_erasure(session, one, who)
    AGAINST[words](session, life)
    session.flush()

    with session.begin_nested() as inner, pytest.raises(NotYetErasable, match=words) as refused:
        service.carry_out_erasure(session, other, who)
    del inner

    assert 1 == len(refused.value.reasons)
    assert NAME == session.get_one(Person, who).name


def test_a_command_asks_for_the_address(session: Session, life: Life) -> None:
    identity.staff(session, Role.OPERATIONS)
    who = life.person.person()
    with pytest.raises(Missing):
        service.erase_by_command(session, who, email="somebody@example.test")

    service.erase_by_command(session, who, email=f" {life.email.upper()}")

    assert PersonState.ERASED is session.get_one(Person, who).state
