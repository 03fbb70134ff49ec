"""Hints on a rubric: what weakens it without being wrong. Nothing here refuses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from marketplace.tasktypes.shapes import Json

# Words that two graders read differently; each criterion should name what to look for.
VAGUE = (
    "adequate",
    "appropriate",
    "appropriately",
    "as needed",
    "clear",
    "clearly",
    "comprehensive",
    "correct",
    "correctly",
    "detailed",
    "enough",
    "etc",
    "good",
    "helpful",
    "high quality",
    "professional",
    "proper",
    "properly",
    "reasonable",
    "relevant",
    "sufficient",
    "thorough",
    "well",
)
NEAR = 0.85
LONG = 400
_VAGUE = re.compile(rf"\b({'|'.join(map(re.escape, VAGUE))})\b", re.IGNORECASE)
_SEVERAL = re.compile(r"\b(?:and also|as well as|and/or)\b|;", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing to look at. number: of the criterion, from 0; None for the rubric as a whole."""

    number: int | None
    words: str


def hints(rubrics: Sequence[Json]) -> list[Hint]:
    """What to look at in legal criteria: vague words, several demands in one, doubles, sums."""
    found = []
    for number, each in enumerate(rubrics):
        found += [Hint(number, words) for words in of_one(str(each["criterion"]))]
        for before in range(number):
            if near(str(rubrics[before]["criterion"]), str(each["criterion"])):
                words = f"It is nearly criterion {before + 1}; an answer would score twice."
                found.append(Hint(number, words))
    return found + of_all([int(each["points"]) for each in rubrics])


def of_one(criterion: str) -> list[str]:
    """Hints on one criterion by itself."""
    found = []
    vague = list(dict.fromkeys(word.lower() for word in _VAGUE.findall(criterion)))
    if vague:
        named = ", ".join(f"“{word}”" for word in vague)
        found.append(f"{named}: say what a grader should look for.")
    if _SEVERAL.search(criterion):
        found.append("It asks for several things; a grader can only say yes or no. Split it.")
    if len(criterion) > LONG:
        found.append(f"It is longer than {LONG} characters; a grader may lose its point.")
    return found


def of_all(points: Sequence[int]) -> list[Hint]:
    """Hints on the points together."""
    most = sum(each for each in points if each > 0)
    if len(points) > 1 and most and max(points) > most / 2:
        return [Hint(None, f"One criterion carries more than half of the {most} points.")]
    return []


def near(first: str, second: str) -> bool:
    """Whether two criteria say almost the same."""
    matcher = SequenceMatcher(None, same_words(first), same_words(second))
    return matcher.quick_ratio() >= NEAR and matcher.ratio() >= NEAR


def same_words(text: str) -> str:
    """A criterion as its words alone: case, signs and blanks do not make it another."""
    return " ".join(re.findall(r"\w+", text.lower())) or text.strip()
