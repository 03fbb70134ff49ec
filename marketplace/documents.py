"""PDF documents: a Typst template of templates/pdf and its facts in, tagged PDF bytes out.

`house.typ` is what all documents share: the page, the letterhead, tables of figures. Facts reach
a template as JSON in `sys.inputs.facts`, never as Typst source, so nothing that people typed is
ever run. Amounts and dates come as the texts that shall be printed.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import typst

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"
PACKAGE = Path(__file__).parent
_NAME = re.compile(r"[a-z][a-z_]*")


@functools.cache
def folder() -> Path:
    """The templates: inside the package when it was installed, beside it in a checkout."""
    inside = PACKAGE / "templates" / "pdf"
    return inside if inside.is_dir() else PACKAGE.parent / "templates" / "pdf"


@functools.cache
def _fonts() -> typst.Fonts:
    # The typefaces in the wheel only: the same facts give the same bytes on every machine.
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)


def pdf(template: str, facts: Mapping[str, Json]) -> bytes:
    """The document `templates/pdf/<template>.typ` with these facts; equal facts, equal bytes.

    facts: JSON with at least `title`, which readers and screen readers announce. The PDF follows
    PDF/UA-1. Where a name is in a script that our typefaces lack, the PDF is tagged all the same
    but says no more that it follows the standard, since boxes stand for those characters.
    """
    if not _NAME.fullmatch(template):
        raise ValueError(f"{template!r} is not the name of a template.")
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
    try:
        return _compiled(template, text, standards=["ua-1"])
    except typst.TypstError as refused:
        if "could not be displayed" not in str(refused):
            raise
        return _compiled(template, text, standards=[])


def _compiled(template: str, facts: str, *, standards: list[typst.PDFStandard]) -> bytes:
    # A template reads nothing outside its folder, which is the root of all its paths.
    compiler = typst.Compiler(folder() / f"{template}.typ", root=folder(), font_paths=_fonts())
    made = compiler.compile(format="pdf", sys_inputs={"facts": facts}, pdf_standards=standards)
    assert isinstance(made, bytes)  # noqa: S101 - the pages of a PDF are one file.
    return made
