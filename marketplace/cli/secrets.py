"""`marketplace secrets rotate`: bring every encrypted value under the newest key."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from typing import Any

import click
from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Column, LargeBinary, Table, select, tuple_, type_coerce, update
from sqlalchemy.orm import Session

import marketplace
from marketplace import db
from marketplace import secrets as kept
from marketplace.cli.frame import Workspace
from marketplace.cli.product import started

BATCH = 500


@click.group()
def secrets() -> None:
    """Keys of encrypted columns."""


@secrets.command()
@click.pass_obj
def rotate(workspace: Workspace) -> None:
    """Re-encrypt everything under the first of ENCRYPTION_KEYS; then the others may go.

    Works in small transactions; stopped half-way, it goes on where values are still under an
    older key when it is run again.
    """
    with started(workspace) as settings:
        for name, count in rotate_all(settings.encryption_keys[0]):
            click.echo(f"{name}: {count} re-encrypted")
    click.echo("Every value is under the newest key.")


def rotate_all(newest_key: str, *, batch: int = BATCH) -> Iterator[tuple[str, int]]:
    """Re-encrypt each encrypted column of each table: its name, and how many values changed."""
    newest = Fernet(newest_key)
    for column in encrypted_columns():
        yield f"{column.table.name}.{column.name}", _rotate_column(column, newest, batch)


def encrypted_columns() -> list[Column[Any]]:
    """All encrypted columns of all slices, in the order of their tables."""
    for found in pkgutil.iter_modules(marketplace.__path__):
        if found.ispkg and importlib.util.find_spec(f"marketplace.{found.name}.models"):
            importlib.import_module(f"marketplace.{found.name}.models")
    importlib.import_module("marketplace.mail")
    return [
        column
        for table in db.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, kept.EncryptedText)
    ]


def _rotate_column(column: Column[Any], newest: Fernet, batch: int) -> int:
    changed, after = 0, None
    while True:
        with db.transaction() as session:
            rows = _rows(session, column, after, batch)
            for *key, sealed in rows:
                changed += _rotate_row(session, column, key, bytes(sealed), newest)
        if len(rows) < batch:
            return changed
        after = tuple(rows[-1][:-1])


def _key_columns(column: Column[Any]) -> Sequence[Column[Any]]:
    table = column.table
    assert isinstance(table, Table)  # noqa: S101 - models map tables only.
    return list(table.primary_key.columns)


def _rows(
    session: Session, column: Column[Any], after: tuple[Any, ...] | None, batch: int
) -> Sequence[Any]:
    """Keys and sealed bytes of the next rows by primary key."""
    keys = _key_columns(column)
    sealed = type_coerce(column, LargeBinary)
    wanted = select(*keys, sealed).where(column.is_not(None)).order_by(*keys).limit(batch)
    if after is not None:
        wanted = wanted.where(tuple_(*keys) > after)
    return session.execute(wanted).all()


def _rotate_row(
    session: Session, column: Column[Any], key: list[Any], sealed: bytes, newest: Fernet
) -> bool:
    """Whether the value was under an older key; a value that changed meanwhile is left alone."""
    try:
        newest.decrypt(sealed)
        return False
    except InvalidToken:
        fresh = kept.rotate(sealed)
    raw = type_coerce(column, LargeBinary)
    row = [one == value for one, value in zip(_key_columns(column), key, strict=True)]
    changed = (
        update(column.table)
        .where(*row, raw == sealed)
        .values({column: type_coerce(fresh, LargeBinary)})
    )
    session.execute(changed)
    return True
