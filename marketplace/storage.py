"""Files: one folder, or one S3 bucket and prefix, chosen by STORAGE_URL.

A reference is a relative path of plain segments such as `imports/0190…/items.jsonl`. Writing is
atomic: a reference is either whole or not there.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from marketplace.db import outside_transaction
from marketplace.errors import GatewayError, Missing

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_REFERENCE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
CHUNK_BYTES = 1024 * 1024


class StorageFailed(GatewayError):
    """The store did not answer as it should."""


class Storage(Protocol):
    """Where files are kept. All calls use the disk or the network: never in a transaction."""

    def put(self, reference: str, source: IO[bytes]) -> int:
        """Store a stream under a reference, replacing what was there; its size in bytes."""

    def open(self, reference: str, *, offset: int = 0) -> IO[bytes]:
        """A stream from `offset` bytes on; Missing when there is no such file."""

    def delete(self, reference: str) -> None:
        """Delete the file; nothing happens when it is gone already."""

    def size(self, reference: str) -> int:
        """The file's size in bytes; Missing when there is no such file."""


def checked(reference: str) -> str:
    """The reference, if it is plain; ValueError for anything that could climb out."""
    if not _REFERENCE.fullmatch(reference):
        raise ValueError(f"{reference!r} is not a plain relative reference.")
    return reference


class Folder:
    """Files below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, reference: str) -> Path:
        return self._root / checked(reference)

    def put(self, reference: str, source: IO[bytes]) -> int:
        """As the protocol says; the file appears whole, by renaming."""
        path = self._path(reference)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as out:
            try:
                shutil.copyfileobj(source, out, CHUNK_BYTES)
                out.flush()
                os.fsync(out.fileno())
            except BaseException:
                Path(out.name).unlink(missing_ok=True)
                raise
        Path(out.name).replace(path)
        return path.stat().st_size

    def open(self, reference: str, *, offset: int = 0) -> IO[bytes]:
        """As the protocol says."""
        try:
            stream = self._path(reference).open("rb")
        except FileNotFoundError:
            raise Missing("This file is not in the store any more.") from None
        stream.seek(offset)
        return stream

    def delete(self, reference: str) -> None:
        """As the protocol says."""
        self._path(reference).unlink(missing_ok=True)

    def size(self, reference: str) -> int:
        """As the protocol says."""
        try:
            return self._path(reference).stat().st_size
        except FileNotFoundError:
            raise Missing("This file is not in the store any more.") from None


class S3:
    """Files in one bucket under a prefix, by the official client."""

    def __init__(self, bucket: str, prefix: str, client: S3Client | None = None) -> None:
        self._bucket = bucket
        self._prefix = prefix.strip("/")
        self._client: S3Client = client or boto3.client("s3")

    def _key(self, reference: str) -> str:
        return f"{self._prefix}/{checked(reference)}".lstrip("/")

    @outside_transaction
    def put(self, reference: str, source: IO[bytes]) -> int:
        """As the protocol says; large files go up in parts."""
        try:
            self._client.upload_fileobj(source, self._bucket, self._key(reference))
        except (BotoCoreError, ClientError) as failed:
            raise StorageFailed(
                f"The store did not take the file: {type(failed).__name__}."
            ) from failed
        return self.size(reference)

    @outside_transaction
    def open(self, reference: str, *, offset: int = 0) -> IO[bytes]:
        """As the protocol says; the body streams."""
        try:
            answer = self._client.get_object(
                Bucket=self._bucket, Key=self._key(reference), Range=f"bytes={offset}-"
            )
        except ClientError as failed:
            code = failed.response.get("Error", {}).get("Code", "")
            if code in {"NoSuchKey", "404"}:
                raise Missing("This file is not in the store any more.") from None
            if code == "InvalidRange":
                return tempfile.TemporaryFile()
            raise StorageFailed(f"The store answered {code}.") from failed
        except BotoCoreError as failed:
            raise StorageFailed(f"The store is away: {type(failed).__name__}.") from failed
        return cast("IO[bytes]", answer["Body"])

    @outside_transaction
    def delete(self, reference: str) -> None:
        """As the protocol says."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._key(reference))
        except (BotoCoreError, ClientError) as failed:
            raise StorageFailed(f"The store is away: {type(failed).__name__}.") from failed

    @outside_transaction
    def size(self, reference: str) -> int:
        """As the protocol says."""
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=self._key(reference))
        except ClientError as failed:
            if failed.response.get("Error", {}).get("Code") in {"404", "NoSuchKey"}:
                raise Missing("This file is not in the store any more.") from None
            raise StorageFailed("The store did not answer.") from failed
        return head["ContentLength"]


def pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """The stream in chunks of a MiB, closed at the end."""
    try:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk
    finally:
        stream.close()


def from_url(url: str) -> Storage:
    """The store that STORAGE_URL names: a folder, or s3://bucket/prefix."""
    if url.startswith("s3://"):
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        return S3(bucket, prefix)
    return Folder(Path(url.removeprefix("file://")).absolute())


class _Here:
    storage: Storage | None = None


def use(storage: Storage) -> None:
    """Set this process's store."""
    _Here.storage = storage


def current() -> Storage:
    """This process's store."""
    if _Here.storage is None:
        raise RuntimeError("storage.use() has not been called.")
    return _Here.storage
