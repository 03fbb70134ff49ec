"""How pages write money, times, counts and material."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask, g
from markupsafe import Markup

from marketplace import clock
from marketplace.money import Money
from marketplace.web import filters

AT = datetime(2026, 11, 23, 12, 2, 11, tzinfo=UTC)


@pytest.fixture
def reader() -> Iterator[None]:
    """A request by someone who lives in Vienna."""
    with Flask(__name__).test_request_context():
        g.reader_zone = "Europe/Vienna"
        yield


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Money(125_050, "USD"), "$1,250.50"),
        (Money(-125_050, "USD"), "\u2212$1,250.50"),
        (Money(1_250, "JPY"), "¥1,250"),
        (Money(1_250, "KWD"), "KWD\u00a01.250"),
        (Money(0, "EUR"), "€0.00"),
        (None, "\u2013"),
    ],
)
def test_money_has_its_currency_and_its_decimals(amount: Money | None, words: str) -> None:
    assert words == filters.money(amount)


def test_money_that_comes_in_can_say_so() -> None:
    assert "+$1.00" == filters.money(Money(100, "USD"), sign=True)
    assert "\u2212$1.00" == filters.money(Money(-100, "USD"), sign=True)


def test_times_are_in_the_readers_zone_and_name_it(reader: None) -> None:
    words = '<time datetime="2026-11-23T12:02:11+00:00">23 Nov 2026, 13:02 CET</time>'
    assert words == filters.when(AT)


def test_times_of_nobody_are_in_utc() -> None:
    assert "12:02 UTC" in filters.when(AT)
    assert "12:02:11" in filters.clock_time(AT)


def test_a_zone_without_letters_is_an_offset() -> None:
    with Flask(__name__).test_request_context():
        g.reader_zone = "America/Sao_Paulo"
        assert "09:02 UTC-03:00" in filters.when(AT)


def test_an_instant_is_the_day_it_is_for_the_reader(reader: None) -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert '<time datetime="2026-11-24">24 Nov 2026</time>' == filters.day(late)
    assert '<time datetime="2026-11-23">23 Nov 2026</time>' == filters.day(date(2026, 11, 23))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (95, "1 minute 35 seconds"),
        (4_800, "1 hour 20 minutes"),
        (3_600, "1 hour"),
        (200_000, "2 days 7 hours"),
    ],
)
def test_durations_are_words_of_two_units(seconds: int, words: str) -> None:
    assert words == filters.duration(seconds)


def test_moments_near_now_are_told_from_now() -> None:
    now = clock.now()
    assert ">3 days ago<" in filters.ago(now - timedelta(days=3, hours=2))
    assert ">in 4 hours<" in filters.ago(now + timedelta(hours=4, minutes=30))
    assert ">just now<" in filters.ago(now)


def test_percent_keeps_a_narrow_space() -> None:
    assert "94.1\u202f%" == filters.percent(0.941)
    assert "\u22122\u202f%" == filters.percent(-0.02, 0)
    assert "\u2013" == filters.percent(None)


def test_counts_agree_with_their_noun() -> None:
    assert "1,000 tasks" == filters.count(1_000, "task")
    assert "1 task" == filters.count(1, "task")
    assert "2 people" == filters.count(2, "person", "people")


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        '<p style="color:red" onclick="x()">x</p>',
        '"><svg/onload=alert(1)>',
    ],
)
def test_nothing_typed_becomes_live(typed: str) -> None:
    shown = filters.markdown(typed)
    for live in ("<script", "<img", "<svg", "<p style", 'href="javascript', 'href="data'):
        assert live not in shown


def test_wide_blocks_are_reached_by_keyboard() -> None:
    shown = filters.markdown("| Who | Number |\n|---|---|\n| people | 5 |\n\n```\ncode\n```")
    assert '<table tabindex="0">' in shown
    assert '<pre tabindex="0">' in shown


def test_markdown_leaves_the_pages_headings_alone() -> None:
    assert "<h3>Title</h3>\n<h4>Part</h4>\n" == filters.markdown("# Title\n## Part")


def test_headings_begin_below_the_pages_whatever_level_their_author_begins_with() -> None:
    assert "<h3>Aim</h3>\n<h4>Why</h4>\n" == filters.markdown("## Aim\n### Why")


def test_dialogues_keep_their_lines_and_documents_flow() -> None:
    text = "Doctor: where?\nPatient: here."
    assert "where?<br>" in filters.markdown(text, breaks=True)
    assert "<br>" not in filters.markdown(text)


def test_a_picture_elsewhere_is_a_link_and_not_a_beacon() -> None:
    shown = filters.markdown("![scan](https://lab.example/scan.png)")
    assert "<img" not in shown
    assert 'href="https://lab.example/scan.png"' in shown
    assert "Picture: scan" in shown


def test_tables_and_code_survive() -> None:
    shown = filters.markdown("| a | b |\n|--:|---|\n| 1 | 2 |\n\n```python\nreturn None\n```")
    assert "<td>1</td>" in shown
    assert '<span class="k">return</span>' in shown
    assert "style=" not in shown


def test_text_too_long_to_lay_out_is_shown_as_typed() -> None:
    shown = filters.markdown("<b>" + "a" * filters.MARKDOWN_LIMIT)
    assert shown.startswith("<pre>&lt;b&gt;")


def test_code_of_no_known_language_is_escaped() -> None:
    assert "&lt;script&gt;" in filters.code("<script>", "klingon")


def test_a_change_is_told_word_by_word() -> None:
    told = filters.word_diff("Take one tablet daily.", "Take two tablets daily <b>.")
    assert "<del>one tablet </del><ins>two tablets </ins>" in told
    assert "<b>" not in told
    assert Markup("same") == filters.word_diff("same", "same")


def test_lines_say_what_became_of_them() -> None:
    told = filters.line_diff("a\nb", "a\nc")
    assert [("same", "a"), ("removed", "b"), ("added", "c")] == told
