"""Putting files into a lab's own bucket with the lab's key, in parts that can be gone on with."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from marketplace import settings
from marketplace.db import outside_transaction
from marketplace.errors import Faulty
from marketplace.jobs.models import JobBucket
from marketplace.storage import StorageFailed
from marketplace.storage.bucket import Access, checked_endpoint, client_of, parsed, told

# A store takes at most 10,000 parts, so this is enough for 312 GiB.
PART_BYTES = 32 * 1024 * 1024
PLACE = "/deliver_to"
_MAY_NOT = "The key may not write there. Allow it to put objects below this address."
_REGION = "The bucket lies in another region. Name its region."
REFUSED: Mapping[str, str] = {
    "AccessDenied": _MAY_NOT,
    "403": _MAY_NOT,
    "InvalidAccessKeyId": "The store does not know this key.",
    "SignatureDoesNotMatch": "The secret does not belong to this key.",
    "NoSuchBucket": "There is no such bucket at this endpoint.",
    "EntityTooLarge": "The store does not take files of this size.",
    "QuotaExceeded": "The bucket is full.",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
}


class UploadLost(StorageFailed):
    """The store knows an upload no more that was begun; it is begun anew."""


def destination(address: str, key: JobBucket | None) -> Destination:
    """Where a file is put; Faulty where the key was taken away, or the operator no longer allows
    its endpoint."""
    bucket, prefix = parsed(address, PLACE)
    if key is None:
        raise Faulty("The key to this bucket is not kept any more. Give it again.")
    endpoint = checked_endpoint(key.endpoint, settings.current().s3_source_endpoints)
    access = Access(bucket, endpoint, key.region, key.access_key_id, key.secret_access_key)
    return Destination(access, prefix)


class Destination:
    """A place in a lab's bucket. Every call uses the network."""

    def __init__(self, access: Access, prefix: str) -> None:
        self._bucket = access.bucket
        self._prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        self._client = client_of(access)

    def _key(self, name: str) -> str:
        return self._prefix + name

    @outside_transaction
    def put(self, name: str, content: bytes) -> None:
        """Put a small file; the store compares it with its hash."""
        with told(REFUSED, PLACE):
            self._client.put_object(
                Bucket=self._bucket, Key=self._key(name), Body=content, ContentMD5=_md5(content)
            )

    @outside_transaction
    def begin(self, name: str) -> str:
        """Begin a file of several parts; the upload's id."""
        with told(REFUSED, PLACE):
            begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=self._key(name))
        return str(begun["UploadId"])

    @outside_transaction
    def put_part(self, name: str, upload_id: str, number: int, content: bytes) -> str:
        """Put a part, from 1; its tag. UploadLost where the store has forgotten the upload."""
        try:
            with told(REFUSED, PLACE):
                part = self._client.upload_part(
                    Bucket=self._bucket,
                    Key=self._key(name),
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=content,
                    ContentMD5=_md5(content),
                )
        except StorageFailed as failed:
            raise _lost(failed) from failed
        return str(part["ETag"])

    @outside_transaction
    def end(self, name: str, upload_id: str, tags: Sequence[str]) -> None:
        """Make one file of the parts."""
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, start=1)]
        try:
            with told(REFUSED, PLACE):
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._key(name),
                    UploadId=upload_id,
                    MultipartUpload={"Parts": parts},
                )
        except StorageFailed as failed:
            raise _lost(failed) from failed

    @outside_transaction
    def size(self, name: str) -> int:
        """How large the file is there; StorageFailed where there is none."""
        with told(REFUSED, PLACE):
            head: dict[str, Any] = self._client.head_object(
                Bucket=self._bucket, Key=self._key(name)
            )
        return int(head["ContentLength"])


def _lost(failed: StorageFailed) -> StorageFailed:
    return UploadLost(str(failed)) if "NoSuchUpload" in str(failed) else failed


def _md5(content: bytes) -> str:
    """What the store compares a body with; it guards against accidents, not against people."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
