"""Plots: what they draw, and the table behind each."""

from __future__ import annotations

import re

import html5lib
import pytest
from markupsafe import Markup

from marketplace.web import plots

COLUMNS = [plots.Column("Mon", (90.0, 45.0)), plots.Column("Tue", (0.0, 0.0))]
POINTS = [plots.Point("Week 1", 0.7, 0.6, 0.8), plots.Point("Week 2", 0.9, 0.85, 0.95)]
EVERY = [
    plots.bars("Earnings", COLUMNS, ("Paid", "Pending")),
    plots.bars("Earnings", [], ("Paid", "Pending")),
    plots.line("Skill", POINTS, goal=("needed", 0.8)),
    plots.line("Skill", POINTS[:1]),
    plots.line("Skill", []),
    plots.intervals("Agreement", POINTS),
    plots.share("Money", [("Paid", 3.0), ("Held", 0.0)]),
    plots.sparkline("claims a day", [1, 2, 3]),
    plots.sparkline("claims a day", [1]),
]


@pytest.mark.parametrize("drawn", EVERY)
def test_every_plot_is_valid_html_without_inline_style(drawn: Markup) -> None:
    html5lib.HTMLParser(strict=True).parseFragment(drawn)
    assert "style=" not in drawn
    assert "nan" not in drawn.lower().replace("finance", "")


def test_bars_stand_on_zero_and_stack_in_proportion() -> None:
    drawn = plots.bars("Earnings", COLUMNS, ("Paid", "Pending"))
    heights = [float(h) for h in re.findall(r'y="[\d.]+" width="[\d.]+" height="([\d.]+)"', drawn)]
    paid, pending = heights[:2]
    assert 2.0 == pytest.approx((paid + 1) / (pending + 1), rel=0.01)


def test_the_numbers_stand_in_a_table_too() -> None:
    drawn = plots.bars("Earnings", COLUMNS, ("Paid", "Pending"), words=lambda v: f"${v:.0f}")
    row = (
        '<tr><th scope=\'row\'>Mon</th><td class="number">$90</td><td class="number">$45</td></tr>'
    )
    assert row in drawn


def test_intervals_are_words_in_the_table() -> None:
    drawn = plots.line("Skill", POINTS, measure="Skill", words=lambda v: f"{v:.2f}")
    assert '<td class="number">0.60 to 0.80</td>' in drawn
    assert 'class="band"' in drawn


def test_names_from_outside_are_escaped() -> None:
    drawn = plots.intervals("<b>", [plots.Point("<script>", 0.5)])
    assert "<script>" not in drawn
    assert "<b>" not in drawn


def test_nothing_to_draw_says_so() -> None:
    assert "Nothing to draw yet." in plots.line("Skill", [])


def test_labels_that_would_run_together_are_left_out_but_not_the_last() -> None:
    days = [plots.Column(f"{day} Nov", (1.0,)) for day in range(9, 23)]
    drawing = str(plots.bars("Submissions", days, ("Submissions",))).partition("<details>")[0]

    assert [f"{day} Nov" for day in range(10, 23, 2)] == re.findall(r">(\d+ Nov)<", drawing)
