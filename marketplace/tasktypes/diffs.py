"""Reading unified diffs as far as a review needs it: which lines of which files are shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

HUNK = re.compile(r"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@")
NOWHERE = "/dev/null"


def lines_of(diff: str) -> dict[tuple[str, str], set[int]]:
    """Line numbers shown, by (path, "old" or "new"); empty where the text is no unified diff."""
    shown: dict[tuple[str, str], set[int]] = {}
    for path, side, number in _walk(diff):
        shown.setdefault((path, side), set()).add(number)
    return shown


def _walk(diff: str) -> Iterator[tuple[str, str, int]]:
    paths = {"old": "", "new": ""}
    at = {"old": 0, "new": 0}
    left = {"old": 0, "new": 0}
    for line in diff.split("\n"):
        if not any(left.values()):
            # Between hunks; a removed line “-- x” inside a hunk also starts with “---”.
            if line.startswith(("--- ", "+++ ")):
                paths["old" if line.startswith("-") else "new"] = _path(line[4:])
            elif hunk := HUNK.match(line):
                at = {"old": int(hunk[1]), "new": int(hunk[3])}
                left = {"old": int(hunk[2] or 1), "new": int(hunk[4] or 1)}
            continue
        for side in _sides(line):
            if left[side] > 0 and paths[side] not in {"", NOWHERE}:
                yield paths[side], side, at[side]
            at[side] += 1
            left[side] = max(0, left[side] - 1)


def _sides(line: str) -> tuple[str, ...]:
    """The sides on which a hunk's line stands; a stripped context line may be empty."""
    return {"+": ("new",), "-": ("old",), " ": ("old", "new"), "": ("old", "new")}.get(line[:1], ())


def _path(written: str) -> str:
    """The path without its time stamp and without git's a/ or b/."""
    path = written.split("\t", 1)[0].strip()
    return path[2:] if path.startswith(("a/", "b/")) else path
