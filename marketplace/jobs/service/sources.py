"""Where imports read from: our store, a zip file in it, a lab's bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO

from marketplace import settings, storage
from marketplace.errors import Faulty
from marketplace.jobs.models import JobBucket, JobImport
from marketplace.jobs.rules import ImportKind
from marketplace.jobs.rules.imports import HEAD_BYTES, Head
from marketplace.jobs.rules.imports.archive import ENTRIES_MAX, Bundle, Entry
from marketplace.jobs.rules.imports.zipped import Zip
from marketplace.storage.bucket import Access, Bucket, checked_endpoint, parsed

PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A file in our store, as readers see a file."""

    reference: str
    name: str
    size: int | None

    def open(self, offset: int = 0) -> IO[bytes]:
        """As the protocol of a source says."""
        return storage.wound(self.reference, offset)


class Folder:
    """The files of a lab's bucket whose names begin alike, as an archive."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        # Names are told from the last folder on, so that documents and images fit each other.
        self._prefix = prefix[: prefix.rfind("/") + 1]
        self._wanted = prefix

    def entries(self) -> Sequence[Entry]:
        """As the protocol says."""
        start = len(self._prefix)
        found = self._bucket.objects(self._wanted, most=ENTRIES_MAX)
        return sorted(
            (Entry(each.key[start:], each.size) for each in found if each.key[start:]),
            key=lambda entry: entry.name,
        )

    def open(self, name: str, offset: int = 0) -> IO[bytes]:
        """As the protocol says."""
        return self._bucket.open(self._prefix + name, offset)


def stored(found: JobImport) -> Stored:
    """The stored file of an import."""
    return Stored(found.storage_ref, found.filename, found.size_bytes)


def bucket_of(address: str, key: JobBucket | None) -> tuple[Bucket, str]:
    """A lab's bucket and what is wanted of it; Faulty where its key was taken away, or where the
    operator has taken its endpoint away since."""
    name, wanted = parsed(address)
    if key is None:
        raise Faulty("The key to this bucket is not kept any more. Give it again.")
    endpoint = checked_endpoint(key.endpoint, settings.current().s3_source_endpoints)
    access = Access(name, endpoint, key.region, key.access_key_id, key.secret_access_key)
    return Bucket(access), wanted


@contextmanager
def bundle_of(found: JobImport, key: JobBucket | None) -> Iterator[Bundle]:
    """The archive of an import, open."""
    if found.source_url is not None and not found.storage_ref:
        bucket, prefix = bucket_of(found.source_url, key)
        yield Folder(bucket, prefix)
        return
    with closing(stored(found).open()) as stream:
        yield Zip(stream)


def head_of(reference: str, name: str) -> Head:
    """How a stored file begins. It uses the store: never in a transaction."""
    with closing(storage.current().open(reference)) as stream:
        content = stream.read(HEAD_BYTES)
    return Head(name, content, len(content) < HEAD_BYTES)


def hashed(source: Stored, start: int, end: int) -> tuple[bytes, bytes]:
    """SHA-256 of a part of a stored file, and its last byte."""
    digest, last, left = hashlib.sha256(), b"", end - start
    with closing(source.open(start)) as stream:
        while left > 0 and (piece := stream.read(min(PIECE_BYTES, left))):
            digest.update(piece)
            last, left = piece[-1:], left - len(piece)
    return digest.digest(), last


def is_archive(found: JobImport) -> bool:
    """Whether an import has many files."""
    return found.kind is ImportKind.ARCHIVE
