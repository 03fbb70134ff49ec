"""Files in a folder and in an S3 store keep the same promises."""

from __future__ import annotations

import io
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer
from sqlalchemy.orm import Session

from marketplace import storage
from marketplace.db import TransactionOpen, transaction
from marketplace.errors import Missing
from marketplace.storage import Folder, Storage, StorageFailed
from marketplace.storage.s3 import S3

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "files"
REFERENCE = "imports/0190/items.jsonl"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 on loopback, with one bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client_of(url).create_bucket(Bucket=BUCKET)
    yield url
    server.stop()


def client_of(url: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Each kind of store, empty for each test."""
    if request.param == "folder":
        return Folder(tmp_path / "store")
    client = client_of(request.getfixturevalue("endpoint"))
    return S3(BUCKET, f"/{tmp_path.name}/", client)


def put(store: Storage, content: bytes, reference: str = REFERENCE) -> int:
    return store.put(reference, io.BytesIO(content))


def read(store: Storage, *, offset: int = 0) -> bytes:
    with store.open(REFERENCE, offset=offset) as stream:
        return stream.read()


@pytest.mark.parametrize("size", [0, 1, 100_000, storage.CHUNK_BYTES + 7])
def test_what_was_put_is_read(store: Storage, size: int) -> None:
    content = bytes(at % 251 for at in range(size))

    assert size == put(store, content) == store.size(REFERENCE)
    assert content == read(store) == b"".join(storage.pieces(store.open(REFERENCE)))


@pytest.mark.parametrize("offset", [0, 1, 5, 9, 10, 11, 1_000])
def test_reading_begins_at_an_offset(store: Storage, offset: int) -> None:
    put(store, b"0123456789")

    assert b"0123456789"[offset:] == read(store, offset=offset)


def test_a_stream_has_lines(store: Storage) -> None:
    put(store, b"one\ntwo\n\nthree")

    with store.open(REFERENCE) as stream:
        assert b"one\n" == stream.readline()
        assert b"tw" == stream.readline(2)
        assert [b"o\n", b"\n", b"three"] == list(stream)
        assert b"" == stream.read()


def test_putting_again_replaces(store: Storage) -> None:
    put(store, b"the first one")
    put(store, b"second")

    assert b"second" == read(store)


def test_what_was_deleted_is_missing(store: Storage) -> None:
    put(store, b"x")
    store.delete(REFERENCE)
    store.delete(REFERENCE)

    for ask in (store.open, store.size):
        with pytest.raises(Missing):
            ask(REFERENCE)


@pytest.mark.parametrize("reference", ["imports", f"{REFERENCE}/below"])
def test_a_place_that_is_no_file_is_missing(store: Storage, reference: str) -> None:
    put(store, b"x")

    store.delete(f"{REFERENCE}/below")
    for ask in (store.open, store.size):
        with pytest.raises(Missing):
            ask(reference)


@pytest.mark.parametrize(
    "reference",
    ["", "/etc/passwd", "../up", "a/../../up", "a//b", "a/", ".hidden", "a/.b", "a\\b", "a b",
     "a\0b", "a\n", "é", "~root", "C:/x", "a/..", "%2e%2e/a"],
)  # fmt: skip
def test_no_reference_climbs_out(store: Storage, reference: str) -> None:
    for ask in (store.open, store.size, store.delete):
        with pytest.raises(ValueError, match="plain"):
            ask(reference)
    with pytest.raises(ValueError, match="plain"):
        put(store, b"x", reference)


class Breaks(io.RawIOBase):
    """A stream that breaks off in the middle."""

    def __init__(self) -> None:
        self._given = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self._given += 1
        if self._given > 2:
            raise ConnectionResetError
        return b"x" * min(1000, abs(size))


class Drips(io.RawIOBase):
    """A stream that gives less than it is asked for, as sockets do."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._left.read(min(10_000, abs(size)))


def test_short_reads_do_not_end_a_file(store: Storage) -> None:
    content = bytes(at % 251 for at in range(45_000))

    assert 45_000 == store.put(REFERENCE, Drips(content))  # type: ignore[arg-type]
    assert content == read(store)


@pytest.mark.parametrize("former", [None, b"former"])
def test_what_breaks_off_is_not_there(store: Storage, former: bytes | None) -> None:
    if former is not None:
        put(store, former)
    with pytest.raises((ConnectionResetError, StorageFailed)):
        store.put(REFERENCE, Breaks())  # type: ignore[arg-type]

    if former is None:
        with pytest.raises(Missing):
            store.open(REFERENCE)
    else:
        assert former == read(store)


def test_a_folder_keeps_no_scraps(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    with pytest.raises(ConnectionResetError):
        store.put(REFERENCE, Breaks())  # type: ignore[arg-type]
    put(store, b"x")

    assert ["items.jsonl"] == [path.name for path in (tmp_path / REFERENCE).parent.iterdir()]
    assert 0o600 == (tmp_path / REFERENCE).stat().st_mode & 0o777


def test_readers_of_a_folder_see_whole_files_only(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    put(store, b"a" * 300_000)
    stop, seen = threading.Event(), set[tuple[int, int]]()

    def look() -> None:
        while not stop.is_set():
            content = read(store)
            seen.add((len(content), len(set(content))))

    reader = threading.Thread(target=look)
    reader.start()
    for at in range(30):
        put(store, (b"a", b"b")[at % 2] * 300_000)
    stop.set()
    reader.join()

    assert {(300_000, 1)} == seen


def test_a_store_that_is_away_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = S3(BUCKET, "", client_of(f"http://127.0.0.1:{taken.getsockname()[1]}"))
        for ask in (away.open, away.size, away.delete):
            with pytest.raises(StorageFailed):
                ask(REFERENCE)
        with pytest.raises(StorageFailed):
            put(away, b"x")


def test_a_bucket_that_is_not_there_is_a_failure(endpoint: str) -> None:
    store = S3("nowhere", "", client_of(endpoint))
    with pytest.raises(StorageFailed):
        store.open(REFERENCE)
    with pytest.raises(StorageFailed):
        put(store, b"x")


def test_an_s3_is_not_asked_inside_a_transaction(session: Session, endpoint: str) -> None:
    store = S3(BUCKET, "", client_of(endpoint))
    with pytest.raises(TransactionOpen), transaction():
        store.size(REFERENCE)


def test_the_url_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")
    kinds = [storage.from_url(url) for url in (str(tmp_path), f"file://{tmp_path}", "s3://b/p")]

    assert [Folder, Folder, S3] == [type(kind) for kind in kinds]


def test_only_who_uses_s3_imports_its_client() -> None:
    program = (
        "import sys; from marketplace import factory, storage; storage.from_url('.');"
        "sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
