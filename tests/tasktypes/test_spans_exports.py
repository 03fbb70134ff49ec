"""Spans as other tools read them, and read back from them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson

from marketplace.tasktypes import TASK_TYPES, Counts, Json
from marketplace.tasktypes.spans_readers import from_doccano
from tests.tasktypes.examples import EXAMPLES, record
from tests.tasktypes.test_spans import TEMPLATE, TEXT, span

SPANS = TASK_TYPES["spans"]
JUDGEMENT = EXAMPLES["spans"].judgement


def exported(form: str, *judgements: Json, policy: str = "all") -> tuple[list[Json], Counts]:
    counts = Counts()
    rows = SPANS.exports[form].rows([record("spans", *judgements)], policy, counts)
    return list(rows), counts


def crossing() -> Json:
    return {
        "spans": [
            span(TEXT, "High Court"),
            span(TEXT, "Court of Delhi", id="long"),
            span(TEXT, "Wazīri", "JUDGE", attributes={"role": "sole"}),
        ]
    }


def test_conll_keeps_the_longest_of_what_overlaps_and_counts_the_rest() -> None:
    rows, counts = exported("conll", crossing())

    assert {"overlap": 1} == dict(counts.dropped)
    assert (3, 2, 1) == (counts.read, counts.kept, counts.rows)
    text = SPANS.exports["conll"].encode(rows[0]).decode()
    assert text.startswith(
        "-DOCSTART- -X- O O\n\nIn\tO\nthe\tO\nHigh\tO\nCourt\tB-COURT\nof\tI-COURT\n"
    )
    assert "\nWazīri\tB-JUDGE\n" in text
    assert text.endswith("\n\n")


def test_conll_ends_a_sentence_with_a_line_but_never_inside_a_span() -> None:
    text = "One court\nof law\nsat."
    counts = Counts()
    one = record("spans", {"spans": [span(text, "court\nof law")]}, payload={"text": text})
    exporter = SPANS.exports["conll"]
    (row,) = exporter.rows([one], "all", counts)

    assert (
        b"-DOCSTART- -X- O O\n\n"
        b"One\tO\ncourt\tB-COURT\nof\tI-COURT\nlaw\tI-COURT\n\nsat\tO\n.\tO\n\n"
        == exporter.encode(row)
    )


def test_conll_cuts_a_word_where_a_span_does() -> None:
    text = "uncourtly"
    one = record("spans", {"spans": [span(text, "court")]}, payload={"text": text})
    (row,) = SPANS.exports["conll"].rows([one], "all", Counts())

    assert [("un", "O"), ("court", "B-COURT"), ("ly", "O")] == list(
        zip(row["tokens"], row["tags"], strict=True)
    )


def test_a_majority_keeps_what_more_than_half_mark_and_counts_what_it_leaves() -> None:
    lone = {"spans": [span(TEXT, "Delhi")]}

    rows, counts = exported("doccano", JUDGEMENT, JUDGEMENT, lone, policy="majority")

    marks = [[each["start"], each["end"], each["label"]] for each in JUDGEMENT["spans"]]
    assert sorted(marks) == rows[0]["label"]
    assert {"no_majority": 1} == dict(counts.dropped)
    assert len(marks) == counts.kept


def test_doccano_reads_back_what_it_was_given() -> None:
    (row,), _ = exported("doccano_relations", JUDGEMENT)

    read = from_doccano(orjson.loads(orjson.dumps(row)))

    assert Counter() == read.left
    assert {"text": TEXT} == read.payload
    assert SPANS.units({**JUDGEMENT, "cats": []}) == SPANS.units(read.judgements[0])


def test_spacy_rows_hold_every_span_and_entities_that_do_not_overlap() -> None:
    (row,), _ = exported("spacy", crossing())

    assert 3 == len(row["annotations"]["spans"]["sc"])
    assert 2 == len(row["annotations"]["entities"])
    assert {"appeal": 0.0, "writ": 0.0} == row["annotations"]["cats"]


def test_doccanos_own_samples_are_read(sample_data: Path) -> None:
    folder = sample_data / "doccano_samples/backend"
    related = folder / "data_import/pipeline/examples/relation_extraction/example.jsonl"
    read = from_doccano(orjson.loads(related.read_bytes()))
    assert Counter() == read.left
    assert ["Google", "September 4, 1998", "Larry Page", "Sergey Brin"] == [
        each["text"] for each in read.judgements[0]["spans"]
    ]
    assert 3 == len(read.judgements[0]["relations"])
    intents = folder / "data_export/pipeline/examples/intent_detection/example.jsonl"
    first = from_doccano(orjson.loads(intents.read_bytes().splitlines()[0]))
    assert ["flight"] == first.judgements[0]["cats"]
    plain = folder / "data_import/pipeline/examples/sequence_labeling/example.jsonl"
    assert ["EU"] == [
        each["text"]
        for each in from_doccano(orjson.loads(plain.read_bytes().splitlines()[0])).judgements[0][
            "spans"
        ]
    ]


def test_a_thousand_court_texts_go_through_every_format_and_back(sample_data: Path) -> None:
    lines = (sample_data / "indian_legal_ner/dev.jsonl").read_bytes().splitlines()
    assert 1074 == len(lines)
    rows = [orjson.loads(each) for each in lines]
    names = sorted({label for row in rows for _, _, label in row["label"]})
    template = {"labels": [{"name": name} for name in names], "overlap": "none"}
    assert [] == SPANS.check_template(template)
    records, marked = [], 0
    for row in rows:
        read = from_doccano(row)
        assert Counter() == read.left
        (judgement,) = read.judgements
        assert [] == SPANS.check_item(template, read.payload)
        assert [] == SPANS.check_judgement(template, read.payload, judgement)
        form = {name: [value] for name, value in SPANS.to_form(judgement).items()}
        assert judgement == SPANS.from_form(form, template, read.payload)
        marked += len(judgement["spans"])
        one = record("spans", judgement, payload=read.payload, external_id=read.external_id)
        records.append(one)
    for key, exporter in SPANS.exports.items():
        counts = Counts()
        written = [exporter.encode(each) for each in exporter.rows(records, "all", counts)]
        assert written == [
            exporter.encode(each) for each in exporter.rows(records, "all", Counts())
        ]
        assert 1074 == len(written)
        assert {} == dict(counts.dropped), key
    back = SPANS.exports["doccano"].rows(records, "all", Counts())
    assert [(row["text"], sorted(row["label"])) for row in rows] == [
        (row["text"], row["label"]) for row in back
    ]
    assert sum(len(row["label"]) for row in rows) == marked


def test_the_template_of_the_example_is_what_the_tests_say() -> None:
    assert "nested" == TEMPLATE["overlap"]
