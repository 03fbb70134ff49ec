"""Currencies as Stripe's API counts them, which is not always as ISO 4217 does."""

from __future__ import annotations

from decimal import Decimal

from babel.numbers import format_currency

from marketplace.sandbox.errors import ApiError

_WHOLE = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THOUSANDTHS = "bhd jod kwd omr tnd"
_HUNDREDTHS = (
    "aed aud brl cad chf cny czk dkk eur gbp hkd huf idr ils inr mxn myr nok nzd php pln ron "
    "sar sek sgd thb try twd usd zar"
)
WHOLE = frozenset(_WHOLE.split())
THOUSANDTHS = frozenset(_THOUSANDTHS.split())
# Counted in hundredths for old times' sake, though only whole units can be charged.
WHOLE_IN_HUNDREDTHS = frozenset({"isk", "ugx"})
HUNDREDTHS = frozenset(_HUNDREDTHS.split()) | WHOLE_IN_HUNDREDTHS
KNOWN = WHOLE | THOUSANDTHS | HUNDREDTHS
LARGEST = 99_999_999


def exponent(currency: str) -> int:
    """Decimal places of the smallest unit in the API."""
    if currency in WHOLE:
        return 0
    return 3 if currency in THOUSANDTHS else 2


def known(currency: str, *, param: str = "currency") -> str:
    """The currency in lower case, or the refusal that Stripe gives for an unknown one."""
    lowered = currency.lower()
    if lowered not in KNOWN:
        raise ApiError(
            f"Invalid currency: {currency}. This sandbox knows: {', '.join(sorted(KNOWN))}",
            param=param,
        )
    return lowered


def chargeable(amount: int, currency: str, *, param: str = "amount") -> int:
    """The amount, when a card can be charged it: bounds, and units that the currency has."""
    if amount < 50:
        raise ApiError(
            "The amount must be greater than or equal to the minimum charge amount (50).",
            code="amount_too_small",
            param=param,
        )
    if amount > LARGEST:
        raise ApiError(
            f"The amount must be no more than {LARGEST}.", code="amount_too_large", param=param
        )
    return in_steps(amount, currency, param=param)


def in_steps(amount: int, currency: str, *, param: str = "amount") -> int:
    """The amount, refused unless it has the units that its currency is moved in."""
    step = 100 if currency in WHOLE_IN_HUNDREDTHS else 10 if currency in THOUSANDTHS else 1
    if amount % step:
        raise ApiError(
            f"Amounts in {currency} must be divisible by {step}.",
            code="parameter_invalid_integer",
            param=param,
        )
    return amount


def words(amount: int, currency: str) -> str:
    """The amount as people read it, such as `$1,250.00`."""
    value = Decimal(amount).scaleb(-exponent(currency))
    return format_currency(value, currency.upper(), locale="en_US")
