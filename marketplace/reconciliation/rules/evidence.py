"""Files that stand behind a proposal: which kinds are taken, told by what is in them."""

from __future__ import annotations

import re
import unicodedata

from marketplace.errors import Fault, Faulty, TooLarge
from marketplace.specialists.rules import evidence as documents

BYTES_MAX = documents.BYTES_MAX
NAME_MAX = documents.NAME_MAX
TEXT = "text/plain"
ENDINGS = {**documents.ENDINGS, TEXT: ".txt"}
# Endings of text that people read as such, which a file keeps.
TEXT_ENDINGS = (".csv", ".txt", ".xml", ".eml", ".json", ".sta", ".940")
ACCEPTED = ",".join([*documents.ENDINGS, *TEXT_ENDINGS])
_UNPLAIN = re.compile(r"[^\w .()-]+")


def media_type_of(content: bytes) -> str:
    """PDF, PNG, JPEG, or text in UTF-8; whatever its name says.

    Raises Faulty at /file for anything else, TooLarge beyond 10 MiB.
    """
    if content and len(content) <= BYTES_MAX and b"\0" not in content:
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            if not content.startswith((b"%PDF-", b"\x89PNG")):
                return TEXT
    try:
        return documents.media_type_of(content)
    except TooLarge:
        raise TooLarge("Send at most 10 MiB: the page that shows it is enough.") from None
    except Faulty:
        fault = Fault("/file", "Send a whole PDF, PNG, JPEG, or a text or CSV file in UTF-8.")
        raise Faulty("This file cannot be used as evidence.", [fault]) from None


def plain_name(name: str, media_type: str) -> str:
    """A file's name without its folders and unusual characters, with an ending of its kind."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    stem, dot, ending = last.rpartition(".")
    kept = f".{ending.lower()}" if dot and f".{ending.lower()}" in TEXT_ENDINGS else ""
    ending = kept if media_type == TEXT and kept else ENDINGS[media_type]
    tidy = " ".join(_UNPLAIN.sub(" ", stem or last).split()).strip(" .")[:NAME_MAX]
    return (tidy or "evidence") + ending
