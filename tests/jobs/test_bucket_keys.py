"""The key to a lab's bucket: kept, mended in parts, and nobody else's to know of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from marketplace import settings
from marketplace.actor import Actor
from marketplace.errors import Faulty, Missing
from marketplace.jobs import service
from marketplace.jobs.models import Job, JobBucket
from marketplace.jobs.service.sources import bucket_of
from tests.make import identity, jobs

OURS, THEIRS = "https://one.example.org", "https://two.example.org"
SOURCE = "s3://lab-files/items.jsonl"


def allow(*endpoints: str) -> None:
    """Let labs name these endpoints."""
    now = settings.current()
    fields = {name: getattr(now, name) for name in now.__slots__}
    settings.use(settings.Settings(**fields | {"s3_source_endpoints": endpoints}))


@pytest.fixture
def lab(session: Session) -> Iterator[Actor]:
    """A lab that may name two endpoints."""
    former = settings.current()
    allow(OURS, THEIRS)
    yield identity.lab_owner(session)
    settings.use(former)


def keep(
    session: Session, lab: Actor, job: Job, *, endpoint: str = "", region: str = "", key: str = ""
) -> JobBucket:
    return service.set_bucket(
        session,
        lab,
        job.id,
        endpoint=endpoint,
        region=region,
        access_key_id=key,
        secret_access_key=key,
    )


def test_region_and_endpoint_change_without_the_key(session: Session, lab: Actor) -> None:
    job = jobs.draft(session, lab)
    keep(session, lab, job, key="hidden")

    assert "" == keep(session, lab, job).region
    mended = keep(session, lab, job, region="eu-central-1")
    assert (OURS, "eu-central-1", "hidden") == (
        mended.endpoint,
        mended.region,
        mended.secret_access_key,
    )
    moved = keep(session, lab, job, endpoint=THEIRS)
    assert (THEIRS, "", "hidden") == (moved.endpoint, moved.region, moved.secret_access_key)
    with pytest.raises(Faulty, match="endpoints"):
        keep(session, lab, job, endpoint="https://three.example.org")


def test_an_endpoint_that_the_operator_took_away_is_spoken_to_no_more(
    session: Session, lab: Actor
) -> None:
    key = keep(session, lab, jobs.draft(session, lab), key="hidden")
    allow(THEIRS)

    with pytest.raises(Faulty, match="endpoints"):
        bucket_of(SOURCE, key)


def test_another_lab_learns_nothing_of_a_key(session: Session, lab: Actor) -> None:
    job = jobs.draft(session, lab)
    stranger = identity.lab_owner(session, name="Southlight")

    for key in ("", "hidden"):
        if key:
            keep(session, lab, job, key=key)
        with pytest.raises(Missing):
            service.start_bucket_import(session, stranger, job.id, SOURCE, wish=service.Wish())
