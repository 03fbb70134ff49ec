"""What changes between two writings of one export, and two workers with the same one in hand."""

from __future__ import annotations

import json

import pytest
from sqlalchemy.orm import Session

from marketplace import storage
from marketplace.delivery import queries
from marketplace.delivery.background import exports as writing
from marketplace.delivery.background.assembling import PieceLost
from marketplace.delivery.background.engine import Engine
from marketplace.delivery.models import Export
from marketplace.delivery.rules import Compression, ExportState
from marketplace.jobs import service as jobs
from marketplace.jobs.models import Item
from marketplace.jobs.service.prelabels import Said
from marketplace.work.models import Task
from tests.delivery.test_exports import again, asked, world, written
from tests.make.background import run


def engine(export: Export) -> Engine:
    found = writing._begun(export.id)
    assert found is not None
    return Engine(*found, part_items=1)


def test_what_a_judge_said_later_is_in_no_earlier_file(session: Session) -> None:
    lab, job, given = world(session, items=2)
    export = asked(session, lab, job)
    first = written(session, export)
    task = session.get_one(Task, given[0].task_id)

    jobs.add_prelabels(session, job.id, [Said(task.item_id, "judge", "1", {"choice": "a"}, 0.9)])

    assert first == again(session, lab, export)
    told = json.loads(written(session, asked(session, lab, job)).splitlines()[0])
    assert ["judge"] == [said["model"] for said in told["prelabels"]]


def test_items_that_were_added_later_cut_no_other_pieces(session: Session) -> None:
    """Each piece of gzip is a member of its own, so one more would be another file."""
    lab, job, _ = world(session, items=2)
    export = asked(session, lab, job, compression=Compression.GZIP)
    first = written(session, export)
    item = session.query(Item).filter(Item.job_id == job.id).order_by(Item.position).first()
    assert item is not None
    session.add(
        Item(
            job_id=job.id,
            external_id="later",
            position=6_000,
            payload=item.payload,
            payload_sha256=item.payload_sha256,
            sent_sha256=item.sent_sha256,
        )
    )

    assert first == again(session, lab, export)


def test_who_comes_late_with_a_piece_leaves_the_finished_file_alone(session: Session) -> None:
    lab, job, _ = world(session, items=3)
    export = asked(session, lab, job)
    session.flush()
    late = engine(export)
    writing._piece(late, 0, 0, 1, 0)
    run("delivery.write_export", export_id=export.id)
    session.refresh(export)
    assert ExportState.DONE is export.state

    with pytest.raises(PieceLost):
        writing._written(late)

    with storage.current().open(export.reference) as file:
        assert export.bytes == len(file.read())
    session.refresh(export)
    assert ExportState.DONE is export.state


def test_the_pieces_of_a_file_go_although_its_worker_ended_right_after_offering_it(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, job, _ = world(session, items=2)
    export = asked(session, lab, job)
    session.flush()
    monkeypatch.setattr(writing, "forget_pieces", lambda _: None)
    assert writing._written(engine(export))
    monkeypatch.undo()
    assert 2 == len(queries.parts_of(session, export.id))

    run("delivery.write_export", export_id=export.id)

    assert not queries.parts_of(session, export.id)
