"""spaCy reads what we write without it: DocBin, IOB2 and training dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.tasktypes import Json, Record
from marketplace.tasktypes.docbin import packed
from marketplace.tasktypes.spacy_strings import SYMBOLS, murmur
from tests.delivery.consumers.written import file_of, marked, members_of, records_of
from tests.tasktypes.examples import record

spacy = pytest.importorskip("spacy")
MANY = 200  # Of a thousand; the others are alike.
LETTERS = st.sampled_from("ab .,\n\t é́️🏛⚖\r\u2028")


@pytest.fixture(scope="module")
def english() -> Any:
    return spacy.blank("en")


def docs_in(content: bytes, english: Any) -> Iterator[Any]:
    """The texts of all blobs in a ZIP, in order."""
    for name, blob in members_of(content).items():
        if name.endswith(".spacy"):
            yield from spacy.tokens.DocBin().from_bytes(blob).get_docs(english.vocab)


@st.composite
def judged(draw: st.DrawFn) -> tuple[str, Json]:
    text = draw(st.text(LETTERS, min_size=1, max_size=30))
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))
    places = draw(st.lists(ends.filter(lambda each: each[0] != each[1]), max_size=4))
    labels = st.sampled_from(["COURT", "mark", "Café"])
    return text, marked(text, [(min(each), max(each), draw(labels)) for each in places])


@given(case=judged())
@settings(max_examples=80, deadline=None)
def test_a_docbin_holds_every_text_and_every_span(english: Any, case: tuple[str, Json]) -> None:
    text, judgement = case
    one = record("spans", judgement, payload={"text": text})

    (doc,) = docs_in(file_of("spans", "spacy_docbin", [one]), english)

    assert text == doc.text
    wanted = [(span["start"], span["end"], span["label"]) for span in judgement["spans"]]
    assert sorted(wanted) == sorted(
        (span.start_char, span.end_char, span.label_) for span in doc.spans["sc"]
    )
    entities = {(each.start_char, each.end_char, each.label_) for each in doc.ents}
    assert entities <= set(wanted)
    assert bool(entities) == bool(wanted)


def test_spacy_knows_our_numbers() -> None:
    names = spacy.symbols.NAMES
    assert {name: number for number, name in enumerate(names) if name} == SYMBOLS
    for text in ("apple", "é🏛️", "eight888", "sixteen letters!", "x" * 41):
        assert spacy.strings.hash_string(text) == murmur(text.encode())


def test_links_and_labels_of_the_whole_come_along(english: Any) -> None:
    first, *_ = docs_in(file_of("spans", "spacy_docbin", records_of("spans")), english)

    assert [("High Court of Delhi", ""), ("Najmi Wazīri", "Q42")] == [
        (each.text, each.kb_id_) for each in first.ents
    ]
    assert {"appeal": 1.0, "writ": 0.0} == first.cats


def test_many_texts_are_several_blobs_and_the_index_finds_each(english: Any) -> None:
    row = {"text": "a", "words": ["a"], "spaces": [False], "entities": [], "spans": [], "cats": {}}
    members = dict(packed({**row, "id": f"t{number}"} for number in range(10_001)))

    assert ["part-00001.spacy", "part-00002.spacy", "data.jsonl"] == list(members)
    (last,) = spacy.tokens.DocBin().from_bytes(members["part-00002.spacy"]).get_docs(english.vocab)
    assert "a" == last.text
    found = orjson.loads(members["data.jsonl"].splitlines()[-1])
    assert {"file": "part-00002.spacy", "number": 0, "id": "t10000"} == found


def test_iob2_is_read_as_the_spans_that_were_marked() -> None:
    text = "In the High Court of Delhi, before Mr Justice Najmi."
    one = record(
        "spans", marked(text, [(7, 26, "COURT"), (46, 51, "JUDGE")]), payload={"text": text}
    )
    content = file_of("spans", "conll", [one]).decode()

    (doc,) = spacy.training.converters.conll_ner_to_docs(content, no_print=True)

    found = [(" ".join(token.text for token in each), each.label_) for each in doc.ents]
    assert [("High Court of Delhi", "COURT"), ("Najmi", "JUDGE")] == found


def test_training_dictionaries_become_examples(english: Any) -> None:
    for line in file_of("spans", "spacy", records_of("spans")).splitlines():
        row = orjson.loads(line)
        example = spacy.training.Example.from_dict(
            english.make_doc(row["text"]), row["annotations"]
        )
        assert ["COURT", "JUDGE"] == [each.label_ for each in example.reference.ents]


def test_real_court_texts(sample_data: Path, english: Any) -> None:
    rows = [
        orjson.loads(line)
        for line in (sample_data / "indian_legal_ner/dev.jsonl").read_bytes().splitlines()[:MANY]
    ]
    records: list[Record] = [
        record("spans", marked(row["text"], row["label"]), payload={"text": row["text"]})
        for row in rows
    ]

    docs = list(docs_in(file_of("spans", "spacy_docbin", records), english))

    assert [row["text"] for row in rows] == [doc.text for doc in docs]
    assert [sorted(map(tuple, row["label"])) for row in rows] == [
        sorted((span.start_char, span.end_char, span.label_) for span in doc.spans["sc"])
        for doc in docs
    ]
