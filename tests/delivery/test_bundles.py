"""The dataset folder: its files, their agreement with each other, and the same bytes again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from sqlalchemy.orm import Session

from marketplace.delivery import service
from marketplace.delivery.background import bundles
from marketplace.delivery.models import Export
from marketplace.delivery.queries import reading
from marketplace.delivery.rules.bundle import BUNDLE
from marketplace.delivery.rules.facts import LabWords
from marketplace.delivery.rules.tables import schema_of, shape_of, shape_of_rows, write_parquet
from marketplace.ids import JobId
from marketplace.jobs.models import Job
from marketplace.tasktypes import Counts, Record
from tests.make import specialists, work

RAW = {"annotations_raw.jsonl", "aggregates.jsonl", "data/raw.parquet", "guidelines/v1.md"}
TOLD = {"README.md", "DATASHEET.md", "croissant.json", "agreement_report.json", "MANIFEST.sha256"}
TOLD |= {"proof.jsonl.gz"}


class Reading:
    """Reads a small export whole."""

    def __init__(self, session: Session, export: Export) -> None:
        self.session, self.export = session, export

    def records(self, policy: str) -> Iterator[Record]:
        return reading.records(self.session, self.export, policy=policy)


def judged(session: Session) -> tuple[Export, Job]:
    """Three items, two judged twice: one alike, one not; the third waits."""
    lab, job = work.published(session, items=3, overlap_min=2, overlap_max=2)
    people = [specialists.doctor(session) for _ in range(2)]
    for person, choices in zip(people, ("ab", "aa"), strict=True):
        for choice in choices:
            given = work.submitted(session, person, job, work.answer(choice, rationale="Dose."))
            work.decided(session, lab, given)
    export = service.request_export(session, lab, JobId(job.id), form="raw", policy="majority")
    export.format = BUNDLE
    words = LabWords(licence="cc-by-4.0", languages=("en",), title="Doses: a | study")
    service.describe_data(session, lab, JobId(job.id), words)
    service.freeze_card(session, export)
    return export, job


def written(session: Session, export: Export, job: Job) -> tuple[bytes, Counts]:
    out = io.BytesIO()
    counts = bundles.write(out, export, job, Reading(session, export))
    return out.getvalue(), counts


def test_a_folder_holds_what_it_says(session: Session, tmp_path: Path) -> None:
    export, job = judged(session)

    archive, counts = written(session, export, job)

    with zipfile.ZipFile(io.BytesIO(archive)) as folder:
        folder.extractall(tmp_path)
        names = set(folder.namelist())
    assert RAW | TOLD | {"data/helpsteer3.parquet"} == names
    listed = (tmp_path / "MANIFEST.sha256").read_text().splitlines()
    hashes = {each[66:]: each[:64] for each in listed}
    assert names - {"MANIFEST.sha256"} == set(hashes)
    for name, sha256 in hashes.items():
        assert sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    table = pq.read_table(tmp_path / "data/helpsteer3.parquet")
    assert (counts.rows, 1) == (table.num_rows, counts.dropped["no_majority"])
    raw = pq.read_table(tmp_path / "data/raw.parquet").to_pylist()
    lines = [
        json.loads(each) for each in (tmp_path / "annotations_raw.jsonl").read_text().splitlines()
    ]
    assert [each["annotation_id"] for each in lines] == [each["annotation_id"] for each in raw]
    assert lines[0]["judgement"] == json.loads(raw[0]["judgement"])
    assert archive == written(session, export, job)[0]
    head = yaml.safe_load((tmp_path / "README.md").read_text().split("---\n")[1])
    assert ("cc-by-4.0", ["en"], ["n<1K"]) == (
        head["license"], head["language"], head["size_categories"],
    )  # fmt: skip


def test_columns_hold_whatever_rows_say() -> None:
    rows: list[dict[str, Any]] = [
        {"a": 1, "b": [{"role": "user", "score": 1}], "c": {"x": 1}, "d": None},
        {"a": 2.5, "b": [{"role": "user", "score": None, "more": True}], "c": "plain"},
        {"a": None, "b": [], "c": None, "e": {str(n): n for n in range(100)}},
    ]
    shape, out = shape_of_rows(rows), io.BytesIO()

    written = write_parquet(out, rows, shape)

    told = pq.read_table(io.BytesIO(out.getvalue())).to_pylist()
    assert (3, [1.0, 2.5, None]) == (written, [each["a"] for each in told])
    assert [{"more": None, "role": "user", "score": 1}] == told[0]["b"]
    assert ['{"x":1}', '"plain"', None] == [each["c"] for each in told]
    assert rows[2]["e"] == json.loads(told[2]["e"])
    assert "large" not in str(schema_of(shape))


@pytest.mark.parametrize(
    ("value", "shape"),
    [(True, "yes_no"), (2**70, "json"), ({}, "json"), ([1, "a"], ["json"]), ([[]], [["nothing"]])],
)
def test_the_shape_of_a_value(value: object, shape: object) -> None:
    assert shape == shape_of(value)
