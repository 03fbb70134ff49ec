"""Which regular expressions operations may write for identifiers: few parts, all bounded."""

from __future__ import annotations

import re

PATTERN_MAX = 120
# How many ways of reading a text a pattern may have; the matcher tries them all at worst.
WAYS_MAX = 100_000
REPEATS_MAX = 60
_PART = re.compile(
    r"(?P<set>\[[A-Z0-9./_-]+\])|(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<bar>\|)"
    r"|(?P<maybe>\?)|(?P<times>\{(?P<least>\d{1,2})(?:,(?P<most>\d{1,2}))?\})"
    r"|(?P<plain>\\[./-]|[A-Z0-9_-])"
)


def pattern_fault(pattern: str, example: str) -> str | None:
    """What is wrong with a pattern, as advice; None for one that is safe and takes its example.

    Taken are capitals, digits, sets such as [A-Z0-9], groups, alternatives, `?` and counts such as
    {3} or {2,7}; never `*`, `+`, or a count after a group, so that no text takes long to match.
    """
    if not 1 <= len(pattern) <= PATTERN_MAX:
        return f"Write a pattern of 1 to {PATTERN_MAX} characters."
    advice = _faulty_parts(pattern)
    if advice is not None:
        return advice
    try:
        compiled = re.compile(pattern)
    except re.error as wrong:
        return f"This is no pattern: {wrong}."
    if compiled.groups > 1:
        return "Use one group at most, for the identifier; write others as (?:…)."
    if compiled.fullmatch("") is not None:
        return "The pattern takes an empty identifier; ask for something."
    return None if compiled.fullmatch(example) else "The example does not match the pattern."


def _faulty_parts(pattern: str) -> str | None:
    at, ways, before = 0, 1, ""
    while at < len(pattern):
        part = _PART.match(pattern, at)
        if part is None:
            return (
                f"“{pattern[at : at + 10]}” cannot be used: write capitals, digits, sets such as "
                "[A-Z], groups, |, ? and counts such as {2,7}."
            )
        kind = part.lastgroup or ""
        if kind in {"times", "maybe", "least", "most"} and before in {"", "open", "bar", "count"}:
            return "A count stands after what it counts."
        if part["times"]:
            least, most = int(part["least"]), int(part["most"] or part["least"])
            if before == "close":
                return "No count after a group; only ? may follow one."
            if not least <= most <= REPEATS_MAX:
                return f"Counts go up to {REPEATS_MAX}, the smaller first."
            ways *= most - least + 1
        elif kind in {"maybe", "bar"}:
            ways *= 2
        before = "count" if part["times"] or kind == "maybe" else kind
        at = part.end()
    return None if ways <= WAYS_MAX else "The pattern can be read in too many ways; make it exact."
