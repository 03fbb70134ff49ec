"""Exchange rates, and the currency in which money lands on a balance.

The platform's balance holds every currency, unless a control names the one that it settles in; a
connected account's balance holds its default currency only, as an account with one bank account
does. Rates stand still until a control changes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from psycopg import sql

from marketplace.sandbox import state
from marketplace.sandbox.currencies import exponent
from marketplace.sandbox.store import Tx

SETTLEMENT = "settlement_currency"
# What one unit costs in US dollars, where nobody said otherwise.
DOLLARS = {
    "aud": "0.66",
    "brl": "0.18",
    "cad": "0.73",
    "chf": "1.14",
    "dkk": "0.146",
    "eur": "1.09",
    "gbp": "1.28",
    "huf": "0.0027",
    "inr": "0.0119",
    "isk": "0.0072",
    "jpy": "0.0066",
    "kwd": "3.26",
    "mxn": "0.055",
    "nok": "0.093",
    "pln": "0.254",
    "sek": "0.095",
    "twd": "0.031",
    "ugx": "0.00027",
    "usd": "1",
}
PLACES = Decimal("0.000001")


@dataclass(frozen=True)
class Converted:
    """An amount in minor units of its currency; rate: None when nothing was converted."""

    amount: int
    currency: str
    rate: Decimal | None = None


def held_in(tx: Tx, currency: str) -> str:
    """The currency in which money of a currency lands on the acting account's balance."""
    if tx.account:
        account = tx.acting_for("").find("account", tx.account)
        return str(account["default_currency"]) if account else currency
    return state.option(tx, SETTLEMENT) or currency


def landing(tx: Tx, amount: int, currency: str) -> Converted:
    """The amount as it lands on the acting account's balance."""
    return into(tx, amount, currency, held_in(tx, currency))


def into(tx: Tx, amount: int, source: str, target: str) -> Converted:
    """The amount in another currency, rounded half to even; it may come to nothing."""
    if source == target:
        return Converted(amount, source)
    rate = rate_of(tx, source, target)
    exact = Decimal(amount) * rate * Decimal(10) ** (exponent(target) - exponent(source))
    return Converted(int(exact.to_integral_value(ROUND_HALF_EVEN)), target, rate)


def rate_of(tx: Tx, source: str, target: str) -> Decimal:
    """Units of `target` for one unit of `source`."""
    rows = tx.rows(
        sql.SQL("SELECT rate FROM sandbox_rates WHERE source = %s AND target = %s"),
        (source, target),
    )
    if rows:
        return Decimal(rows[0]["rate"])
    there, here = (Decimal(DOLLARS.get(one, "1")) for one in (source, target))
    return (there / here).quantize(PLACES)


def set_rate(tx: Tx, source: str, target: str, rate: Decimal) -> None:
    """From now on, one unit of `source` is worth `rate` units of `target`."""
    tx.run(
        sql.SQL(
            "INSERT INTO sandbox_rates VALUES (%s, %s, %s)"
            " ON CONFLICT (source, target) DO UPDATE SET rate = excluded.rate"
        ),
        (source, target, rate),
    )
