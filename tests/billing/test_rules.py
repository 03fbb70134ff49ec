"""References, tax and totals: pure."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.rules import invoices, references, tax
from marketplace.billing.rules.invoices import InvoiceKind, Line, LineKind
from marketplace.billing.rules.tax import Treatment
from marketplace.errors import Faulty
from marketplace.money import Money, total
from tests.make.ledger import usd


@given(st.integers(4, 13), st.integers(1, 9))
def test_one_wrong_digit_makes_no_reference(at: int, step: int) -> None:
    right = references.new_reference()
    wrong = right[:at] + str((int(right[at]) + step) % 10) + right[at + 1 :]

    assert [True, False] == [references.is_reference(each) for each in (right, wrong)]


@given(st.integers(2, 12))
def test_two_swapped_digits_make_no_reference(at: int) -> None:
    right = references.new_reference()
    wrong = right[:at] + right[at + 1] + right[at] + right[at + 2 :]

    assert (wrong == right) is references.is_reference(wrong)


def test_a_reference_is_found_whatever_stands_between_its_digits() -> None:
    reference = references.new_reference()
    text = f"INV 17/2026 ref. {references.spaced(reference).lower()}/EUR 1,000"

    assert (reference,) == references.references_in(text).valid
    assert references.Found((), ()) == references.references_in("thanks, RF12 and more")


def test_tax_ids_are_kept_as_their_country_writes_them() -> None:
    known = {"DE": "de 123.456.789", "GR": "EL123456789", "FR": "12345678901", "US": "12-3456789"}

    assert ["DE123456789", "EL123456789", "FR12345678901", "123456789"] == [
        tax.tax_id(country, text) for country, text in known.items()
    ]
    assert "" == tax.tax_id("DE", " ")
    for country, text in {"DE": "12345678", "AT": "ATU1234567", "BR": "?"}.items():
        with pytest.raises(Faulty):
            tax.tax_id(country, text)


def test_the_rate_that_has_begun_last_holds_and_added_rates_come_after() -> None:
    rates = [*tax.RATES, tax.Rate("EE", 2600, date(2027, 1, 1))]
    on = {day: tax.rate_on(day, "EE", rates) for day in (date(2025, 6, 30), date(2027, 1, 1))}

    assert [2200, 2600] == [rate.basis_points for rate in on.values() if rate]
    assert None is tax.rate_on(date(2026, 1, 1), "US", rates)


@pytest.mark.parametrize(
    ("seller", "buyer", "tax_id", "how"),
    [
        ("IE", "IE", "", (Treatment.STANDARD, "IE")),
        ("IE", "DE", "DE123456789", (Treatment.REVERSE_CHARGE, "")),
        ("IE", "DE", "", (Treatment.STANDARD, "DE")),
        ("IE", "US", "", (Treatment.OUTSIDE, "")),
        ("IE", "GB", "GB123456789", (Treatment.OUTSIDE, "")),
        ("", "IE", "", (Treatment.UNREGISTERED, "")),
    ],
)
def test_who_accounts_for_the_tax(
    seller: str, buyer: str, tax_id: str, how: tuple[Treatment, str]
) -> None:
    assert how == tax.treatment(seller=seller, buyer=buyer, buyer_tax_id=tax_id)


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20), st.integers(1, 3_000))
def test_the_lines_taxes_add_up_to_the_tax_of_their_sum(minors: list[int], rate: int) -> None:
    lines = [Line(LineKind.FEE, "fee", usd(minor), Treatment.STANDARD, rate) for minor in minors]

    taxed = invoices.taxed(lines)

    whole = total((line.gross for line in lines), "USD")
    assert invoices.tax_within(whole, rate) == total((line.tax for line in taxed), "USD")
    assert minors == [(line.net + line.tax).minor for line in taxed]


def test_tax_is_within_the_price() -> None:
    assert Money(2_300, "EUR") == invoices.tax_within(Money(12_300, "EUR"), 2_300)
    assert "MP-INV-2026-00007" == invoices.number_text("MP", InvoiceKind.CONSUMPTION, 2026, 7)
