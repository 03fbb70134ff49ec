"""Documents: text comes out as it went in, equal facts give equal bytes, no fact is ever run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from marketplace import documents
from marketplace.documents import Json


def read(name: str) -> PdfReader:
    facts: dict[str, Json] = {
        "title": "Statement — November",
        "issuer": "Zoë & Søn Ltd",
        "footer": "Łódź",
        "parts": [
            {
                "heading": "Movements",
                "text": name,
                "columns": [{"title": "What", "width": "wide"}, {"title": "Sum", "align": "right"}],
                "rows": [["Top-up", "€1,250.50"], ["Won", "₩5,000"], ["Yen", "¥12"]],
                "sums": [["Net", "1.00"], ["Total", "£2.00"]],
            }
        ],
    }
    made = documents.pdf("plain", facts)
    assert documents.pdf("plain", facts) == made
    return PdfReader(io.BytesIO(made))


def text_of(document: PdfReader) -> str:
    return "\n".join(page.extract_text() for page in document.pages)


def test_text_comes_out_as_it_went_in_and_the_document_says_what_it_is() -> None:
    document = read("Ana “Nña” — 12 · #panic() $x$ *bold* <label> @ref")

    text = text_of(document)
    for part in (
        "Statement — November",
        "Zoë & Søn Ltd",
        "Łódź",
        "€1,250.50",
        "₩5,000",
        "¥12",
        "£2.00",
        "Ana “Nña” — 12 · #panic() $x$ *bold* <label> @ref",
        "Page 1 of 1",
    ):
        assert part in text
    assert document.metadata is not None
    assert "Statement — November" == document.metadata.title
    catalogue = document.root_object
    marked = cast("DictionaryObject", catalogue["/MarkInfo"])["/Marked"]
    assert ["en-GB", "True"] == [str(catalogue["/Lang"]), str(marked)]


@pytest.mark.parametrize("name", ["田中 太郎", "김민준", "Иван Ивáнов", "😀 emoji"])
def test_a_name_in_another_script_does_not_break_a_document(name: str) -> None:
    assert "Movements" in text_of(read(name))


def test_only_names_of_templates_are_taken() -> None:
    with pytest.raises(ValueError, match="not the name of a template"):
        documents.pdf("../base", {"title": "x"})


def test_templates_fetch_nothing_and_stay_in_their_folder() -> None:
    sources = [file.read_text(encoding="utf-8") for file in documents.folder().glob("*.typ")]

    assert [] != sources
    assert [] == [source for source in sources if '"@' in source or '"/' in source]
    assert Path(documents.folder()).name == "pdf"
