"""Who must not meet at a task: linked people, also at the same moment, and its authors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.ids import JobId, PersonId
from marketplace.jobs.models import ItemAuthor
from marketplace.money import Money
from marketplace.routing import queries, service
from marketplace.secrets import pseudonym
from marketplace.specialists import service as profiles
from marketplace.specialists.service import links
from marketplace.work.models import Claim
from tests.make import identity, specialists
from tests.make import jobs as make_jobs
from tests.make import work as make


def shared(session: Session, kind: str, one: Actor, other: Actor) -> None:
    """Link two people."""
    if kind == "household":
        links.declare_household(session, other, links.found_household(session, one))
    elif kind == "device":
        for person in (one, other):
            links.seen_device(session, person.person(), "dev_" + "x" * 43)
    else:
        for person, written in ((one, "Mercy Hospital"), (other, "MERCY HOSPITAL, Inc.")):
            profiles.save_profile(session, person, employers=[written])
    session.flush()


@pytest.mark.parametrize("kind", ["household", "device", "organisation"])
def test_linked_people_do_not_share_a_task_where_the_job_says_so(
    session: Session, kind: str
) -> None:
    one, other = specialists.doctor(session), specialists.doctor(session)
    shared(session, kind, one, other)
    _, apart = make.published(session, items=1, overlap_min=2, overlap_max=2, distinct_by=[kind])
    _, open_to_all = make.published(session, items=1, overlap_min=2, overlap_max=2)
    stranger = specialists.doctor(session)

    make.claimed(session, one, apart)
    make.claimed(session, one, open_to_all)

    assert service.claim_next(session, other, job_id=JobId(apart.id)) is None
    assert service.claim_next(session, other, job_id=JobId(open_to_all.id)) is not None
    assert service.claim_next(session, stranger, job_id=JobId(apart.id)) is not None


def test_ordinary_jobs_ask_for_nothing(session: Session) -> None:
    _, job = make.published(session)

    assert queries.task_conflict(job, PersonId(specialists.doctor(session).person())) is None


def test_nobody_judges_what_they_wrote(session: Session) -> None:
    lab, doctor = identity.lab_owner(session), specialists.doctor(session)
    author = pseudonym(str(lab.organisation()), str(doctor.person()))
    written = make_jobs.pair(1, metadata={"authors": [author, 7, author]})
    make.money_in(session, lab, Money(100_00, "USD"))
    lines = [make_jobs.line("mine", written), *make_jobs.lines(1, first=2)]
    authored = make_jobs.filled(session, lab, items=lines)
    service.publish_job(session, lab, JobId(authored.id), fee_basis_points=2_000)

    assert [author] == list(session.scalars(select(ItemAuthor.author)))
    taken = make.claimed(session, doctor, authored)
    assert service.claim_next(session, doctor, job_id=JobId(authored.id)) is None
    other = make.claimed(session, specialists.doctor(session), authored)
    assert taken.task_id != other.task_id


def test_a_household_at_the_same_moment_takes_one_seat_of_a_task(committed: Engine) -> None:
    del committed
    with transaction() as session:
        _, job = make.published(
            session, items=3, overlap_min=4, overlap_max=4, distinct_by=["household"]
        )
        family = [specialists.doctor(session) for _ in range(4)]
        code = links.found_household(session, family[0])
        for person in family[1:]:
            links.declare_household(session, person, code)

    def take(person: Actor) -> None:
        for _ in range(3):
            with transaction() as session:
                service.claim_next(session, person, job_id=JobId(job.id))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, family))

    with transaction() as session:
        tasks = session.scalars(select(Claim.task_id)).all()
    assert 3 == len(tasks) == len(set(tasks))
