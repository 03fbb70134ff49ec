"""Files in one bucket of an S3 store; imported only where STORAGE_URL names one."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, cast

import boto3
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from marketplace.db import outside_transaction
from marketplace.errors import Missing
from marketplace.storage import CHUNK_BYTES, GONE, StorageFailed, checked

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

FAILURES = (BotoCoreError, Boto3Error, ClientError)


class _Body(io.RawIOBase):
    """An answer's body as a file: with lines, and with failures that say whose they are."""

    def __init__(self, body: StreamingBody) -> None:
        self._body = body

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """The next bytes; StorageFailed when the connection breaks."""
        target = memoryview(buffer).cast("B")
        try:
            chunk = self._body.read(len(target))
        except BotoCoreError as failed:
            raise StorageFailed(f"The store broke off: {type(failed).__name__}.") from failed
        target[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Let the connection go."""
        if not self.closed:
            self._body.close()
        super().close()


class _Whole:
    """A stream whose reads are never short: the client takes a short one for the end."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source

    def read(self, size: int = -1) -> bytes:
        """As many bytes as were asked for, unless the source has no more."""
        found = bytearray()
        while size < 0 or len(found) < size:
            chunk = self._source.read(CHUNK_BYTES if size < 0 else size - len(found))
            if not chunk:
                break
            found += chunk
        return bytes(found)


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
        whole = source if source.seekable() else cast("IO[bytes]", _Whole(source))
        try:
            self._client.upload_fileobj(whole, self._bucket, self._key(reference))
        except FAILURES as failed:
            name = type(failed).__name__
            raise StorageFailed(f"The store did not take the file: {name}.") from failed
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
                raise Missing(GONE) from None
            if code == "InvalidRange":
                return io.BytesIO()
            raise StorageFailed(f"The store answered {code}.") from failed
        except BotoCoreError as failed:
            raise StorageFailed(f"The store is away: {type(failed).__name__}.") from failed
        return io.BufferedReader(_Body(answer["Body"]), CHUNK_BYTES)

    @outside_transaction
    def delete(self, reference: str) -> None:
        """As the protocol says."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._key(reference))
        except FAILURES as failed:
            raise StorageFailed(f"The store is away: {type(failed).__name__}.") from failed

    @outside_transaction
    def size(self, reference: str) -> int:
        """As the protocol says."""
        try:
            head = self._client.head_object(Bucket=self._bucket, Key=self._key(reference))
        except ClientError as failed:
            if failed.response.get("Error", {}).get("Code") in {"404", "NoSuchKey"}:
                raise Missing(GONE) from None
            raise StorageFailed("The store did not answer.") from failed
        except BotoCoreError as failed:
            raise StorageFailed(f"The store is away: {type(failed).__name__}.") from failed
        return head["ContentLength"]
