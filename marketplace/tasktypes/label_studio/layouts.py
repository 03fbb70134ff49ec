"""How Label Studio counts places in a text: plain, as lines of a dialogue, in a page of HTML."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from marketplace.tasktypes.label_studio.controls import Shown
from marketplace.tasktypes.label_studio.dialect import as_text
from marketplace.tasktypes.shapes import Json

_UNSEEN = frozenset({"script", "style", "head", "title"})


@dataclass(frozen=True, slots=True)
class Layout:
    """A text with its way of counting. starts: where the words of each line begin, for dialogues;
    html: whether it is what a page of HTML shows."""

    text: str
    starts: tuple[int, ...] = ()
    html: bool = False

    def located(self, value: Json) -> tuple[int, int] | str:
        """Where a region lies in code points, or why it lies nowhere."""
        if self.starts:
            place = self._in_lines(value)
        elif self.html:
            every = value.get("globalOffsets")
            place = _whole_numbers(every) if isinstance(every, dict) else None
        else:
            place = _whole_numbers(value)
        words = value.get("text")
        words = words if isinstance(words, str) and words else None
        if place is not None and 0 <= place[0] < place[1] <= len(self.text):
            there = self.text[place[0] : place[1]]
            if self.starts or words in (None, there):
                return place
        if words is None:
            return "marks_outside_of_the_text"
        return self._by_words(place, words)

    def _by_words(self, place: tuple[int, int] | None, words: str) -> tuple[int, int] | str:
        """Where words stand that are not where they are said to be: counted as UTF-16, which other
        writers do, or in the only place that says them."""
        if place is not None and place[0] >= 0:
            units = self.text.encode("utf-16-le")
            first = len(units[: 2 * place[0]].decode("utf-16-le", "ignore"))
            if self.text[first : first + len(words)] == words:
                return first, first + len(words)
        if self.html and self.text.count(words) == 1:
            at = self.text.index(words)
            return at, at + len(words)
        return "marks_whose_words_stand_elsewhere"

    def _in_lines(self, value: Json) -> tuple[int, int] | None:
        try:
            first, last = int(value["start"]), int(value["end"])
            start, end = int(value["startOffset"]), int(value["endOffset"])
        except (KeyError, TypeError, ValueError):
            return None
        if not (0 <= first < len(self.starts) and 0 <= last < len(self.starts)):
            return None
        return self.starts[first] + start, self.starts[last] + end

    def said(self, start: int, end: int) -> Json:
        """A place as results write it, with its words."""
        words = self.text[start:end]
        if self.html:
            # The XPaths belong to a browser's tree; Label Studio finds the place without them.
            offsets = {"start": start, "end": end}
            return {"globalOffsets": offsets, "text": words}
        if not self.starts:
            return {"start": start, "end": end, "text": words}
        first = max(0, bisect_right(self.starts, start) - 1)
        last = max(first, bisect_right(self.starts, end - 1) - 1)
        return {
            "start": str(first),
            "end": str(last),
            "startOffset": start - self.starts[first],
            "endOffset": end - self.starts[last],
            "text": words,
        }


def layout_of(value: Any, shown: Shown | None, *, html: bool = False) -> Layout:
    """The text of a part of a task's data, as it is shown."""
    if isinstance(value, list):
        return _dialogue(value, shown or Shown("Paragraphs", ""))
    text = as_text(value)
    if html or (shown is not None and shown.tag == "HyperText"):
        return Layout(_read(text), html=True)
    return Layout(text)


def _dialogue(lines: list[Any], shown: Shown) -> Layout:
    """Lines with who says them in front, one under the other."""
    text, starts = "", []
    for each in lines:
        line = each if isinstance(each, dict) else {shown.words: each}
        author = as_text(line.get(shown.author, line.get("role")))
        text += ("\n" if text else "") + (f"{author}: " if author else "")
        starts.append(len(text))
        text += as_text(line.get(shown.words, line.get("content")))
    return Layout(text, tuple(starts))


def _whole_numbers(value: Json) -> tuple[int, int] | None:
    try:
        return int(value["start"]), int(value["end"])
    except (KeyError, TypeError, ValueError):
        return None


class _Shown(HTMLParser):
    """The text of a page, as a browser's `textContent` gives it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        if tag == "br":
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data)


def _read(html: str) -> str:
    reader = _Shown()
    reader.feed(html)
    reader.close()
    return "".join(reader.found)
