"""What the database refuses of the whole chart, by plain SQL as the unprivileged role."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.actor import SYSTEM
from marketplace.ids import PersonId, new_id
from marketplace.ledger import queries, service
from marketplace.ledger.rules import HoldReason, Leg
from marketplace.ledger.rules.chart import account_named
from tests.make import ledger as make
from tests.make.ledger import usd

ACCOUNT = """INSERT INTO ledger_account (id, code, kind, currency, side, floor)
    VALUES (gen_random_uuid(), :code, :kind, 'USD', :side, :floor)"""
HEADER = """INSERT INTO ledger_transaction (id, source_kind, source_id, content_hash, leg_count,
      facts, happened_on, effective_on, posted_at)
    VALUES (gen_random_uuid(), :kind, :source, sha256(''), 2, :facts, :day, :day, now())"""
MARK = """INSERT INTO ledger_period_mark (month, nth, step, at, person_id, second_person_id, reason)
    VALUES ('2026-05-01', 90, 'reopened', now(), :one, :two, :reason)"""
A_HASH = "ab" * 32
TWO = {"proposed_by": "a", "approved_by": "b"}

ACCOUNTS: list[tuple[str, str, int, bool, str]] = [
    ("L:lab:x:pending:USD", "asset", 1, True, "kind_of_code"),
    ("A:stripe:balance:USD", "liability", -1, False, "kind_of_code"),
    ("Z:anything:USD", "asset", 1, False, "kind_of_code"),
    ("C:L:in_connected:x:USD", "liability", -1, True, "kind_of_code"),
    ("L:unapplied:USD", "liability", -1, False, "owned_has_floor"),
    ("L:refund_inflight:USD", "liability", -1, False, "owned_has_floor"),
    ("L:tax_withheld:x:USD", "liability", -1, False, "owned_has_floor"),
    ("A:receivable:lab:x:USD", "asset", 1, False, "owned_has_floor"),
    ("C:A:to_bank:acct_1:USD", "custody_asset", 1, False, "owned_has_floor"),
]
HEADERS: list[tuple[str, dict[str, str], str]] = [
    ("adjustment", TWO | {"reason": "x"}, "evidence"),
    ("adjustment", TWO | {"evidence_sha256": A_HASH}, "evidence"),
    ("adjustment", {"reason": "x", "evidence_sha256": A_HASH, "proposed_by": "a"}, "two_people"),
    ("write_off", {"proposed_by": "a", "approved_by": "a"}, "two_people"),
    ("tax_remitted", {}, "two_people"),
    ("hold", {"reason": "review"}, "held_by_somebody"),
    ("unhold", {"owner_person_id": "a"}, "held_by_somebody"),
    ("anything", {}, "ck_ledger_transaction_source_kind"),
]
ALONE = [
    "UPDATE ledger_period_mark SET reason = 'other'",
    "DELETE FROM ledger_period_mark",
    "UPDATE ledger_day SET last_number = 2",
    "DELETE FROM ledger_day",
    "UPDATE ledger_turnover SET closing = 0",
    "UPDATE ledger_account SET stem = 'A:other'",
]


def refused(session: Session, said: str, statement: str, **facts: Any) -> None:
    """The database refuses a statement, at once or as the transaction would end."""

    def tried() -> None:
        with session.begin_nested():
            session.execute(text(statement), facts)
            session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))

    with pytest.raises(DBAPIError, match=said):
        tried()
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))


def test_the_chart_holds_whoever_opens_an_account(session: Session) -> None:
    for code, kind, side, floor, said in ACCOUNTS:
        refused(session, said, ACCOUNT, code=code, kind=kind, side=side, floor=floor)


def test_two_people_evidence_and_owners_are_not_left_to_python(session: Session) -> None:
    for kind, facts, said in HEADERS:
        row = {"kind": kind, "source": new_id().hex, "facts": json.dumps(facts)}
        refused(session, said, HEADER, day=date(2026, 5, 3), **row)


def test_what_ended_in_one_way_does_not_end_in_another(session: Session) -> None:
    lab = make.topped_up(session, usd(10_00))
    service.reserve_refund(session, lab_id=lab, amount=usd(1_00), refund_id="r-1")
    service.cancel_refund(session, lab_id=lab, amount=usd(1_00), refund_id="r-1")

    refused(
        session,
        "uq_ledger_transaction_refund_end",
        HEADER,
        kind="refund_sent",
        source="r-1",
        facts="{}",
        day=date(2026, 5, 3),
    )


def test_a_month_moves_only_along_its_life_and_never_without_a_mark(session: Session) -> None:
    make.topped_up(session, usd(10_00))
    change = "UPDATE ledger_period SET state = :state, closed_at = :at WHERE month = '2026-05-01'"
    refused(session, "without a mark", change, state="closing", at=None)
    service.close_period(session, SYSTEM, date(2026, 5, 1))
    refused(session, "cannot go from closed to open", change, state="open", at=None)
    refused(session, "without a mark", change, state="reopened", at=None)
    person = new_id()
    for one, two, reason in ((person, person, "x"), (person, None, "x"), (person, new_id(), "")):
        refused(session, "reopened_by_two", MARK, one=one, two=two, reason=reason)
    for day in (date(2026, 5, 31), date(2026, 4, 30)):
        row = {"kind": "release", "source": new_id().hex, "facts": "{}", "day": day}
        refused(session, "2026-05 is closed|2026-04 is before a closed month", HEADER, **row)


def test_a_month_that_is_closing_takes_what_two_people_decided_alone(session: Session) -> None:
    service.begin_closing(session, SYSTEM, date(2026, 5, 1))

    row = {"source": new_id().hex, "facts": "{}", "day": date(2026, 5, 3)}
    refused(session, "2026-05 is closing", HEADER, kind="release", **row)
    # The header enters; it is then refused for having no legs.
    refused(session, "has not the legs", HEADER, kind="fee_class", **row)


def test_marks_heads_and_turnovers_are_not_the_applications_to_change(session: Session) -> None:
    make.topped_up(session, usd(10_00))
    for statement in ALONE:
        refused(session, "permission denied", statement)


DAMAGES: list[tuple[str, set[str]]] = [
    (
        "UPDATE ledger_entry SET amount = amount + 1 FROM ledger_account a"
        " WHERE a.id = account_id AND a.stem = 'I:platform_fee'",
        {"I1", "I4", "I5"},
    ),
    ("DELETE FROM ledger_entry WHERE leg = 1", {"I1", "I4", "I5", "I7", "I9", "I10"}),
    ("DELETE FROM ledger_entry WHERE leg = 2", {"I1", "I3", "I4", "I5", "I7", "I9", "I10"}),
    ("UPDATE ledger_transaction SET facts = '{\"a\": \"b\"}' WHERE source_kind = 'clear'", {"I4"}),
    ("UPDATE ledger_account SET balance = balance + 1 WHERE stem = 'L:lab:available'", {"I5"}),
    ("UPDATE ledger_account SET balance = 0 WHERE stem = 'L:job:reserved'", {"I5", "I7"}),
    ("UPDATE ledger_account SET balance = 1 WHERE stem = 'L:spec:held'", {"I5", "I9"}),
    ("UPDATE ledger_account SET balance = 7 WHERE stem = 'C:A:connected'", {"I5", "I14"}),
    ("UPDATE ledger_account SET stem = 'A:mine' WHERE stem = 'A:stripe:balance'", {"I3"}),
    ("UPDATE ledger_turnover SET closing = closing + 1 WHERE basis = 'effective'", {"I5"}),
    ("DELETE FROM ledger_turnover WHERE basis = 'posted'", {"I5"}),
    (
        "UPDATE ledger_transaction SET source_kind = 'release' WHERE source_kind = 'accept'",
        {"I4", "I9"},
    ),
    (
        "UPDATE ledger_transaction SET reverses_id = (SELECT id FROM ledger_transaction"
        " WHERE source_kind = 'transfer') WHERE source_kind = 'hold'",
        {"I2"},
    ),
    (
        "UPDATE ledger_transaction SET effective_on = '2026-04-30', happened_on = '2026-04-30',"
        " posted_at = posted_at + interval '1 hour'"
        " WHERE source_kind = 'transfer'",
        {"I5", "I12"},
    ),
    ("UPDATE ledger_period SET state = 'closed', closed_at = now()", {"I12"}),
    ("UPDATE ledger_period_mark SET second_person_id = NULL WHERE step = 'reopened'", {"I15"}),
    (
        "UPDATE ledger_transaction SET facts = facts || jsonb_build_object('approved_by',"
        " facts ->> 'proposed_by') WHERE source_kind = 'adjustment'",
        {"I4", "I15"},
    ),
]


def a_sound_book(session: Session) -> None:
    """A book with every kind of account that damage is tried on; April is closed."""
    who = make.a_specialist()
    job = make.funded_job(session, usd(20_00), lab_id=make.topped_up(session, usd(30_00)))
    make.accepted(session, job, who, usd(8_00), usd(2_00))
    line = make.payout_line(session, who, usd(5_00))
    make.sent(session, who, line, usd(5_00))
    make.cleared_pay(session, who, usd(6_00))
    people = PersonId(new_id()), PersonId(new_id())
    service.hold_pay(
        session,
        specialist_id=who,
        amount=usd(6_00),
        hold_id=new_id(),
        reason=HoldReason.REVIEW,
        owner_person_id=people[0],
    )
    service.adjust(
        session,
        adjustment_id="adj-1",
        legs=[
            Leg(account_named("E:writeoff:USD"), usd(1)),
            Leg(account_named("A:stripe:balance:USD"), usd(-1)),
        ],
        reason="cent",
        evidence_sha256=A_HASH,
        proposed_by=people[0],
        approved_by=people[1],
        effective_on=make.A_DAY,
    )
    month = date(2026, 4, 1)
    service.close_period(session, SYSTEM, month)
    again = {"asked_by": people[0], "approved_by": people[1], "reason": "x"}
    service.reopen_period(session, SYSTEM, month, **again)  # type: ignore[arg-type]
    service.close_period(session, SYSTEM, month)
    service.number_transactions(session)


def test_damage_that_passed_the_guards_is_told_by_number(
    committed: Engine, owner_engine: Engine
) -> None:
    """The guards look away, as under a careless repair, and self-check still sees it."""
    tables = ("account", "transaction", "entry", "turnover", "period", "period_mark")
    with owner_engine.connect() as connection, Session(connection) as session:
        a_sound_book(session)
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        assert all(not found for found in queries.broken_by_number(session).values())
        for table in tables:
            session.execute(text(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER"))
        for table, check in (
            ("period_mark", "reopened_by_two"),
            ("transaction", "two_people"),
            ("account", "no_overdraft"),
        ):
            name = f"ck_ledger_{table}_{check}"
            session.execute(text(f"ALTER TABLE ledger_{table} DROP CONSTRAINT {name}"))
        for damage, numbers in DAMAGES:
            with session.begin_nested() as savepoint:
                session.execute(text(damage))
                told = {name for name, found in queries.broken_by_number(session).items() if found}
                assert numbers == told, damage
                savepoint.rollback()
        session.rollback()
