"""The demonstration's content is legal, complete and original enough to show."""

from __future__ import annotations

import json

import pytest

from marketplace.demo.materials import (
    HYBRID,
    KEYS,
    SHOWN,
    JobMaterial,
    job_material,
    job_materials,
    shown_materials,
)
from marketplace.jobs.rules.fields import cleaned
from marketplace.tasktypes import task_type

every_job = pytest.mark.parametrize("job", job_materials(), ids=KEYS)


@every_job
def test_the_job_can_be_posted(job: JobMaterial) -> None:
    assert [] == task_type(job.task_type).check_template(job.template)
    assert job.pay == cleaned(job.fields())["pay"]


@every_job
def test_every_item_and_its_gold_are_legal(job: JobMaterial) -> None:
    kind = task_type(job.task_type)
    faults = {name: kind.check_item(job.template, one) for name, one in job.payloads.items()}
    faults |= {
        f"{name} gold": kind.check_gold(job.template, job.payloads[name], gold)
        for name, gold in job.golds.items()
    }

    assert {} == {name: found for name, found in faults.items() if found}
    assert len(job.lines) == len(job.payloads)
    assert job.golds


@every_job
def test_no_payload_gives_the_gold_away(job: JobMaterial) -> None:
    for name, gold in job.golds.items():
        assert "explanation" not in job.payloads[name]
        assert gold["explanation"] not in str(job.payloads[name])


@pytest.mark.parametrize("job", [*shown_materials(), job_material(HYBRID)], ids=[*SHOWN, HYBRID])
def test_a_small_job_is_legal_and_answered_by_our_people(job: JobMaterial) -> None:
    kind = task_type(job.task_type)
    assert [] == kind.check_template(job.template)
    for line in job.lines:
        item = json.loads(line)
        assert [] == kind.check_item(job.template, item["payload"])
        assert "answers" not in item
        seen = item["payload"] | {"prelabels": item.get("prelabels", [])}
        answers = job.answers[item["external_id"]]
        assert answers
        for given in answers:
            assert [] == kind.check_judgement(job.template, seen, given["judgement"])


def test_there_is_as_much_as_the_demonstration_promises() -> None:
    assert [24, 12, 12, 10, 12] == [len(job.lines) for job in job_materials()]


def test_gold_of_preferences_is_on_both_sides() -> None:
    choices = [
        gold["judgement"]["choice"] for gold in job_material("clinical_preferences").golds.values()
    ]

    assert {"a", "b", "both_bad"} == set(choices)


def test_invented_law_is_labelled() -> None:
    titles = [
        source["title"]
        for payload in job_material("memo_fact_checks").payloads.values()
        for source in payload["sources"]
    ]

    assert all(title.endswith("(fictional)") for title in titles)


def test_there_is_no_other_job() -> None:
    with pytest.raises(KeyError):
        job_material("../settings")
