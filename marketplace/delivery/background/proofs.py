"""Writing the proof of an export, in bounded memory; and keeping each day's heads, signed."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import islice
from typing import IO, Any

import orjson

from marketplace import clock, outbox, secrets
from marketplace.db import transaction
from marketplace.delivery import queries, rules, service
from marketplace.delivery.models import Export
from marketplace.verify.files import CHUNK, Hashed, digests_of, sha256_of, unit_of
from marketplace.verify.keys import packed
from marketplace.verify.proof import EXPORT, VERSION
from marketplace.verify.seal import signed_bytes

LINKS_AT_ONCE = 2_000
LINES_AT_ONCE = 256
DIGESTS_A_LINE = 512
PACKED_AT = 4  # Digests and salts do not shrink; the rest does at any level.
HEADS_AT_ONCE = 500
HEADS_EVERY_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A finished file that a proof speaks of. name: as the lab sees it; open: gives it to read."""

    name: str
    open: Callable[[], IO[bytes]]


def write_proof(out: IO[bytes], export: Export, files: Sequence[ProofFile]) -> None:
    """Write the proof of an export's finished files, packed; `verify.proof` says how it reads.

    The same bytes whenever it is written, until an author is erased: then their salts are null.
    """
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=PACKED_AT, mtime=0, filename="") as to:
        lines = (
            orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
            for entry in _entries(export, files)
        )
        while several := b"".join(islice(lines, LINES_AT_ONCE)):
            to.write(several)


def _entries(export: Export, files: Sequence[ProofFile]) -> Iterator[Any]:
    until = export.as_of_event or 0
    yield {
        "marketplace_proof": VERSION,
        "export_id": export.id,
        "job_id": export.job_id,
        "as_of_event": until,
    }
    head = b""
    for entry, link in _chain(export, until):
        head = link
        yield entry
    stated = []
    for file in files:
        lines = _Lines(file)
        yield from lines.entries()
        stated.append(lines.stated())
    statement = rules.export_statement(
        export_id=export.id,
        job_id=export.job_id,
        form=export.format,
        policy=export.policy,
        as_of_event=until,
        head=head,
        files=stated,
    )
    made = secrets.sign(signed_bytes(EXPORT, statement))
    yield {
        "statement": statement,
        "key_id": made.key_id,
        "public_key": packed(made.public_key),
        "signature": packed(made.signature),
    }


def _chain(export: Export, until: int) -> Iterator[tuple[list[Any], bytes]]:
    """The chain's links in order, each head of a day right behind its own."""
    opens, reached, link = export.format in rules.ENVELOPES, 0, b""
    with transaction() as session:
        heads = {each.number: each for each in queries.heads_until(session, export.job_id, until)}
    while reached < until:
        with transaction() as session:
            rows = queries.links_after(
                session, export.job_id, reached, until=until, limit=LINKS_AT_ONCE
            )
        if not rows:
            return
        for row in rows:
            reached, link = row.job_number, bytes(row.job_hash)
            yield _event(row, opens=opens), link
            head = heads.get(reached)
            if head is not None:
                said = (head.number, bytes(head.hash).hex(), head.key_id)
                yield ["head", head.day, *said, packed(bytes(head.signature))], link


def _event(row: Any, *, opens: bool) -> list[Any]:
    at = row.announced_at.astimezone(UTC).isoformat()
    entry = ["event", row.job_number, row.id, row.kind, row.subject_id, at]
    # Facts stay the text that they are: to read and write them anew is half of the work.
    entry += [orjson.Fragment(row.facts), bytes(row.job_hash).hex()]
    if opens and row.kind == queries.HANDED_IN and row.commits:
        entry.append(packed(bytes(row.salt)) if row.salt is not None else None)
    return entry


class _Lines:
    """The digests of a file's lines, told as they are read; then what is stated of the file."""

    def __init__(self, file: ProofFile) -> None:
        self._file, self._unit = file, unit_of(file.open)
        self._count, self._digest = 0, hashlib.sha256()
        self._read: Hashed | None = None

    def entries(self) -> Iterator[list[Any]]:
        yield ["file", self._file.name, self._unit]
        waiting = bytearray()
        for digest, _ in digests_of(self._opened, self._unit):
            waiting += digest
            self._count += 1
            if self._count % DIGESTS_A_LINE == 0:
                yield self._told(waiting)
                waiting.clear()
        if waiting:
            yield self._told(waiting)

    def _opened(self) -> IO[bytes]:
        """The file, hashed on the way where it is read from one end to the other."""
        if self._unit != "lines":
            return self._file.open()
        self._read = Hashed(self._file.open())
        return io.BufferedReader(self._read, CHUNK)

    def _told(self, waiting: bytearray) -> list[Any]:
        self._digest.update(waiting)
        return ["digests", packed(bytes(waiting))]

    def stated(self) -> dict[str, Any]:
        if self._read is not None:
            sha256, size = self._read.sha256(), self._read.size
        else:
            sha256, size = sha256_of(self._file.open)
        return {
            "name": self._file.name,
            "unit": self._unit,
            "bytes": size,
            "sha256": sha256,
            "lines": self._count,
            "lines_sha256": self._digest.hexdigest(),
        }


@outbox.background("delivery.keep_heads", time_limit_seconds=900, every_seconds=HEADS_EVERY_SECONDS)
def keep_heads(work: outbox.Work) -> None:
    """Keep the head of every chain that grew, signed, once a day.

    It is kept in the first round of a day, or in the round after the chain first grows on it. A
    head says that the chain stood there by then, never that nothing more came on that day.
    """
    day = clock.now().date()
    while True:
        with transaction() as session:
            if service.keep_heads(session, day, limit=HEADS_AT_ONCE) < HEADS_AT_ONCE:
                outbox.done(session, work)
                return
