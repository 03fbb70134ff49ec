"""Downloads: files that are written while they are sent, in bounded memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from werkzeug.wrappers import Response

from marketplace.money import Money

ROWS_AT_ONCE = 500
Cell = str | int | None


def amount(money: Money | None) -> str:
    """A figure in major units, exact, or nothing."""
    return "" if money is None else f"{money.decimal():f}"


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """A CSV file in pieces, with its head."""
    yield _written([head])
    left = iter(rows)
    while some := list(islice(left, ROWS_AT_ONCE)):
        yield _written(some)


def _written(rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def download(pieces: Iterable[str], name: str, mimetype: str) -> Response:
    """An answer that the browser saves under `name`."""
    answer = Response((piece.encode() for piece in pieces), mimetype=mimetype)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
