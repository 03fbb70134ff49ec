"""Lines out of streams: the same lines however the bytes arrive, in bounded memory."""

from __future__ import annotations

import io
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Fault
from marketplace.jobs.rules import Line, lines_of, ndjson_lines

CONTENT = st.lists(
    st.sampled_from([b"{}", b"\n", b"\r\n", b"\r", b" ", b"x" * 30, b"\xff", b"\xef\xbb\xbf"])
).map(b"".join)


class Choppy:
    """A stream that gives its bytes in pieces of given sizes."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        self._stream = io.BytesIO(content)
        self._sizes = sizes

    def read(self, size: int = -1, /) -> bytes:
        return self._stream.read(min(size, self._sizes.pop(0)) if self._sizes else size)


class Endless:
    """One line of a great many bytes that are made as they are read."""

    def __init__(self, size: int, after: bytes) -> None:
        self._left = size
        self._after = after

    def read(self, size: int = -1, /) -> bytes:
        if self._left <= 0:
            rest, self._after = self._after, b""
            return rest
        self._left -= size
        return b"x" * size


@settings(deadline=None)
@given(CONTENT, st.lists(st.integers(1, 7)))
def test_pieces_do_not_change_the_lines(content: bytes, sizes: list[int]) -> None:
    whole = list(ndjson_lines(io.BytesIO(content), line_limit_bytes=20))

    chopped = list(ndjson_lines(Choppy(content, sizes), line_limit_bytes=20))

    assert whole == chopped


@settings(deadline=None)
@given(CONTENT, st.integers(0, 20))
def test_reading_may_go_on_after_any_line(content: bytes, stop: int) -> None:
    whole = list(ndjson_lines(io.BytesIO(content), line_limit_bytes=20, blank=True))
    first, rest = whole[:stop], whole[stop:]
    stream = io.BytesIO(content)
    stream.seek(first[-1].end if first else 0)

    resumed = ndjson_lines(
        stream, line_limit_bytes=20, blank=True, after=first[-1] if first else None
    )

    assert rest == list(resumed)


@settings(deadline=None)
@given(CONTENT)
def test_every_line_that_is_not_blank_comes_once(content: bytes) -> None:
    text = content.removeprefix(b"\xef\xbb\xbf")
    expected = [number for number, line in enumerate(text.split(b"\n"), start=1) if line.strip()]

    assert expected == [line.number for line in ndjson_lines(io.BytesIO(content))]


def test_a_mark_of_byte_order_and_either_line_end_are_taken() -> None:
    lines = list(ndjson_lines(io.BytesIO(b'\xef\xbb\xbf{"a":1}\r\n\r\n{"b":2}\n')))

    assert [Line(1, b'{"a":1}', 12), Line(3, b'{"b":2}', 22)] == lines


def test_a_line_of_gigabytes_is_one_fault_and_little_memory() -> None:
    tracemalloc.start()
    lines = list(ndjson_lines(Endless(512 * 1024 * 1024, b'\n{"next": true}')))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert isinstance(lines[0].content, Fault)
    assert "longer than 1,048,576 bytes" in lines[0].content.message
    assert (2, b'{"next": true}') == lines[1][:2]
    assert peak < 8 * 1024 * 1024


def test_a_line_of_just_the_limit_is_taken() -> None:
    stream = io.BytesIO(b"x" * 10 + b"\r\n" + b"y" * 11 + b"\n")

    taken, refused = ndjson_lines(stream, line_limit_bytes=10)

    assert b"x" * 10 == taken.content
    assert isinstance(refused.content, Fault)


def test_a_foreign_file_is_named_once() -> None:
    for content, word in (
        ('{"a":1}\n{"b":2}'.encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00rest\nrest", "gzip"),
        (b"PK\x03\x04rest\nrest", "zip"),
    ):
        (line,) = ndjson_lines(io.BytesIO(content))

        assert isinstance(line.content, Fault)
        assert word in line.content.message


def test_plain_bytes_get_numbers() -> None:
    assert [Line(1, b"a"), Line(2, b"b")] == list(lines_of([b"a", b"b"]))
