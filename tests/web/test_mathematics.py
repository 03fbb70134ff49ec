"""Mathematics in Markdown: what is read, what stays money, and what no formula can smuggle in."""

from __future__ import annotations

import re

import pytest

from marketplace.web.filters import markdown
from marketplace.web.mathematics import ATTRIBUTES, FORMULA_MAX, FORMULAS_MAX, TAGS

SQUARE = "<msup><mi>x</mi><mn>2</mn></msup>"


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("A $x^2$ b", "inline"),
        (r"A \(x^2\) b", "inline"),
        ("$$x^2$$", "block"),
        ("$$\nx^2\n$$", "block"),
        (r"\[ x^2 \]", "block"),
    ],
)
def test_every_way_to_write_a_formula_is_read(text: str, display: str) -> None:
    assert f'<math display="{display}"><mrow>{SQUARE}</mrow></math>' in markdown(text)


@pytest.mark.parametrize(
    "text", ["It costs $5 and $10.", r"\$x$ a", "$ x$", "$$ $$", r"\\(x\\)", "A $ alone", "$x"]
)
def test_money_and_lone_marks_are_no_formula(text: str) -> None:
    assert "<math" not in markdown(text)


def test_code_keeps_its_dollars() -> None:
    assert "<code>$x^2$</code>" in markdown("`$x^2$`")


@pytest.mark.parametrize("broken", [r"\frac{", "^", r"\begin{matrix}", r"\left(", "{" * 900])
def test_what_cannot_be_read_is_shown_as_typed(broken: str) -> None:
    shown = markdown(f"$${broken}$$")

    assert "<math" not in shown
    assert f"<code>$${broken}$$</code>" in shown


@pytest.mark.parametrize(
    "hostile",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:url(//e)}{x}",
        r"\text{<script>alert(1)</script>}",
        r"\text{</mtext></math><img src=x onerror=alert(1)>}",
        r"\text{<style>*{}</style>}",
        r"\mathrm{<a href='javascript:1'>}",
        r"\color{red\" onclick=\"alert(1)}{x}",
        r"\hspace{1em\" onmouseover=\"alert(1)}",
        r"&lt;script&gt;alert(1)&lt;/script&gt;",
        r"\unicode{x3c}script\unicode{x3e}",
    ],
)
def test_a_formula_leads_nowhere_and_runs_nothing(hostile: str) -> None:
    for _, tag, attributes in re.findall(r"<(/?)([a-z0-9]+)([^>]*)>", markdown(f"$${hostile}$$")):
        assert tag in {"p", "code", *TAGS}
        assert set(re.findall(r' ([a-z]+)="', attributes)) <= ATTRIBUTES


def test_a_page_of_formulas_ends() -> None:
    many = markdown("$x$ " * (FORMULAS_MAX + 5))
    long = markdown(f"${'x' * (FORMULA_MAX + 1)}$")

    assert (FORMULAS_MAX, 5) == (many.count("<math"), many.count("<code>"))
    assert "<math" not in long
