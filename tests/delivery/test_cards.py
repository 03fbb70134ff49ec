"""Cards: the facts of an export, kept once, and what a lab says of its data."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from marketplace.delivery import queries, service
from marketplace.delivery.rules.facts import CELL_MIN, Facts, LabWords, Worked, coarsened
from marketplace.errors import Faulty
from marketplace.ids import JobId
from tests.make import specialists, work


def crowd(first: int, people: int, hourly: int) -> Worked:
    names = {str(number) for number in range(first, first + people)}
    return Worked(names, [hourly] * people, [60] * people, people)


def test_nobody_is_told_apart_in_a_class_of_fewer_than_five() -> None:
    found = {"law": crowd(0, 7, 90_00), "medicine": crowd(10, 6, 120_00), "coding": crowd(20, 1, 1)}

    told = coarsened(found)

    # One coder alone would be what is left of the total, so the next larger class hides them.
    assert [("law", 7, 90_00), ("all others together", 7, 120_00)] == [
        (each.name, each.people, each.hourly_minor) for each in told
    ]
    assert all(each.people is None or each.people >= CELL_MIN for each in told)
    assert [("medicine", None, None)] == [
        (each.name, each.people, each.hourly_minor)
        for each in coarsened({"medicine": crowd(0, 4, 100_00)})
    ]


def test_the_facts_of_an_export_are_kept_as_they_were(session: Session) -> None:
    lab, job = work.published(session, items=2, overlap_min=1, overlap_max=1)
    work.decided(session, lab, work.submitted(session, specialists.doctor(session), job))
    export = service.request_export(session, lab, JobId(job.id), form="raw", policy="all")
    service.freeze_card(session, export)
    before = queries.card_facts(session, export)
    service.describe_data(session, lab, JobId(job.id), LabWords(title="Later", licence="mit"))

    service.freeze_card(session, export)

    after = queries.card_facts(session, export)
    assert before == after == Facts.read(after.as_json())
    assert (2, 1, 1, {"1": 1}, "") == (
        after.items, after.told_items, after.judgements, after.spread, after.words.title,
    )  # fmt: skip
    assert (None, 1) == (after.annotators, len(after.guidelines))
    another = service.request_export(session, lab, JobId(job.id), form="raw", policy="all")
    assert "Later" == queries.card_facts(session, another).name


def test_what_a_lab_says_is_checked(session: Session) -> None:
    lab, job = work.published(session, items=1)

    words = LabWords(licence="other", languages=("English",), intended_use="x" * 5_000)

    with pytest.raises(Faulty) as refused:
        service.describe_data(session, lab, JobId(job.id), words)

    assert ["/licence_words", "/languages", "/intended_use"] == [
        fault.pointer for fault in refused.value.faults
    ]
