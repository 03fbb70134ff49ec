"""The sandbox's state: the clock's offset, how long charges take to settle, and options."""

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


def option(tx: Tx, name: str) -> str | None:
    """An option that a test control set, or None."""
    rows = tx.rows(sql.SQL("SELECT value FROM sandbox_options WHERE name = %s"), (name,))
    return str(rows[0]["value"]) if rows else None


def set_option(tx: Tx, name: str, value: str | None) -> None:
    """Set an option; None takes it away."""
    if value is None:
        tx.run(sql.SQL("DELETE FROM sandbox_options WHERE name = %s"), (name,))
        return
    tx.run(
        sql.SQL(
            "INSERT INTO sandbox_options VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ),
        (name, value),
    )
