"""JPEG and PNG without what stands beside the picture; the pixels stay bit for bit."""

from __future__ import annotations

import struct

PNG_MARK = b"\x89PNG\r\n\x1a\n"
# What decides how a PNG's pixels look. Text, times, EXIF and private chunks are not among it.
PNG_KEPT = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT"}
)
JPEG_START = b"\xff\xd8"
JPEG_SCAN = 0xDA
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
JFIF, COLOURS, ADOBE, COMMENT = 0xE0, 0xE2, 0xEE, 0xFE


def bare_png(content: bytes) -> bytes:
    """A PNG with its picture alone; ValueError for what is none."""
    if not content.startswith(PNG_MARK):
        raise ValueError("This is no PNG.")
    kept = [PNG_MARK]
    at = len(PNG_MARK)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        end = at + 12 + length
        kind = content[at + 4 : at + 8]
        if kind in PNG_KEPT:
            kept.append(content[at:end])
        if kind == b"IEND":
            break
        at = end
    return b"".join(kept)


def bare_jpeg(content: bytes) -> bytes:
    """A JPEG with its picture and colours alone; ValueError for what is none.

    JFIF, the colour profile and Adobe's note of the colour space stay, since they decide how it
    looks; EXIF, XMP, IPTC, thumbnails, comments and what follows the end go.
    """
    if not content.startswith(JPEG_START):
        raise ValueError("This is no JPEG.")
    kept = [JPEG_START]
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            raise ValueError("A marker is expected here.")
        code = content[at + 1]
        if code == 0xFF:  # Markers may be filled up in front.
            at += 1
            continue
        if code in JPEG_ALONE:
            kept.append(content[at : at + 2])
            at += 2
            continue
        if code == 0xD9:
            break
        (length,) = struct.unpack_from(">H", content, at + 2)
        end = at + 2 + length
        if _belongs(code, content[at + 4 : end]):
            kept.append(content[at:end])
        if code == JPEG_SCAN:
            scanned = _end_of_scan(content, end)
            kept.append(content[end:scanned])
            end = scanned
        at = end
    return b"".join([*kept, b"\xff\xd9"])


def _belongs(code: int, body: bytes) -> bool:
    if code == JFIF:
        # A thumbnail can show what the picture no longer does; it makes JFIF longer than 14.
        return body.startswith(b"JFIF\0") and len(body) == 14
    if code == COLOURS:
        return body.startswith(b"ICC_PROFILE\0")
    return code == ADOBE or not (0xE0 <= code <= 0xEF or code == COMMENT)


def _end_of_scan(content: bytes, at: int) -> int:
    """Where the next marker begins that is neither a restart nor a stuffed byte."""
    while True:
        found = content.find(b"\xff", at)
        if found < 0 or found + 1 >= len(content):
            return len(content)
        code = content[found + 1]
        if code not in {0x00, 0xFF} and code not in JPEG_ALONE:
            return found
        at = found + (1 if code == 0xFF else 2)
