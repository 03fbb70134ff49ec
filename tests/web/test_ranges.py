"""Downloads that go on where they broke off: parts, refusals, and files that are gone."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse, run_wsgi_app

from marketplace import storage
from marketplace.delivery import service
from marketplace.delivery.models import Export
from marketplace.ids import JobId
from marketplace.web.ranges import download
from tests.make import identity, specialists, work
from tests.make.background import run
from tests.web.conftest import Browser

HELD = bytes(range(100))
TAG = '"5f"'


def answered(app: Flask, file: io.BytesIO, method: str = "GET", **asked: str) -> TestResponse:
    """What the server sends of a file of a hundred bytes, through the application's own steps."""
    headers = {name.replace("_", "-"): value for name, value in asked.items()}
    with app.test_request_context(method=method, headers=headers) as context:
        answer = download(
            lambda offset: _wound(file, offset),
            size=len(HELD),
            sha256="5f",
            mimetype="application/octet-stream",
            filename="file.bin",
        )
        pieces, status, sent = run_wsgi_app(answer, context.request.environ, buffered=True)
    return TestResponse(pieces, status, sent, context.request)


def _wound(file: io.BytesIO, offset: int) -> io.BytesIO:
    file.seek(offset)
    return file


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=90-", 90, 100),
        ("bytes=-7", 93, 100),
        ("bytes=-700", 0, 100),
        ("bytes=95-200", 95, 100),
        ("Bytes=99-99", 99, 100),
    ],
)
def test_a_part_is_sent_alone(app: Flask, asked: str, first: int, end: int) -> None:
    file = io.BytesIO(HELD)
    answer = answered(app, file, Range=asked)

    assert (206, HELD[first:end]) == (answer.status_code, answer.data)
    assert f"bytes {first}-{end - 1}/100" == answer.headers["Content-Range"]
    assert (str(end - first), TAG) == (answer.headers["Content-Length"], answer.headers["ETag"])
    assert file.closed


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"Range": "bytes=0-1,5-9"},
        {"Range": "bytes=-"},
        {"Range": "lines=0-9"},
        {"Range": "bytes=\u0661-"},
        {"Range": "bytes=5-", "If_Range": '"60"'},
        {"Range": "bytes=5-", "If_Range": f"W/{TAG}"},
        {"Range": "bytes=5-", "If_Range": "Mon, 23 Nov 2026 10:00:00 GMT"},
    ],
)
def test_all_else_is_answered_with_the_whole(app: Flask, asked: dict[str, str]) -> None:
    answer = answered(app, io.BytesIO(HELD), **asked)
    assert (200, HELD, "bytes") == (
        answer.status_code,
        answer.data,
        answer.headers["Accept-Ranges"],
    )
    assert "Content-Range" not in answer.headers


def test_a_part_of_the_same_file_is_sent_where_its_tag_is_said(app: Flask) -> None:
    answer = answered(app, io.BytesIO(HELD), Range="bytes=98-", If_Range=TAG)
    assert (206, HELD[98:]) == (answer.status_code, answer.data)


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=-0", "bytes=900-901", "bytes=9-5"])
def test_a_part_beyond_the_end_is_refused_with_the_size(app: Flask, asked: str) -> None:
    answer = answered(app, io.BytesIO(HELD), Range=asked)
    assert (416, "bytes */100") == (answer.status_code, answer.headers["Content-Range"])


def test_who_asks_for_the_head_alone_is_told_of_the_whole_and_the_file_is_closed(
    app: Flask,
) -> None:
    file = io.BytesIO(HELD)
    answer = answered(app, file, "HEAD", Range="bytes=5-9")
    assert (200, b"", "100") == (answer.status_code, answer.data, answer.headers["Content-Length"])
    assert file.closed


def written(session: Session) -> tuple[Export, str]:
    """An export of a job that is written, and a token of its lab."""
    lab, job = work.published(session, items=1, overlap_min=1, overlap_max=1)
    work.decided(session, lab, work.submitted(session, specialists.doctor(session), job))
    export = service.request_export(session, lab, JobId(job.id), form="raw", policy="all")
    session.flush()
    run("delivery.write_export", export_id=export.id)
    session.refresh(export)
    return export, identity.token(session, lab)


def test_an_export_goes_on_where_it_broke_off_until_it_is_purged(
    session: Session, browser: Browser
) -> None:
    export, token = written(session)
    path = f"/api/v1/exports/{export.id}/file"
    headers = {"Authorization": f"Bearer {token}"}

    def asked(method: str = "GET", **more: str) -> TestResponse:
        return browser.client.open(path, method=method, headers=headers | more, buffered=True)

    whole, head = asked(), asked("HEAD")
    assert (200, f'"{export.sha256}"') == (whole.status_code, whole.headers["ETag"])
    assert (b"", str(len(whole.data))) == (head.data, head.headers["Content-Length"])
    assert len(whole.data) == export.bytes

    rest = asked(Range="bytes=10-", **{"If-Range": whole.headers["ETag"]})
    assert (206, whole.data[10:]) == (rest.status_code, rest.data)
    packed = asked(Range="bytes=10-", **{"Accept-Encoding": "zstd, br, gzip"})
    assert (206, whole.data[10:]) == (packed.status_code, packed.data)
    beyond = asked(Range=f"bytes={export.bytes}-")
    assert (416, "range_not_satisfiable") == (
        beyond.status_code,
        beyond.json and beyond.json["code"],
    )

    storage.current().delete(export.reference)
    gone = asked(Range="bytes=10-")
    assert (404, storage.GONE) == (gone.status_code, gone.json and gone.json["detail"])
