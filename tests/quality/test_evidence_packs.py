"""Evidence packs: found by what people do, sent, answered and closed by people, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import NullPool, create_engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.embedded import Stack
from marketplace.errors import Conflict, Denied, Faulty, Missing
from marketplace.identity.rules import Role
from marketplace.ids import JobId
from marketplace.jobs.models import Job
from marketplace.quality import queries
from marketplace.quality import service as quality
from marketplace.quality.models import EvidenceContent, EvidencePack, NearText
from marketplace.quality.rules.evidence_packs import PackKind, PackOutcome, PackState, TooEarly
from marketplace.quality.service.likeness import forget_signatures, has_vectors, sign_fresh
from marketplace.review.models import Decision
from marketplace.specialists.queries.accommodations import own_accommodation
from marketplace.specialists.service.accommodations import say_accommodation
from marketplace.specialists.service.links import seen_device
from marketplace.work.models import Submission
from marketplace.work.rules import Interval, IntervalKind
from tests.make import background, identity, jobs, specialists, work

ITEMS = 12
LONG = (
    "The first answer names the dose and the interval of the drug, warns of the kidney and says "
    "when to come back, which the second leaves out entirely in number {}."
)
WHY = "I dictate my answers, and these tasks were short."
NOTE = "Looked at the answers one by one."


def posted(session: Session, *, items: int = ITEMS, overlap: int = 3) -> tuple[Actor, Job]:
    """A running job with several judgements an item."""
    lines = [jobs.line(f"item-{n}", jobs.pair(n)) for n in range(1, items + 1)]
    return work.published(session, items=lines, overlap_min=overlap, overlap_max=overlap)


def worked(
    session: Session, person: Actor, job: Job, *, seconds: int, why: str = "", items: int = ITEMS
) -> list[Submission]:
    """All tasks of the job done by a person, with so many seconds for each."""
    done = []
    for n in range(items):
        claim = work.claimed(session, person, job)
        begun = claim.claimed_at
        spent = Interval(IntervalKind.ACTIVE, begun, begun + timedelta(seconds=seconds + n % 3))
        with clock.shifted(timedelta(minutes=10)):
            done.append(
                work.submit(
                    session,
                    person,
                    claim,
                    work.answer("ab"[n % 2], rationale=why.format(n), intervals=[spent]),
                )
            )
    return done


def looked(job: Job) -> None:
    """What was announced is numbered, and the job is looked at."""
    background.number_facts()
    background.run("quality.gather_evidence")
    background.run("quality.look_for_signs", job_id=str(job.id))


def packs(session: Session, kind: PackKind) -> list[EvidencePack]:
    """The packs of a kind."""
    asked = select(EvidencePack).where(EvidencePack.kind == kind).order_by(EvidencePack.id)
    return list(session.scalars(asked))


def hurried(session: Session) -> tuple[Actor, Job, Actor, EvidencePack]:
    """A lab, its job, somebody in a hurry beside two who are not, and the pack about it."""
    lab, job = posted(session)
    quick = specialists.doctor(session)
    for seconds in (200, 260):
        worked(session, specialists.doctor(session), job, seconds=seconds)
    worked(session, quick, job, seconds=4)
    looked(job)
    (pack,) = packs(session, PackKind.HASTE)
    return lab, job, quick, pack


def test_haste_is_found_told_answered_and_decided_by_a_person(session: Session) -> None:
    lab, job, quick, pack = hurried(session)
    looked(job)
    assert 1 == len(packs(session, PackKind.HASTE))  # Not twice while it is open.
    assert (quick.person_id, PackState.OPEN, None) == (pack.person_id, pack.state, pack.outcome)
    content = session.get_one(EvidenceContent, pack.id)
    assert content.numbers["fast_answers"] == ITEMS
    assert content.numbers["seconds_median"] < 10 < content.numbers["seconds_usual"]
    assert [] == list(queries.own_packs(session, quick))  # Nobody was told yet.
    staff = identity.staff(session, Role.OPERATIONS)
    with pytest.raises(Conflict, match="was not told"):
        quality.close_pack(session, staff, pack.id, outcome=PackOutcome.UPHELD, note=NOTE)

    quality.tell_pack(session, staff, pack.id)
    with pytest.raises(TooEarly):
        quality.close_pack(session, staff, pack.id, outcome=PackOutcome.UPHELD, note=NOTE)
    quality.reply_to_pack(session, quick, pack.id, reply=WHY)
    with pytest.raises(Conflict):
        quality.reply_to_pack(session, quick, pack.id, reply=WHY)
    quality.close_pack(session, staff, pack.id, outcome=PackOutcome.EXPLAINED, note=NOTE)

    assert (PackState.CLOSED, WHY) == (pack.state, pack.reply)
    looked(job)
    assert 1 == len(packs(session, PackKind.HASTE))  # On the same work: not again.
    assert 0 == queries.pieces_looked_at(session, lab, JobId(job.id))


def test_nothing_is_rejected_by_itself_and_upheld_changes_no_pay(session: Session) -> None:
    _, _, quick, pack = hurried(session)
    before = session.execute(select(Submission.id, Submission.state)).all()
    staff = identity.staff(session, Role.OPERATIONS)
    quality.tell_pack(session, staff, pack.id)
    with clock.shifted(timedelta(days=8)):
        quality.close_pack(session, staff, pack.id, outcome=PackOutcome.UPHELD, note=NOTE)
        background.run("quality.gather_evidence")
    session.expire_all()

    assert before == session.execute(select(Submission.id, Submission.state)).all()
    assert 0 == session.scalar(select(func.count()).select_from(Decision))
    assert work.claimed(session, quick, posted(session)[1]) is not None


def test_the_database_upholds_nothing_before_the_right_of_reply(session: Session) -> None:
    *_, pack = hurried(session)
    staff = identity.staff(session, Role.OPERATIONS)
    quality.tell_pack(session, staff, pack.id)

    pack.state, pack.outcome = PackState.CLOSED, PackOutcome.UPHELD
    pack.decided_by, pack.decided_at = staff.person_id, clock.now()
    with pytest.raises(IntegrityError, match="upheld_after_reply"), session.begin_nested():
        session.flush()


def test_evidence_is_frozen_and_closed_by_nobody_but_a_person(session: Session) -> None:
    *_, pack = hurried(session)
    with pytest.raises(IntegrityError, match="frozen"), session.begin_nested():
        session.execute(text("UPDATE evidence_content SET rows = '[]'"))
    pack.state, pack.outcome, pack.decided_at = PackState.CLOSED, PackOutcome.NOTHING, clock.now()
    with pytest.raises(IntegrityError, match="by_a_person"), session.begin_nested():
        session.flush()


def test_each_sees_their_own_and_a_lab_counts_only(session: Session) -> None:
    lab, job, quick, pack = hurried(session)
    staff, other = identity.staff(session, Role.OPERATIONS), specialists.doctor(session)
    with pytest.raises(Missing):
        queries.own_pack(session, quick, pack.id)  # Not sent yet.
    quality.tell_pack(session, staff, pack.id)

    assert pack.id == queries.own_pack(session, quick, pack.id).pack.id
    for stranger in (other, lab):
        with pytest.raises(Missing):
            queries.own_pack(session, stranger, pack.id)
        with pytest.raises(Missing):
            quality.reply_to_pack(session, stranger, pack.id, reply=WHY)
        for ask in (
            lambda: queries.pack_of(session, stranger, pack.id),  # noqa: B023
            lambda: queries.pack_queue(session, stranger),  # noqa: B023
            lambda: quality.tell_pack(session, stranger, pack.id),  # noqa: B023
        ):
            with pytest.raises(Denied):
                ask()
    assert pack.pieces == queries.pieces_looked_at(session, lab, JobId(job.id)) > 0
    with pytest.raises(Missing):
        queries.pieces_looked_at(session, identity.lab_owner(session), JobId(job.id))


def test_speed_and_wording_do_not_count_for_who_works_by_dictation(session: Session) -> None:
    _, job = posted(session, overlap=4)
    quick = specialists.doctor(session)
    say_accommodation(session, quick, ["dictation"])
    for seconds in (200, 230, 260):
        worked(session, specialists.doctor(session), job, seconds=seconds)
    worked(session, quick, job, seconds=4, why=LONG)

    looked(job)
    assert [] == packs(session, PackKind.HASTE) + packs(session, PackKind.NEAR_DUPLICATE)

    say_accommodation(session, quick, [])
    assert [] == own_accommodation(session, quick)
    background.run("quality.look_for_signs", job_id=str(job.id))
    assert [quick.person_id] == [each.person_id for each in packs(session, PackKind.HASTE)]
    near = packs(session, PackKind.NEAR_DUPLICATE)
    assert [quick.person_id] == [each.person_id for each in near]
    with pytest.raises(Faulty):
        say_accommodation(session, quick, ["nothing of the kind"])


@pytest.fixture
def vectors(stack: Stack) -> Iterator[bool]:
    """pgvector in the test database, where the server has it; only its superuser may add it."""
    address = stack.prepared.postgres.url("postgres", "marketplace")
    server = create_engine(address, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        there = text("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')")
        found = bool(connection.scalar(there))
        if found:
            connection.execute(text("CREATE EXTENSION vector"))
        yield found
        connection.execute(text("DROP EXTENSION IF EXISTS vector"))


def test_the_same_words_are_near_by_pgvector_and_without(vectors: bool, session: Session) -> None:
    _, job = posted(session, items=5, overlap=2)
    one, two = specialists.doctor(session), specialists.doctor(session)
    worked(session, one, job, seconds=100, why=LONG, items=5)
    worked(session, two, job, seconds=120, why=LONG, items=5)
    pairs = select(NearText.submission_id, NearText.other_id)

    assert not sign_fresh(session, job.id, vectors=False)
    here = {tuple(row) for row in session.execute(pairs)}
    assert 45 == len(here)
    assert vectors == has_vectors(session)
    if not vectors:
        pytest.skip("this server has no pgvector")
    forget_signatures(session, session.scalars(select(Submission.id)).all())
    assert not sign_fresh(session, job.id, vectors=True)
    assert here == {tuple(row) for row in session.execute(pairs)}


def test_a_finding_about_two_is_a_question_to_each(session: Session) -> None:
    _, job = posted(session, items=6, overlap=2)
    one, two = specialists.doctor(session), specialists.doctor(session)
    both = {one.person_id, two.person_id}
    for person in (one, two):
        worked(session, person, job, seconds=100, why=LONG, items=6)
    looked(job)

    near = packs(session, PackKind.NEAR_DUPLICATE)
    assert both == {each.person_id for each in near}
    staff = identity.staff(session, Role.OPERATIONS)
    for each in near:
        quality.tell_pack(session, staff, each.id)
    seen = queries.own_packs(session, one)[0]
    assert {str(one.person_id)} == {row["person_id"] for row in seen.own_rows}
    quality.forget_packs(session, two.person())
    session.expire_all()
    assert [] == queries.own_packs(session, one)[0].rows  # Their pieces stood beside these.


def test_one_browser_for_two_who_share_no_household(session: Session) -> None:
    one, two = specialists.doctor(session), specialists.doctor(session)
    for person in (one, two):
        seen_device(session, person.person(), "the same cookie")
    seen_device(session, specialists.doctor(session).person(), "another cookie")

    background.run("quality.look_at_devices")
    background.run("quality.look_at_devices")

    found = packs(session, PackKind.SHARING)
    assert {one.person_id, two.person_id} == {each.person_id for each in found}
    assert 2 == len(found)
