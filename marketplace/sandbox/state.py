"""The sandbox's one row of state: the clock's offset, and how long charges take to settle."""

from __future__ import annotations

from psycopg import sql

from marketplace.sandbox.store import Tx


def settle_seconds(tx: Tx) -> int:
    """Virtual seconds from a charge's success to its balance transaction."""
    return int(tx.rows(sql.SQL("SELECT settle_seconds FROM sandbox_state"))[0]["settle_seconds"])


def set_settle_seconds(tx: Tx, seconds: int) -> None:
    """Change how long charges take to settle; 0 settles them in the call that confirms them."""
    tx.run(sql.SQL("UPDATE sandbox_state SET settle_seconds = %s"), (seconds,))


def move_clock(tx: Tx, seconds: int) -> None:
    """Move virtual time forward; it never goes back."""
    tx.run(
        sql.SQL("UPDATE sandbox_state SET clock_offset_seconds = clock_offset_seconds + %s"),
        (seconds,),
    )
