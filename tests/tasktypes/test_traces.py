"""Recorded runs of agents, read into items: shapes, faults, memory, and whole real sets."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Fault
from marketplace.tasktypes import TASK_TYPES, Counts
from marketplace.tasktypes.traces import (
    messages,
    sessions,
    swe_agent,
    tau_bench,
    who_and_when,
)
from marketplace.tasktypes.traces.documents import Row, documents, lines
from tests.tasktypes.examples import EXAMPLES, record

TRAJECTORY = TASK_TYPES["trajectory"]
MESSAGES = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": [{"type": "text", "text": "Wie spät ist es? 🕰️"}]},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "function": {"name": "clock", "arguments": '{"zone": "CET"}'}},
            {"id": "c2", "function": {"name": "sun", "arguments": "no json"}},
        ],
    },
    {"role": "tool", "tool_call_id": "c2", "content": "Error: no sun"},
    {"role": "tool", "tool_call_id": "c1", "content": "15:00"},
    {"role": "assistant", "content": "Drei."},
]


class Trickle(io.RawIOBase):
    """A stream that gives a few bytes at a time, and remembers the most it was asked to."""

    def __init__(self, content: bytes, size: int) -> None:
        self._rest = io.BytesIO(content)
        self._size = size

    def read(self, _size: int = -1, /) -> bytes:
        return self._rest.read(self._size)


def read(content: Any, reader: Callable[..., Iterator[Row]], name: str = "") -> list[Any]:
    """What a reader makes of JSON: items, or faults."""
    stream = io.BytesIO(content if isinstance(content, bytes) else json.dumps(content).encode())
    made = [row.content for row in reader(stream, name=name)]
    return [each if isinstance(each, Fault) else json.loads(each) for each in made]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(
    st.lists(st.dictionaries(st.text(max_size=4), json_values, max_size=3), max_size=4),
    st.integers(1, 7),
    st.sampled_from(["list", "lines", "laid out"]),
)
def test_documents_are_found_wherever_chunks_end(objects: list[Any], size: int, form: str) -> None:
    if form == "list":
        content = json.dumps(objects, ensure_ascii=False)
    else:
        content = "\n".join(
            json.dumps(each, indent=2 if form != "lines" else None) for each in objects
        )
    found = list(documents(Trickle(content.encode(), size)))

    if objects:
        assert objects == [
            json.loads(row.content) for row in found if isinstance(row.content, bytes)
        ]
    else:
        assert ["The file holds no objects."] == [row.content.message for row in found]  # type: ignore[union-attr]


def test_a_long_document_is_a_fault_and_the_next_is_read() -> None:
    found = list(documents(io.BytesIO(b'[{"a": "' + b"x" * 100 + b'"}, {"b": 1}]'), most=50))

    assert isinstance(found[0].content, Fault)
    assert (2, b'{"b": 1}') == found[1][:2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04", "This is not JSON"),
        (b'[{"a": 1}, {"b"', "ends in the middle"),
        (b"", "holds no objects"),
    ],
)
def test_files_that_are_no_runs_say_so(content: bytes, words: str) -> None:
    last = list(documents(io.BytesIO(content)))[-1].content

    assert isinstance(last, Fault)
    assert words in last.message


def test_lines_are_bounded_too() -> None:
    found = list(lines(Trickle(b"a\n\n" + b"b" * 60 + b"\nc", 7), most=50))

    assert [b"a", b"c"] == [row.content for row in found if isinstance(row.content, bytes)]
    assert [1, 3, 4] == [row.number for row in found]


def called(step_id: str, **said: Any) -> dict[str, Any]:
    """A call of a tool."""
    return {"id": step_id, "kind": "tool_call", **said}


def test_messages_become_steps_with_answers_beside_their_calls() -> None:
    (item,) = read({"id": 7, "messages": MESSAGES}, messages.rows)

    assert "7" == item["external_id"]
    assert "Wie spät ist es? 🕰️" == item["payload"]["goal"]
    assert [{"title": "System", "content": "Be kind."}] == item["payload"]["policies"]
    assert [
        {"id": "m1", "kind": "user", "content": "Wie spät ist es? 🕰️"},
        {
            "id": "m2t0",
            "kind": "tool_call",
            "tool": "clock",
            "args": {"zone": "CET"},
            "result": "15:00",
        },
        {
            "id": "m2t1",
            "kind": "tool_call",
            "tool": "sun",
            "args": "no json",
            "error": "Error: no sun",
        },
        {"id": "m5", "kind": "agent", "content": "Drei."},
    ] == item["payload"]["steps"]


def test_a_run_without_an_id_is_known_by_what_it_says() -> None:
    first, again = read([{"messages": MESSAGES}, {"messages": MESSAGES, "n": 1}], messages.rows)

    assert first["external_id"] == again["external_id"]


@pytest.mark.parametrize(
    ("reader", "document"),
    [
        (messages.rows, {"role": "user", "content": "Hi"}),
        (messages.rows, {"messages": [{"role": "assistant", "content": "Hi"}]}),
        (messages.rows, {"messages": "Hi"}),
        (tau_bench.rows, {"traj": MESSAGES}),
        (swe_agent.rows, {"info": {}}),
        (who_and_when.rows, {"question": "Why?"}),
        (sessions.rows, {"type": "message"}),
        (sessions.rows, [1]),
    ],
)
def test_what_is_no_run_is_a_fault_that_says_why(reader: Any, document: Any) -> None:
    (fault,) = read(document, reader)

    assert isinstance(fault, Fault)
    assert fault.message.endswith(".")


def test_our_own_session_traces_are_read_again() -> None:
    one = record("trajectory", EXAMPLES["trajectory"].judgement)
    exporter = TRAJECTORY.exports["session_traces"]
    content = b"".join(map(exporter.encode, exporter.rows([one, one], "all", Counts())))
    items = read(content, sessions.rows)

    assert ["ext-1", "ext-1"] == [item["external_id"] for item in items]
    steps = items[0]["payload"]["steps"]
    assert ["user", "tool_call", "agent", "tool_call", "agent"] == [step["kind"] for step in steps]
    assert "No such booking." == steps[1]["result"]
    assert [] == TRAJECTORY.check_item({}, items[0]["payload"])


# --- real sets, whole ----------------------------------------------------------------------------


def items_of(reader: Any, folder: Path, pattern: str) -> list[Any]:
    """Every item of every file, each of which the type accepts."""
    found = []
    for file in sorted(folder.rglob(pattern)):
        with file.open("rb") as stream:
            for row in reader.rows(stream, name=str(file.relative_to(folder))):
                assert isinstance(row.content, bytes), (file, row.content)
                found.append(json.loads(row.content))
    for item in found:
        assert [] == TRAJECTORY.check_item({}, item["payload"])
    assert len(found) == len({item["external_id"] for item in found})
    return found


def test_200_runs_of_tau_bench(sample_data: Path) -> None:
    items = items_of(tau_bench, sample_data / "tau_bench_gpt4o_airline", "*.json")
    steps = [step for item in items for step in item["payload"]["steps"]]

    assert 200 == len(items)
    assert 84 == sum(item["payload"]["metadata"]["reward"] == 1.0 for item in items)
    assert 1_164 == sum(step["kind"] == "tool_call" for step in steps)
    assert all("result" in step or "error" in step for step in steps if "tool" in step)
    assert "task-0-trial-0" == items[0]["external_id"]


def test_19_runs_of_swe_agent(sample_data: Path) -> None:
    items = items_of(swe_agent, sample_data / "swe_agent_traj", "*.traj")
    counted = [len(item["payload"]["steps"]) for item in items]

    assert 19 == len(items)
    assert (4, 21) == (min(counted), max(counted))
    assert all(step["kind"] != "user" for item in items for step in item["payload"]["steps"])


def test_184_failures_of_who_and_when_name_a_step_of_their_history(sample_data: Path) -> None:
    items = items_of(who_and_when, sample_data / "who_and_when", "*.json")
    template = {"first_error": "required", "responsible_agent": True}
    golds = [who_and_when.gold_of(item["payload"]) for item in items]

    assert 184 == len(items)
    for item, gold in zip(items, golds, strict=True):
        assert [] == TRAJECTORY.check_gold(template, item["payload"], gold)


def test_who_and_when_goes_out_as_it_came_in(sample_data: Path) -> None:
    folder = sample_data / "who_and_when" / "Who&When" / "Hand-Crafted"
    original = json.loads((folder / "1.json").read_text("utf-8"))
    item = read(original, who_and_when.rows)[0]
    gold = who_and_when.gold_of(item["payload"])
    assert gold is not None
    judged = {**gold["judgement"], "reason": gold["explanation"]}
    one = record("trajectory", judged, payload=item["payload"])
    (row,) = TRAJECTORY.exports["who_and_when"].rows([one], "all", Counts())

    for name in ("question", "question_ID", "ground_truth", "mistake_agent", "mistake_step"):
        assert original[name] == row[name]
    assert [(turn["role"], turn["content"]) for turn in original["history"]] == [
        (turn["role"], turn["content"]) for turn in row["history"]
    ]
