"""XML as a small tree that knows on which line each element stands; pure.

Entities, document types and external references are refused before anything is expanded.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml import DefusedXmlException
from defusedxml.sax import parse

from marketplace.reconciliation.rules.statements import StatementRefused

DEPTH_MAX = 40
ELEMENTS_MAX = 5_000_000
TEXT_MAX = 10_000


@dataclass(slots=True)
class Element:
    """One element. name: without its prefix; line: where it begins, from 1."""

    name: str
    line: int
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def all(self, *names: str) -> Iterator[Element]:
        """Every element that this path of names leads to, in the order of the file."""
        for child in self.children:
            if child.name == names[0]:
                if len(names) == 1:
                    yield child
                else:
                    yield from child.all(*names[1:])

    def first(self, *names: str) -> Element | None:
        """The first element that this path leads to, or None."""
        return next(self.all(*names), None)

    def words(self, *names: str) -> str:
        """The text of the first element on this path; "" without one."""
        found = self.first(*names)
        return found.text.strip() if found else ""

    def needed(self, *names: str) -> Element:
        """The first element on this path; StatementRefused, naming it, without one."""
        found = self.first(*names)
        if found is None:
            raise StatementRefused(
                f"<{self.name}> has no <{'/'.join(names)}>. Ask the bank for the file again.",
                line=self.line,
            )
        return found


class _Builder(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self._pieces: list[str] = []

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802 - SAX's name.
        line = self._line()
        self._count += 1
        if len(self._open) >= DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise StatementRefused(
                "The elements are nested deeper, or are more, than any statement's. Nothing was "
                "stored; choose the file that the bank sent.",
                line=line,
            )
        plain = {str(key).rpartition(":")[2]: str(value) for key, value in attrs.items()}
        if not self._open:  # Only the root's own namespace says which version this is.
            prefix = name.rpartition(":")[0]
            plain["xmlns"] = str(attrs.get(f"xmlns:{prefix}" if prefix else "xmlns", ""))
        made = Element(name.rpartition(":")[2], line, plain)
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
        self._open.append(made)
        self._pieces = []

    def characters(self, content: str) -> None:
        self._pieces.append(content)

    def endElement(self, name: str) -> None:  # noqa: N802 - SAX's name.
        del name
        closed = self._open.pop()
        if not closed.children:
            closed.text = "".join(self._pieces)
            if len(closed.text) > TEXT_MAX:
                raise StatementRefused(f"<{closed.name}> is too long.", line=closed.line)
        self._pieces = []

    def _line(self) -> int:
        locator = getattr(self, "_locator", None)
        return int(locator.getLineNumber() or 0) if locator is not None else 0


def tree(content: bytes) -> Element:
    """The root element; StatementRefused for what is no XML, or XML that could do harm."""
    builder = _Builder()
    try:
        parse(io.BytesIO(content), builder, forbid_dtd=True)
    except DefusedXmlException:
        raise StatementRefused(
            "The file declares a document type or entities, which no bank's statement needs. "
            "Nothing was read; choose the file that the bank sent."
        ) from None
    except SAXParseException as broken:
        raise StatementRefused(
            f"This is not well-formed XML ({broken.getMessage()}). The file may be cut short; "
            "download it again and upload it unchanged.",
            line=broken.getLineNumber() or None,
        ) from None
    except (SAXException, ValueError, LookupError) as broken:
        raise StatementRefused(
            f"This cannot be read as XML ({broken}). Download the file again."
        ) from None
    if builder.root is None:
        raise StatementRefused("There is no element in this file. Choose the bank's export.")
    return builder.root
