"""What every task type promises."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.errors import Missing
from marketplace.tasktypes import (
    TASK_TYPES,
    Counts,
    Exporter,
    Json,
    Policy,
    PolicyUnavailable,
    line,
    task_type,
)
from tests.tasktypes.examples import EXAMPLES, KEYS, authored, damaged, json_values, record, written
from tests.tasktypes.strategies import JUDGEMENTS

every_type = pytest.mark.parametrize("key", KEYS)


def test_every_type_has_an_example() -> None:
    assert KEYS == sorted(TASK_TYPES) == sorted(JUDGEMENTS)


def test_an_unknown_type_is_missing() -> None:
    with pytest.raises(Missing, match="pairwise"):
        task_type("telepathy")


@every_type
def test_schemas_are_legal_json_schemas(key: str) -> None:
    kind = TASK_TYPES[key]
    for schema in (kind.template_schema, kind.item_schema, kind.judgement_schema):
        jsonschema_rs.meta.validate(schema)
        assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]


@every_type
def test_the_example_is_legal(key: str) -> None:
    kind, example = TASK_TYPES[key], EXAMPLES[key]

    assert [] == kind.check_template(example.template)
    assert [] == kind.check_item(example.template, example.payload)
    assert [] == kind.check_judgement(example.template, example.payload, example.judgement)
    gold = {"judgement": example.judgement, "explanation": "Known beforehand."}
    assert [] == kind.check_gold(example.template, example.payload, gold)


@every_type
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_form_carries_a_judgement_there_and_back(key: str, data: st.DataObject) -> None:
    kind, example = TASK_TYPES[key], EXAMPLES[key]
    judgement = data.draw(JUDGEMENTS[key])
    assert [] == kind.check_judgement(example.template, example.payload, judgement)

    form = {name: [value] for name, value in kind.to_form(judgement).items()}

    assert judgement == kind.from_form(form, example.template, example.payload)


@every_type
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_checks_answer_whatever_they_are_given(key: str, data: st.DataObject) -> None:
    kind, example = TASK_TYPES[key], EXAMPLES[key]
    template = data.draw(st.one_of(json_values, damaged(example.template)))
    payload = data.draw(st.one_of(json_values, damaged(example.payload)))
    judgement = data.draw(st.one_of(json_values, damaged(example.judgement)))

    if not kind.check_template(template):
        assert jsonschema_rs.is_valid(kind.template_schema, template)
        if not kind.check_item(template, payload):
            kind.check_judgement(template, payload, judgement)
            kind.check_gold(template, payload, {"judgement": judgement})
    if not kind.check_item(example.template, payload):
        assert jsonschema_rs.is_valid(kind.item_schema, payload)
        line(payload)
    if not kind.check_judgement(example.template, example.payload, judgement):
        assert jsonschema_rs.is_valid(kind.judgement_schema, judgement)
        line({"units": {name: str(label) for name, label in kind.units(judgement).items()}})
        assert 1.0 == kind.gold_agrees(judgement, judgement, example.template) or not kind.units(
            judgement
        )
    kind.to_form(judgement)


@every_type
@given(form=st.dictionaries(written, st.lists(written, max_size=2), max_size=6), data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_form_becomes_a_judgement_that_can_be_checked(
    key: str, form: dict[str, list[str]], data: st.DataObject
) -> None:
    kind, example = TASK_TYPES[key], EXAMPLES[key]
    legal = kind.to_form(example.judgement)
    for name in data.draw(st.lists(st.sampled_from(sorted(legal)), max_size=4)):
        form[name] = data.draw(st.lists(written, max_size=2))

    judgement = kind.from_form(form, example.template, example.payload)

    kind.check_judgement(example.template, example.payload, judgement)


@every_type
def test_a_form_may_hold_plain_texts_and_carriage_returns(key: str) -> None:
    kind, example = TASK_TYPES[key], EXAMPLES[key]
    form = {
        name: value.replace("\n", "\r\n") for name, value in kind.to_form(example.judgement).items()
    }

    assert example.judgement == kind.from_form(form, example.template, example.payload)


@every_type
@given(seed=st.integers() | st.text())
@settings(max_examples=40)
def test_the_presented_order_is_a_stable_permutation(key: str, seed: int | str) -> None:
    kind, example = TASK_TYPES[key], EXAMPLES[key]
    slots = kind.slots(example.payload)

    order = kind.presented_order(example.payload, seed)

    assert sorted(slots) == sorted(order)
    assert order == kind.presented_order(example.payload, seed)


@every_type
@pytest.mark.parametrize("policy", ["majority", "all", "model"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_exports_are_reproducible_and_lose_nothing_silently(
    key: str, policy: str, data: st.DataObject
) -> None:
    kind, example = TASK_TYPES[key], EXAMPLES[key]
    judgements = data.draw(st.lists(JUDGEMENTS[key], max_size=4))
    given_in = [authored(judgement, number) for number, judgement in enumerate(judgements)]
    if policy == Policy.MODEL:
        given_in = given_in[:1]  # It tells of one.
    shuffled = data.draw(st.permutations(given_in))
    one = record(key, payload=example.payload)
    for exporter in kind.exports.values():
        if policy not in {*exporter.policies, Policy.MODEL}:
            continue
        files, tallies, told = [], [], []
        for order in (given_in, shuffled):
            counts, again = Counts(), Counts()
            records = [with_judgements(one, order)]
            files.append(b"".join(exporter.file(records, policy, counts)))
            told = list(exporter.rows(records, policy, again))
            tallies += [counts, again]

        assert files[0] == files[1]
        assert all(tallies[0] == each for each in tallies)
        assert tallies[0].read == tallies[0].kept + sum(tallies[0].dropped.values())
        assert tallies[0].rows == len(told)
        assert [] == [fault for row in told for fault in strangers(exporter, row)]


def strangers(exporter: Exporter, row: Json) -> list[str]:
    """The fields of a row that no column tells of, and the columns that it lacks."""
    line(row)  # Every row can be shown as JSON.
    names = {column.name for column in exporter.columns}
    wanted = {each.name for each in exporter.columns if not each.may_lack and each.name != "*"}
    more = set() if "*" in names else row.keys() - names
    return [f"{exporter.key}: {name}" for name in sorted(more | (wanted - row.keys()))]


@every_type
def test_every_format_says_what_it_is(key: str) -> None:
    exports = TASK_TYPES[key].exports
    assert "raw" == list(exports)[-1]
    assert TASK_TYPES[key].default_export is exports[next(iter(exports))]
    for name, exporter in exports.items():
        assert name == exporter.key
        assert exporter.help.endswith(".")
        assert "\n" not in exporter.help
        names = [column.name for column in exporter.columns]
        assert len(names) == len(set(names)) > 0
        assert all(column.kind and column.says.endswith(".") for column in exporter.columns)


@every_type
def test_a_format_that_is_written_in_parts_is_the_same_as_in_one_go(key: str) -> None:
    example = EXAMPLES[key]
    records = [
        replace(record(key, example.judgement, payload=example.payload), item_id=str(number))
        for number in range(3)
    ]
    for exporter in TASK_TYPES[key].exports.values():
        whole, counts = Counts(), Counts()
        content = b"".join(exporter.file(records, "all", whole))
        if exporter.stateful:
            continue
        before, between, after = exporter.frame
        rows = []
        for part in (records[:1], records[1:]):
            of_part = Counts()
            rows += [exporter.encode(row) for row in exporter.rows(part, "all", of_part)]
            counts.add(of_part)

        assert content == before + between.join(rows) + after
        assert whole == counts


def with_judgements(one: Any, order: list[Any]) -> Any:
    return type(one)(
        item_id=one.item_id,
        external_id=one.external_id,
        task_type=one.task_type,
        payload=one.payload,
        template=one.template,
        judgements=tuple(order),
    )


@every_type
def test_the_model_policy_tells_the_one_judgement_of_a_record(key: str) -> None:
    one = record(key, EXAMPLES[key].judgement, payload=EXAMPLES[key].payload)
    for exporter in TASK_TYPES[key].exports.values():
        told = [list(exporter.rows([one], each, Counts())) for each in (Policy.MODEL, Policy.ALL)]

        assert told[0] == told[1]


@every_type
def test_an_unknown_policy_is_refused_before_anything_is_read(key: str) -> None:
    for exporter in TASK_TYPES[key].exports.values():
        with pytest.raises(PolicyUnavailable, match="all"):
            exporter.rows(iter(()), "loudest", Counts())


@every_type
def test_raw_holds_every_judgement_and_its_author(key: str) -> None:
    judgement = EXAMPLES[key].judgement
    rows = list(
        TASK_TYPES[key].exports["raw"].rows([record(key, judgement, judgement)], "all", Counts())
    )

    assert [judgement, judgement] == [row["judgement"] for row in rows]
    assert ["sp-001", "sp-002"] == [row["author"]["pseudonym"] for row in rows]
