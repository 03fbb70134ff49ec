"""Balances and balance transactions: what is available, what is pending, and why.

Every movement of money is one balance transaction with amount, fee and net. A balance's row is
locked while money moves, so that two transfers can never spend the same cent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from psycopg import sql
from psycopg.types.json import Jsonb

from marketplace.sandbox.errors import no_such
from marketplace.sandbox.listing import Query, balance_transaction, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Row, Tx, public

CATEGORY = {
    "payment_unreconciled": "unreconciled_customer_funds",
    "payment_failure_refund": "charge_failure",
    "reserve_transaction": "connect_reserved_funds",
    "reserve_hold": "risk_reserved_funds",
    "reserve_release": "risk_reserved_funds",
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "tax",
    "adjustment": "other_adjustment",
    "payment": "charge",
    "payment_refund": "refund",
    "payment_reversal": "refund",
    "transfer_refund": "transfer_reversal",
    "payout_failure": "payout_reversal",
    "payout_cancel": "payout_reversal",
}


@dataclass(frozen=True)
class Movement:
    """One movement of money. amount and fee in minor units; amount is negative when it leaves.

    rate: by which the amount was converted into the currency, when it was; category: where it
    is another one than the kind's own.
    """

    kind: str
    amount: int
    currency: str
    source: str | None
    available_on: int
    description: str | None = None
    fee: int = 0
    fee_details: list[Body] = field(default_factory=list)
    rate: Decimal | None = None
    category: str | None = None


def lock_available(tx: Tx, currency: str) -> int:
    """Lock this account's balance until the transaction ends; what is available, in minor units."""
    tx.run(
        sql.SQL(
            "INSERT INTO sandbox_balances (account, currency) VALUES (%s, %s)"
            " ON CONFLICT DO NOTHING"
        ),
        (tx.account, currency),
    )
    tx.rows(
        sql.SQL("SELECT 1 FROM sandbox_balances WHERE account = %s AND currency = %s FOR UPDATE"),
        (tx.account, currency),
    )
    settled = tx.rows(
        sql.SQL(
            "WITH due AS (UPDATE sandbox_balance_transactions SET settled = true"
            " WHERE account = %s AND currency = %s AND NOT settled AND available_on <= %s"
            " RETURNING net)"
            " UPDATE sandbox_balances SET available = available"
            " + (SELECT coalesce(sum(net), 0) FROM due)"
            " WHERE account = %s AND currency = %s RETURNING available"
        ),
        (tx.account, currency, tx.now, tx.account, currency),
    )
    return int(settled[0]["available"])


def move(tx: Tx, movement: Movement) -> str:
    """Write a balance transaction of this account; its id. The caller has checked the balance."""
    body: Body = {
        "id": tx.new_id("txn_"),
        "object": "balance_transaction",
        "amount": movement.amount,
        "available_on": movement.available_on,
        "balance_type": "payments",
        "created": tx.now,
        "currency": movement.currency,
        "description": movement.description,
        "exchange_rate": None if movement.rate is None else float(movement.rate),
        "fee": movement.fee,
        "fee_details": movement.fee_details,
        "net": movement.amount - movement.fee,
        "reporting_category": movement.category or CATEGORY.get(movement.kind, movement.kind),
        "source": movement.source,
        "type": movement.kind,
    }
    tx.run(
        sql.SQL(
            "INSERT INTO sandbox_balance_transactions (id, account, serial, created, available_on,"
            " currency, net, type, source, body)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        ),
        (
            body["id"],
            tx.account,
            tx.serial(),
            tx.now,
            movement.available_on,
            movement.currency,
            body["net"],
            movement.kind,
            movement.source,
            Jsonb(body),
        ),
    )
    available = lock_available(tx, movement.currency)
    if tx.account:
        _reserve_for(tx, movement.currency, available)
    return str(body["id"])


def fee_detail(amount: int, currency: str, description: str = "Stripe processing fees") -> Body:
    """One entry of a balance transaction's `fee_details`."""
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }


