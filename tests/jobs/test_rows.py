"""One line to one item: what is kept, and what is said about what cannot be."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.jobs.rules import ItemRow, Line, read_row
from marketplace.jobs.service.items import checks_of
from tests.make.jobs import line, pair

CHECKS = checks_of("pairwise", {})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def read(content: bytes) -> ItemRow | list[tuple[str, str]]:
    row = read_row(Line(7, content), CHECKS)
    if isinstance(row, ItemRow):
        return row
    assert {7} == {fault.line for fault in row}
    return [(fault.pointer, fault.message) for fault in row]


def faults(content: bytes) -> list[tuple[str, str]]:
    found = read(content)
    assert isinstance(found, list)
    return found


def test_the_payload_is_kept_letter_for_letter() -> None:
    payload = '{ "b":"\\u00e9é", "a": "x" ,"messages":[{"role":"user","content":"?"}],'
    payload += ' "metadata": {"score": 0.1234567890123456789, "n": 1e2} }'

    row = read(f' {{"payload" : {payload} , "external_id":"x"}} '.encode())

    assert isinstance(row, ItemRow)
    assert payload == row.payload
    assert hashlib.sha256(payload.encode()).digest() == row.payload_sha256


def test_spacing_and_order_of_keys_do_not_make_other_content() -> None:
    payload = pair()
    plain = read(line("x", payload))
    turned = {key: payload[key] for key in reversed(payload)}
    again = read(json.dumps({"payload": turned, "external_id": "x"}, indent=1).encode())

    assert isinstance(plain, ItemRow)
    assert isinstance(again, ItemRow)
    assert plain.sent_sha256 == again.sent_sha256
    assert plain.payload_sha256 != again.payload_sha256


def test_a_whole_number_is_taken_as_an_id() -> None:
    row = read(json.dumps({"external_id": 12, "payload": pair()}).encode())

    assert isinstance(row, ItemRow)
    assert "12" == row.external_id


@pytest.mark.parametrize(
    ("content", "pointer", "word"),
    [
        (b"[1]", "", "not one JSON object"),
        (b'{"external_id": "x"', "", "not one JSON object"),
        (b'{"external_id": "x"} {}', "", "more follows"),
        (b"{'external_id': 1}", "", "double quotes"),
        (b'{"external_id": "x", "payload": {"a": NaN}}', "", "NaN is not JSON"),
        (b'{"external_id": "x", "payload": {"a": -Infinity}}', "", "not JSON"),
        (b'{"external_id": "x", "external_id": "y"}', "", "stands twice"),
        (b'{"external_id": "x", "payload": {"a": 1, "a": 2}}', "", "stands twice"),
        (b'{"external_id": "\xff"}', "", "not UTF-8"),
        (b'{"external_id": "x", "payload": ' + b"[" * 200_000 + b"}", "", "nested"),
        (b'{"external_id": "x", "payload": ' + b"9" * 9_000 + b"}", "", "too many digits"),
        (b'{"external_id": "x"}', "/payload", "missing"),
        (b'{"payload": {}}', "/external_id", "id of yours"),
        (b'{"external_id": "  ", "payload": {}}', "/external_id", "id of yours"),
        (b'{"external_id": true, "payload": {}}', "/external_id", "id of yours"),
        (line("a\0b"), "/external_id", "control characters"),
        (line("\ud800"), "/external_id", "control characters"),
        (line("x" * 201), "/external_id", "200 characters"),
        (line("x", pair(a="nul \0 here")), "/payload/a", "NUL"),
        (line("x", pair(a="half \ud800 here")), "/payload/a", "surrogate"),
        (line("x", pair(a=12)), "/payload/a", "must be text"),
        (line("x", pair(metadata={"n": 10**30})), "/payload/metadata/n", "64 bits"),
        (line("x", colour="red"), "/colour", "known fields"),
        (line("x", gold={"judgement": {"choice": "c"}}), "/gold/judgement/choice", "Choose one"),
        (line("x", gold=[]), "/gold", "object"),
        (line("x", prelabels={}), "/prelabels", "list"),
        (line("x", prelabels=[1]), "/prelabels/0", "object"),
        (line("x", prelabels=[{"model": "m"}]), "/prelabels/0/payload", "object"),
        (
            line("x", prelabels=[{"model": "m", "payload": {"choice": "z"}}]),
            "/prelabels/0/payload/choice",
            "Choose one",
        ),
        (
            line("x", prelabels=[{"model": "m", "payload": {"choice": "a"}, "confidence": 2}]),
            "/prelabels/0/confidence",
            "0 to 1",
        ),
        (
            line("x", prelabels=[{"model": "m", "payload": {"choice": "a"}}] * 2),
            "/prelabels/1/model",
            "twice",
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(content: bytes, pointer: str, word: str) -> None:
    found = faults(content)

    assert pointer in [where for where, _ in found]
    assert any(word in message for where, message in found if where == pointer)


@settings(deadline=None)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_it_raise(content: bytes) -> None:
    read_row(Line(1, content), CHECKS)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["external_id", "payload", "gold", "prelabels"]), JSON))
def test_no_members_make_it_raise(members: dict[str, object]) -> None:
    row = read_row(Line(1, json.dumps(members).encode()), CHECKS)

    assert isinstance(row, ItemRow) or row
