"""Files that show a credential: which kinds are taken, told by what is in them."""

from __future__ import annotations

import re
import unicodedata

from marketplace.errors import Fault, Faulty, TooLarge

BYTES_MAX = 10 * 1024 * 1024
FILES_MAX = 20
NAME_MAX = 100
TAIL_BYTES = 1024
PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
ENDINGS = {PDF: ".pdf", PNG: ".png", JPEG: ".jpg"}
# What a browser's file dialog is asked to offer.
ACCEPTED = ",".join(ENDINGS)
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_UNPLAIN = re.compile(r"[^\w .()-]+")


def media_type_of(content: bytes) -> str:
    """The kind of file, by its first and last bytes whatever its name says.

    Raises Faulty at /file for anything but a whole PDF, PNG or JPEG, TooLarge beyond 10 MiB.
    """
    if len(content) > BYTES_MAX:
        raise TooLarge("Send at most 10 MiB. A photograph or a scan of one page is enough.")
    tail = content[-TAIL_BYTES:]
    if content.startswith(b"%PDF-") and b"%%EOF" in tail:
        return PDF
    if content.startswith(_PNG_HEAD) and b"IEND" in tail[-16:]:
        return PNG
    if content.startswith(b"\xff\xd8\xff") and tail.rstrip(b"\0").endswith(b"\xff\xd9"):
        return JPEG
    fault = Fault("/file", "Send a whole PDF, PNG or JPEG file.")
    raise Faulty("This file cannot be used.", [fault])


def plain_name(name: str, media_type: str) -> str:
    """A file's name without its folders and unusual characters, with the ending of its kind."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    stem = _UNPLAIN.sub(" ", last.rpartition(".")[0] or last)
    tidy = " ".join(stem.split()).strip(" .")[:NAME_MAX]
    return (tidy or "evidence") + ENDINGS[media_type]
