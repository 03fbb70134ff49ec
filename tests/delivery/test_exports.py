"""Writing exports: as of an event, the same bytes whenever, in pieces, compared with the rows."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine as SqlEngine
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from marketplace import storage
from marketplace.actor import Actor
from marketplace.delivery import queries, service
from marketplace.delivery.background import exports as writing
from marketplace.delivery.background.assembling import PieceLost
from marketplace.delivery.background.engine import Engine
from marketplace.delivery.models import Export, ExportPart
from marketplace.delivery.rules import Compression, ExportState
from marketplace.errors import Missing
from marketplace.identity.rules import Role
from marketplace.ids import ItemId, JobId, SubmissionId
from marketplace.jobs.models import Job
from marketplace.outbox import Event
from marketplace.outbox.facts import EVENTS_LOCK
from marketplace.quality.rules.gold import GoldCause
from marketplace.quality.service.gold_changes import change_gold
from marketplace.review import service as review
from marketplace.review.rules import OverturnCause, Verdict
from marketplace.work.models import Submission, Task
from tests.make import identity, specialists, work
from tests.make.background import run, run_all


def asked(session: Session, lab: Actor, job: Job, form: str = "raw", **more: Any) -> Export:
    """An export that is asked for now."""
    wish = {"policy": "all"} | more
    return service.request_export(session, lab, JobId(job.id), form=form, **wish)


def written(session: Session, export: Export) -> bytes:
    """The bytes of an export that is written now."""
    session.flush()
    run("delivery.write_export", export_id=export.id)
    session.refresh(export)
    assert (None, ExportState.DONE) == (export.failure, export.state)
    with storage.current().open(export.reference) as file:
        return file.read()


def again(session: Session, lab: Actor, export: Export) -> bytes:
    """The bytes of an export whose file had expired, written anew."""
    export.state = ExportState.EXPIRED
    session.flush()
    storage.current().delete(export.reference)
    service.write_again(session, lab, export.id)
    return written(session, export)


def world(session: Session, items: int = 4) -> tuple[Actor, Job, list[Submission]]:
    """A job whose items have an answer each, all accepted but the last."""
    lab, job = work.published(session, items=items, overlap_min=1, overlap_max=1)
    doctor = specialists.doctor(session)
    given = [work.submitted(session, doctor, job) for _ in range(items)]
    for each in given[:-1]:
        work.decided(session, lab, each)
    return lab, job, given


def overturned(session: Session, submission: Submission, verdict: Verdict) -> None:
    review.overturn(
        session,
        identity.staff(session, Role.OPERATIONS),
        SubmissionId(submission.id),
        verdict=verdict,
        cause=OverturnCause.SECOND_LOOK,
        note="The second answer names the dose, the first does not.",
        clearance_days=7,
    )


@pytest.mark.parametrize("policy", ["all", "majority", "model"])
def test_what_came_later_changes_no_byte(session: Session, policy: str) -> None:
    lab, job, given = world(session)
    export = asked(session, lab, job, policy=policy)
    first = written(session, export)

    work.decided(session, lab, given[-1])
    overturned(session, given[0], Verdict.REJECT)
    gilded(session, lab, given[1])
    job.domain = "somewhere else"

    assert first == again(session, lab, export)
    assert first != written(session, asked(session, lab, job, policy=policy))


def test_a_lost_worker_costs_one_piece(session: Session) -> None:
    lab, job, _ = world(session)
    whole = written(session, asked(session, lab, job))
    export = asked(session, lab, job)
    session.flush()
    engine = _engine(export)
    writing._piece(engine, 0, 0, 1, 0)
    first = session.get_one(ExportPart, (export.id, 0), populate_existing=True).written_at

    assert writing._written(_engine(export))

    session.refresh(export)
    with storage.current().open(export.reference) as file:
        assert whole == file.read()
    assert first < (export.finished_at or first)
    assert not queries.parts_of(session, export.id)


def _engine(export: Export) -> Engine:
    found = writing._begun(export.id)
    assert found is not None
    return Engine(*found, part_items=1)


def _told(export: Export) -> dict[str, Any]:
    assert export.manifest is not None
    return export.manifest


def test_a_piece_that_was_altered_is_never_offered(session: Session) -> None:
    lab, job, _ = world(session, items=2)
    export = asked(session, lab, job)
    session.flush()
    part = writing._piece(_engine(export), 0, 0, 1, 0)
    storage.current().put(part.reference, io.BytesIO(b"{}\n"))

    with pytest.raises(PieceLost):
        writing._written(_engine(export))


def test_what_is_changed_behind_everybodys_back_is_not_offered(session: Session) -> None:
    lab, job, given = world(session)
    taken = {"id": given[0].id}
    session.execute(text("UPDATE submission SET state = 'rejected' WHERE id = :id"), taken)
    export = asked(session, lab, job)
    session.flush()

    run("delivery.write_export", export_id=export.id)

    session.refresh(export)
    assert ExportState.FAILED is export.state
    told = select(Event.facts).where(Event.kind == "export.failed")
    assert [["failure"]] == [
        list(facts) for facts in session.scalars(told.where(Event.subject_id == export.id))
    ]
    assert "The database holds 2 judgements and the job's record of events 3" in str(export.failure)


def test_a_job_without_an_answer_gives_an_empty_file(session: Session) -> None:
    lab, job = work.published(session, items=1)

    export = asked(session, lab, job, "trl_preference", policy="majority")

    assert b"" == written(session, export)
    assert (0, 0, {"majority": 0}) == (
        export.rows,
        _told(export)["judgements"],
        _told(export)["checks"]["database"],
    )


def test_an_export_waits_until_its_event_has_a_number(
    session: Session, database: SqlEngine
) -> None:
    lab, job, _ = world(session, items=1)
    export = asked(session, lab, job)
    session.flush()
    with database.connect() as other, other.begin():
        other.execute(text(f"SELECT pg_advisory_xact_lock({EVENTS_LOCK})"))
        run("delivery.write_export", export_id=export.id)
        session.refresh(export)
        assert (ExportState.RUNNING, None) == (export.state, export.as_of_event)

    assert written(session, export).count(b"\n") == 0 == export.rows


def test_changes_since_an_export_make_the_whole_of_it(session: Session) -> None:
    lab, job, given = world(session)
    base = asked(session, lab, job)
    rows = {row["annotation_id"]: row for row in lines(written(session, base))}
    work.decided(session, lab, given[-1])
    overturned(session, given[0], Verdict.REJECT)
    gilded(session, lab, given[1])

    news = asked(session, lab, job, since=base.id)
    changed = lines(written(session, news))
    for row in changed:
        change = row.pop("change")
        if change == "withdrawn":
            del rows[row["annotation_id"]]
        else:
            assert (change == "new") == (row["annotation_id"] not in rows)
            rows[row["annotation_id"]] = row

    whole = lines(written(session, asked(session, lab, job)))
    assert {row["annotation_id"]: row for row in whole} == rows
    assert {"new": 1, "changed": 1, "withdrawn": 1} == _told(news)["counts"]["changes"]


def test_formats_without_ids_hold_the_rows_of_changed_items(session: Session) -> None:
    lab, job, given = world(session)
    base = asked(session, lab, job, "trl_preference", policy="majority")
    written(session, base)
    work.decided(session, lab, given[-1])
    overturned(session, given[0], Verdict.REJECT)

    news = asked(session, lab, job, "trl_preference", policy="majority", since=base.id)

    assert 1 == len(lines(written(session, news))) == news.rows
    with storage.current().open(news.index_reference) as file:
        told = lines(gzip.decompress(file.read()))
    assert [("new", 1), ("withdrawn", 0)] == sorted((row["change"], row["rows"]) for row in told)


def test_a_table_holds_what_the_lines_do(session: Session) -> None:
    lab, job, _ = world(session)
    expected = lines(written(session, asked(session, lab, job)))

    export = asked(session, lab, job, "raw_parquet")
    content = written(session, export)

    rows = pq.read_table(io.BytesIO(content)).to_pylist()
    scalar = ("annotation_id", "submitted_at", "active_seconds", "is_gold", "row_sha256")
    assert [[row[name] for name in scalar] for row in expected] == [
        [row[name] for name in scalar] for row in rows
    ]
    assert [row["payload"] for row in expected] == [json.loads(row["payload"]) for row in rows]
    assert content == again(session, lab, export)


def test_packed_text_is_the_same_text(session: Session) -> None:
    lab, job, _ = world(session)
    plain = written(session, asked(session, lab, job))

    export = asked(session, lab, job, compression=Compression.GZIP)
    content = written(session, export)

    assert plain == gzip.decompress(content)
    assert export.filename.endswith(".jsonl.gz")
    assert content == again(session, lab, export)


def test_files_go_when_their_time_is_over_and_come_back_the_same(session: Session) -> None:
    lab, job, _ = world(session, items=2)
    export = asked(session, lab, job)
    first = written(session, export)
    run("delivery.expire_exports")
    with storage.current().open(export.reference) as file:
        assert first == file.read()
    export.expires_at = export.finished_at
    session.flush()

    run("delivery.expire_exports")
    run_all()

    session.refresh(export)
    assert ExportState.EXPIRED is export.state
    with pytest.raises(Missing):
        storage.current().open(export.reference)
    service.write_again(session, lab, export.id)
    assert first == written(session, export)


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(each) for each in content.splitlines()]


def gilded(session: Session, lab: Actor, submission: Submission) -> None:
    change_gold(
        session,
        lab,
        ItemId(session.get_one(Task, submission.task_id).item_id),
        judgement={"choice": "b"},
        cause=GoldCause.PROMOTED,
        note="Two cardiologists settled it.",
    )
