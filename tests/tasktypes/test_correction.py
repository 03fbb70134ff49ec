"""Correction: what became of a pre-label, hidden wrong ones as gold, training rows."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from marketplace.tasktypes import TASK_TYPES, Counts, Json, Record, line
from tests.tasktypes.examples import EXAMPLES, authored
from tests.tasktypes.model_examples import ASKED, CORRECTED, CORRECTING

KIND = TASK_TYPES["correction"]
PAYLOAD = EXAMPLES["correction"].payload
RIGHT = CORRECTED["values"]
WRONG = {**RIGHT, "dose": 25, "facts": {"drugs": [{"name": "warfarin", "mg": 50}], "notes": []}}
MODEL: Json = {"model": "m-1", "version": "", "confidence": 0.98, "payload": {"values": WRONG}}


def completed(values: Json, model: Json = MODEL, template: Json = CORRECTING) -> Json:
    return KIND.completed(template, {**PAYLOAD, "prelabels": [model]}, {"values": values})


def ops(judgement: Json) -> dict[str, str]:
    return {each["path"]: each["op"] for each in judgement["elements"]}


def test_what_became_of_each_element_is_worked_out_here() -> None:
    values = {name: value for name, value in RIGHT.items() if name != "allergic"}
    claimed = {"values": values, "elements": [{"path": "/dose", "op": "kept"}]}

    judgement = KIND.completed(CORRECTING, {**PAYLOAD, "prelabels": [MODEL]}, claimed)

    found = ops(judgement)
    assert "edited" == found["/dose"]
    assert "edited" == found["/facts/drugs/0/mg"]
    assert "kept" == found["/facts/drugs/0/name"]
    assert "deleted" == found["/allergic"]
    assert "kept" == found["/dialogue/0"]
    assert {"model": "m-1", "version": "", "confidence_shown": False} == judgement["corrected"]
    assert [] == KIND.check_judgement(CORRECTING, PAYLOAD, judgement)


def test_a_message_is_one_element() -> None:
    turns = [RIGHT["dialogue"][0], {"role": "assistant", "content": "No. Ask first."}]

    found = ops(completed({**WRONG, "dialogue": turns}))

    assert {"/dialogue/0": "kept", "/dialogue/1": "edited"} == {
        path: op for path, op in found.items() if path.startswith("/dialogue")
    }


@pytest.mark.parametrize(
    ("values", "score"),
    [
        (RIGHT, 1.0),
        (WRONG, 0.0),
        ({**WRONG, "dose": 2.5}, 0.5),
        ({**RIGHT, "urgency": "later"}, 2 / 3),
    ],
)
def test_who_only_accepts_a_wrong_pre_label_is_found_out(values: Json, score: float) -> None:
    assert pytest.approx(score) == KIND.gold_agrees(
        completed(values), {"values": RIGHT}, CORRECTING
    )


def test_a_right_pre_label_left_alone_agrees_with_gold() -> None:
    right = {**MODEL, "payload": {"values": RIGHT}}

    assert 1.0 == KIND.gold_agrees(completed(RIGHT, right), {"values": RIGHT}, CORRECTING)
    broken = completed({**RIGHT, "dose": 9}, right)
    assert 0.0 == KIND.gold_agrees(broken, {"values": RIGHT}, CORRECTING)


def test_confidence_and_model_are_shown_only_where_the_template_says_so() -> None:
    def shown(**more: Any) -> set[str]:
        seen = KIND.with_prelabels({**CORRECTING, **more}, PAYLOAD, [MODEL])
        return set(seen["prelabels"][0])

    assert {"payload", "model", "version"} == shown()
    assert {"payload"} == shown(show_model=False)
    assert {"payload", "model", "version", "confidence"} == shown(show_confidence=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("summary", " "),
        ("summary", 4),
        ("urgency", "soon"),
        ("dose", "2.5 mg"),
        ("dose", True),
        ("allergic", 1),
        ("facts", "{"),
        ("dialogue", []),
        ("weight", 70),
    ],
)
def test_each_kind_of_value_is_checked(field: str, value: Any) -> None:
    faults = KIND.check_judgement(CORRECTING, PAYLOAD, {"values": {**RIGHT, field: value}})

    assert [f"/values/{field}"] == [fault.pointer for fault in faults]


def test_what_cannot_be_read_stays_as_it_was_typed() -> None:
    form = {**KIND.to_form(CORRECTED), "values.facts": '{"a": 1,}', "values.dose": "about 3"}

    values = KIND.from_form(form, CORRECTING, PAYLOAD)["values"]

    assert ('{"a": 1,}', "about 3") == (values["facts"], values["dose"])
    tiny = KIND.from_form({"values.dose": "1e-7"}, CORRECTING, PAYLOAD)
    assert 1e-7 == tiny["values"]["dose"]


def record(
    *values: Json, prelabels: tuple[Json, ...] = (MODEL,), template: Json = CORRECTING
) -> Record:
    given = [authored({"values": each}, at, active_seconds=40) for at, each in enumerate(values)]
    return Record(
        item_id="it-1",
        external_id="ext-1",
        task_type="correction",
        payload=PAYLOAD,
        template=template,
        judgements=tuple(given),
        prelabels=prelabels,
    )


def rows(key: str, one: Record) -> tuple[list[Json], Counts]:
    counts = Counts()
    return list(KIND.exports[key].rows([one], "all", counts)), counts


def test_the_corrected_set_tells_what_was_kept_and_how_long_it_took() -> None:
    (row, _), counts = rows("corrected", record(RIGHT, WRONG))

    assert (RIGHT, WRONG, 40) == (row["values"], row["original"], row["active_seconds"])
    assert {"kept": 7, "edited": 2, "deleted": 0, "added": 0} == row["ops"]
    assert 2 == counts.kept
    assert line(row) == line(rows("corrected", record(RIGHT, WRONG))[0][0])


def test_pairs_prefer_the_corrected_and_drop_what_was_accepted_as_it_was() -> None:
    found, counts = rows("trl_preference", record(RIGHT, WRONG))

    (row,) = found
    assert ASKED == row["prompt"]
    assert '"mg":5,' in row["chosen"][0]["content"]
    assert '"mg":50,' in row["rejected"][0]["content"]
    assert {"unchanged": 1} == dict(counts.dropped)
    assert {"no_prelabel": 1} == dict(rows("openai_dpo", record(RIGHT, prelabels=()))[1].dropped)


def test_a_single_text_is_the_answer_itself() -> None:
    template = {"fields": [{"key": "summary", "title": "Summary", "kind": "text"}]}
    model = {**MODEL, "payload": {"values": {"summary": "Take two. 🙂"}}}
    one = record({"summary": "Take one. 🙂"}, prelabels=(model,), template=template)

    (row,), _ = rows("openai_dpo", one)

    assert "Take one. 🙂" == row["preferred_output"][0]["content"]
    assert "Take two. 🙂" == row["non_preferred_output"][0]["content"]


def test_real_summaries_by_a_model_are_corrected_to_those_of_people(sample_data: Path) -> None:
    folder = sample_data / "mts_dialog" / "Correlation-Study"
    study = folder / "MTS-Dialog-Automatic-Summaries-ValidationSet.csv"
    template = {"fields": [{"key": "summary", "title": "Summary", "kind": "text"}]}
    records = []
    with study.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            payload = {"messages": [{"role": "user", "content": row["Dialogue"]}]}
            said = {"values": {"summary": row["Automatic Summary"]}}
            ours = {"values": {"summary": row["Reference Summary"]}}
            assert [] == KIND.check_item(template, payload)
            assert [] == KIND.check_prelabel(template, payload, said)
            model = {**MODEL, "payload": said}
            judgement = KIND.completed(template, {**payload, "prelabels": [model]}, ours)
            assert [] == KIND.check_judgement(template, payload, judgement)
            one = record(ours["values"], prelabels=(model,), template=template)
            records.append(replace(one, external_id=row["ID"], payload=payload))
    counts = Counts()

    found = list(KIND.exports["openai_dpo"].rows(records, "all", counts))

    assert len(records) == counts.kept + counts.dropped["unchanged"]
    assert counts.kept == len(found) > 50
