"""What people may have in common, and the code that a household shares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from marketplace.errors import Fault, Faulty

# Letters that cannot be mistaken for each other when read aloud or copied by hand.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
CODE_LETTERS = 12
_CODE = re.compile(rf"[{ALPHABET}]{{{CODE_LETTERS}}}")


class LinkKind(StrEnum):
    """Where the people live; which browser they signed in with."""

    HOUSEHOLD = "household"
    DEVICE = "device"


def household_code(letters: Sequence[str]) -> str:
    """Random letters as people read them: `ABCD-EFGH-JKMN`."""
    text = "".join(letters)
    return "-".join(text[at : at + 4] for at in range(0, CODE_LETTERS, 4))


def plain_code(typed: str) -> str:
    """A code as it was typed, in its one spelling; Faulty where it cannot be one."""
    letters = re.sub(r"[\s-]+", "", typed).upper()
    if not _CODE.fullmatch(letters):
        advice = "Write the code as your household has it: 12 letters and digits, ABCD-EFGH-JKMN."
        raise Faulty("This is not a household's code.", [Fault("/code", advice)])
    return letters
