"""A job's exports from choosing a format to reading the card, and what the API says of the same."""

from __future__ import annotations

import io
import zipfile

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.delivery.models import Export
from marketplace.jobs.models import Job
from tests.make import background, specialists, work
from tests.web.conftest import Browser
from tests.web.pages import checked, text_of


def judged(session: Session, lab: Actor) -> Job:
    """Two items, one of them accepted twice over a tie of two people."""
    _, job = work.published(session, lab, items=2, overlap_min=2, overlap_max=2)
    for choices in ("ab", "aa"):
        doctor = specialists.doctor(session)
        for choice in choices:
            given = work.submitted(session, doctor, job, work.answer(choice))
            work.decided(session, lab, given)
    return job


def test_a_folder_from_its_first_rows_to_its_card(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = judged(session, lab)
    place = f"/lab/jobs/{job.id}"
    page = checked(owner.get(f"{place}/exports?format=hf_dataset"))
    assert "&#34;context&#34;" in page or "context" in text_of(page)
    said = {"title": "Doses", "licence": "cc-by-4.0", "languages": "en, pt-BR"}
    assert 303 == owner.post(f"{place}/data-card", said).status_code
    assert "“Doses”" in text_of(checked(owner.get(f"{place}/exports")))
    wrong = owner.post(f"{place}/data-card", said | {"licence": "other"})
    assert "Say what the licence is called." in text_of(checked(wrong, 422))

    answer = owner.post(f"{place}/exports", {"format": "hf_dataset", "policy": "majority"})
    background.run_all()

    assert 303 == answer.status_code
    page = text_of(checked(owner.get(answer.location)))
    assert "No majority 1" in page
    assert "croissant.json" in page
    assert "Who judged" in page
    card = owner.get(f"{answer.location}/card").text
    assert "cc-by-4.0" == yaml.safe_load(card.split("---\n")[1])["license"]
    with zipfile.ZipFile(io.BytesIO(owner.get(f"{answer.location}/file").data)) as folder:
        assert card == folder.read("README.md").decode()
    assert 200 == owner.get(f"{answer.location}/manifest").status_code


def test_every_way_to_look_at_a_file_before_and_after(
    session: Session, lab: Actor, owner: Browser
) -> None:
    job = judged(session, lab)
    for form in ("raw", "raw_parquet", "label_studio"):
        page = owner.get(f"/lab/jobs/{job.id}/exports/preview?format={form}&policy=all").text
        assert "item-1" in page
        where = owner.post(f"/lab/jobs/{job.id}/exports", {"format": form, "policy": "all"})
        background.run_all()
        assert "item-1" in checked(owner.get(where.location))
    packed = {"format": "raw", "policy": "all", "compression": "gzip"}
    first = session.scalars(select(Export).where(Export.format == "raw")).one()
    changes = packed | {"since": str(first.id)}
    where = owner.post(f"/lab/jobs/{job.id}/exports", changes)
    background.run_all()
    assert "Since" in text_of(checked(owner.get(where.location)))
    refused = owner.post(
        f"/lab/jobs/{job.id}/exports", packed | {"deliver_to": "s3://lab-files/x/"}
    )
    assert "Keep a key that may write into lab-files" in text_of(checked(refused, 422))
