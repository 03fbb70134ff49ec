"""Money adds up exactly, whatever is done with it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.errors import Faulty
from marketplace.money import EXPONENT, LARGEST_MINOR, MixedCurrencies, Money, parse_money, total

CURRENCIES = st.sampled_from(sorted(EXPONENT))
MINOR = st.integers(-(10**17), 10**17)
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any)


@given(minor=MINOR, weights=WEIGHTS)
def test_shares_add_up_and_are_fair(minor: int, weights: list[int]) -> None:
    parts = Money(minor, "USD").share(weights)

    assert Money(minor, "USD") == total(parts, "USD")
    for part, weight in zip(parts, weights, strict=True):
        # No part is a whole cent away from its exact share.
        assert abs(part.minor * sum(weights) - minor * weight) < sum(weights)


@given(minor=MINOR, weights=WEIGHTS)
def test_the_negative_is_shared_like_the_positive(minor: int, weights: list[int]) -> None:
    amount = Money(minor, "EUR")

    assert [-part for part in amount.share(weights)] == (-amount).share(weights)


def test_the_odd_cent_goes_to_the_earlier_part() -> None:
    assert [34, 33, 33] == [part.minor for part in Money(100, "USD").share([1, 1, 1])]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [2, -1]])
def test_shares_need_a_weight(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        Money(100, "USD").share(weights)


@given(minor=MINOR, points=st.integers(0, 10_000))
def test_a_portion_is_never_half_a_unit_off(minor: int, points: int) -> None:
    portion = Money(minor, "JPY").portion(points)

    assert abs(portion.minor * 10_000 - minor * points) * 2 <= 10_000
    assert -portion == (-Money(minor, "JPY")).portion(points)


def test_half_a_cent_is_rounded_up() -> None:
    assert [1, 0, 2] == [Money(minor, "USD").portion(500).minor for minor in (10, 9, 30)]


@given(minor=st.integers(-(10**14), 10**14), currency=CURRENCIES)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    amount = Money(minor, currency)

    assert amount == parse_money(f"{amount.decimal():f}", currency)
    assert amount == parse_money(f"{amount.decimal():,f}", currency)


@given(text=st.text(max_size=20), currency=CURRENCIES)
def test_anything_typed_is_an_amount_or_a_fault_with_its_place(text: str, currency: str) -> None:
    amount: Money | None = None
    places = ["/pay"]
    try:
        amount = parse_money(text, currency, pointer="/pay")
    except Faulty as faulty:
        places = [fault.pointer for fault in faulty.faults]

    assert ["/pay"] == places
    if amount is not None:
        assert Decimal(text.strip().replace(",", "").replace("\u00a0", "")) == amount.decimal()


@pytest.mark.parametrize(
    "text",
    ["", "ten", "1e5", "NaN", "inf", "1_000", "12,50", "1,2,3", "1,00", ",5", "1.", "٣", "1.005",
     "--1", "+1", "1 000", "9" * 16],
)  # fmt: skip
def test_what_could_be_misread_is_refused(text: str) -> None:
    with pytest.raises(Faulty):
        parse_money(text, "USD")


def test_each_currency_has_its_own_decimals() -> None:
    assert [Money(500, "JPY"), Money(1_234, "KWD"), Money(1_230, "USD")] == [
        parse_money("500", "JPY"),
        parse_money("1.234", "KWD"),
        parse_money("12.30", "USD"),
    ]
    with pytest.raises(Faulty, match="decimals"):
        parse_money("500.5", "JPY")
    with pytest.raises(Faulty, match="currency"):
        parse_money("5", "XXX")


def test_a_typed_amount_with_thousands_and_a_non_breaking_space() -> None:
    assert Money(125_050, "USD") == parse_money(" 1,250.50\u00a0", "USD")


@pytest.mark.parametrize("minor", [1.0, "1", True, Decimal(1), None])
def test_only_whole_minor_units_are_money(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "USD")  # type: ignore[arg-type]


def test_money_knows_its_limits() -> None:
    assert LARGEST_MINOR == Money(LARGEST_MINOR, "USD").minor
    with pytest.raises(OverflowError):
        Money(LARGEST_MINOR, "USD") + Money(1, "USD")
    with pytest.raises(ValueError, match="currency"):
        Money(1, "usd")
    with pytest.raises(TypeError):
        Money(1, "USD") * 1.5  # type: ignore[operator]


def test_two_currencies_never_meet() -> None:
    one, other = Money(1, "USD"), Money(1, "EUR")
    with pytest.raises(MixedCurrencies):
        one + other
    with pytest.raises(MixedCurrencies):
        one - other
    with pytest.raises(MixedCurrencies):
        one < other  # noqa: B015
    with pytest.raises(MixedCurrencies):
        one >= other  # noqa: B015
    assert one != other


def test_amounts_are_ordered_and_shown() -> None:
    assert Money(1, "USD") < Money(2, "USD") <= Money(2, "USD")
    assert Money(3, "USD") > Money(2, "USD") >= Money(2, "USD")
    assert not Money(0, "USD")
    assert Money(-1, "USD")
    assert ["12.05 USD", "-7 JPY", "0.001 KWD"] == [
        str(Money(1205, "USD")),
        str(Money(-7, "JPY")),
        str(Money(1, "KWD")),
    ]
    assert Money(6, "USD") == 3 * Money(2, "USD")