def _reserve_for(tx: Tx, currency: str, available: int) -> None:
    """Set money of the platform aside for what the acting account owes, or let it go again."""
    rows = tx.rows(
        sql.SQL("SELECT amount FROM sandbox_reserved WHERE account = %s AND currency = %s"),
        (tx.account, currency),
    )
    before = int(rows[0]["amount"]) if rows else 0
    if available >= 0 and before == 0:
        return
    held = {row["currency"]: row["available"] + row["pending"] for row in amounts(tx)}
    needed = max(0, -held.get(currency, 0))
    if needed == before:
        return
    tx.run(
        sql.SQL(
            "INSERT INTO sandbox_reserved VALUES (%s, %s, %s)"
            " ON CONFLICT (account, currency) DO UPDATE SET amount = excluded.amount"
        ),
        (tx.account, currency, needed),
    )
    platform = tx.acting_for("")
    move(
        platform,
        Movement(
            "reserve_transaction",
            before - needed,
            currency,
            platform.new_id("rsv_"),
            tx.now,
            f"Connect reserve for {tx.account}",
        ),
    )


def reserved(tx: Tx) -> dict[str, int]:
    """What of the platform's money is set aside for accounts below zero, by currency."""
    rows = tx.rows(
        sql.SQL(
            "SELECT currency, sum(amount)::bigint AS amount FROM sandbox_reserved GROUP BY currency"
        )
    )
    return {row["currency"]: int(row["amount"]) for row in rows}


def amounts(tx: Tx) -> list[Row]:
    """This account's money: rows of currency, available and pending, without changing anything."""
    return tx.rows(
        sql.SQL(
            "SELECT b.currency,"
            " b.available + coalesce(sum(t.net) FILTER (WHERE t.available_on <= %s), 0)::bigint"
            "   AS available,"
            " coalesce(sum(t.net) FILTER (WHERE t.available_on > %s), 0)::bigint AS pending"
            " FROM sandbox_balances b LEFT JOIN sandbox_balance_transactions t"
            "   ON t.account = b.account AND t.currency = b.currency AND NOT t.settled"
            " WHERE b.account = %s GROUP BY b.currency, b.available ORDER BY b.currency"
        ),
        (tx.now, tx.now, tx.account),
    )


def retrieve(tx: Tx, params: Params) -> Body:
    """GET /v1/balance"""
    params.done()
    rows = amounts(tx) or [{"currency": "usd", "available": 0, "pending": 0}]

    def listed(column: str) -> list[Body]:
        return [
            {
                "amount": row[column],
                "currency": row["currency"],
                "source_types": {"card": row[column]},
            }
            for row in rows
        ]

    body: Body = {
        "object": "balance",
        "available": listed("available"),
        "pending": listed("pending"),
        "livemode": False,
    }
    if tx.account == "":
        aside = reserved(tx)
        body["connect_reserved"] = [
            {"amount": aside.get(row["currency"], 0), "currency": row["currency"]} for row in rows
        ]
    return body


def find_transaction(tx: Tx, params: Params, transaction_id: str) -> Body:
    """GET /v1/balance_transactions/{id}"""
    params.done()
    rows = tx.rows(
        sql.SQL("SELECT * FROM sandbox_balance_transactions WHERE id = %s AND account = %s"),
        (transaction_id, tx.account),
    )
    if not rows:
        raise no_such("balance transaction", transaction_id)
    return balance_transaction(rows[0], tx.now)


def list_transactions(tx: Tx, params: Params) -> Body:
    """GET /v1/balance_transactions, by payout, source, type, currency and created."""
    now = tx.now
    query = Query(
        noun="balance transaction",
        url="/v1/balance_transactions",
        table="sandbox_balance_transactions",
        render=lambda row: balance_transaction(row, now),
    )
    for name in ("payout", "source", "type", "currency"):
        value = params.text(name)
        if value is not None:
            query.where(sql.SQL("{} = %s").format(sql.Identifier(name)), value)
    query.within(params)
    return page(tx, query, params)


def claim_for_payout(tx: Tx, currency: str, payout_id: str) -> None:
    """Mark everything settled and not yet paid out as part of this automatic payout."""
    tx.run(
        sql.SQL(
            "UPDATE sandbox_balance_transactions SET payout = %s"
            " WHERE account = %s AND currency = %s AND settled AND payout IS NULL"
        ),
        (payout_id, tx.account, currency),
    )


def row_of(tx: Tx, transaction_id: str) -> Row:
    """A balance transaction's row."""
    return tx.rows(
        sql.SQL("SELECT * FROM sandbox_balance_transactions WHERE id = %s"), (transaction_id,)
    )[0]


def shown_transaction(tx: Tx, transaction_id: str) -> Body:
    """A balance transaction's body without its status, for those who need its numbers."""
    return public(row_of(tx, transaction_id)["body"])


ROUTES = (
    Route("GET", "/v1/balance", retrieve),
    Route("GET", "/v1/balance_transactions", list_transactions),
    Route("GET", "/v1/balance_transactions/<transaction_id>", find_transaction),
)
