"""Downloads: files that are written to disk in bounded memory, then sent."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from tempfile import SpooledTemporaryFile

from flask import send_file
from werkzeug.wrappers import Response

from marketplace.money import Money

ROWS_AT_ONCE = 500
IN_MEMORY_BYTES = 1 << 20
Cell = str | int | None
FORMULA_BEGINS = frozenset("=+-@\t\r")
_FIGURE = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


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
    csv.writer(out, lineterminator="\r\n").writerows([inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def inert(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula; figures stay as they are."""
    if isinstance(cell, str) and cell[:1] in FORMULA_BEGINS and not _FIGURE.fullmatch(cell):
        return f"'{cell}"
    return cell


def download(pieces: Iterable[str], name: str, mimetype: str) -> Response:
    """An answer that the browser saves under `name`; call it inside the transaction.

    The file is whole before its first byte is sent: a book that ends early would look like one.
    """
    file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the answer closes it.
    for piece in pieces:
        file.write(piece.encode())
    file.seek(0)
    answer = send_file(file, mimetype=mimetype, as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def sent_file(content: bytes, name: str, mimetype: str) -> Response:
    """An answer with a file that is whole already, such as a PDF, saved under `name`."""
    answer = send_file(
        io.BytesIO(content), mimetype=mimetype, as_attachment=True, download_name=name
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
