r"""Mathematics in Markdown as MathML: `$…$`, `\(…\)` in a line, `$$…$$`, `\[…\]` on their own.

LaTeX is read on the server, and the browser draws it: no script, no font, and screen readers speak
it. A dollar sign is money unless it hugs what follows and closes the same way, as in Pandoc. What
cannot be read is shown as it was typed. The library that reads LaTeX does not escape what it is
given, so its tree is written down here, element by element of a list.
"""

from __future__ import annotations

import html
from functools import lru_cache
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markupsafe import escape

FORMULA_MAX = 2_000
FORMULAS_MAX = 500
DEPTH_MAX = 60
ELEMENTS = {
    "math", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom",
    "mprescripts", "mroot", "mrow", "ms", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup",
    "mtable", "mtd", "mtext", "mtr", "munder", "munderover", "none", "menclose",
}  # fmt: skip
# Nothing that leads anywhere, runs, or styles.
ATTRIBUTES = {
    "display", "displaystyle", "accent", "accentunder", "columnalign", "columnlines", "rowlines",
    "columnspacing", "rowspacing", "fence", "form", "height", "depth", "largeop", "linethickness",
    "lspace", "rspace", "mathvariant", "maxsize", "minsize", "movablelimits", "notation",
    "scriptlevel", "separator", "stretchy", "symmetric", "voffset", "width",
}  # fmt: skip
TAGS = frozenset(ELEMENTS)
_OPEN = (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"))
_NAMED = [each for each in vars(exceptions).values() if isinstance(each, type)]
_UNREADABLE: tuple[type[Exception], ...] = (
    *(each for each in _NAMED if issubclass(each, Exception)),
    # What its parser runs into where a formula is cut short, or nested beyond all use.
    IndexError, KeyError, ValueError, TypeError, AttributeError, StopIteration, RecursionError,
)  # fmt: skip


def enable(parser: MarkdownIt) -> None:
    """Let a Markdown parser read mathematics, before it takes backslashes for escapes."""
    parser.inline.ruler.before("escape", "mathematics", _rule)
    parser.add_render_rule("mathematics", _render)


def _rule(state: StateInline, silent: bool) -> bool:
    found = _formula(state.src, state.pos, state.posMax)
    if found is None:
        return False
    opening, text, end = found
    if not silent:
        token = state.push("mathematics", "math", 0)
        token.content = text
        token.markup = opening
        state.env["formulas"] = token.meta["number"] = state.env.get("formulas", 0) + 1
    state.pos = end
    return True


def _formula(source: str, start: int, stop: int) -> tuple[str, str, int] | None:
    """(opening mark, LaTeX, where it ends) of a formula that begins here."""
    for opening, closing in _OPEN:
        if not source.startswith(opening, start):
            continue
        begin = start + len(opening)
        end = source.find(closing, begin, min(stop, begin + FORMULA_MAX + len(closing)))
        while opening == "$" and end > 0 and source[end - 1] == "\\":
            end = source.find(closing, end + 1, min(stop, begin + FORMULA_MAX + 1))
        if end < 0:
            return None
        text, after = source[begin:end], end + len(closing)
        if not text.strip():
            return None
        # “$5 and $10” is money: an opening dollar hugs its formula, a closing one no digit.
        hugs = text == text.strip() and not source[after : after + 1].isdigit()
        return (opening, text, after) if opening != "$" or hugs else None
    return None


def _render(self: object, tokens: object, at: int, options: object, env: object) -> str:
    del self, options, env
    token = tokens[at]  # type: ignore[index]
    own_line = token.markup in {"$$", "\\["}
    if token.meta["number"] <= FORMULAS_MAX:
        made = mathml(token.content, own_line=own_line)
        if made is not None:
            return made
    closing = dict(_OPEN)[token.markup]
    return f"<code>{escape(token.markup + token.content + closing)}</code>"


@lru_cache(maxsize=2_048)
def mathml(latex: str, *, own_line: bool) -> str | None:
    """LaTeX as a `math` element; None where it cannot be read, or is nested beyond all use."""
    try:
        tree = convert_to_element(latex, display="block" if own_line else "inline")
        return _written(tree, 0)
    except _UNREADABLE:
        return None


def _written(element: Element, depth: int) -> str:
    """An element of the list with its listed attributes; any other one becomes a row."""
    if depth > DEPTH_MAX:
        raise RecursionError("A formula this deep is nobody's.")
    tag = element.tag if element.tag in ELEMENTS else "mrow"
    attributes = "".join(
        f' {name}="{escape(value)}"' for name, value in element.items() if name in ATTRIBUTES
    )
    # The library writes operators as entities, in its text and in what follows an element.
    text = escape(html.unescape(element.text or ""))
    inner = "".join(_written(child, depth + 1) for child in element)
    tail = escape(html.unescape(element.tail or "")) if depth else ""
    return f"<{tag}{attributes}>{text}{inner}</{tag}>{tail}"
