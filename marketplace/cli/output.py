"""What a command says: one JSON document or JSON lines on standard output, words for people beside.

With `--json` standard output holds JSON alone, whatever happens; words go to standard error, and
`--quiet` leaves out those that are no fault. Without it, people get words and tables.
"""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from marketplace.money import Money

Command = TypeVar("Command", bound=Callable[..., Any])
META = "marketplace.wishes"
CELL_MAX = 48
BYTES_STEP = 1024


@dataclass
class Wishes:
    """What was asked of a command besides its work; url, token and profile are "" when unsaid."""

    url: str = ""
    token: str = ""
    profile: str = ""
    as_json: bool = False
    quiet: bool = False


def wishes() -> Wishes:
    """What the running command was asked; the defaults outside a command."""
    context = click.get_current_context(silent=True)
    if context is None:
        return Wishes()
    found: Wishes = context.meta.setdefault(META, Wishes())
    return found


def _remember(context: click.Context, option: click.Parameter, value: Any) -> Any:
    found = context.meta.setdefault(META, Wishes())
    if value:
        setattr(found, str(option.name), value)
    return value


def option(*names: str, **more: Any) -> Callable[[Command], Command]:
    """An option that is kept in the wishes instead of being handed to the command."""
    return click.option(*names, expose_value=False, callback=_remember, **more)


def says_json(command: Command) -> Command:
    """Give a command --json and --quiet."""
    options = (
        option("--quiet", "quiet", is_flag=True, help="Say nothing beside the result but faults."),
        option("--json", "as_json", is_flag=True, help="One JSON document, or JSON lines."),
    )
    for give in options:
        command = give(command)
    return command


def as_json() -> bool:
    """Whether the running command was asked for JSON."""
    return wishes().as_json


def tell(found: Any, as_json: bool, words: str = "") -> None:
    """Print `found` as one JSON document, or `words`; nothing at all where there are none."""
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, default=str))
    elif words:
        click.echo(plain(words, keep_lines=True))


def tell_line(found: Any, as_json: bool, words: str = "") -> None:
    """Print one of many: a JSON line, or a line of words, at once, for whoever reads along."""
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, default=str))
    else:
        click.echo(plain(words))


def note(words: str) -> None:
    """A sentence beside the result, on standard error; not with `--quiet`."""
    if not wishes().quiet:
        click.echo(plain(words, keep_lines=True), err=True)


def rows(
    found: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    cells: Sequence[Sequence[str]] | None = None,
    *,
    empty: str = "Nothing is there.",
) -> None:
    """Print rows: as JSON lines with all their fields, or as a table of `cells`.

    cells: one list of words for each row, under `columns`; the fields named so when left out.
    """
    listed = list(found)
    if as_json():
        for row in listed:
            tell_line(row, True)
        return
    if not listed:
        note(empty)
        return
    shown = cells or [[str(row.get(name, "")) for name in columns] for row in listed]
    for line in table(columns, shown):
        click.echo(line)


def table(columns: Sequence[str], shown: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table, columns as wide as their longest cell; the last column gets the rest."""
    clean = [[plain(cell) for cell in row] for row in shown]
    # Ids stay whole in every column: people copy them.
    widths = [
        max(_width(columns[at]), *(min(_width(row[at]), CELL_MAX) for row in clean))
        for at in range(len(columns))
    ]
    room = shutil.get_terminal_size((120, 24)).columns
    widths[-1] = max(12, room - sum(widths[:-1]) - 2 * (len(columns) - 1))
    heads = [name.replace("_", " ") for name in columns]
    return [_line(row, widths) for row in [heads, *clean]]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [_fitted(cell, width) for cell, width in zip(row, widths, strict=True)]
    return "  ".join(cells).rstrip()


def _fitted(cell: str, width: int) -> str:
    while _width(cell) > width:
        cell = cell[:-2] + "…"
    return cell + " " * (width - _width(cell))


def _width(text: str) -> int:
    """How many places of a terminal a text takes: wide letters take two, marks none."""
    return sum(
        0 if unicodedata.combining(each) else 1 + (unicodedata.east_asian_width(each) in "WF")
        for each in text
    )


def plain(text: str, *, keep_lines: bool = False) -> str:
    """A text without control characters: what others wrote must not steer a terminal."""
    kept = "\n" if keep_lines else ""
    return "".join(
        each if each in kept or unicodedata.category(each) != "Cc" else " " for each in text
    )


def money(found: Mapping[str, Any] | None) -> str:
    """An amount of the API in words, such as `1,234.50 USD`; a hyphen where there is none."""
    if not found:
        return "-"
    amount = Money(found["amount_minor"], found["currency"])
    return f"{amount.decimal():,f} {amount.currency}"


def size(count: int) -> str:
    """Bytes in words, such as `12.3 MiB`."""
    amount = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < BYTES_STEP:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= BYTES_STEP
    return f"{amount:.1f} TiB"


def duration(seconds: float) -> str:
    """Seconds in words, to two units, such as `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
