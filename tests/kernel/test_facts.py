"""Facts get their numbers after they commit; their chains tell of every change."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text

from marketplace import audit, outbox
from marketplace.actor import SYSTEM, Actor
from marketplace.db import transaction
from marketplace.ids import OrganisationId, PersonId, new_id
from marketplace.outbox import Event

LAB, OTHER, JOB, SUBJECT = (new_id() for _ in range(4))


def announce(kind: str, *, lab: UUID | None = None, job: UUID | None = None) -> None:
    with transaction() as session:
        facts = {"kind": kind, "amount": 12, "ratio": 0.1, "words": ["ü"], "by": SUBJECT}
        outbox.announce(session, kind, SUBJECT, facts, organisation_id=lab, job_id=job)


def number(limit: int = 500) -> int:
    with transaction() as session:
        return outbox.number_events(session, limit=limit)


def broken() -> list[str]:
    with transaction() as session:
        return outbox.broken_chains(session)


def read_after(cursor: int) -> list[tuple[int, str]]:
    rows = select(Event.number, Event.kind).where(Event.number > cursor).order_by(Event.number)
    with transaction() as session:
        return [(at or 0, kind) for at, kind in session.execute(rows)]


def test_another_trails_head_is_none_of_the_facts_business(kept: Engine) -> None:
    announce("a", lab=LAB)
    number()
    with transaction() as session:
        audit.record(session, SYSTEM, "did", SUBJECT)
    with transaction() as session:
        assert 1 == audit.number_rows(session)

    assert [] == broken()


def test_facts_are_numbered_in_each_of_their_chains(kept: Engine) -> None:
    announce("a", lab=LAB, job=JOB)
    announce("b", lab=OTHER)
    announce("c", lab=LAB)
    announce("d", lab=LAB, job=JOB)
    announce("e")

    assert [3, 2, 0] == [number(limit=3), number(limit=3), number(limit=3)]
    with transaction() as session:
        rows = session.scalars(select(Event).order_by(Event.number)).all()
        assert [(1, 1, 1), (2, 1, None), (3, 2, None), (4, 3, 2), (5, None, None)] == [
            (row.number, row.organisation_number, row.job_number) for row in rows
        ]
        assert 0 == outbox.unnumbered(session)
    assert [] == broken()


def test_a_cursor_misses_nothing_when_the_earlier_id_commits_later(kept: Engine) -> None:
    written, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with transaction() as session:
            outbox.announce(session, "early", SUBJECT, {}, organisation_id=LAB)
            session.flush()
            written.set()
            assert may_commit.wait(10)

    slow = threading.Thread(target=slow_writer)
    slow.start()
    assert written.wait(10)
    announce("late", lab=LAB)
    number()
    first = read_after(0)
    may_commit.set()
    slow.join()
    number()
    second = read_after(first[-1][0])

    assert ([(1, "late")], [(2, "early")]) == (first, second)
    assert [] == broken()


def test_a_second_sequencer_numbers_nothing_meanwhile(kept: Engine) -> None:
    announce("a")
    elsewhere: list[int] = []
    with transaction() as session:
        assert 1 == outbox.number_events(session)
        thread = threading.Thread(target=lambda: elsewhere.append(number()))
        thread.start()
        thread.join()

    assert [0] == elsewhere
    assert [(1, "a")] == read_after(0)


def test_what_was_rolled_back_leaves_no_gap(kept: Engine) -> None:
    announce("a")
    number()
    with contextlib.suppress(ZeroDivisionError), transaction() as session:
        outbox.announce(session, "never", SUBJECT, {})
        outbox.number_events(session)
        _ = 1 / 0
    announce("b")
    number()

    assert [(1, "a"), (2, "b")] == read_after(0)
    assert [] == broken()


def test_links_do_not_hang_on_the_sessions_time_zone(kept: Engine) -> None:
    announce("a", lab=LAB)
    with transaction() as session:
        session.execute(text("SET LOCAL TIME ZONE 'Asia/Kathmandu'"))
        outbox.number_events(session)
    with transaction() as session:
        session.execute(text("SET LOCAL TIME ZONE 'America/Lima'"))
        assert [] == outbox.broken_chains(session)


@pytest.fixture
def tamper(kept: Engine, owner_engine: Engine) -> Callable[[str], None]:
    """Change a table as its owner, who can silence the triggers."""

    def change(statement: str) -> None:
        with owner_engine.begin() as connection:
            for table in ("event", "audit"):
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            assert connection.execute(text(statement)).rowcount > 0
            for table in ("event", "audit"):
                connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))

    return change


@pytest.mark.parametrize(
    ("statement", "scopes"),
    [
        ("UPDATE event SET facts = '{}' WHERE number = 2", "event job organisation"),
        ("UPDATE event SET subject_id = id WHERE number = 4", "event"),
        ("UPDATE event SET announced_at = announced_at + interval '1 s' WHERE number = 1",
         "event organisation"),
        ("UPDATE event SET kind = 'x', job_hash = NULL WHERE number = 2", "event job organisation"),
        ("UPDATE event SET job_id = NULL WHERE number = 3", "job"),
        ("UPDATE event SET organisation_hash = sha256('x') WHERE number = 3", "organisation"),
        ("UPDATE event SET organisation_number = 9 WHERE number = 3", "organisation"),
        ("DELETE FROM event WHERE number = 1", "event organisation"),
        ("DELETE FROM event WHERE number = 4", "event"),
        ("DELETE FROM event WHERE number >= 3", "event job organisation"),
        ("DELETE FROM event", "event job organisation"),
        ("UPDATE event SET number = 9 WHERE number = 4", "event"),
        ("UPDATE event SET number = 9 - number", "event job organisation"),
        ("UPDATE chain_head SET number = number + 1 WHERE scope = 'event'", "event"),
        ("DELETE FROM chain_head WHERE scope LIKE 'job:%'", "job"),
        ("INSERT INTO event (id, kind, subject_id, facts, announced_at, number)"
         " SELECT gen_random_uuid(), kind, subject_id, facts, announced_at, 5 FROM event"
         " WHERE number = 4", "event"),
    ],
)  # fmt: skip
def test_tampering_is_found(tamper: Callable[[str], None], statement: str, scopes: str) -> None:
    announce("a", lab=LAB)
    announce("b", lab=LAB, job=JOB)
    announce("c", lab=LAB, job=JOB)
    announce("d")
    number()
    assert [] == broken()

    tamper(statement)

    found = {scope for scope in ("event", "job", "organisation") for said in broken()
             if f"chain {scope}" in said}  # fmt: skip
    assert set(scopes.split()) == found


def test_the_audit_trail_says_who_did_what(kept: Engine) -> None:
    actor = Actor(PersonId(new_id()), OrganisationId(LAB))
    with transaction() as session:
        audit.record(session, actor, "opened a door", SUBJECT, door=JOB, times=2)
        audit.record(session, SYSTEM, "closed a door", SUBJECT)
        audit.record(session, SYSTEM, "closed another", JOB)
    with transaction() as session:
        trail = audit.trail_of(session, SUBJECT)

    assert [("closed a door", None, None, {}), ("opened a door", actor.person_id, LAB,
            {"door": str(JOB), "times": 2})] == [
        (row.verb, row.person_id, row.organisation_id, row.facts) for row in trail
    ]  # fmt: skip


def write_trail(count: int) -> None:
    with transaction() as session:
        for at in range(count):
            audit.record(session, SYSTEM, "turned", SUBJECT, at=at, of=JOB)


def number_trail(limit: int = 500) -> int:
    with transaction() as session:
        return audit.number_rows(session, limit=limit)


def broken_trail() -> list[str]:
    with transaction() as session:
        return audit.broken_chain(session)


def test_the_audit_trail_is_chained(kept: Engine) -> None:
    assert [] == broken_trail()
    write_trail(3)
    assert [2, 1, 0] == [number_trail(limit=2), number_trail(limit=2), number_trail(limit=2)]
    write_trail(1)

    assert [] == broken_trail()
    with transaction() as session:
        assert 1 == audit.unnumbered(session)
    assert 1 == number_trail()
    assert [] == broken_trail()


def test_a_trail_without_a_head_goes_on_from_its_last_line(
    tamper: Callable[[str], None],
) -> None:
    write_trail(2)
    number_trail()
    tamper("DELETE FROM chain_head WHERE scope = 'audit'")
    write_trail(1)
    number_trail()

    assert [] == broken_trail()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET verb = 'was idle' WHERE number = 2", "Line 2 .* altered"),
        ("UPDATE audit SET facts = facts || '{\"at\": 7}' WHERE number = 1", "Line 1 .* altered"),
        ("UPDATE audit SET person_id = id WHERE number = 3", "Line 3 .* altered"),
        ("UPDATE audit SET hash = NULL WHERE number = 3", "Line 3 .* altered"),
        ("DELETE FROM audit WHERE number = 2", "Line 2 .* missing"),
        ("DELETE FROM audit WHERE number = 3", "does not end"),
        ("DELETE FROM audit", "does not end"),
        ("DELETE FROM chain_head", "does not end"),
        ("UPDATE audit SET number = 7 WHERE number = 3", "Line 3 .* missing"),
    ],
)
def test_tampering_with_the_audit_trail_is_found(
    tamper: Callable[[str], None], statement: str, said: str
) -> None:
    write_trail(3)
    number_trail()
    tamper(statement)

    (sentence,) = broken_trail()
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(sentence)
