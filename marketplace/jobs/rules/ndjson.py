"""Lines out of a byte stream, in bounded memory whatever the stream holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from marketplace.errors import Fault

LINE_LIMIT_BYTES = 1024 * 1024
CHUNK_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"
# What a file is when it is no text in UTF-8, by its first bytes.
_FOREIGN = (
    (b"\xff\xfe", "This is text in UTF-16. Save it as UTF-8 and send it again."),
    (b"\xfe\xff", "This is text in UTF-16. Save it as UTF-8 and send it again."),
    (b"\x1f\x8b", "This is compressed with gzip. Unpack it and send it again."),
    (b"PK\x03\x04", "This is a zip archive. Unpack it and send the file inside."),
    (b"PAR1", "This is a Parquet file. Send it as JSONL or CSV."),
)


class Readable(Protocol):
    """Anything that gives up to `size` bytes, and none at its end."""

    def read(self, size: int = -1, /) -> bytes: ...


class Line(NamedTuple):
    """One line. number: from 1; content: its bytes, or what is wrong with it; end: the offset
    of the first byte after it, where reading may go on later."""

    number: int
    content: bytes | Fault
    end: int = 0


def ndjson_lines(
    stream: Readable,
    *,
    line_limit_bytes: int = LINE_LIMIT_BYTES,
    after: Line | None = None,
    blank: bool = False,
) -> Iterator[Line]:
    """The lines, each without its end; a line over the limit is a Fault.

    Holds one line and one chunk at most: the rest of a longer line is read and dropped. LF and
    CRLF end a line, and so does the end of the stream. A byte order mark at the start is dropped.
    after: the last line read earlier, where the stream starts now; blank: blank lines too.
    """
    number, offset = (after.number, after.end) if after else (0, 0)
    chunks = _chunks(stream)
    if after is None:
        head = next(chunks, b"")
        while len(head) < 4 and (more := next(chunks, b"")):
            head += more
        for magic, advice in _FOREIGN:
            if head.startswith(magic):
                yield Line(1, Fault("", advice), 0)
                return
        if head.startswith(_BOM):
            head, offset = head.removeprefix(_BOM), len(_BOM)
        chunks = _first(head, chunks)
    for content, end in _split(chunks, line_limit_bytes):
        number += 1
        if blank or isinstance(content, Fault) or content.strip():
            yield Line(number, content, offset + end)


def _chunks(stream: Readable) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _first(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _split(chunks: Iterable[bytes], limit: int) -> Iterator[tuple[bytes | Fault, int]]:
    """Each line with the offset after it; `held` never grows beyond the limit and a chunk."""
    held, skipping, end = b"", False, 0
    for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            end += len(part) + 1
            content = _content(held + part, limit, skipping)
            held, skipping = b"", False
            yield content, end
        end += len(rest)
        if skipping or len(held) + len(rest) > limit + 1:
            held, skipping = b"", True
        else:
            held += rest
    if held or skipping:
        yield _content(held, limit, skipping), end


def _content(line: bytes, limit: int, skipping: bool) -> bytes | Fault:
    line = line.removesuffix(b"\r")
    if skipping or len(line) > limit:
        return Fault("", f"This line is longer than {limit:,} bytes. Split it or shorten it.")
    return line


def lines_of(lines: Iterable[Line | bytes]) -> Iterator[Line]:
    """Lines as `ndjson_lines` gives them; plain bytes get their numbers by counting."""
    for number, line in enumerate(lines, start=1):
        yield line if isinstance(line, Line) else Line(number, line)
