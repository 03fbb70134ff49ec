"""Ways of working that change how fast or how alike somebody writes; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from marketplace.errors import Fault, Faulty


class AssistiveKind(StrEnum):
    """What somebody works with."""

    DICTATION = "dictation"
    SCREEN_READER = "screen_reader"
    SWITCH = "switch"
    TYPING = "assistive_typing"
    OTHER = "other"


ASSISTIVE_LABELS: Mapping[AssistiveKind, str] = {
    AssistiveKind.DICTATION: "Dictation",
    AssistiveKind.SCREEN_READER: "A screen reader or braille",
    AssistiveKind.SWITCH: "A switch, eye tracking or another pointer",
    AssistiveKind.TYPING: "Word prediction or saved phrases",
    AssistiveKind.OTHER: "Something else",
}


def chosen(words: Iterable[str]) -> list[AssistiveKind]:
    """The kinds that these words name, each once; Faulty for a word that names none."""
    known = {each.value: each for each in AssistiveKind}
    asked = list(words)
    if any(word not in known for word in asked):
        raise Faulty("Choose from the list.", [Fault("/kinds", "Choose from the list.")])
    return [kind for kind in AssistiveKind if kind.value in asked]
