"""The scan of a job's items: asked for once, written down piece by piece, declared on."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Faulty, Missing
from marketplace.jobs import queries, service
from marketplace.jobs.models import ItemScan, Job, Prelabel
from marketplace.jobs.rules.scan import SCANNER_VERSION, Declaration, Personal, Tally
from marketplace.jobs.rules.scan.tally import FIELDS_MAX, OTHER_FIELDS, Finding
from marketplace.outbox.work import OutboxRow
from tests.make import identity, jobs
from tests.make.background import run_all

SECRET = "123-45-6789"


@pytest.fixture
def lab(session: Session) -> Actor:
    """The owner of a lab."""
    return identity.lab_owner(session)


def named(number: int, words: str) -> bytes:
    return jobs.line(f"row-{number}", jobs.pair(number, a=words))


def looked(session: Session) -> None:
    """Let the worker do what is due, and see what it wrote."""
    session.flush()
    run_all()
    session.expire_all()


def asked(session: Session) -> int:
    rows = select(func.count()).select_from(OutboxRow)
    return session.scalar(rows.where(OutboxRow.name == "jobs.scan_items")) or 0


def test_items_are_looked_through_once_they_are_in(session: Session, lab: Actor) -> None:
    job = jobs.filled(session, lab, items=[named(1, f"His SSN is {SECRET}."), named(2, "Nothing.")])
    service.add_items(session, lab, job.id, [named(3, "Seen by Dr. Jane Roe.")])
    assert 1 == asked(session)
    assert [True] == ["every item" in each.message for each in queries.advice(session, job)]

    looked(session)

    report = queries.scan_report(session, job)
    assert report.is_whole
    assert [("social_security_number", "/payload/a", 1), ("name", "/payload/a", 1)] == [
        (each.kind.value, each.field, each.found) for each in report.findings
    ]
    assert report.scan is not None
    assert (SCANNER_VERSION, 3, 2, 2) == (
        report.scan.scanner_version,
        report.scan.position,
        report.scan.found,
        report.scan.items,
    )
    assert SECRET not in json.dumps([each.places for each in report.findings])

    service.add_items(session, lab, job.id, [named(4, "Dr. Jane Roe again.")])
    looked(session)
    assert [1, 2] == [each.found for each in queries.scan_report(session, job).findings]


def test_gold_and_what_models_said_are_looked_through_too(session: Session, lab: Actor) -> None:
    said = {"model": "m", "payload": {"choice": "a"}}
    gold = {"judgement": {"choice": "a"}, "explanation": "Call (415) 555-2671."}
    row = jobs.line("row-1", jobs.pair(), prelabels=[said], gold=gold)
    job = jobs.filled(session, lab, items=[row])
    looked(session)

    assert ["/gold/explanation"] == [e.field for e in queries.scan_report(session, job).findings]
    assert 1 == session.scalar(select(func.count()).select_from(Prelabel))


def test_what_leaves_little_doubt_keeps_a_job_back_until_declared(
    session: Session, lab: Actor
) -> None:
    job = jobs.filled(session, lab, items=[named(1, f"SSN {SECRET}")])
    with pytest.raises(Conflict, match="not looked at every item"):
        service.declare(session, lab, job.id, Declaration.NONE)
    looked(session)
    (fault,) = queries.lint(session, job)
    assert "/scan" == fault.pointer
    assert "social security number" in fault.message
    with pytest.raises(Faulty):
        service.open_job(session, lab, job.id, fee_basis_points=2_000)

    service.declare(session, lab, job.id, Declaration.DEIDENTIFIED)
    assert [] == queries.lint(session, job)

    service.add_items(session, lab, job.id, [named(2, "SSN 124-45-6789")])
    looked(session)
    assert ["/scan"] == [each.pointer for each in queries.lint(session, job)]


def test_what_may_be_something_else_is_advice(session: Session, lab: Actor) -> None:
    job = jobs.filled(session, lab, items=[named(1, "Mr John Smith")])
    looked(session)

    assert [] == queries.lint(session, job)
    assert ["/scan"] == [each.pointer for each in queries.advice(session, job)][:1]


def test_another_scanner_looks_at_everything_anew(session: Session, lab: Actor) -> None:
    job = jobs.filled(session, lab, items=[named(1, f"SSN {SECRET}")])
    looked(session)
    scan = session.get_one(ItemScan, job.id)
    scan.scanner_version = "older"
    service.scan_again(session, lab, job.id)
    session.flush()
    looked(session)

    report = queries.scan_report(session, job)
    assert [1] == [each.found for each in report.findings]
    assert report.scan is not None
    assert (SCANNER_VERSION, 1, False) == (
        report.scan.scanner_version,
        report.scan.found,
        report.scan.waiting,
    )


def test_a_piece_is_added_once_whoever_brings_it(session: Session, lab: Actor) -> None:
    job = jobs.filled(session, lab, items=[named(1, f"SSN {SECRET}")])
    tally, end = service.looked_through(session, job.id, 0)
    assert (1, 1) == (tally.items, end)

    assert service.advance_scan(session, job.id, tally, start=0, end=end)
    session.flush()
    assert not service.advance_scan(session, job.id, tally, start=0, end=end)
    assert service.finish_scan(session, job.id)
    assert [1] == [each.found for each in queries.scan_report(session, job).findings]
    assert (0, 1) == (Tally().items, service.begin_scan(session, job.id))


def test_fields_without_end_are_told_together(session: Session, lab: Actor) -> None:
    job = jobs.filled(session, lab, items=[named(1, "Nothing.")])
    kind = Personal.SSN

    for piece in range(3):
        fields = [(kind, f"/payload/metadata/{piece}-{number}") for number in range(FIELDS_MAX)]
        tally = Tally(FIELDS_MAX, {key: Finding(1, 1) for key in fields})
        assert service.advance_scan(session, job.id, tally, start=piece, end=piece + 1)
        session.flush()

    found = {each.field: each.found for each in queries.scan_report(session, job).findings}
    assert FIELDS_MAX + 1 == len(found)
    assert 2 * FIELDS_MAX == found[OTHER_FIELDS]


def test_another_lab_sees_nothing_of_it(session: Session, lab: Actor) -> None:
    job: Job = jobs.filled(session, lab)
    other = identity.lab_owner(session, name="Southlight")

    with pytest.raises(Missing):
        service.scan_again(session, other, job.id)
    with pytest.raises(Missing):
        service.declare(session, other, job.id, Declaration.NONE)
    assert outbox.bound()["jobs.scan_items"].time_limit_seconds > 60
