"""What commands say: JSON or words, tables that fit, bars for who watches, nothing that steers."""

from __future__ import annotations

import json
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result

from marketplace.cli import output, progress
from marketplace.cli.output import says_json
from marketplace.cli.progress import Bar


def said(command: Callable[[], None], *arguments: str) -> Result:
    """What a command says that is made of a function."""
    return CliRunner().invoke(click.command()(says_json(command)), list(arguments))


def listing() -> None:
    rows = [{"id": "a1", "title": "One\x1b[2J"}, {"id": "b2", "title": "Two"}]
    output.note("Two rows.")
    output.rows(rows, ("id", "title"))


def test_json_is_alone_on_standard_output_and_words_beside() -> None:
    found = said(listing, "--json")

    assert ["a1", "b2"] == [json.loads(line)["id"] for line in found.stdout.splitlines()]
    assert "Two rows.\n" == found.stderr


def test_people_get_a_table_without_what_steers_a_terminal() -> None:
    found = said(listing, "--quiet")

    assert ["id  title", "a1  One [2J", "b2  Two"] == found.stdout.splitlines()
    assert "" == found.stderr


def test_a_document_is_one_and_indented() -> None:
    found = said(lambda: output.tell({"a": "é"}, output.as_json(), "words"), "--json")

    assert '{\n  "a": "é"\n}\n' == found.stdout


def test_nothing_is_said_of_progress_where_nobody_watches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress.bar(10, "Reading", unit="rows") as bar:
        bar.to(5)

    assert ("", "") == capsys.readouterr()


def test_a_bar_tells_share_rate_and_what_is_left() -> None:
    bar = Bar(4 * 1024 * 1024, "Sending", "bytes", drawn=False)
    bar.add(1024 * 1024)

    line = bar.line(2.0)

    assert "Sending  ██████░░░░░░░░░░░░░░░░░░   25%  1.0 MiB of 4.0 MiB" in line
    assert line.endswith("512.0 KiB/s  6 s left")
    assert "Reading  0 rows" == Bar(None, "Reading", "rows", drawn=False).line(0.1)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59.4, "59 s"), (65, "1 min 05 s"), (7500, "2 h 05 min"), (90000, "1 d 1 h")],
)
def test_durations_are_words(seconds: float, words: str) -> None:
    assert words == output.duration(seconds)


def test_money_keeps_its_currencys_places() -> None:
    assert "1,234.50 USD" == output.money({"amount_minor": 123450, "currency": "USD"})
    assert "1,234 JPY" == output.money({"amount_minor": 1234, "currency": "JPY"})
    assert "-" == output.money(None)


def test_wide_letters_take_two_places() -> None:
    lines = output.table(("name", "n"), [["日本", "1"], ["ab", "2"]])

    assert ["name  n", "日本  1", "ab    2"] == lines
