"""What is booked at the bank, and on which account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from marketplace.sandbox.currencies import known
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Tx

OPERATING, CLIENT_FUNDS = "operating", "client_funds"
ACCOUNTS = {CLIENT_FUNDS: "Client funds", OPERATING: "Operating account"}
KINDS = ("wire", "transfer", "payout", "return", "fee")
_NUMBERS = {CLIENT_FUNDS: "0532013000", OPERATING: "0532014000"}


@dataclass(frozen=True)
class Line:
    """One movement. amount: minor units, negative when money leaves, after the bank's charges.

    kind: one of KINDS; charges: what a bank on the way kept of what was sent.
    """

    account: str
    currency: str
    amount: int
    reference: str
    counterparty: str
    kind: str = "wire"
    charges: int = 0


def account_number(account: str, currency: str) -> str:
    """The account's number: an IBAN with right check digits for euros, else digits."""
    digits = _NUMBERS[account]
    if currency != "eur":
        return f"{digits}{sum(currency.encode()) % 1000:03d}"
    bank = f"37040044{digits}"
    remainder = int(f"{bank}131400") % 97  # D is 13, E is 14, and two noughts for the digits.
    return f"DE{98 - remainder:02d}{bank}"


def book(tx: Tx, line: Line, *, source: str | None = None) -> int:
    """Book a line under today's virtual date; its number. source: what at Stripe it belongs to."""
    if line.account not in ACCOUNTS or line.kind not in KINDS:
        raise ApiError(f"The bank knows the accounts {', '.join(ACCOUNTS)}.", param="account")
    if line.amount == 0 or line.charges < 0:
        raise ApiError("A line has an amount, and charges that are not negative.", param="amount")
    today = datetime.fromtimestamp(tx.now, UTC).date()
    # One at a time: a later number must never stand on an earlier statement.
    tx.run(sql.SQL("SELECT pg_advisory_xact_lock(4203002)"))
    rows = tx.rows(
        sql.SQL(
            "INSERT INTO sandbox_bank_lines (account, currency, amount, booked_on, value_on, kind,"
            " reference, counterparty, charges, source)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING number"
        ),
        (
            line.account,
            known(line.currency),
            line.amount,
            today,
            today,
            line.kind,
            line.reference,
            line.counterparty,
            line.charges,
            source,
        ),
    )
    return int(rows[0]["number"])


def currencies_of(tx: Tx, account: str) -> list[str]:
    """The currencies in which an account has movements."""
    rows = tx.rows(
        sql.SQL(
            "SELECT DISTINCT currency FROM sandbox_bank_lines WHERE account = %s ORDER BY currency"
        ),
        (account,),
    )
    return [str(row["currency"]) for row in rows]
