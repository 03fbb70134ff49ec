"""Putting exports into a lab's own bucket: whole, in parts, after a loss, and with a wrong key."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import settings, storage
from marketplace.actor import Actor
from marketplace.delivery import service
from marketplace.delivery.background import deliveries
from marketplace.delivery.gateway import buckets
from marketplace.delivery.models import Export
from marketplace.delivery.rules import DeliveryState
from marketplace.errors import Faulty
from marketplace.ids import JobId
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Job
from marketplace.outbox import Event
from tests.make import specialists, work
from tests.make.background import run, run_all

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEY: dict[str, Any] = {"aws_access_key_id": "key", "aws_secret_access_key": "hidden"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 on loopback, with a bucket of a lab's."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client_of(url).create_bucket(Bucket="lab-sets")
    yield url
    server.stop()


def client_of(url: str) -> S3Client:
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", **KEY)


@pytest.fixture
def there(endpoint: str) -> Iterator[S3Client]:
    """The tests' own S3, among the endpoints that labs may name."""
    former = settings.current()
    fields = {name: getattr(former, name) for name in former.__slots__}
    settings.use(settings.Settings(**fields | {"s3_source_endpoints": (endpoint,)}))
    yield client_of(endpoint)
    settings.use(former)


def asked(session: Session, url: str, address: str) -> tuple[Actor, Job, Export]:
    lab, job = work.published(session, items=2, overlap_min=1, overlap_max=1)
    doctor = specialists.doctor(session)
    for _ in range(2):
        work.decided(session, lab, work.submitted(session, doctor, job))
    jobs.set_bucket(
        session, lab, job.id, endpoint=url, region="", access_key_id="key",
        secret_access_key="hidden",
    )  # fmt: skip
    export = service.request_export(
        session, lab, JobId(job.id), form="raw", policy="all", deliver_to=address
    )
    session.flush()
    run("delivery.write_export", export_id=export.id)
    return lab, job, export


def test_all_of_an_export_lies_in_the_bucket(
    session: Session, there: S3Client, endpoint: str
) -> None:
    lab, _, export = asked(session, endpoint, "s3://lab-sets/trained")
    run_all()

    session.refresh(export)
    told = there.list_objects_v2(Bucket="lab-sets", Prefix="trained/")["Contents"]
    names = sorted(each["Key"].rpartition("/")[2] for each in told)
    files = (export.manifest or {})["files"]
    assert (DeliveryState.DELIVERED, None) == (export.delivery_state, export.delivery_failure)
    facts = {"bytes": export.bytes, "sha256": export.sha256}
    facts_told = select(Event.facts).where(Event.kind == "export.delivered")
    assert [facts] == session.scalars(facts_told.where(Event.subject_id == export.id)).all()
    assert sorted(["manifest.json", *(file["name"] for file in files)]) == names
    folder = told[0]["Key"].rpartition("/")[0]
    found = there.get_object(Bucket="lab-sets", Key=f"{folder}/{export.filename}")["Body"].read()
    with storage.current().open(export.reference) as file:
        assert file.read() == found
    manifest = there.get_object(Bucket="lab-sets", Key=f"{folder}/manifest.json")["Body"].read()
    assert export.manifest == json.loads(manifest)

    service.deliver_again(session, lab, export.id)
    session.flush()
    run_all()
    session.refresh(export)
    assert DeliveryState.DELIVERED is export.delivery_state


@pytest.fixture
def small_parts() -> Iterator[None]:
    """Parts so small that a short file has several: of the least that a store takes."""
    former = buckets.PART_BYTES
    buckets.PART_BYTES = 5 * 2**20
    yield
    buckets.PART_BYTES = former


@pytest.mark.usefixtures("small_parts")
def test_a_lost_worker_goes_on_behind_the_parts_that_are_there(
    session: Session, there: S3Client, endpoint: str
) -> None:
    _, _, export = asked(session, endpoint, "s3://lab-sets/large/")
    session.refresh(export)
    content = b"x" * (12 * 2**20)
    file = (export.manifest or {})["files"][0]
    service.begin_delivery(session, export.id)
    export.manifest = {"files": [file | {"bytes": len(content)}]}
    session.flush()
    storage.current().put(export.reference, io.BytesIO(content))
    begun = service.begin_delivery(session, export.id)
    assert begun is not None
    sending = deliveries._Delivery(*begun)
    sending._ends = 0.0
    with pytest.raises(deliveries.TurnOver):
        sending.run()
    session.refresh(export)
    assert 1 == len((export.upload or {})["tags"])

    run("delivery.deliver_export", export_id=export.id)

    session.refresh(export)
    assert DeliveryState.DELIVERED is export.delivery_state
    (found,) = [
        each
        for each in there.list_objects_v2(Bucket="lab-sets", Prefix="large/")["Contents"]
        if each["Key"].endswith(export.filename)
    ]
    assert len(content) == found["Size"]
    assert found["ETag"].endswith('-3"')


def test_a_bucket_that_is_not_there_is_told(
    session: Session, there: S3Client, endpoint: str
) -> None:
    _, _, export = asked(session, endpoint, "s3://nowhere-at-all/x/")
    run_all()

    session.refresh(export)
    assert DeliveryState.FAILED is export.delivery_state
    assert "There is no such bucket at this endpoint." == export.delivery_failure


def test_without_a_key_nothing_is_promised(session: Session) -> None:
    lab, job = work.published(session, items=1)

    with pytest.raises(Faulty, match="Keep a key"):
        service.request_export(
            session, lab, JobId(job.id), form="raw", policy="all", deliver_to="s3://lab-sets/x/"
        )
