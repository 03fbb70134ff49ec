"""A file or an archive cut into chunks, each one transaction; outside any transaction itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing

from marketplace.errors import Fault, Faulty
from marketplace.jobs.models import ImportMark, JobBucket, JobImport
from marketplace.jobs.rules import ImportKind, Line
from marketplace.jobs.rules.imports import KINDS, Reading
from marketplace.jobs.rules.imports.archive import Piece, Place, pieces
from marketplace.jobs.service.images import put_image
from marketplace.jobs.service.imports import Chunk
from marketplace.jobs.service.sources import Stored, bundle_of, hashed, is_archive, stored

CHUNK_ROWS = 2_000
CHUNK_BYTES = 8 * 1024 * 1024
CHUNK_IMAGES = 50
# So many parts are passed over in one transaction.
SKIPPED_AT_ONCE = 200
# Readers that tell places by counting rows, not by bytes of the file before them.
COUNTED = frozenset({ImportKind.PARQUET, ImportKind.COCO, ImportKind.ARCHIVE})


def chunks_of(
    found: JobImport,
    reading: Reading,
    former: Mapping[int, ImportMark],
    key: JobBucket | None,
    *,
    rows: int = CHUNK_ROWS,
) -> Iterator[Chunk]:
    """The chunks of an import from where it stands.

    former: marks of an earlier import of this job that was read in the same way, by their starts;
    key: to a lab's bucket.
    """
    if is_archive(found):
        yield from _of_archive(found, reading, key, rows)
    else:
        yield from _of_file(found, reading, former, rows)


def _of_file(
    found: JobImport, reading: Reading, former: Mapping[int, ImportMark], rows: int
) -> Iterator[Chunk]:
    source, kind = stored(found), KINDS[found.kind or ImportKind.JSONL]
    after = Line(found.read_lines, b"", found.read_bytes)
    told_by_bytes = kind.key not in COUNTED
    while True:
        skipped = list(_same(source, after, former)) if told_by_bytes else []
        if skipped:
            after = Line(skipped[-1].lines, b"", skipped[-1].end_bytes)
            yield Chunk(number=after.number, end=after.end, skipped=skipped)
            continue
        begun = after
        lines = kind.lines(source, reading, after if after.number or after.end else None)
        given = (Piece("", line=line) for line in lines)
        for chunk in _cut(given, reading, found, Chunk(number=after.number, end=after.end), rows):
            yield _placed(chunk, source, begun, told_by_bytes=told_by_bytes)
            begun = Line(chunk.number, b"", chunk.end)
            if told_by_bytes and next(_same(source, begun, former), None):
                break  # What follows is known.
        else:
            return
        after = begun


def _placed(chunk: Chunk, source: Stored, begun: Line, *, told_by_bytes: bool) -> Chunk:
    chunk.file = None
    if told_by_bytes and chunk.end > begun.end:
        chunk.mark, last = hashed(source, begun.end, chunk.end)
        if last not in (b"\n", b"}"):
            # What comes behind in a grown file could belong to the last row.
            chunk.mark = None
    return chunk


def _same(source: Stored, after: Line, former: Mapping[int, ImportMark]) -> Iterator[ImportMark]:
    """The parts from here on that an earlier file held, byte for byte, and that are all in."""
    place = after.end
    for _ in range(SKIPPED_AT_ONCE):
        mark = former.get(place)
        if mark is None or not mark.clean or mark.end_bytes > (source.size or 0):
            return
        digest, last = hashed(source, place, mark.end_bytes)
        if digest != mark.sha256 or not _apart(source, mark.end_bytes, last):
            return
        yield mark
        place = mark.end_bytes


def _apart(source: Stored, end: int, last: bytes) -> bool:
    """Whether the last row of a part ends there: by a line's end, or a comma in a list of JSON."""
    if last == b"\n":
        return True
    with closing(source.open(end)) as stream:
        following = stream.read(64).lstrip()
    return last == b"}" and following[:1] in (b",", b"]")


def _of_archive(
    found: JobImport, reading: Reading, key: JobBucket | None, rows: int
) -> Iterator[Chunk]:
    place = Place(found.file_passed, found.read_lines, found.read_bytes)
    first = Chunk(file=place.file, number=place.number, end=place.end)
    with bundle_of(found, key) as bundle:
        yield from _cut(pieces(bundle, reading, place), reading, found, first, rows)


def _cut(
    given: Iterator[Piece], reading: Reading, found: JobImport, chunk: Chunk, rows: int
) -> Iterator[Chunk]:
    """Chunks bounded in rows, bytes and images; lines of one document stay together."""
    held, document = 0, ("", -1)
    for piece in given:
        told = (piece.file, piece.line.number if piece.line else -1)
        full = len(chunk.lines) >= rows or held >= CHUNK_BYTES
        if (full and told != document) or len(chunk.images) >= CHUNK_IMAGES:
            yield _counted(chunk, reading)
            chunk, held = Chunk(file=chunk.file, number=chunk.number, end=chunk.end), 0
        document = told
        held += _add(chunk, piece, found)
    if chunk.lines or chunk.images or chunk.passed or reading.left:
        yield _counted(chunk, reading)


def _add(chunk: Chunk, piece: Piece, found: JobImport) -> int:
    """Put a piece into a chunk, an image into the store; how many bytes the chunk holds more."""
    file = piece.file or None
    if piece.passed is not None:
        chunk.file, chunk.number, chunk.end = file, 0, 0
        chunk.passed += piece.passed
    elif piece.picture is not None:
        _keep(chunk, piece, found)
    elif piece.line is not None:
        chunk.lines.append((file, piece.line))
        chunk.number, chunk.end = piece.line.number, piece.line.end
        return len(piece.line.content) if isinstance(piece.line.content, bytes) else 0
    return 0


def _keep(chunk: Chunk, piece: Piece, found: JobImport) -> None:
    try:
        kept = put_image(found.job_id, piece.picture or b"")
    except Faulty as faulty:
        chunk.lines.append((piece.file, Line(1, Fault("", faulty.message))))
    else:
        chunk.images.append((piece.file, piece.name, kept))


def _counted(chunk: Chunk, reading: Reading) -> Chunk:
    """A chunk with what its reader left out so far."""
    chunk.left.update(reading.left)
    reading.left.clear()
    return chunk
