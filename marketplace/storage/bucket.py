"""A lab's own bucket: listed and read with the lab's key; `delivery` puts exports into it.

Only the endpoints that S3_SOURCE_ENDPOINTS names are spoken to, so that no address a lab writes
leads into a private network.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from marketplace.db import outside_transaction
from marketplace.errors import Fault, Faulty
from marketplace.storage import CHUNK_BYTES, StorageFailed
from marketplace.storage.winding import Piecewise, Wound

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

AWS = "aws"
CONNECT_SECONDS = 5
READ_SECONDS = 30
_ADDRESS = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<key>[^\x00-\x1f]*))?"
)
_REFUSED = {
    "AccessDenied": "The key may not read there. Allow it to list the bucket and to get objects.",
    "InvalidAccessKeyId": "The store does not know this key.",
    "SignatureDoesNotMatch": "The secret does not belong to this key.",
    "NoSuchBucket": "There is no such bucket at this endpoint.",
    "NoSuchKey": "There is no such file in the bucket any more.",
    "404": "There is no such file in the bucket.",
    "403": "The key may not read there. Allow it to list the bucket and to get objects.",
    "PermanentRedirect": "The bucket lies in another region. Name its region.",
    "AuthorizationHeaderMalformed": "The bucket lies in another region. Name its region.",
}


@dataclass(frozen=True, slots=True)
class Object:
    """A file in a bucket. key: its whole name; size: in bytes."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Access:
    """A bucket and how to read it. endpoint: `aws` or an address; region: "" for none."""

    bucket: str
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str


def parsed(address: str, place: str = "/source") -> tuple[str, str]:
    """Bucket and key or prefix of an address such as s3://bucket/folder/; Faulty for others."""
    match = _ADDRESS.fullmatch(address.strip())
    if match is None or len(address) > 1_024:
        words = "Give an address such as s3://bucket/folder/ or s3://bucket/items.jsonl."
        raise Faulty(words, [Fault(place, words)])
    return match["bucket"], match["key"] or ""


def checked_endpoint(endpoint: str, allowed: tuple[str, ...]) -> str:
    """The endpoint, if the operator allows it; "" stands for the first one. Faulty for others."""
    found = endpoint.strip().rstrip("/") or (allowed[0] if allowed else "")
    if found in allowed:
        return found
    there = " or ".join(allowed) or "none"
    words = f"Buckets are read at these endpoints: {there}."
    raise Faulty(words, [Fault("/endpoint", words)])


class Bucket:
    """A bucket that is read with a lab's key. Every call uses the network."""

    def __init__(self, access: Access) -> None:
        self._bucket = access.bucket
        self._client = client_of(access)

    @outside_transaction
    def objects(self, prefix: str, *, most: int) -> Iterator[Object]:
        """The files whose names begin so, in the order of their names; Faulty beyond `most`."""
        pages = self._client.get_paginator("list_objects_v2")
        found = 0
        with told():
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for each in page.get("Contents", ()):
                    found += 1
                    if found > most:
                        words = f"More than {most:,} files begin so. Name a longer prefix."
                        raise Faulty(words, [Fault("/source", words)])
                    yield Object(each["Key"], each["Size"])

    @outside_transaction
    def open(self, key: str, offset: int = 0) -> IO[bytes]:
        """A file from `offset` on, as a stream that can be wound."""
        stream = _Streamed(self._client, self._bucket, key, offset)
        return io.BufferedReader(stream, CHUNK_BYTES)


def client_of(access: Access) -> Any:
    """The client of S3 for a lab's bucket, with its key."""
    # The client of S3 takes a third of a second to import: only who reads a bucket waits for it.
    from boto3.session import Session  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    ours = access.endpoint != AWS
    return Session().client(
        "s3",
        endpoint_url=access.endpoint if ours else None,
        region_name=access.region or "us-east-1",
        aws_access_key_id=access.access_key_id,
        aws_secret_access_key=access.secret_access_key,
        config=Config(
            signature_version="s3v4",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"max_attempts": 3, "mode": "standard"},
            # Stores of other makers know no checksums but the one that we send where it counts.
            request_checksum_calculation="when_required",
            s3={"addressing_style": "path" if ours else "auto"},
        ),
    )


class told:  # noqa: N801 - read as a word: with told().
    """Failures of the client in our words: the lab's to mend, or to be tried again.

    refused: our words by the store's codes; place: the field that they belong to.
    """

    def __init__(self, refused: Mapping[str, str] | None = None, place: str = "/source") -> None:
        self._refused = _REFUSED if refused is None else refused
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, failed: BaseException | None, where: object) -> None:
        if failed is None:
            return
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        if isinstance(failed, ClientError):
            code = str(failed.response.get("Error", {}).get("Code", ""))
            if code in self._refused:
                words = self._refused[code]
                raise Faulty(words, [Fault(self._place, words)]) from None
            raise StorageFailed(f"The bucket's store answered {code[:40]}.") from failed
        if isinstance(failed, BotoCoreError | OSError):
            name = type(failed).__name__
            raise StorageFailed(f"The bucket's store does not answer ({name}).") from failed


class _Streamed(Wound):
    """An object's content; failures of the client come in our words."""

    def __init__(self, client: Any, bucket: str, key: str, at: int) -> None:
        super().__init__(at)
        self._client, self._bucket, self._key = client, bucket, key
        self._size = 0
        self._source = self.begin(at)

    def begin(self, at: int) -> Piecewise:
        """The content from here on, and with it the object's size."""
        with told():
            try:
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=self._key, Range=f"bytes={at}-"
                )
            except self._client.exceptions.ClientError as failed:
                if failed.response.get("Error", {}).get("Code") != "InvalidRange":
                    raise
                return io.BytesIO()
        whole = answer.get("ContentRange", "").rpartition("/")[2]
        self._size = int(whole) if whole.isdigit() else at + answer["ContentLength"]
        body: Piecewise = answer["Body"]
        return body

    def whole(self) -> int:
        """As the store said with the content."""
        return self._size

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """The next bytes; StorageFailed where the connection breaks."""
        with told():
            return super().readinto(buffer)
