"""A stored file as a download that a client can go on with where it broke off (RFC 9110, 14)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import IO

from flask import Response, request

from marketplace import storage
from marketplace.web.errors import CODES, shown

ONE_RANGE = re.compile(r"bytes=(\d{1,18})?-(\d{1,18})?", re.ASCII | re.IGNORECASE)


def part_asked(size: int, etag: str) -> tuple[int, int] | None:
    """First and one past the last byte that the request asks for; None for the whole file.

    size: bytes of the whole; etag: in its quotes. Several ranges, and a range of a file that
    meanwhile is another one (`If-Range`), are answered with the whole, as the standard allows;
    ranges of anything but GET, as it asks.
    Raises IndexError when nothing of the file lies in the range.
    """
    found = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if found is None or request.method != "GET" or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = found.groups()
    if first is None and last is None:
        return None
    if first is None:
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1 if last else size)
    if begin >= end:
        raise IndexError(request.headers["Range"])
    return begin, end


def download(
    opened: Callable[[int], IO[bytes]], *, size: int, sha256: str, mimetype: str, filename: str
) -> Response:
    """The file, or the part of it that `Range` asks for (206); 416 for a part beyond its end.

    opened: the file from an offset on; size: bytes of the whole; sha256: of the whole, hex.
    """
    etag = f'"{sha256}"'
    try:
        part = part_asked(size, etag)
    except IndexError:
        answer = shown(416, CODES[416], f"The file has {size} bytes.")
        answer.headers["Content-Range"] = f"bytes */{size}"
        return answer
    begin, end = part or (0, size)
    file = opened(begin)
    stream = _limited(storage.pieces(file), end - begin)
    answer = Response(stream, status=206 if part else 200, mimetype=mimetype)
    # Nobody reads the answer to a HEAD, and who leaves early none: a stream that was never begun
    # closes nothing.
    answer.call_on_close(file.close)
    answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    answer.headers["Content-Length"] = str(end - begin)
    answer.headers["ETag"] = etag
    answer.headers["Accept-Ranges"] = "bytes"
    if part:
        answer.headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
        # Ranges count the bytes of the file itself: compressed on the way they would be others'.
        answer.headers["Content-Encoding"] = "identity"
    return answer


def _limited(pieces: Iterator[bytes], left: int) -> Iterator[bytes]:
    """As much of the pieces as is wanted."""
    for piece in pieces:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return
