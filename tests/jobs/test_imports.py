"""Imports: files read in chunks, cut short anywhere, resumed without doubling."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import outbox, storage
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Faulty, Missing
from marketplace.ids import new_id
from marketplace.jobs import background, queries, service
from marketplace.jobs.background import Turn
from marketplace.jobs.models import Item, Job, JobImport
from marketplace.jobs.rules import ImportState, ndjson_lines
from marketplace.outbox import OutboxRow
from tests.make import identity
from tests.make import jobs as make


def started(
    session: Session,
    lab: Actor,
    job: Job,
    content: bytes,
    filename: str = "items.jsonl",
    *,
    wish: service.Wish | None = None,
) -> JobImport:
    """An import whose file is stored and that nobody has begun to read."""
    reference = f"imports/{new_id()}"
    storage.current().put(reference, io.BytesIO(content))
    kind = service.kind_of_stored(reference, filename, job.task_type)
    return service.start_import(
        session,
        lab,
        job.id,
        reference,
        filename=filename,
        wish=wish or service.Wish(kind=kind),
        size_bytes=len(content),
    )


def run(session: Session, found: JobImport) -> OutboxRow:
    """Let the background function work on it once; the outbox row afterwards."""
    row = session.scalars(
        select(OutboxRow).where(OutboxRow.arguments["import_id"].astext == str(found.id))
    ).one()
    background.read_import(outbox.Work(row.id, row.name, row.arguments, 1), **row.arguments)
    session.expire_all()
    return row


def test_a_file_becomes_items(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    content = b"\n".join([*make.lines(3), b"broken", make.lines(1)[0], b"", make.line("\0")])
    found = started(session, lab, job, content)

    row = run(session, found)

    assert row.done_at is not None
    assert (ImportState.DONE, 6, 3, 1, 2) == (
        found.state,
        found.rows_read,
        found.accepted,
        found.duplicates,
        found.rejected,
    )
    assert len(content) == found.read_bytes == found.size_bytes
    rejected = [json.loads(line) for line in queries.rejected_lines(session, lab, found.id)]
    assert [(4, None, ""), (7, None, "/external_id")] == [
        (line["line"], line["external_id"], line["pointer"]) for line in rejected
    ]
    with pytest.raises(Missing):
        storage.current().size(found.storage_ref)


def test_running_it_twice_changes_nothing(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    found = started(session, lab, job, b"\n".join(make.lines(10)))
    run(session, found)

    run(session, found)

    assert (10, 10) == (found.accepted, job.item_count)


def test_a_worker_that_died_is_followed_by_another(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    content = b"\n".join([*make.lines(4), b"broken", *make.lines(4, first=5)])
    found = started(session, lab, job, content)
    lines = list(ndjson_lines(io.BytesIO(content)))[:5]
    chunk = service.Chunk(
        [(None, line) for line in lines], number=lines[-1].number, end=lines[-1].end
    )
    with transaction() as own:
        service.begin_import(own, found.id)
    with transaction() as own:
        assert service.advance_import(own, found.id, chunk, start=0)
    with transaction() as own:  # The same chunk from a worker that thinks it is alone.
        assert not service.advance_import(own, found.id, chunk, start=0)

    session.expire_all()
    run(session, found)

    assert (ImportState.DONE, 9, 8, 0, 1) == (
        found.state,
        found.rows_read,
        found.accepted,
        found.duplicates,
        found.rejected,
    )
    stored = session.scalars(select(Item.external_id).order_by(Item.position)).all()
    assert [f"item-{number}" for number in range(1, 9)] == list(stored)


def read_whole(session: Session, found: JobImport, *, chunk_rows: int) -> int:
    """Let turns of one chunk each follow one another to the end; how many it took."""
    turns = 1
    while background.read_on(found.id, chunk_rows=chunk_rows, turn_seconds=0) is Turn.OVER:
        turns += 1
    session.expire_all()
    return turns


def test_what_is_left_of_a_turn_counts_no_failed_try(session: Session) -> None:
    lab = identity.lab_owner(session)
    found = started(session, lab, make.draft(session, lab), b"\n".join(make.lines(3)))
    row = session.scalars(
        select(OutboxRow).where(OutboxRow.arguments["import_id"].astext == str(found.id))
    ).one()

    background.go_on(outbox.Work(row.id, row.name, row.arguments, background.TRIES_MAX))

    session.expire_all()
    rest = session.scalars(
        select(OutboxRow).where(
            OutboxRow.arguments["import_id"].astext == str(found.id), OutboxRow.done_at.is_(None)
        )
    ).one()
    assert row.done_at is not None
    assert (row.name, row.arguments, 0) == (rest.name, rest.arguments, rest.attempts)


def test_chunks_and_turns_do_not_change_the_result(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    body = [*make.lines(4), b"bad", *make.lines(4, first=5), b"worse"]
    found = started(session, lab, job, b"\xef\xbb\xbf" + b"\r\n".join(body))

    # Four chunks hold rows; the fifth turn finds the end.
    assert 5 == read_whole(session, found, chunk_rows=3)
    assert (10, 8, 2) == (found.rows_read, found.accepted, found.rejected)
    assert [5, 10] == [each.line for each in queries.rejected_rows(session, lab, found.id)]


CSV = (
    "external_id,prompt,a,b,metadata,gold\r\n"
    'one,"Which, exactly?\n\nSecond paragraph","say ""A""",B,,\r\n'
    "\r\n"
    'two,Which?,"<b>A</b>",B,,"{""judgement"": {""choice"": ""a""}}"\r\n'
    "three,Which?,A\r\n"
    "four,Which?,A,B,,not json\r\n"
    "five,Which?,A,B,,\r\n"
)


