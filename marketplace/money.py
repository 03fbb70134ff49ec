"""Money: whole minor units and a currency, never a float; division only by shares that add up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from marketplace.errors import Fault, Faulty

# ISO 4217 exponents. Stripe's own exceptions (ISK, UGX, HUF, TWD) live in its gateways only.
_WHOLE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_HUNDREDTHS = (
    "AED AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF IDR ILS INR MXN MYR NOK NZD PHP PLN RON "
    "SAR SEK SGD THB TRY TWD USD ZAR"
)
EXPONENT = {
    **dict.fromkeys(_WHOLE.split(), 0),
    **dict.fromkeys(_THOUSANDTHS.split(), 3),
    **dict.fromkeys(_HUNDREDTHS.split(), 2),
}
LARGEST_MINOR = 2**62  # Two of these still fit a BIGINT.
# Commas only between thousands: “12,50” would else become twelve hundred and fifty.
_AMOUNT = re.compile(r"-?([0-9]{1,15}|[0-9]{1,3}(,[0-9]{3}){1,4})(\.[0-9]{1,3})?")


class MixedCurrencies(TypeError):
    """Amounts of two currencies met in one sum: our fault, never the user's."""


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount. minor: whole minor units (cents, yen, fils); currency: ISO 4217 code."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"Money takes whole minor units, not {self.minor!r}.")
        if self.currency not in EXPONENT:
            raise ValueError(f"{self.currency!r} is not a currency that the ledger knows.")
        if abs(self.minor) > LARGEST_MINOR:
            raise OverflowError("This amount is larger than the ledger can hold.")

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency} do not add up.")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __mul__(self, count: int) -> Money:
        if type(count) is not int:
            raise TypeError("Money is multiplied by whole counts only; use share() or portion().")
        return Money(self.minor * count, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.decimal():f} {self.currency}"

    def decimal(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-EXPONENT[self.currency])

    def share(self, weights: Sequence[int]) -> list[Money]:
        """Parts in proportion to `weights` that add up exactly, by largest remainder.

        Ties go to the earlier part, so the same weights give the same parts every time.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("Shares need weights of zero or more with a positive sum.")
        sign = -1 if self.minor < 0 else 1
        whole = [divmod(abs(self.minor) * weight, total) for weight in weights]
        left = abs(self.minor) - sum(part for part, _ in whole)
        by_remainder = sorted(range(len(weights)), key=lambda at: (-whole[at][1], at))
        extra = set(by_remainder[:left])
        return [
            Money(sign * (part + (at in extra)), self.currency)
            for at, (part, _) in enumerate(whole)
        ]

    def portion(self, basis_points: int) -> Money:
        """`basis_points` ten-thousandths of this, rounded half up in whole minor units."""
        sign = -1 if self.minor < 0 else 1
        return Money(sign * ((abs(self.minor) * basis_points + 5_000) // 10_000), self.currency)


def zero(currency: str) -> Money:
    """Nothing, in a currency."""
    return Money(0, currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of `amounts`, all of one currency; zero of that currency for none."""
    result = zero(currency)
    for amount in amounts:
        result = result + amount
    return result


def parse_money(text: str, currency: str, *, pointer: str = "/amount") -> Money:
    """Money from what a person typed in major units, such as `1250.50`.

    Raises Faulty with the pointer for words, too many decimals or an unknown currency.
    """
    if currency not in EXPONENT:
        raise Faulty("The currency is not one we know.", [Fault("/currency", "Use USD, EUR, …")])
    cleaned = text.strip().replace("\u00a0", "")
    advice = f"Write an amount such as {Money(125_050, currency).decimal():f}."
    if not _AMOUNT.fullmatch(cleaned):
        raise Faulty("The amount is not a plain number.", [Fault(pointer, advice)])
    minor = Decimal(cleaned.replace(",", "")).scaleb(EXPONENT[currency])
    if minor != minor.to_integral_value():
        places = EXPONENT[currency]
        message = f"{currency} has {places} decimal places. {advice}"
        raise Faulty("The amount has too many decimals.", [Fault(pointer, message)])
    return Money(int(minor), currency)
