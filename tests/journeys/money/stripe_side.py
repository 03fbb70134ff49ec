"""What the emulated Stripe of a story holds, kept and restored; and what is still on its way."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import text

from marketplace.db import transaction
from marketplace.ids import PersonId
from tests.make import payouts as make
from tests.make.billing import Stripe

KEPT_TABLES = (
    "sandbox_state",
    "sandbox_objects",
    "sandbox_balances",
    "sandbox_balance_transactions",
    "sandbox_idempotency",
    "sandbox_events",
    "sandbox_timers",
    "sandbox_options",
    "sandbox_reserved",
    "sandbox_bank_lines",
)


def keep_sandbox(stripe: Stripe) -> None:
    """Remember what the sandbox holds now."""
    for table in KEPT_TABLES:
        ask(stripe, f"DROP TABLE IF EXISTS kept_{table}")
        ask(stripe, f"CREATE TABLE kept_{table} AS TABLE {table}")


def restore_sandbox(stripe: Stripe) -> None:
    """Make the sandbox what it was; its worker may be at something, which is then undone, too."""
    stripe.controls.clear_faults()
    tables = ", ".join((*KEPT_TABLES, "sandbox_deliveries", "sandbox_faults"))
    fill = "INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM kept_{0};"
    refilled = "".join(fill.format(table) for table in KEPT_TABLES)
    ask(stripe, f"TRUNCATE {tables}; {refilled}")


def ask(stripe: Stripe, query: str, *values: object) -> list[Any]:
    """The rows of a query to the sandbox's own database."""
    with psycopg.connect(stripe.database_url.replace("+psycopg", "", 1)) as plain:
        answer = plain.execute(query.encode(), values or None)
        return answer.fetchall() if answer.description else []


class StripeSide:
    """What Stripe knows of a story's people and money. seen: the last event that was looked at."""

    stripe: Stripe
    people: list[PersonId]
    seen: int

    def accounts(self) -> list[str]:
        """The specialists' accounts at Stripe."""
        return [make.account_of(person) for person in self.people]

    def transfers(self) -> dict[str, list[tuple[str, int]]]:
        """The transfers that Stripe made, by the line that they name: id and amount."""
        found: dict[str, list[tuple[str, int]]] = {}
        query = "SELECT body FROM sandbox_objects WHERE kind = 'transfer' ORDER BY serial"
        for (body,) in self.ask_stripe(query):
            found.setdefault(body["metadata"]["line_id"], []).append((body["id"], body["amount"]))
        return found

    def payouts(self) -> dict[str, str]:
        """Every payout to a specialist's bank, with its status."""
        query = (
            "SELECT id, body->>'status' FROM sandbox_objects WHERE kind = 'payout'"
            " AND account <> ''"
        )
        return {row[0]: row[1] for row in self.ask_stripe(query)}

    def at_stripe(self) -> int:
        """The platform's balance: available, pending and set aside."""
        (row,) = self.ask_stripe(
            "SELECT coalesce(sum((body->>'net')::bigint), 0)::bigint"
            " FROM sandbox_balance_transactions WHERE account = ''"
        )
        return int(row[0])

    def ask_stripe(self, query: str, *values: object) -> list[Any]:
        return ask(self.stripe, query, *values)

    def held_by(self, account: str) -> tuple[int, int]:
        """What an account has at Stripe, and what is on its way from there to a bank."""
        (held,) = self.ask_stripe(
            "SELECT coalesce(sum((body->>'net')::bigint), 0)::bigint"
            " FROM sandbox_balance_transactions WHERE account = %s",
            account,
        )
        (leaving,) = self.ask_stripe(
            "SELECT coalesce(sum((body->>'amount')::bigint), 0)::bigint FROM sandbox_objects"
            " WHERE kind = 'payout' AND account = %s"
            " AND body->>'status' IN ('pending', 'in_transit')",
            account,
        )
        return int(held[0]), int(leaving[0])

    def events(self) -> list[dict[str, Any]]:
        """What Stripe has to tell since the last look, oldest first."""
        query = "SELECT serial, body FROM sandbox_events WHERE serial > %s ORDER BY serial"
        rows = self.ask_stripe(query, self.seen)
        if rows:
            self.seen = rows[-1][0]
        return [row[1] for row in rows]


_UNFINISHED = """
SELECT 'top-up ' || t.id || ' is ' || t.state FROM top_up t
  WHERE t.state IN ('requested', 'checkout_open', 'settling', 'clearing')
UNION ALL
SELECT 'reversal ' || v.id || ' is ' || v.state FROM payout_reversal v
  WHERE v.state IN ('asked', 'approved', 'sending', 'unknown')
UNION ALL
SELECT 'line ' || l.id || ' is ' || l.state FROM payout_line l JOIN payout_run r ON r.id = l.run_id
  WHERE r.state = 'releasing' AND l.ended_at IS NULL
"""


def unfinished() -> list[str]:
    """What is still on its way, in words."""
    with transaction() as session:
        return [str(told) for told in session.scalars(text(_UNFINISHED))]
