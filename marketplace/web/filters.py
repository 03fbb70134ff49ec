"""How pages write money, times, counts and the material being judged.

Times appear in the reader's zone (`flask.g.reader_zone`, an IANA name; UTC where nobody is signed
in) with the zone's name. Markdown and code are rendered here and sanitised; nothing that a person
typed reaches a page in any other way than escaped or through `markdown`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import nh3
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal
from flask import Flask, g, has_request_context
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from marketplace import clock
from marketplace.money import Money
from marketplace.tasktypes import TASK_TYPES
from marketplace.tasktypes.rubric_lint import hints
from marketplace.web import diff_pages, mathematics, plots
from marketplace.web.marked_text import marked
from marketplace.web.wording import browser_name

LOCALE = "en_US"
MINUS = "\u2212"
NO_BREAK = "\u00a0"
NARROW_SPACE = "\u202f"
UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
# Beyond this, Markdown is shown as it was typed: laying it out would make the reader wait.
MARKDOWN_LIMIT = 200_000
# Beyond this many words, texts are compared by line.
DIFF_LIMIT = 8_000
TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
} | mathematics.TAGS  # fmt: skip
ALLOWED = {"a": {"href", "title"}, "span": {"class"}, "code": {"class"}, "ol": {"start"}}
ALLOWED |= dict.fromkeys(mathematics.TAGS, mathematics.ATTRIBUTES)


def reader_zone() -> str:
    """The IANA zone in which the person who reads this page lives."""
    return str(g.get("reader_zone", "UTC")) if has_request_context() else "UTC"


def money(amount: Money | None, *, sign: bool = False) -> str:
    """`$1,250.50`; with `sign`, a plus before what comes in. Nothing at all is a dash."""
    if amount is None:
        return "\u2013"
    text = str(format_currency(abs(amount.decimal()), amount.currency, locale=LOCALE))
    # A currency without a sign of its own is written as its code, which wants a space.
    text = text.replace(amount.currency, amount.currency + NO_BREAK)
    if amount.minor < 0:
        return MINUS + text
    return "+" + text if sign and amount.minor else text


def zone_name(at: datetime) -> str:
    """`CET`, `EDT`; a zone without letters of its own is `UTC+05:30`."""
    name = at.tzname() or "UTC"
    if name[0] not in "+-":
        return name
    offset = at.strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:]}"


def when(at: datetime | None, *, seconds: bool = False) -> Markup:
    """`23 Nov 2026, 14:02 CET` as a time element, in the reader's zone."""
    if at is None:
        return Markup("\u2013")
    local = at.astimezone(ZoneInfo(reader_zone()))
    pattern = "d MMM y, HH:mm:ss" if seconds else "d MMM y, HH:mm"
    text = f"{format_datetime(local, pattern, locale=LOCALE)} {zone_name(local)}"
    return _time(at.isoformat(), text)


def clock_time(at: datetime) -> Markup:
    """`14:02:11` in the reader's zone, for moments of today."""
    local = at.astimezone(ZoneInfo(reader_zone()))
    return _time(at.isoformat(), local.strftime("%H:%M:%S"))


def day(on: date | datetime | None) -> Markup:
    """`23 Nov 2026`; an instant becomes the day it is for the reader."""
    if on is None:
        return Markup("\u2013")
    if isinstance(on, datetime):
        on = on.astimezone(ZoneInfo(reader_zone())).date()
    return _time(on.isoformat(), format_date(on, "d MMM y", locale=LOCALE))


