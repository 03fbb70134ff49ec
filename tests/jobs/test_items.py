"""Items: stored once, in order, whatever is sent with them and however often."""

from __future__ import annotations

import io
import json
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.jobs import queries, service
from marketplace.jobs.models import Item, Prelabel
from marketplace.jobs.rules import ndjson_lines
from marketplace.outbox import Event
from tests.make import identity
from tests.make import jobs as make

HTML = '<script>alert("x")</script><img src=x onerror=alert(1)> \u202e & "quotes" 🫀'


def test_good_rows_are_stored_beside_bad_ones(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    body = b"\n".join(
        [
            make.line("one"),
            b"not json",
            make.line("two", make.pair(2)),
            b"\xff\xfe",
            b"x" * (1024 * 1024 + 1),
            make.line("one"),
            make.line("one", make.pair(9)),
            make.line("three", make.pair(a=1)),
            make.line("four", make.pair(4)),
        ]
    )

    report = service.add_items(session, lab, job.id, ndjson_lines(io.BytesIO(body)))

    assert (9, 3, 1, 5) == (
        report.rows_read,
        report.accepted,
        report.duplicates,
        report.rows_rejected,
    )
    assert [(2, ""), (4, ""), (5, ""), (8, "/payload/a"), (7, "/external_id")] == [
        (fault.line, fault.pointer) for fault in report.rejected
    ]
    assert "the stored one is kept" in report.rejected[-1].message
    stored = session.execute(select(Item.external_id, Item.position).order_by(Item.position)).all()
    assert [("one", 1), ("two", 2), ("four", 3)] == stored
    assert 3 == job.item_count


def test_sending_again_adds_nothing(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.filled(session, lab, items=50)

    report = service.add_items(session, lab, job.id, make.lines(60))

    assert (10, 50, 0) == (report.accepted, report.duplicates, report.rows_rejected)
    assert 60 == job.item_count


def test_a_repeat_with_other_gold_is_told(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.filled(session, lab, items=[make.line("x")])

    report = service.add_items(
        session, lab, job.id, [make.line("x", gold={"judgement": {"choice": "a"}})]
    )

    assert (0, 0, 1) == (report.accepted, report.duplicates, report.rows_rejected)


def test_two_jobs_may_use_the_same_ids(session: Session) -> None:
    lab = identity.lab_owner(session)
    make.filled(session, lab, items=3)

    assert 3 == make.filled(session, lab, items=3).item_count


def test_payload_gold_and_prelabels_come_back(session: Session) -> None:
    lab = identity.lab_owner(session)
    text = json.dumps(make.pair(a=HTML, metadata={"n": 0.1, "deep": [{"x": None}]}), indent=1)
    text = text.replace("\n", "")
    said = [
        {"model": "judge", "version": "1", "payload": {"choice": "a"}, "confidence": 0.75},
        {"model": "judge", "version": "2", "payload": {"choice": "tie"}},
    ]
    rest = {"external_id": "x", "gold": {"judgement": {"choice": "b"}}, "prelabels": said}
    row = f'{json.dumps(rest)[:-1]}, "payload": {text}}}'
    job = make.filled(session, lab, items=[row.encode()])

    (preview,) = queries.items_of(session, lab, job.id)

    assert text == queries.payload_text(session, preview.item.id)
    assert HTML == preview.item.payload["a"]
    assert {"judgement": {"choice": "b"}} == preview.item.gold
    assert [("1", "a", 0.75), ("2", "tie", None)] == [
        (said.version, said.payload["choice"], said.confidence) for said in preview.prelabels
    ]


def test_a_running_job_takes_items_and_says_so(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.opened(session, lab)

    service.add_items(session, lab, job.id, make.lines(2, first=10))
    service.add_items(session, lab, job.id, make.lines(2, first=10))

    told = session.scalars(select(Event.facts).where(Event.kind == "job.items_added")).all()
    assert [{"accepted": 3, "item_count": 3}, {"accepted": 2, "item_count": 5}] == told


def test_the_report_of_a_million_bad_lines_is_short(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)

    report = service.add_items(session, lab, job.id, (b"x" for _ in range(5_000)))

    assert (5_000, 1_000) == (report.rows_rejected, len(report.rejected))


@pytest.fixture
def lab(session: Session) -> Actor:
    """One lab for all the examples of a property."""
    return identity.lab_owner(session)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sent=st.lists(st.lists(st.integers(0, 9), max_size=12), max_size=4))
def test_positions_are_dense_whatever_repeats(
    session: Session, lab: Actor, sent: list[list[int]]
) -> None:
    job = make.draft(session, lab)
    for numbers in sent:
        service.add_items(session, lab, job.id, [make.line(str(n), make.pair(n)) for n in numbers])

    stored = select(Item.position).where(Item.job_id == job.id).order_by(Item.position)
    different = {number for numbers in sent for number in numbers}
    assert list(range(1, len(different) + 1)) == list(session.scalars(stored))
    assert len(different) == job.item_count


def test_two_senders_at_once_store_each_item_once(committed: Engine) -> None:
    with transaction() as session:
        lab = identity.lab_owner(session)
        job_id = make.draft(session, lab).id
    reports = []

    def send(first: int) -> None:
        with transaction() as own:
            reports.append(service.add_items(own, lab, job_id, make.lines(300, first=first)))

    senders = [threading.Thread(target=send, args=(first,)) for first in (1, 101)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(timeout=30)

    with transaction() as session:
        positions = session.scalars(select(Item.position).order_by(Item.position)).all()
    assert 400 == sum(report.accepted for report in reports)
    assert 200 == sum(report.duplicates for report in reports)
    assert {1} == {after - before for before, after in pairwise(positions)}
    assert (1, 400) == (positions[0], positions[-1])


def test_real_pairs_are_all_taken(session: Session, sample_data: Path) -> None:
    lab = identity.lab_owner(session)
    source = sample_data / "pandalm_pairwise" / "testset-v1.json"
    choice = {0: "tie", 1: "a", 2: "b"}
    lines = []
    for row in json.loads(source.read_text(encoding="utf-8")):
        asked = "\n\n".join(part for part in (row["instruction"], row["input"]) if part)
        payload = {
            "messages": [{"role": "user", "content": asked}],
            "a": str(row["response1"]),
            "b": str(row["response2"]),
        }
        said = {"model": "person", "payload": {"choice": choice[row["annotator1"]]}}
        lines.append(make.line(str(row["idx"]), payload, prelabels=[said]))

    job = make.draft(session, lab)
    report = service.add_items(session, lab, job.id, lines)

    assert (999, 0, []) == (report.accepted, report.duplicates, report.rejected)
    assert 999 == session.scalar(select(func.count()).select_from(Prelabel))


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_pages_of_items(session: Session, limit: int) -> None:
    lab = identity.lab_owner(session)
    job = make.filled(session, lab, items=5)
    seen: list[str] = []
    while page := queries.items_of(session, lab, job.id, after=len(seen), limit=limit):
        seen += [each.item.external_id for each in page]

    assert [f"item-{number}" for number in range(1, 6)] == seen
