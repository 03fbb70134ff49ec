"""What kernel tests share: real commits in the kernel's own tables, and names bound for a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import pytest
from sqlalchemy import Engine, text

from marketplace import outbox

TABLES = "outbox, event, chain_head, audit, mail_message"
Bind = Callable[..., None]


@pytest.fixture
def kept(database: Engine, owner_engine: Engine) -> Iterator[Engine]:
    """Transactions really commit; the kernel's tables are empty before and after."""
    empty = text(f"TRUNCATE {TABLES}")
    with owner_engine.begin() as connection:
        connection.execute(empty)
    yield database
    with owner_engine.begin() as connection:
        connection.execute(empty)


@pytest.fixture
def bind() -> Iterator[Bind]:
    """Bind background functions that are forgotten after the test, and no others meanwhile."""
    names = cast(dict[str, outbox.Background], outbox.bound())
    former = dict(names)
    names.clear()

    def bound(
        name: str, call: Callable[..., None], *, seconds: int = 60, every: int | None = None
    ) -> None:
        outbox.background(name, time_limit_seconds=seconds, every_seconds=every)(call)

    yield bound
    names.clear()
    names.update(former)