def _time(machine: str, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(machine, text)


def duration(seconds: float) -> str:
    """`1 hour 20 minutes`: the two largest units, in words."""
    left = round(abs(seconds))
    parts: list[str] = []
    for name, size in UNITS:
        amount, left = divmod(left, size)
        if amount or parts:
            parts.append(count(amount, name) if amount else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0 seconds"


def ago(at: datetime | None) -> Markup:
    """`3 days ago` or `in 4 hours`, with the exact time for who points at it."""
    if at is None:
        return Markup("never")
    seconds = (clock.now() - at).total_seconds()
    unit = next((size for _, size in UNITS if abs(seconds) >= size), 1)
    words = duration(abs(seconds) // unit * unit)
    text = "just now" if abs(seconds) < 10 else f"{words} ago" if seconds > 0 else f"in {words}"
    local = at.astimezone(ZoneInfo(reader_zone()))
    exact = f"{format_datetime(local, 'd MMM y, HH:mm', locale=LOCALE)} {zone_name(local)}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(at.isoformat(), exact, text)


def percent(fraction: float | Decimal | None, places: int = 1) -> str:
    """`94.1 %` of a fraction from 0 to 1."""
    if fraction is None:
        return "\u2013"
    return f"{Decimal(str(fraction)) * 100:.{places}f}{NARROW_SPACE}%".replace("-", MINUS)


def count(number: int | float | Decimal, noun: str = "", plural: str = "") -> str:
    """`1,000 tasks`, `1 task`; without a noun only the number."""
    text = str(format_decimal(number, locale=LOCALE)).replace("-", MINUS)
    if not noun:
        return text
    return f"{text} {noun if number == 1 else plural or noun + 's'}"


def code(text: str, language: str = "") -> Markup:
    """A block of code, coloured by classes when the language is known."""
    return Markup('<pre class="code" tabindex="0"><code>{}</code></pre>').format(
        Markup(_coloured(text, language, ""))  # noqa: S704 - Pygments escaped it.
    )


def _coloured(text: str, language: str, _attributes: str) -> str:
    try:
        lexer = get_lexer_by_name(language, stripnl=False) if language else None
    except ClassNotFound:
        lexer = None
    if lexer is None:
        return str(escape(text))
    return highlight(text, lexer, HtmlFormatter(nowrap=True))


def _image_as_link(
    _self: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: EnvType
) -> str:
    """A remote picture would tell its server who reads; a link leaves that to the reader."""
    source = escape(str(tokens[at].attrs.get("src", "")))
    return f'<a href="{source}">Picture: {escape(tokens[at].content) or source}</a>'


def _make_markdown(*, breaks: bool) -> MarkdownIt:
    options = {"html": False, "linkify": False, "breaks": breaks, "highlight": _coloured}
    made = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    mathematics.enable(made)
    made.add_render_rule("image", _image_as_link)
    return made


_markdown = {breaks: _make_markdown(breaks=breaks) for breaks in (False, True)}


def markdown(text: str | None, *, breaks: bool = False) -> Markup:
    """Markdown as sanitised HTML. Headings start at level three: the page owns the first two.

    breaks: keep each line break, as dialogues and models' answers need; documents flow instead.
    """
    text = text or ""
    if len(text) > MARKDOWN_LIMIT:
        return Markup("<pre>{}</pre>").format(text)
    parser = _markdown[breaks]
    tokens = parser.parse(text)
    headings = [token for token in tokens if token.type in {"heading_open", "heading_close"}]
    # Whatever level an author begins with stands for the first, so that none is skipped.
    down = 3 - min((int(token.tag[1]) for token in headings), default=1)
    for token in headings:
        token.tag = f"h{min(6, int(token.tag[1]) + down)}"
    html = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(html, tags=TAGS, attributes=ALLOWED, url_schemes={"https", "mailto"})
    # A block that scrolls sideways has to be reachable by keyboard.
    for wide in ("pre", "table"):
        clean = clean.replace(f"<{wide}>", f'<{wide} tabindex="0">')
    return Markup(clean)  # noqa: S704 - nh3 cleaned it.


def word_diff(before: str, after: str) -> Markup:
    """What changed, word by word, as ins and del elements."""
    old, new = (re.findall(r"\w+\s*|[^\w\s]\s*|\s+", text) for text in (before, after))
    if len(old) + len(new) > DIFF_LIMIT:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    # White space is carried along but never compared: a moved line break is no change.
    matcher = difflib.SequenceMatcher(a=[w.strip() for w in old], b=[w.strip() for w in new])
    parts: list[Markup] = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        gone, come = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        if kind == "equal":
            parts.append(escape(come))
            continue
        if gone:
            parts.append(Markup("<del>{}</del>").format(gone))
        if come:
            parts.append(Markup("<ins>{}</ins>").format(come))
    return Markup("").join(parts)


def line_diff(before: str, after: str) -> list[tuple[str, str]]:
    """Lines as (`same`, `added` or `removed`, text)."""
    kinds = {"  ": "same", "+ ": "added", "- ": "removed"}
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [(kinds[line[:2]], line[2:]) for line in lines if line[:2] in kinds]


def register(app: Flask) -> None:
    """Give templates the filters, and the globals `ui` and `plots`."""
    for each in (
        money, when, clock_time, day, duration, ago, percent, count, code, markdown, word_diff,
        line_diff, browser_name,
    ):  # fmt: skip
        app.jinja_env.filters[each.__name__] = each
    app.jinja_env.filters |= {"rubric_hints": hints, "marked": marked}
    app.jinja_env.globals["plots"] = plots
    app.jinja_env.globals["diffs"] = diff_pages
    app.jinja_env.globals["may_opt_out"] = {
        key for key, kind in TASK_TYPES.items() if kind.may_opt_out
    }
    app.jinja_env.globals["now"] = clock.now
    # A block rendered alone does not see a file's imports, so the macros are global.
    app.jinja_env.globals["ui"] = app.jinja_env.get_template("ui.html").module
