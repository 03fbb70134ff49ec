"""Why something that was read is in no row, in words."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "no_judgement": "no accepted judgement yet",
    "no_majority": "no majority",
    "tie": "tie, which prefers neither answer",
    "both_bad": "both answers bad",
    "unrankable": "cannot be ranked",
    "no_score": "not applicable throughout",
    "not_applicable": "not applicable",
}


def reason_words(reason: str) -> str:
    """The reason as a card and a page say it."""
    return REASONS.get(reason, reason.replace("_", " "))
