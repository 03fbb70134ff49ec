"""The models and the migrated database say the same, and every background name leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from marketplace import db, outbox
from marketplace.worker import names

ROOT = Path(__file__).resolve().parents[2]


def test_models_equal_migrations(database: Engine, owner_engine: Engine) -> None:
    names.bind_all()
    with owner_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = [
            difference
            for difference in compare_metadata(context, db.metadata)
            if not (difference[0] == "remove_table" and difference[1].name == "alembic_version")
        ]

    assert [] == differences


def test_every_state_column_is_checked(database: Engine) -> None:
    with database.connect() as connection:
        unchecked = connection.execute(
            text(
                """
                SELECT c.table_name FROM information_schema.columns c
                WHERE c.table_schema = 'public' AND c.column_name = 'state'
                  AND NOT EXISTS (
                    SELECT FROM pg_constraint k
                    WHERE k.conrelid = quote_ident(c.table_name)::regclass AND k.contype = 'c'
                      AND pg_get_constraintdef(k.oid) LIKE '%state%')
                """
            )
        ).all()

    assert [] == unchecked


def test_the_application_owns_nothing(database: Engine) -> None:
    with database.connect() as connection:
        owned = connection.execute(
            text("SELECT relname FROM pg_class WHERE relowner = current_user::regrole")
        ).all()

    assert [] == owned


def test_every_outbox_name_is_bound_and_used() -> None:
    names.bind_all()
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "marketplace").rglob("*.py")]
    asked = {
        name
        for source in sources
        for name in re.findall(
            r'enqueue(?:_once)?\(\s*\w+,\s*(?:[^"]*?,\s*)?"([a-z_]+\.[a-z_]+)"', source
        )
    }
    mapped = {
        name
        for source in sources
        for name in re.findall(r'^[A-Z_]+ = "([a-z]+\.[a-z_]+)"', source, re.MULTILINE)
    }
    scheduled = {each.name for each in outbox.bound().values() if each.every_seconds is not None}

    assert set() == asked - set(outbox.bound())
    assert set() == set(outbox.bound()) - asked - scheduled - mapped
