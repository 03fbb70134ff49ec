"""Images over HTTP: sent by the lab, seen by who works on the task or reviews it, by no other."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.ids import JobId
from marketplace.jobs import service
from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.routing import service as routing
from tests.make import identity, images, specialists, work
from tests.tasktypes.examples import EXAMPLES
from tests.web.conftest import Browser

EXAMPLE = EXAMPLES["regions"]
NAME = EXAMPLE.payload["image"]
PATH = NAME.replace(" ", "%20")


@pytest.fixture
def lab(session: Session) -> Actor:
    """The owner of a lab with money."""
    owner = identity.lab_owner(session)
    work.money_in(session, owner, Money(1_000_00, "USD"))
    return owner


@pytest.fixture
def job(session: Session, lab: Actor) -> Job:
    """A draft with one item, whose image is not in."""
    job = service.create_job(
        session,
        lab,
        task_type="regions",
        title="Second opinions",
        domain="cardiology",
        instructions_md="Mark them.",
        profession="medicine",
        pay=Money(30_00, "USD"),
        template=EXAMPLE.template,
    )
    row = {"external_id": "one", "payload": EXAMPLE.payload}
    service.add_items(session, lab, job.id, [json.dumps(row).encode()])
    session.flush()
    return job


def form(*files: tuple[str, bytes]) -> dict[str, object]:
    return {"file": [(io.BytesIO(content), name) for name, content in files]}


def claimed(session: Session, lab: Actor, job: Job, doctor: Actor) -> str:
    images.sent(lab, job.id, EXAMPLE.payload)
    routing.publish_job(session, lab, JobId(job.id), fee_basis_points=2_000)
    claim = routing.claim_next(session, doctor, job_id=JobId(job.id))
    assert claim is not None
    session.flush()
    return f"/work/tasks/{claim.id}"


def test_the_lab_sends_images_on_the_page_and_hears_of_each(
    browse: Callable[[], Browser], session: Session, lab: Actor, job: Job
) -> None:
    owner = browse().sign_in(session, lab)
    dicom = b"\0" * 128 + b"DICM"

    sent = owner.post(f"/lab/jobs/{job.id}/images", form((NAME, images.SCAN), ("a.dcm", dicom)))

    assert 303 == sent.status_code
    page = owner.get(sent.location or "").text
    assert "1 image is in." in page
    assert "a.dcm: This is a DICOM file" in page
    shown = owner.get(f"/lab/jobs/{job.id}/images/{PATH}")
    assert (200, "image/png") == (shown.status_code, shown.mimetype)
    assert images.SCAN == shown.data
    nothing = owner.post(f"/lab/jobs/{job.id}/images")
    assert "There is no image." in owner.get(nothing.location or "").text


def test_only_the_labs_members_see_its_images(
    browse: Callable[[], Browser], session: Session, lab: Actor, job: Job
) -> None:
    images.sent(lab, job.id, EXAMPLE.payload)
    path = f"/lab/jobs/{job.id}/images/{PATH}"

    others = [identity.lab_owner(session), identity.specialist(session)]

    statuses = [browse().sign_in(session, each).get(path).status_code for each in others]
    assert [404, 403] == statuses
    assert 302 <= browse().get(path).status_code < 304
    sent = browse().sign_in(session, others[0]).post(f"/lab/jobs/{job.id}/images", form())
    assert sent.status_code in {303, 404}


def test_only_who_has_the_task_in_hand_sees_its_image(
    browse: Callable[[], Browser], session: Session, lab: Actor, job: Job
) -> None:
    doctor, other = specialists.doctor(session), specialists.doctor(session)
    path = claimed(session, lab, job, doctor)
    kept = service.put_image(job.id, images.picture("JPEG"))
    service.add_image(session, lab, job.id, "other.jpg", kept)
    mine, theirs = browse().sign_in(session, doctor), browse().sign_in(session, other)

    shown = mine.get(f"{path}/images/{PATH}?v={images.SCAN_SHA256[:12]}")

    assert images.SCAN == shown.data
    assert "private, max-age=31536000, immutable" == shown.headers["Cache-Control"]
    assert "nosniff" == shown.headers["X-Content-Type-Options"]
    assert "private, no-cache" == mine.get(f"{path}/images/{PATH}").headers["Cache-Control"]
    tag = shown.headers["ETag"]
    assert 304 == mine.get(f"{path}/images/{PATH}", **{"If-None-Match": tag}).status_code
    assert 404 == mine.get(f"{path}/images/other.jpg").status_code
    assert 404 == theirs.get(f"{path}/images/{PATH}").status_code


def test_a_job_whose_images_are_missing_is_not_published(
    browse: Callable[[], Browser], session: Session, lab: Actor, job: Job
) -> None:
    page = browse().sign_in(session, lab).get(f"/lab/jobs/{job.id}/publish").text

    assert "is not in. Send it under this name." in page


def test_programs_send_several_images_and_list_them(
    app: Flask, session: Session, lab: Actor, job: Job
) -> None:
    headers = {"Authorization": f"Bearer {identity.token(session, lab)}"}
    client = app.test_client()
    path = f"/api/v1/jobs/{job.id}/images"
    files = form(("b.png", images.SCAN), ("a.tif", images.deep_tiff()), ("c.png", b"no"))
    session.flush()

    answer = client.post(path, data=files, headers=headers)
    again = client.post(path, data=form(("b.png", images.SCAN)), headers=headers)

    told: list[dict[str, Any]] = answer.get_json()["results"]
    assert ["added", "added", "refused"] == [each["state"] for each in told]
    assert {"width": 64, "height": 48, "bits": 16, "format": "tiff"}.items() <= told[1][
        "image"
    ].items()
    assert "not an image" in told[2]["message"]
    assert ["duplicate"] == [each["state"] for each in again.get_json()["results"]]
    first = client.get(f"{path}?limit=1", headers=headers).get_json()
    rest = client.get(f"{path}?after={first['next']}", headers=headers).get_json()
    assert [["a.tif"], ["b.png"]] == [
        [each["name"] for each in page["items"]] for page in (first, rest)
    ]