def items(session: Session, job_id: UUID) -> dict[str, Item]:
    """The stored items by their ids."""
    stored = session.scalars(select(Item).where(Item.job_id == job_id))
    return {item.external_id: item for item in stored}


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_a_csv_file_becomes_items(session: Session, chunk_rows: int) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    found = started(session, lab, job, b"\xef\xbb\xbf" + CSV.encode(), "Items.CSV")
    read_whole(session, found, chunk_rows=chunk_rows)

    stored = items(session, job.id)
    assert {"one", "two", "five"} == set(stored)
    assert {
        "messages": [{"role": "user", "content": "Which, exactly?\n\nSecond paragraph"}],
        "a": 'say "A"',
        "b": "B",
    } == stored["one"].payload
    assert {"judgement": {"choice": "a"}} == stored["two"].gold
    rejected = list(queries.rejected_rows(session, lab, found.id))
    assert [7, 8] == [each.line for each in rejected]
    assert "3 cells; the header has 6" in rejected[0].message


def test_a_quote_that_never_closes_costs_one_record(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    content = 'external_id,prompt,a,b\none,?,A,B\ntwo,?,"A,B\nthree,?,A,B\n'
    found = started(session, lab, job, content.encode(), "items.csv")

    run(session, found)

    assert (1, 1) == (found.accepted, found.rejected)


@pytest.mark.parametrize(
    ("header", "word"),
    [
        ("external_id,colour", "colour"),
        ("external_id,a,a", "twice"),
        ("\xff", "UTF-8"),
        ("", "Say which becomes which"),
    ],
)
def test_columns_that_do_not_fit_fail_the_import(session: Session, header: str, word: str) -> None:
    lab = identity.lab_owner(session)
    found = started(
        session, lab, make.draft(session, lab), header.encode("latin-1") + b"\n1,2,3\n", "x.csv"
    )

    row = run(session, found)

    assert row.done_at is not None
    assert ImportState.FAILED is found.state
    assert word in str(found.failure)


@pytest.mark.parametrize(("name", "words"), [("x.parquet", "Parquet"), ("X.ZIP", "zip")])
def test_a_name_that_promises_another_form_is_told(name: str, words: str) -> None:
    storage.current().put("imports/odd", io.BytesIO(b"\x93 neither, nor text, with a \n line"))

    with pytest.raises(Faulty, match=f"called a {words} file, but does not begin like one"):
        service.kind_of_stored("imports/odd", name, "pairwise")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\xff\xfea\0", "UTF-16"),
        (b"\0" * 128 + b"DICM", "DICOM"),
        (b"\0\1\2\3", "do not know this form"),
        (b'[{"task_id": 1, "traj": []}]', "looks like tau-bench"),
    ],
)
def test_files_that_we_do_not_read_are_named(content: bytes, words: str) -> None:
    storage.current().put("imports/odd", io.BytesIO(content))

    with pytest.raises(Faulty, match=words):
        service.kind_of_stored("imports/odd", "none", "pairwise")
    # Whoever knows better may say so.
    if content.startswith(b"["):
        kind = service.kind_of_stored("imports/odd", "none", "pairwise", "records")
        assert "records" == kind


def test_a_file_that_is_gone_fails_with_a_sentence(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    found = service.start_import(
        session, lab, job.id, "imports/gone", filename="x.jsonl", wish=service.Wish(kind="jsonl")
    )

    run(session, found)

    assert ImportState.FAILED is found.state
    assert "not in the store" in str(found.failure)


def test_closing_the_job_ends_its_import(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    found = started(session, lab, job, b"\n".join(make.lines(3)))
    service.close_job(session, lab, job.id)

    run(session, found)
    row = run(session, found)

    assert ImportState.FAILED is found.state
    assert "closed" in str(found.failure)
    assert row.done_at is not None


def test_others_do_not_see_an_import(session: Session) -> None:
    lab, other = identity.lab_owner(session), identity.lab_owner(session, name="Other")
    found = started(session, lab, make.draft(session, lab), make.line("one"))

    assert found is queries.import_of(session, lab, found.id)
    assert [found] == list(queries.imports_of(session, lab, found.job_id))
    with pytest.raises(Missing):
        queries.import_of(session, other, found.id)
    with pytest.raises(Missing):
        list(queries.rejected_lines(session, other, found.id))


def test_a_held_file_that_nobody_came_back_to_is_deleted(session: Session) -> None:
    lab = identity.lab_owner(session)
    job = make.draft(session, lab)
    held = []
    for number in (1, 2):
        storage.current().put(f"imports/held-{number}", io.BytesIO(make.line("x")))
        wish = service.Wish(kind="jsonl")
        reference = f"imports/held-{number}"
        held.append(
            service.start_import(
                session, lab, job.id, reference, filename="x", wish=wish, held=True
            )
        )
    held[0].created_at -= timedelta(days=8)
    session.flush()

    background.forget_held(outbox.Work(new_id(), "jobs.forget_held", {}, 1))

    session.expire_all()
    assert [ImportState.DROPPED, ImportState.HELD] == [each.state for each in held]
    with pytest.raises(Missing):
        storage.current().size("imports/held-1")
    assert storage.current().size("imports/held-2") > 0
