"""What the database refuses, whoever asks: plain SQL as the unprivileged role, and as the owner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from marketplace import db
from marketplace.actor import SYSTEM
from marketplace.ids import OrganisationId, new_id
from marketplace.ledger import queries, service
from tests.make import ledger as make
from tests.make.ledger import usd

HEADER = text(
    """INSERT INTO ledger_transaction (id, source_kind, source_id, content_hash, leg_count, facts,
         happened_on, effective_on, posted_at, number, chain_hash, reverses_id)
       VALUES (:id, :kind, :source, sha256(''), :legs, '{}', :day, :day, now(), :number,
         :hash, :reverses)"""
)
LEG = text("INSERT INTO ledger_entry VALUES (:id, :leg, :account, :amount, :currency)")


@pytest.fixture
def lab(committed: Engine) -> OrganisationId:
    """A lab with 10.00 USD, really committed."""
    with db.transaction() as session:
        return make.topped_up(session, usd(10_00), balance_transaction_id="txn_first")


@pytest.fixture
def engines(committed: Engine, owner_engine: Engine) -> dict[str, Engine]:
    """The database as the application sees it, and as its owner does."""
    return {"app": committed, "owner": owner_engine}


def accounts(connection: Connection) -> dict[str, UUID]:
    """The ids of the accounts by the second and third part of their codes."""
    rows = connection.execute(text("SELECT code, id FROM ledger_account"))
    return {code.split(":")[1]: found for code, found in rows}


def header(connection: Connection, **changes: Any) -> UUID:
    """Insert a header by plain SQL."""
    values: dict[str, Any] = {
        "id": new_id(),
        "kind": "release",
        "source": new_id().hex,
        "legs": 2,
        "day": date(2026, 5, 3),
        "number": None,
        "hash": None,
        "reverses": None,
    }
    connection.execute(HEADER, values | changes)
    found: UUID = (values | changes)["id"]
    return found


def legs(connection: Connection, header_id: UUID, *rows: tuple[str, int, str]) -> None:
    """Insert legs by plain SQL, as one statement."""
    known = accounts(connection)
    connection.execute(
        LEG,
        [
            {"id": header_id, "leg": leg, "account": known[name], "amount": amount, "currency": ccy}
            for leg, (name, amount, ccy) in enumerate(rows, start=1)
        ],
    )


def one_leg(connection: Connection) -> None:
    legs(connection, header(connection), ("lab", 5, "USD"))


def one_leg_admitted(connection: Connection) -> None:
    header(connection, legs=1)


def header_only(connection: Connection) -> None:
    header(connection)


def unbalanced(connection: Connection) -> None:
    legs(connection, header(connection), ("stripe", 5, "USD"), ("lab", -6, "USD"))


def overdraft(connection: Connection) -> None:
    legs(connection, header(connection), ("lab", 10_01, "USD"), ("stripe", -10_01, "USD"))


def wrong_currency(connection: Connection) -> None:
    legs(connection, header(connection), ("stripe", 5, "EUR"), ("lab", -5, "EUR"))


def unknown_account(connection: Connection) -> None:
    row = {"id": header(connection), "leg": 1, "account": new_id(), "amount": 5, "currency": "USD"}
    connection.execute(LEG, row)


def empty_leg(connection: Connection) -> None:
    legs(connection, header(connection), ("stripe", 0, "USD"), ("lab", 0, "USD"))


def more_legs_later(connection: Connection) -> None:
    first = connection.scalar(text("SELECT id FROM ledger_transaction"))
    rows = [
        {"id": first, "leg": leg, "account": account, "amount": amount, "currency": "USD"}
        for leg, account, amount in (
            (3, accounts(connection)["stripe"], 5),
            (4, accounts(connection)["lab"], -5),
        )
    ]
    connection.execute(LEG, rows)


def same_source(connection: Connection) -> None:
    header(connection, kind="top_up", source="txn_first")


def closed_month(connection: Connection) -> None:
    made = header(connection, day=date(2026, 4, 30))
    legs(connection, made, ("stripe", 5, "USD"), ("lab", -5, "USD"))


def numbered_at_birth(connection: Connection) -> None:
    header(connection, number=7, hash=b"x")


def crooked_reversal(connection: Connection) -> None:
    first = connection.scalar(text("SELECT id FROM ledger_transaction"))
    made = header(connection, reverses=first)
    legs(connection, made, ("lab", 5_00, "USD"), ("stripe", -5_00, "USD"))


def second_reversal(connection: Connection) -> None:
    first = connection.scalar(text("SELECT id FROM ledger_transaction"))
    made = header(connection, reverses=first)
    legs(connection, made, ("lab", 10_00, "USD"), ("stripe", -10_00, "USD"))
    header(connection, reverses=first)


OPEN_ACCOUNT = text(
    """INSERT INTO ledger_account (id, code, kind, currency, side, floor, balance)
    VALUES (:id, :code, 'liability', 'USD', -1, :floor, :balance)"""
)


def account_without_floor(connection: Connection) -> None:
    code = f"L:lab:{new_id()}:available:USD"
    row = {"id": new_id(), "code": code, "floor": False, "balance": None}
    connection.execute(OPEN_ACCOUNT, row)


CHEATS: list[tuple[Callable[[Connection], None], str]] = [
    (one_leg, "has not the legs that it states"),
    (one_leg_admitted, "two_legs"),
    (header_only, "has not the legs that it states"),
    (unbalanced, "does not sum to zero"),
    (overdraft, "no_overdraft"),
    (wrong_currency, "no account of its currency"),
    (unknown_account, "no account of its currency"),
    (empty_leg, "ck_ledger_entry_amount"),
    (more_legs_later, "takes no further legs"),
    (same_source, "uq_ledger_transaction_source_kind"),
    (closed_month, "2026-04 is closed"),
    (numbered_at_birth, "numbered after it was committed"),
    (crooked_reversal, "not the mirror"),
    (second_reversal, "uq_ledger_transaction_reverses_id"),
    (account_without_floor, "owned_has_floor"),
]


@pytest.mark.parametrize(("cheat", "said"), CHEATS, ids=lambda one: getattr(one, "__name__", None))
@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_cheat_is_refused_by_the_database(
    lab: OrganisationId,
    engines: dict[str, Engine],
    cheat: Callable[[Connection], None],
    said: str,
    role: str,
) -> None:
    with db.transaction() as session:
        service.close_period(session, SYSTEM, date(2026, 4, 1))

    with pytest.raises(IntegrityError, match=said), engines[role].begin() as connection:
        cheat(connection)

    with db.transaction() as session:
        assert usd(10_00) == queries.lab_balance(session, lab, "USD").available
        assert [] == queries.broken_invariants(session)


ALTERATIONS = [
    "UPDATE ledger_entry SET amount = amount + 1",
    "DELETE FROM ledger_entry",
    "UPDATE ledger_transaction SET source_id = 'other'",
    "UPDATE ledger_transaction SET effective_on = '2026-06-01'",
    "DELETE FROM ledger_transaction",
    "UPDATE ledger_account SET code = 'A' || ':other:USD' WHERE code LIKE 'L%'",
    "DELETE FROM ledger_account",
]
FORBIDDEN = [
    *ALTERATIONS,
    "UPDATE ledger_account SET balance = balance + 1",
    "TRUNCATE ledger_entry",
    "INSERT INTO ledger_turnover VALUES (gen_random_uuid(), '2026-05-03', 1, 1)",
    "UPDATE ledger_turnover SET amount = 0",
    "DELETE FROM ledger_period",
    "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_application_may_not_alter_what_is_posted(
    lab: OrganisationId, committed: Engine, statement: str
) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        committed.begin() as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.parametrize("statement", ALTERATIONS)
def test_even_the_owner_alters_nothing(
    lab: OrganisationId, owner_engine: Engine, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"), owner_engine.begin() as connection:
        connection.execute(text(statement))


def test_a_number_is_given_once(lab: OrganisationId, committed: Engine) -> None:
    with db.transaction() as session:
        assert 1 == service.number_transactions(session)

    with pytest.raises(DBAPIError, match="append-only"), committed.begin() as connection:
        connection.execute(text("UPDATE ledger_transaction SET number = 9"))


def test_an_account_is_born_empty(lab: OrganisationId, committed: Engine) -> None:
    code = f"L:lab:{new_id()}:available:USD"
    with committed.begin() as connection:
        row = {"id": new_id(), "code": code, "floor": True, "balance": 1_000_000}
        connection.execute(OPEN_ACCOUNT, row)

    with db.transaction() as session:
        assert usd(0) == queries.balance(session, code)
