"""Files of labels: read row by row with one clear sentence for each fault, and written again."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np

from marketplace.quality.rules.crowd import Floats, Labels, Named

LABELS = ("task", "worker", "label")
GOLD = ("task", "label")
DELIMITERS = (",", ";", "\t")
TOLD_EVERY = 250_000
# The field limit of the csv module is 128 KiB; a label is not that long, a stray quote is.
FAULTY = "perhaps a quotation mark was left open"


def read_rows(path: Path, wanted: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The wanted columns of each row, in their order; progress goes to standard error.

    Commas, semicolons and tabs separate; a byte order mark and columns beyond the wanted ones are
    passed over. Faults end the command with a sentence that names the file and the line.
    """
    with _open(path) as lines:
        places = _places(path, next(lines, []), wanted)
        count = 0
        for row in lines:
            if not row:
                continue
            try:
                found = tuple(row[place].strip() for place in places)
            except IndexError:
                raise _fault(path, lines.line_num, "has too few columns") from None
            if not all(found):
                empty = wanted[found.index("")]
                raise _fault(path, lines.line_num, f"says nothing under {empty!r}")
            yield found
            count += 1
            if count % TOLD_EVERY == 0:
                click.echo(f"{count:,} rows of {path.name} read", err=True)
        if not count:
            raise click.ClickException(f"{path} has no rows under its first line.")


def header_of(path: Path) -> list[str]:
    """The names of a file's columns."""
    with _open(path) as lines:
        return [name.strip().lower() for name in next(lines, [])]


class _Lines:
    """Rows of a csv file, with its faults as sentences."""

    def __init__(self, path: Path, text: Iterable[str], delimiter: str) -> None:
        self._path = path
        self._rows = csv.reader(text, delimiter=delimiter, strict=True)

    @property
    def line_num(self) -> int:
        return self._rows.line_num

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        try:
            return next(self._rows)
        except csv.Error as fault:
            raise _fault(self._path, self.line_num, f"cannot be read ({fault}); {FAULTY}") from None
        except UnicodeDecodeError:
            raise click.ClickException(f"{self._path} is not text in UTF-8.") from None


@contextmanager
def _open(path: Path) -> Iterator[_Lines]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as text:
            first = text.readline()
            text.seek(0)
            counted = [(first.count(each), each) for each in DELIMITERS]
            yield _Lines(path, text, max(counted, key=lambda pair: pair[0])[1])
    except UnicodeDecodeError:
        raise click.ClickException(f"{path} is not text in UTF-8.") from None
    except OSError as fault:
        raise click.ClickException(f"{path} cannot be read: {fault.strerror}.") from None


def _places(path: Path, header: list[str], wanted: Sequence[str]) -> list[int]:
    names = [name.strip().lower() for name in header]
    if not any(names):
        raise click.ClickException(f"{path} is empty; its first line must name the columns.")
    missing = [name for name in wanted if name not in names]
    if missing:
        raise click.ClickException(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(names)}."
        )
    return [names.index(name) for name in wanted]


def _fault(path: Path, line: int, words: str) -> click.ClickException:
    return click.ClickException(f"Line {line} of {path} {words}.")


def read_labels(path: Path, gold: dict[str, str] | None = None) -> Named[str, str, str]:
    """The labels of a file; what was said twice is counted on standard error, the last counts."""
    rows = ((task, worker, label) for task, worker, label in read_rows(path, LABELS))
    named = Labels.of(rows, values=(gold or {}).values())
    if named.repeated:
        again = "row repeats" if named.repeated == 1 else "rows repeat"
        click.echo(
            f"{named.repeated:,} {again} a worker's word on a task; the last one counts.",
            err=True,
        )
    return named


def read_gold(path: Path) -> dict[str, str]:
    """Known truths by task; two different truths of one task are a fault."""
    found: dict[str, str] = {}
    for task, label in read_rows(path, GOLD):
        if found.setdefault(task, label) != label:
            raise click.ClickException(f"{path} names two truths for task {task}.")
    return found


def read_features(path: Path, tasks: Sequence[str]) -> Floats:
    """Numbers of each task, float64[T, F], from a column `task` and any others; 0 where unknown."""
    with _open(path) as lines:
        names = [name.strip().lower() for name in next(lines, [])]
        place = _places(path, names, ("task",))[0]
        columns = [at for at in range(len(names)) if at != place]
        found = np.zeros((len(tasks), len(columns)))
        row_of = {task: at for at, task in enumerate(tasks)}
        for row in lines:
            at = row_of.get(row[place].strip()) if len(row) > place else None
            if at is not None:
                found[at] = [_number(path, lines.line_num, row, column) for column in columns]
    return found


def _number(path: Path, line: int, row: list[str], column: int) -> float:
    try:
        found = float(row[column] or 0)
    except (ValueError, IndexError):
        raise _fault(path, line, "holds something other than numbers") from None
    if not math.isfinite(found):
        raise _fault(path, line, "holds a number without an end")
    return found


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a file with the same bytes for the same rows; `-` is standard output."""
    try:
        with click.open_file(str(path), "w", encoding="utf-8") as out:
            lines = csv.writer(out, lineterminator="\n")
            lines.writerow(header)
            lines.writerows(rows)
    except BrokenPipeError:
        raise  # Whoever read has seen enough; click ends the command without a word.
    except OSError as fault:
        raise click.ClickException(f"{path} cannot be written: {fault.strerror}.") from None
