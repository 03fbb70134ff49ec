"""Kinds of imports: how each is known, what its rows become, and reading on from any place."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules import ItemRow, Labels, read_row
from marketplace.jobs.rules.imports import KINDS, Head, Reading, kind_of
from marketplace.jobs.rules.imports.objects import members
from marketplace.jobs.rules.ndjson import Line
from marketplace.jobs.service.items import checks_of
from marketplace.tasktypes import Json, task_type
from tests.make.files import (
    CELLS,
    COCO,
    FAILURE,
    RUN,
    SOLUTION,
    TRAJ,
    TREE,
    VOC,
    Given,
    jsonl,
    parquet,
)
from tests.make.jobs import pair

SESSION = jsonl(
    {"type": "session", "id": "s1", "harness": "h"},
    {"type": "message", "message": {"role": "user", "content": "Hello"}},
    {"type": "message", "message": {"role": "assistant", "content": "Hello you"}},
    {"type": "session", "id": "s2", "harness": "h"},
    {"type": "message", "message": {"role": "user", "content": "Again"}},
    {"type": "message", "message": {"role": "assistant", "content": "Yes?"}},
)


def written(document: Any) -> bytes:
    return json.dumps(document, indent=1).encode()


SPANS = {"labels": [{"name": "ORG"}], "relations": [{"name": "of"}], "cats": [{"name": "good"}]}
MARKED = {"id": 5, "text": "🏛️ EU", "label": [[3, 5, "ORG"]]}
STUDIO: list[Json] = [
    {"id": n, "data": {"text": "🏛️ EU"}, "annotations": [], "meta": {}} for n in (7, 8)
]
RATED = {"aspects": [{"key": "c", "title": "C", "scale": {"min": 1, "max": 5}}]}
PAIRS = [{"idx": n, "instruction": f"Q{n}?", "response1": "A", "response2": "B"} for n in (1, 2, 3)]
# Each file with the kind that it is, the type of the job, its template and the ids it comes to.
TWO = b"external_id,prompt,a,b\n1,Q,A,B\n2,Q,A,B\n"
CHAT = {"id": "r", "messages": RUN["traj"]}
FILES: list[tuple[str, Given, str, Json, list[str]]] = [
    ("jsonl", Given("a", jsonl({"external_id": "x", "payload": pair()})), "pairwise", {}, ["x"]),
    ("tau_bench", Given("a.json", written([RUN])), "trajectory", {}, ["task-3-trial-1"]),
    ("swe_agent", Given("x.traj", written(TRAJ)), "trajectory", {}, ["x"]),
    ("sessions", Given("s.jsonl", SESSION), "trajectory", {}, ["s1", "s2"]),
    ("messages", Given("m", jsonl(CHAT)), "trajectory", {}, ["r"]),
    ("oasst", Given("t.jsonl", jsonl(TREE)), "ranking", {}, ["m0"]),
    ("oasst", Given("t.jsonl", jsonl(TREE)), "pairwise", {}, ["m0"]),
    ("oasst", Given("t.jsonl", jsonl(TREE)), "rubric", RATED, ["m1", "m2"]),
    ("oasst", Given("t.jsonl", jsonl(TREE)), "demonstration", {}, ["m0", "m3"]),
    ("doccano", Given("d", written([MARKED])), "spans", SPANS, ["5"]),
    ("label_studio", Given("l.json", written(STUDIO)), "spans", SPANS, ["7", "8"]),
    ("label_studio", Given("l.jsonl", jsonl(*STUDIO)), "demonstration", {}, ["7", "8"]),
    ("coco", Given("c.json", written(COCO)), "regions", CELLS, ["one.png", "pictures/two.png"]),
    ("voc", Given("v.xml", VOC), "regions", CELLS, ["one.png"]),
    ("csv", Given("c.csv", TWO), "pairwise", {}, ["1", "2"]),
]


def reading_of(
    kind: str,
    template: Json,
    labels: Labels = Labels.LEAVE,
    mapping: Mapping[str, str] = MappingProxyType({}),
) -> Reading:
    return Reading(kind, template, task_type(kind).item_schema, labels, mapping)


def read(file: Given, reading: Reading, after: Line | None = None) -> list[Line]:
    kind = kind_of(file.head, reading.task_type)
    return list(kind.lines(file, reading, after))


def items(file: Given, reading: Reading) -> list[Any]:
    """The items of a file; what is wrong with a row stands in its place."""
    checks = checks_of(reading.task_type, reading.template)
    made = [read_row(line, checks) for line in read(file, reading)]
    return [
        json.loads(row.payload) | {"id": row.external_id, "row": row}
        if isinstance(row, ItemRow)
        else [fault.message for fault in row]
        for row in made
    ]


@pytest.mark.parametrize(("key", "file", "task", "template", "ids"), FILES)
def test_a_file_is_known_and_becomes_items(
    key: str, file: Given, task: str, template: Json, ids: list[str]
) -> None:
    assert key == kind_of(file.head, task).key
    assert ids == sorted(each["id"] for each in items(file, reading_of(task, template)))


@pytest.mark.parametrize(("key", "file", "task", "template", "ids"), FILES)
def test_reading_goes_on_behind_any_line(
    key: str, file: Given, task: str, template: Json, ids: list[str]
) -> None:
    del key, ids
    whole = read(file, reading_of(task, template))
    for at, line in enumerate(whole):
        same = [each for each in whole[at + 1 :] if each.number != line.number]

        assert same == read(file, reading_of(task, template), after=line)


OUTCOME_ONLY: Json = {"steps": "off", "first_error": "off"}
LABELLED: list[tuple[Given, str, Json, Json]] = [
    (Given("t", jsonl(TREE)), "ranking", {}, {"tiers": [["m1"], ["m2"]]}),
    (Given("t", jsonl(TREE)), "pairwise", {}, {"choice": "a"}),
    (
        Given("p", jsonl(SOLUTION)),
        "trajectory",
        {},
        {
            "steps": {"s0": {"correctness": 1}, "s1": {"correctness": -1}},
            "outcome": "no",
            "first_error_step": "s1",
        },
    ),
    (Given("p", jsonl(SOLUTION)), "trajectory", OUTCOME_ONLY, {"outcome": "no"}),
    (
        Given("d", jsonl(MARKED)),
        "spans",
        SPANS,
        {"spans": [{"id": "s0", "start": 3, "end": 5, "label": "ORG", "text": "EU"}]},
    ),
]


@pytest.mark.parametrize(("file", "task", "template", "judgement"), LABELLED)
def test_labels_become_what_was_chosen(
    file: Given, task: str, template: Json, judgement: Json
) -> None:
    gold = items(file, reading_of(task, template, Labels.GOLD))[0]["row"]
    said = items(file, reading_of(task, template, Labels.PRELABELS))[0]["row"]
    left = items(file, reading_of(task, template))[0]["row"]

    assert judgement == json.loads(gold.gold)["judgement"]
    assert [judgement] == [json.loads(each.payload) for each in said.prelabels]
    assert (None, ()) == (left.gold, left.prelabels)


def test_failures_bring_who_erred_and_when() -> None:
    asks_agent = {"responsible_agent": True}
    reading = reading_of("trajectory", asks_agent, Labels.GOLD)

    row = items(Given("w.json", json.dumps(FAILURE).encode()), reading)[0]["row"]

    gold = json.loads(row.gold)["judgement"]
    assert ("h1", "Searcher") == (gold["first_error_step"], gold["responsible_agent"])


def test_masks_and_crowds_of_coco_are_counted() -> None:
    reading = reading_of("regions", CELLS, Labels.PRELABELS)

    first, second = items(Given("c.json", json.dumps(COCO).encode()), reading)

    said = json.loads(first["row"].prelabels[0].payload)["regions"]
    assert [("red_cell", [1, 2, 3, 4]), ("white_cell", [4, 1, 2, 2])] == [
        (region["label"], region["box"]) for region in said
    ]
    assert 1 == len(json.loads(second["row"].prelabels[0].payload)["regions"])
    assert 1 == reading.left["mask_or_crowd"]


TABLES = [
    Given("p.json", json.dumps(PAIRS).encode()),
    Given("p.jsonl", jsonl(*PAIRS)),
    Given("p.parquet", parquet(PAIRS, row_group_size=2)),
    Given("p.json", json.dumps({str(row["idx"]): row for row in PAIRS}).encode()),
    Given("p.csv", b"idx,instruction,response1,response2\n1,Q1?,A,B\n2,Q2?,A,B\n3,Q3?,A,B\n"),
]
NAMED = {"idx": "external_id", "instruction": "prompt", "response1": "a", "response2": "b"}


@pytest.mark.parametrize("file", TABLES)
def test_columns_become_what_somebody_said(file: Given) -> None:
    reading = reading_of("pairwise", {}, mapping=NAMED)

    found = items(file, reading)

    assert ["1", "2", "3"] == [each["id"] for each in found]
    assert [{"role": "user", "content": "Q2?"}] == found[1]["messages"]
    whole = read(file, reading)
    assert whole[1:] == read(file, reading, after=whole[0])
    # Without a word from anybody it is read as it looks, and that is the same here.
    wordless = items(file, reading_of("pairwise", {}))
    for part in ("id", "messages", "a", "b"):
        assert [each[part] for each in found] == [each[part] for each in wordless]


@pytest.mark.parametrize("file", TABLES[:3])
def test_rows_without_an_id_are_named_by_what_they_hold(file: Given) -> None:
    named = {"instruction": "prompt", "response1": "a", "response2": "b", "idx": "metadata.idx"}

    found = items(file, reading_of("pairwise", {}, mapping=named))

    assert 3 == len({each["id"] for each in found})
    assert found == items(file, reading_of("pairwise", {}, mapping=named))
    assert {"idx": 3} == found[2]["metadata"]


EMPTY = {"id": "1", "prompt": "Q?", "a": "", "b": "B"}


@pytest.mark.parametrize(
    "file", [Given("e.csv", b"id,prompt,a,b\n1,Q?,,B\n"), Given("e.json", written([EMPTY]))]
)
def test_an_empty_answer_is_an_answer(file: Given) -> None:
    [found] = items(file, reading_of("pairwise", {}))

    assert ("", "B") == (found["a"], found["b"])


def test_values_that_json_cannot_say_are_written_out() -> None:
    import datetime as dates  # noqa: PLC0415 - of this test only.

    row = {
        "external_id": "x",
        "a": "A",
        "b": "B",
        "messages": [{"role": "user", "content": "Q"}],
        "metadata": {"on": dates.date(2026, 3, 1), "raw": b"\0\1", "none": float("nan")},
    }

    found = items(Given("p", parquet([row])), reading_of("pairwise", {}))

    assert {"on": "2026-03-01", "raw": "AAE=", "none": None} == found[0]["metadata"]
    assert [{"role": "user", "content": "Q"}] == found[0]["messages"]


@pytest.mark.parametrize("cut", [0, 3, 20, -9, -1])
def test_a_parquet_file_that_is_cut_short_says_so(cut: int) -> None:
    whole = parquet(PAIRS)
    file = Given("p.parquet", (whole[:cut] if cut else b"PAR1" + b"\0" * 40 + b"PAR1"))

    if file.content.startswith(b"PAR1"):
        with pytest.raises(Faulty, match="Parquet"):
            list(
                KINDS[kind_of(file.head, "pairwise").key].lines(
                    file, reading_of("pairwise", {}), None
                )
            )


def test_a_parquet_file_that_unpacks_to_far_too_much_is_refused() -> None:
    bomb = parquet(
        [{"a": "x" * 2**20 + str(n)} for n in range(300)], use_dictionary=False, compression="zstd"
    )

    with pytest.raises(Faulty, match="unpacks"):
        read(Given("b.parquet", bomb), reading_of("pairwise", {}, mapping={"a": "a"}))


DOCUMENTS = st.dictionaries(
    st.text(max_size=4),
    st.one_of(
        st.integers(),
        st.text(max_size=6),
        st.dictionaries(st.text(max_size=3), st.text(max_size=6), max_size=3),
        st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=6), max_size=2), max_size=3),
    ),
    max_size=4,
)


class Trickle:
    """A stream that gives a few bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        self._rest, self._size = io.BytesIO(content), size

    def read(self, _size: int = -1, /) -> bytes:
        return self._rest.read(self._size)


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, st.integers(1, 7), st.sampled_from([None, 1]))
def test_members_are_found_wherever_pieces_end(
    document: dict[str, Any], size: int, indent: int | None
) -> None:
    content = json.dumps(document, indent=indent).encode()
    wanted = [
        (name, each, isinstance(value, dict))
        for name, value in document.items()
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, dict)
    ]

    found = list(members(Trickle(content, size)))

    names = [json.loads(f'"{member.name}"') for member in found]
    assert wanted == [
        (name, json.loads(member.content), member.alone)  # type: ignore[arg-type]
        for name, member in zip(names, found, strict=True)
    ]
    ends = [content[: member.end] for member in found]
    assert all(end.endswith(b"}") for end in ends)


@pytest.mark.parametrize("key", [kind for kind in KINDS if kind not in ("voc", "parquet")])
@pytest.mark.parametrize(
    "content",
    [b"\xef\xbb\xbf", b"{", b"[", b"[{", b'{"a": ', b"\0\1", b'"', b"[1, 2]", b"{}\n{}", b"]]}}"],
)
def test_no_content_makes_a_reader_raise_more_than_a_refusal(key: str, content: bytes) -> None:
    kind = KINDS[key]  # type: ignore[index]
    task = next(iter(kind.task_types or ["pairwise"]))
    reading = reading_of(task, {})

    try:
        found = list(kind.lines(Given("x", content), reading, None))
    except Faulty:
        return
    assert all(isinstance(line.content, bytes | Fault) for line in found)


def test_a_dot_in_a_folder_makes_no_suffix() -> None:
    heads = [Head(name, b"a,b\n", whole=True) for name in ("v1.2/README", "x/Items.CSV", "items")]

    assert ["", "csv", ""] == [head.suffix for head in heads]
