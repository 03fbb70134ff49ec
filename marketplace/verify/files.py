"""Opening what is checked: a file, a folder, a ZIP; and reading a file line by line."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from marketplace.verify.report import CannotCheck
from marketplace.verify.seal import DIGEST_BYTES, line_digest, row_digest

SUFFIX = ".proof.jsonl.gz"
BUNDLED = "proof.jsonl.gz"
GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK", b"PAR1"
CHUNK = 1 << 20
ROWS_AT_ONCE = 1_000
# What reading a broken or hostile file may end in: an archive that is encrypted or packed in a way
# that nobody knows raises RuntimeError, its fields may be of any size.
UNREADABLE = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    ArithmeticError,
    LookupError,
    MemoryError,
    RuntimeError,
)
LINE_MAX = 1 << 26  # Bytes of a line that are looked into; a longer one is hashed only.
Opened = Callable[[], IO[bytes]]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Place:
    """What is checked. files: openers by name, a lone file under the name ''; proof: opens it;
    doubled: names that an archive has more than once."""

    files: dict[str, Opened]
    proof: Opened
    proof_name: str
    doubled: tuple[str, ...] = ()


@contextmanager
def place_of(path: Path, proof: Path | None) -> Iterator[Place]:
    """What lies at a path, with the proof that belongs to it; CannotCheck where there is none."""
    if not path.exists():
        raise CannotCheck(f"{path} is not there.")
    with ExitStack() as stack:
        try:
            files, doubled = _files(path, stack)
        except OSError as wrong:
            raise CannotCheck(f"{path} cannot be read: {wrong.strerror or wrong}.") from wrong
        if proof is not None:
            yield Place(files, lambda: proof.open("rb"), proof.name, doubled)
            return
        beside = path.with_name(path.name + SUFFIX)
        if BUNDLED in files:
            yield Place(files, files[BUNDLED], BUNDLED, doubled)
        elif beside.exists():
            yield Place(files, lambda: beside.open("rb"), beside.name, doubled)
        else:
            raise CannotCheck(
                f"There is no proof beside {path.name}: download it from the export's page, or "
                f"with GET /api/v1/exports/ID/proof, and name it {beside.name} or give it with "
                "--proof."
            )


def _files(path: Path, stack: ExitStack) -> tuple[dict[str, Opened], tuple[str, ...]]:
    """The files at a path, and the names that stand twice in an archive."""
    if path.is_dir():
        found = sorted(each for each in path.rglob("*") if each.is_file())
        return {each.relative_to(path).as_posix(): _opener(each) for each in found}, ()
    with path.open("rb") as start:
        is_zip = start.read(2) == ZIP
    if is_zip:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except (*UNREADABLE, ValueError):
            archive = None
        names = archive.namelist() if archive is not None else []
        if archive is not None and BUNDLED in names:
            doubled = tuple(name for name, times in Counter(names).items() if times > 1)
            return {
                name: _member(archive, name) for name in names if not name.endswith("/")
            }, doubled
    return {"": _opener(path)}, ()


def _opener(path: Path) -> Opened:
    return lambda: path.open("rb")


def _member(archive: zipfile.ZipFile, name: str) -> Opened:
    return lambda: archive.open(name)


def first_bytes(opened: Opened) -> bytes:
    """The four bytes that a file begins with."""
    with opened() as file:
        return file.read(4)


def sha256_of(opened: Opened, progress: Progress | None = None) -> tuple[str, int]:
    """The SHA-256 of a file, in hexadecimal, and how many bytes it has."""
    digest, size = hashlib.sha256(), 0
    with opened() as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
            size += len(piece)
            if progress is not None:
                progress(len(piece))
    return digest.hexdigest(), size


def unit_of(opened: Opened) -> str:
    """What a file is compared by: its "lines", a table's "rows", or a ZIP's "members"."""
    start = first_bytes(opened)
    if start == PARQUET:
        return "rows"
    return "members" if start[:2] == ZIP else "lines"


def digests_of(opened: Opened, unit: str) -> Iterator[tuple[bytes, Any]]:
    """The digest of each unit of a file, in order, with the line or the table's row that it is of;
    None for a member, and for a line too long to be held."""
    if unit == "rows":
        for row in _table(opened):
            yield row_digest(row), row
    elif unit == "members":
        for digest in _members(opened):
            yield digest, None
    else:
        yield from _lines(opened)


def _lines(opened: Opened) -> Iterator[tuple[bytes, bytes | None]]:
    packed = first_bytes(opened)[:2] == GZIP
    with opened() as file:
        if packed:
            with gzip.GzipFile(fileobj=file) as plain:
                yield from _digested(plain)
        else:
            yield from _digested(file)


def _digested(file: IO[bytes] | gzip.GzipFile) -> Iterator[tuple[bytes, bytes | None]]:
    """Each line with its digest, in bounded memory also where no line ever ends."""
    while line := file.readline(LINE_MAX):
        if len(line) < LINE_MAX or line.endswith(b"\n"):
            yield line_digest(line), line
            continue
        whole = hashlib.sha256(line)
        while not line.endswith(b"\n") and (line := file.readline(LINE_MAX)):
            whole.update(line)
        yield whole.digest()[:DIGEST_BYTES], None


def _members(opened: Opened) -> Iterator[bytes]:
    with opened() as file, _seekable(file) as whole, zipfile.ZipFile(whole) as archive:
        for name in archive.namelist():
            sha256, _ = sha256_of(_member(archive, name))
            yield line_digest(f"{name}\n{sha256}\n".encode())


def _table(opened: Opened) -> Iterator[dict[str, Any]]:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - only where a file is Parquet.
    except ImportError:
        raise CannotCheck(
            "This is a Parquet file, whose rows are read with pyarrow: install it with "
            "`pip install pyarrow`, and check again."
        ) from None
    with opened() as file, _seekable(file) as whole:
        table = parquet.ParquetFile(whole)
        for batch in table.iter_batches(batch_size=ROWS_AT_ONCE):
            yield from batch.to_pylist()


@contextmanager
def _seekable(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """The same file, or a copy of it on disk where it can be read from one end only."""
    if file.seekable():
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy, CHUNK)
        copy.seek(0)
        yield copy


class Hashed(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file, self._digest, self.size = file, hashlib.sha256(), 0

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, into: Any) -> int:
        """Read some bytes, and hash them."""
        found = self._file.read(len(into))
        into[: len(found)] = found
        self._digest.update(found)
        self.size += len(found)
        return len(found)

    def sha256(self) -> str:
        """The SHA-256 of what was read, in hexadecimal."""
        return self._digest.hexdigest()

    def close(self) -> None:
        """Close the file too."""
        if not self.closed:
            self._file.close()
        super().close()
