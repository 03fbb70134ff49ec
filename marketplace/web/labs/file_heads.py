"""How a finished file begins: its first rows, whatever it is packed in."""

from __future__ import annotations

import gzip
import json
import zipfile
import zlib
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from marketplace import storage
from marketplace.errors import Missing

ROWS, HEAD_BYTES, FILES_MAX = 5, 64 * 1024, 40
# An archive tells of itself at its end, so the whole of it is read; larger ones are not.
WHOLE_MAX = 64 * 1024 * 1024
CELL_MAX = 400
DOCUMENT_LINES, DOCUMENT_MAX = 40, 4_000
FRAME = frozenset({b"", b"[", b",", b"]"})


@dataclass(frozen=True, slots=True)
class Head:
    """rows: laid out for reading; files: of an archive; why: in words, where there is nothing."""

    rows: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    why: str = ""


def head_of(reference: str, filename: str, size: int) -> Head:
    """How a stored file begins."""
    packed = filename.endswith((".parquet", ".zip", ".spacy"))
    if packed and size > WHOLE_MAX:
        return Head(why="The file is too large for a look into it here.")
    try:
        with storage.current().open(reference) as stream:
            if not packed:
                return Head(rows=_lines(stream, packed=filename.endswith(".gz")))
            with SpooledTemporaryFile(max_size=HEAD_BYTES) as whole:
                for piece in storage.pieces(stream):
                    whole.write(piece)
                whole.seek(0)
                return _unpacked(whole, filename)
    except Missing:
        return Head(why="The file is not in the store any more.")
    except (pa.ArrowException, zipfile.BadZipFile, OSError, zlib.error):
        return Head(why="The file cannot be looked into here.")


def _unpacked(whole: IO[bytes], filename: str) -> Head:
    if filename.endswith(".parquet"):
        batches = pq.ParquetFile(whole).iter_batches(batch_size=ROWS)
        first = next(batches, None)
        found = first.to_pylist() if first is not None else []
        return Head(rows=tuple(shown_row(row) for row in found[:ROWS]))
    if filename.endswith(".spacy"):
        return Head(why="A DocBin is read by spaCy; there are no lines to show.")
    with zipfile.ZipFile(whole) as archive:
        return Head(files=tuple(archive.namelist()[:FILES_MAX]))


def _lines(stream: IO[bytes], *, packed: bool) -> tuple[str, ...]:
    """The first rows of a text: a row is a line, and what only holds rows together is none."""
    if packed:
        with gzip.open(stream) as text:
            head = text.read(HEAD_BYTES)
    else:
        head = stream.read(HEAD_BYTES)
    whole = [line for line in head.split(b"\n")[:-1] if line not in FRAME]
    if not _are_rows(whole[:ROWS]):
        # One document, or a text of its own: its lines say nothing one by one.
        begins = b"\n".join(head.split(b"\n")[:DOCUMENT_LINES])
        return (begins.decode("utf-8", "replace")[:DOCUMENT_MAX],)
    return tuple(_laid_out(line) for line in whole[:ROWS])


def _are_rows(lines: list[bytes]) -> bool:
    """Whether each line is a JSON value by itself."""
    try:
        return all(json.loads(line.removesuffix(b",")) is not None for line in lines)
    except ValueError:
        return False


def _laid_out(line: bytes) -> str:
    try:
        return shown_row(json.loads(line))
    except ValueError:
        return line.decode("utf-8", "replace")[:HEAD_BYTES]


def shown_row(row: Any) -> str:
    """A row laid out for reading."""
    return json.dumps(_cut(row), indent=2, ensure_ascii=False, default=str)


def _cut(value: Any) -> Any:
    """A value for reading: long texts are cut, with how long they are."""
    if isinstance(value, str) and len(value) > CELL_MAX:
        return f"{value[:CELL_MAX]}… ({len(value):,} characters)"
    if isinstance(value, dict):
        return {key: _cut(each) for key, each in value.items()}
    return [_cut(each) for each in value] if isinstance(value, list | tuple) else value
