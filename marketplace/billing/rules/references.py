"""Creditor references of ISO 11649: what a payer writes on a transfer, with check digits.

`RF`, two check digits (ISO 7064, mod 97-10) and ten digits. With digits alone, every single wrong
one and every swap of two neighbours makes a text that is no reference at all; letters, which the
standard allows too, would let some of them through.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

BODY_LENGTH = 10
LENGTH = 4 + BODY_LENGTH
_LOOKS_LIKE = re.compile(rf"(?=(RF[0-9]{{{2 + BODY_LENGTH}}}))")
_JOINTS = re.compile(r"[^0-9A-Z]")


@dataclass(frozen=True, slots=True)
class Found:
    """References that a text holds. mistyped: what begins like one and fails its check digits."""

    valid: tuple[str, ...]
    mistyped: tuple[str, ...]


def new_reference() -> str:
    """A fresh reference, compact: `RF18` and ten digits."""
    body = "".join(secrets.choice("0123456789") for _ in range(BODY_LENGTH))
    return f"RF{98 - _remainder(body + 'RF00'):02d}{body}"


def is_reference(text: str) -> bool:
    """Whether a compact text is a reference with right check digits."""
    return len(text) == LENGTH and _checks(text)


def spaced(reference: str) -> str:
    """In groups of four, as people read and type it."""
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))


def references_in(remittance: str) -> Found:
    """What the text of a transfer names, whatever spaces and signs banks put between.

    Nothing is mended or guessed: a reference counts when each of its characters is there.
    """
    compact = _JOINTS.sub("", remittance.upper())
    seen = dict.fromkeys(match[1] for match in _LOOKS_LIKE.finditer(compact))
    valid = tuple(each for each in seen if _checks(each))
    return Found(valid, tuple(each for each in seen if each not in valid))


def _checks(text: str) -> bool:
    looks = _LOOKS_LIKE.match(text)
    return looks is not None and _remainder(text[4:] + text[:4]) == 1


def _remainder(text: str) -> int:
    # Letters count as two digits, A = 10 to Z = 35.
    return int("".join(str(int(each, 36)) for each in text)) % 97
