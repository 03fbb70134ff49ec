"""Diffs on pages: which files are folded, and lines whose signs can be trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.tasktypes import Json
from marketplace.tasktypes.diffs import ChangedFile, Hunk, Line, files_of

# A file of more lines is folded, and so is every one once this much of the diff is open.
FILE_LINES = 400
OPEN_LINES = 1_200
# Lines around a comment where a review is read.
AROUND_LINES = 3
# What programs write is folded: nobody reviews it line by line.
_WRITTEN_BY_PROGRAMS = re.compile(
    r"(^|/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|Cargo\.lock|go\.sum"
    r"|composer\.lock|Gemfile\.lock)$|\.min\.(js|css)$|\.snap$|\.map$|_pb2\.py$|(^|/)node_modules/"
)
# Signs that turn the reading direction make code read otherwise than it runs, and others have no
# width; joiners stay, since emoji and scripts are written with them.
_UNSEEN = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\r\f\v\x1b]")
CHANGES: Mapping[str, str] = {
    "added": "new file",
    "deleted": "file is gone",
    "renamed": "renamed",
    "copied": "copied",
    "mode": "its mode changed",
    "binary": "not text",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A file of a diff as pages show it. number: its place from 0; why_folded: "" where open."""

    number: int
    file: ChangedFile
    added: int
    removed: int
    changes: list[str]
    why_folded: str

    @property
    def lines(self) -> int:
        return sum(len(hunk.lines) for hunk in self.file.hunks)


def shown_diff(diff: str) -> list[Shown]:
    """The files of a diff in its order; what is long or written by programs is folded."""
    files = files_of(diff)
    shown: list[Shown] = []
    opened = 0
    for number, file in enumerate(files):
        lines = sum(len(hunk.lines) for hunk in file.hunks)
        why = _why_folded(file, lines, opened) if len(files) > 1 else ""
        opened += 0 if why else lines
        changes = [words for key, words in CHANGES.items() if key in file.changes]
        shown.append(Shown(number, file, file.count("added"), file.count("removed"), changes, why))
    return shown


def _why_folded(file: ChangedFile, lines: int, opened: int) -> str:
    if not lines:
        return ""
    if _WRITTEN_BY_PROGRAMS.search(file.path):
        return "folded, since a program wrote it"
    if lines > FILE_LINES or opened + lines > OPEN_LINES:
        return "folded, since it is long"
    return ""


def visible(text: str) -> str:
    """A line of code with what nobody sees made visible, as U+202E in brackets."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment of a review with the lines around it; none for one on a whole file."""

    comment: Json
    lines: list[Line]


def remarks(diff: str, comments: list[Json]) -> list[Remark]:
    """The comments of a review in the order of the diff, those on a file before those in it."""
    files = files_of(diff)
    order = {id(comment): _place(files, comment) for comment in comments}
    ordered = sorted(comments, key=lambda comment: order[id(comment)][:3])
    return [Remark(each, order[id(each)][3]) for each in ordered]


def _place(files: list[ChangedFile], comment: Json) -> tuple[int, int, int, list[Line]]:
    for number, file in enumerate(files):
        if comment["path"] not in {file.path, file.old}:
            continue
        if "line" not in comment:
            return number, -1, 0, []
        for at, hunk in enumerate(file.hunks):
            index = _index(hunk, comment)
            if index is not None:
                start = max(0, index - AROUND_LINES)
                return number, at, index, hunk.lines[start : index + 1]
    return len(files), 0, 0, []


def _index(hunk: Hunk, comment: Json) -> int | None:
    side = comment.get("side", "new")
    numbers = [line.old if side == "old" else line.new for line in hunk.lines]
    return numbers.index(comment["line"]) if comment["line"] in numbers else None
