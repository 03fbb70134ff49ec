"""Diffs on pages: which files are folded, and lines whose signs can be trusted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from marketplace.tasktypes import Json
from marketplace.tasktypes.diffs import ChangedFile, Hunk, Line, files_of

# A file of more lines is folded, and so is every one once this much of the diff is open.
FILE_LINES = 400
OPEN_LINES = 1_200
# Lines around a comment where a review is read.
AROUND_LINES = 3
# Words of rewritten lines are compared in diffs of so many lines at most, in so many lines of a
# hunk, none longer than this.
WORDED_LINES = 2_000
PAIRS_MAX = 60
PAIRED_CHARACTERS = 400
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
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
    """A file of a diff as pages show it. number: its place from 0; why_folded: "" where open;
    worded: whether the words that changed are told apart."""

    number: int
    file: ChangedFile
    added: int
    removed: int
    changes: list[str]
    why_folded: str
    worded: bool

    @property
    def lines(self) -> int:
        return sum(len(hunk.lines) for hunk in self.file.hunks)


def shown_diff(diff: str) -> list[Shown]:
    """The files of a diff in its order; what is long or written by programs is folded."""
    files = files_of(diff)
    lengths = [sum(len(hunk.lines) for hunk in file.hunks) for file in files]
    shown: list[Shown] = []
    opened = 0
    for number, (file, lines) in enumerate(zip(files, lengths, strict=True)):
        why = _why_folded(file, lines, opened) if len(files) > 1 else ""
        opened += 0 if why else lines
        shown.append(
            Shown(
                number,
                file,
                file.count("added"),
                file.count("removed"),
                [words for key, words in CHANGES.items() if key in file.changes],
                why,
                worded=sum(lengths) <= WORDED_LINES,
            )
        )
    return shown


def _why_folded(file: ChangedFile, lines: int, opened: int) -> str:
    if not lines:
        return ""
    if _WRITTEN_BY_PROGRAMS.search(file.path):
        return "folded, since a program wrote it"
    if lines > FILE_LINES or opened + lines > OPEN_LINES:
        return "folded, since it is long"
    return ""


def span(hunk: Hunk) -> str:
    """Which lines a stretch shows, by their numbers after the change."""
    after = [line.new for line in hunk.lines if line.new is not None]
    before = [line.old for line in hunk.lines if line.old is not None]
    numbers = after or before or [hunk.new_start]
    first, last = numbers[0], numbers[-1]
    said = f"line {first}" if first == last else f"lines {first}–{last}"  # noqa: RUF001
    return said if after else f"{said} before the change"


def visible(text: str) -> str:
    """A line of code with what nobody sees made visible, as U+202E in brackets."""
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def worded(
    lines: list[Line], told_apart: bool = True
) -> Iterator[tuple[Line, list[tuple[str, bool]]]]:
    """Each line in parts of (text, whether it is what changed), where it was rewritten.

    A stretch of removed lines is held against the added ones that follow it, line by line.
    told_apart: whether words are compared at all.
    """
    if not told_apart:
        yield from ((line, [(line.text, False)]) for line in lines)
        return
    at = left = 0
    while at < len(lines):
        removed = _stretch(lines, at, "removed")
        added = _stretch(lines, at + removed, "added")
        pairs = min(removed, added, PAIRS_MAX - left)
        left += pairs
        made = [_parts(lines[at + n].text, lines[at + removed + n].text) for n in range(pairs)]
        for n in range(removed or added or 1):
            yield lines[at + n], made[n][0] if n < pairs else [(lines[at + n].text, False)]
        for n in range(added if removed else 0):
            line = lines[at + removed + n]
            yield line, made[n][1] if n < pairs else [(line.text, False)]
        at += removed + added or 1


def _stretch(lines: list[Line], at: int, kind: str) -> int:
    end = at
    while end < len(lines) and lines[end].kind == kind:
        end += 1
    return end - at


def _parts(old: str, new: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Two lines with their differing words told apart; whole where they have little in common."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if max(len(old), len(new)) > PAIRED_CHARACTERS or matcher.ratio() < 0.5:
        return [(old, False)], [(new, False)]
    sides: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        for side, words in zip(sides, (before[start:end], after[new_start:new_end]), strict=True):
            if words:
                side.append(("".join(words), tag != "equal"))
    return sides


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
