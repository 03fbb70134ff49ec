"""Tax on what we sell to labs: dated rates, which of them applies, and how a tax id is written.

Rates are data with the day from which they hold. Those below came with the product; rows that the
accountant adds later stand beside them, and the latest one that has begun counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from marketplace.errors import Fault, Faulty


class Treatment(StrEnum):
    """How a line is taxed; `NOTES` has what the invoice must say."""

    STANDARD = "standard"
    REVERSE_CHARGE = "reverse_charge"
    OUTSIDE = "outside"
    PASSED_ON = "passed_on"
    UNREGISTERED = "unregistered"
    PREPAYMENT = "prepayment"


NOTES: Mapping[Treatment, str] = {
    Treatment.STANDARD: "",
    Treatment.REVERSE_CHARGE: "Reverse charge: the customer accounts for the tax "
    "(Articles 44 and 196 of Directive 2006/112/EC).",
    Treatment.OUTSIDE: "Outside the scope of value added tax at the seller.",
    Treatment.PASSED_ON: "Rewards are passed on to specialists in the name and for the account of "
    "the customer; they are not part of the taxable amount.",
    Treatment.UNREGISTERED: "The seller is not registered for value added tax.",
    Treatment.PREPAYMENT: "A request for prepayment is not a tax invoice: tax is stated on the "
    "invoice of the month in which the balance is used.",
}
LABELS: Mapping[Treatment, str] = {
    Treatment.STANDARD: "Taxed",
    Treatment.REVERSE_CHARGE: "Reverse charge",
    Treatment.OUTSIDE: "Outside the scope",
    Treatment.PASSED_ON: "Rewards passed on",
    Treatment.UNREGISTERED: "Seller not registered",
    Treatment.PREPAYMENT: "Prepayment",
}
_EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU = frozenset(_EU.split())


@dataclass(frozen=True, slots=True)
class Rate:
    """The standard rate of a country (ISO 3166 code) from a day on, in basis points."""

    country: str
    basis_points: int
    valid_from: date


def _rates(day: str, rates: str) -> list[Rate]:
    pairs = (each.split("=") for each in rates.split())
    return [Rate(country, int(points), date.fromisoformat(day)) for country, points in pairs]


RATES: tuple[Rate, ...] = (
    *_rates(
        "2021-01-01",
        "AT=2000 BE=2100 BG=2000 CY=1900 CZ=2100 DE=1900 DK=2500 EE=2000 ES=2100 FI=2400 FR=2000 "
        "GB=2000 GR=2400 HR=2500 HU=2700 IE=2300 IT=2200 LT=2100 LU=1700 LV=2100 MT=1800 NL=2100 "
        "NO=2500 PL=2300 PT=2300 RO=1900 SE=2500 SI=2200 SK=2000 CH=770",
    ),
    *_rates("2023-01-01", "LU=1600"),
    *_rates("2024-01-01", "CH=810 EE=2200 LU=1700"),
    *_rates("2024-09-01", "FI=2550"),
    *_rates("2025-01-01", "SK=2300"),
    *_rates("2025-07-01", "EE=2400"),
    *_rates("2025-08-01", "RO=2100"),
)
_DIGITS = {
    "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}", "DE": r"\d{9}", "DK": r"\d{8}", "EE": r"\d{9}",
    "ES": r"[0-9A-Z]\d{7}[0-9A-Z]", "FI": r"\d{8}", "FR": r"[0-9A-HJ-NP-Z]{2}\d{9}",
    "GR": r"\d{9}", "HR": r"\d{11}", "HU": r"\d{8}", "IE": r"\d[0-9A-Z]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}", "LT": r"(\d{9}|\d{12})", "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}", "PL": r"\d{10}", "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}",
    "SI": r"\d{8}", "SK": r"\d{10}", "GB": r"(\d{9}|\d{12})", "NO": r"\d{9}(MVA)?",
    "CH": r"E\d{9}(MWST|TVA|IVA)?", "US": r"\d{9}",
}  # fmt: skip
# Greece writes its numbers with EL; the United States write theirs without a prefix.
_PREFIX = {"GR": "EL", "US": ""}
_OTHER = re.compile(r"[0-9A-Z]{4,20}")


def tax_id(country: str, text: str) -> str:
    """A tax id as it is printed, without spaces and signs; empty stays empty.

    Raises Faulty when it is not written as the country writes its ids. Whether the number is
    registered only the country's own service can tell.
    """
    compact = re.sub(r"[\s.\-/]", "", text.upper())
    if not compact:
        return ""
    prefix, digits = _PREFIX.get(country, country), _DIGITS.get(country)
    if digits is None:
        right = bool(_OTHER.fullmatch(compact))
    else:
        compact = compact if compact.startswith(prefix) else prefix + compact
        right = bool(re.fullmatch(prefix + digits, compact))
    if not right:
        advice = f"Write it as {country} does, with its prefix, or leave it empty."
        raise Faulty("The tax id is not written as its country writes them.",
                     [Fault("/tax_id", advice)])  # fmt: skip
    return compact


def rate_on(day: date, country: str, rates: Iterable[Rate]) -> Rate | None:
    """The rate of a country that holds on a day; of two from one day the later listed counts."""
    begun = [rate for rate in rates if rate.country == country and rate.valid_from <= day]
    return max(reversed(begun), key=lambda rate: rate.valid_from, default=None)


def treatment(*, seller: str, buyer: str, buyer_tax_id: str) -> tuple[Treatment, str]:
    """How our fee is taxed, and the country whose rate it takes (empty for none).

    seller, buyer: ISO 3166 codes; an empty seller is not registered. Within the EU a business
    with a tax id accounts for the tax itself, another buyer pays its own country's rate.
    """
    if not seller:
        return Treatment.UNREGISTERED, ""
    if buyer == seller:
        return Treatment.STANDARD, seller
    if seller in EU and buyer in EU:
        return (Treatment.REVERSE_CHARGE, "") if buyer_tax_id else (Treatment.STANDARD, buyer)
    return Treatment.OUTSIDE, ""
