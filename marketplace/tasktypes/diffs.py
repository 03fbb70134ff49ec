"""Reading unified diffs as a review needs them: files, hunks, and lines with their numbers.

Reads what git, diff and models write: renamed, copied, added, deleted and binary files, quoted
paths, changes of mode, lines without an end, CRLF, and hunks whose announced lengths are wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

HUNK = re.compile(r"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@ ?(.*)")
NOWHERE = "/dev/null"
# What git says between “diff --git” and the first hunk: how it begins, and what kind of change.
SAID_BY_GIT = {
    "new file mode ": "added",
    "deleted file mode ": "deleted",
    "rename from ": "renamed",
    "rename to ": "renamed",
    "copy from ": "copied",
    "copy to ": "copied",
    "old mode ": "mode",
    "new mode ": "mode",
    "Binary files ": "binary",
    "GIT binary patch": "binary",
}
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))


@dataclass(slots=True)
class Line:
    """A line of a hunk. kind: same, removed or added; old, new: its numbers from 1, where it is.

    returns: whether a carriage return ends it; ends: whether a line break follows it in its file.
    """

    kind: str
    old: int | None
    new: int | None
    text: str
    returns: bool = False
    ends: bool = True


@dataclass(slots=True)
class Hunk:
    """A stretch of lines. head: what git says it lies in, such as the name of a function."""

    head: str
    old_start: int
    new_start: int
    lines: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class ChangedFile:
    """A file of a diff. old, new: its paths before and after, "" where it was or is not.

    changes: added, deleted, renamed, copied, mode, binary, as far as the diff says so.
    """

    old: str = ""
    new: str = ""
    changes: set[str] = field(default_factory=set)
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path after the change, or the former one of a file that is gone."""
        return self.new or self.old

    def count(self, kind: str) -> int:
        return sum(line.kind == kind for hunk in self.hunks for line in hunk.lines)


def files_of(diff: str) -> list[ChangedFile]:
    """The files that a diff changes, in its order; none where the text is no unified diff."""
    reader = _Reader()
    for line in _lines(diff):
        reader.read(line)
    return [each for each in reader.files if each.path and (each.hunks or each.changes)]


def lines_of(diff: str) -> dict[tuple[str, str], set[int]]:
    """Line numbers shown, by (path, "old" or "new"); a renamed file's old side has both names."""
    shown: dict[tuple[str, str], set[int]] = {}
    for file in files_of(diff):
        for hunk in file.hunks:
            for line in hunk.lines:
                if line.new is not None and file.new:
                    shown.setdefault((file.new, "new"), set()).add(line.new)
                if line.old is not None and file.old:
                    for path in {file.old, file.path}:
                        shown.setdefault((path, "old"), set()).add(line.old)
    return shown


def paths_of(diff: str) -> list[str]:
    """The path of each file, in the order of the diff; each once."""
    return list(dict.fromkeys(file.path for file in files_of(diff)))


def _lines(diff: str) -> list[str]:
    lines = diff.removesuffix("\n").split("\n")
    # Where every line ends in one, the carriage returns are the mail's and not the files'.
    if all(line.endswith("\r") for line in lines if line):
        return [line.removesuffix("\r") for line in lines]
    return lines


class _Reader:
    """Takes the lines of a diff one after another."""

    def __init__(self) -> None:
        self.files: list[ChangedFile] = []
        self._hunk: Hunk | None = None
        self._old = self._new = 0
        self._left_old = self._left_new = 0
        self._named = False

    def read(self, line: str) -> None:
        if self._hunk is not None and self._in_hunk(self._hunk, line):
            return
        self._hunk = None
        self._between_hunks(line.removesuffix("\r"))

    # --- hunks ---

    def _in_hunk(self, hunk: Hunk, line: str) -> bool:
        """Take a line into the hunk; False where it cannot belong to it."""
        if line.startswith("\\"):
            if hunk.lines:
                hunk.lines[-1].ends = False
            return True
        awaited = self._left_old > 0 or self._left_new > 0
        sign = line[:1] if line.strip("\r") else " "
        if sign not in "+- " or (not awaited and not _goes_on(line)):
            return False
        text = line[1:]
        kind = {"+": "added", "-": "removed"}.get(sign, "same")
        made = Line(
            kind,
            None if kind == "added" else self._old,
            None if kind == "removed" else self._new,
            text.removesuffix("\r"),
            returns=text.endswith("\r"),
        )
        hunk.lines.append(made)
        self._old += kind != "added"
        self._left_old -= kind != "added"
        self._new += kind != "removed"
        self._left_new -= kind != "removed"
        return True

    # --- between them ---

    def _between_hunks(self, line: str) -> None:
        if line.startswith("diff --git "):
            old, new = _both(line[len("diff --git ") :])
            self.files.append(ChangedFile(old, new))
            self._named = False
        elif line.startswith("--- "):
            if not self.files or self._named or self.files[-1].hunks:
                self.files.append(ChangedFile())
            self._named = True
            self.files[-1].old = path_of(line[4:])
            self._mark("added" if not self.files[-1].old else "")
        elif not self.files:
            return
        elif line.startswith("+++ "):
            self.files[-1].new = path_of(line[4:])
            self._mark("deleted" if not self.files[-1].new else "")
        elif begins := HUNK.match(line):
            self._begin(begins)
        elif not self.files[-1].hunks:
            self._git_says(line)

    def _begin(self, begins: re.Match[str]) -> None:
        self._old, self._new = int(begins[1]), int(begins[3])
        self._left_old, self._left_new = int(begins[2] or 1), int(begins[4] or 1)
        self._hunk = Hunk(begins[5].strip(), self._old, self._new)
        self.files[-1].hunks.append(self._hunk)

    def _git_says(self, line: str) -> None:
        file = self.files[-1]
        change = next((kind for begin, kind in SAID_BY_GIT.items() if line.startswith(begin)), "")
        self._mark(change)
        if line.startswith(("rename from ", "copy from ")):
            file.old = _unquoted(line.split(" from ", 1)[1])
        elif line.startswith(("rename to ", "copy to ")):
            file.new = _unquoted(line.split(" to ", 1)[1])
        elif change == "added":
            file.old = ""
        elif change == "deleted":
            file.new = ""

    def _mark(self, change: str) -> None:
        if change:
            self.files[-1].changes.add(change)


def _goes_on(line: str) -> bool:
    """Whether a line after a hunk's announced end is a line of it all the same.

    Diffs that models write count wrongly; a mail's signature and the next file's head are no code.
    """
    return bool(line.strip()) and not line.startswith(("--- ", "+++ ")) and line.rstrip() != "--"


def path_of(written: str) -> str:
    """A path as a head line writes it: without quotes, time stamp and git's a/ or b/; "" for none.

    >>> path_of('"b/caf\\303\\251.txt"')
    'café.txt'
    """
    path = _unquoted(written.split("\t", 1)[0].strip())
    if path == NOWHERE:
        return ""
    return path[2:] if path.startswith(("a/", "b/")) else path


def _unquoted(path: str) -> str:
    """git quotes paths with letters beyond ASCII or with quotes, byte by byte."""
    if len(path) < 2 or not (path.startswith('"') and path.endswith('"')):
        return path

    def unescaped(found: re.Match[bytes]) -> bytes:
        said = found[1]
        return bytes([int(said, 8) & 255 if len(said) == 3 else _ESCAPED[said[0]]])

    return _ESCAPE.sub(unescaped, path[1:-1].encode()).decode("utf-8", "replace")


def _both(written: str) -> tuple[str, str]:
    """The two paths of a “diff --git” line; without quotes they are told apart by being equal."""
    quoted = re.fullmatch(r'("(?:\\.|[^"\\])*"|\S+) ("(?:\\.|[^"\\])*"|\S+)', written)
    if quoted:
        return path_of(quoted[1]), path_of(quoted[2])
    middle = len(written) // 2
    return path_of(written[:middle]), path_of(written[middle + 1 :])
