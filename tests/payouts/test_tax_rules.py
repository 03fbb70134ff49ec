"""Tax law as data: thresholds by date, forms by kind, what a payment loses or waits for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import uuid4

import pytest

from marketplace.money import Money
from marketplace.payouts.queries.tax_table import _read
from marketplace.payouts.rules.paid import Move, Moved, Paid, paid_changes
from marketplace.payouts.rules.tax import (
    FormFacts,
    TaxForm,
    faults_in,
    kept_until,
    last_four,
    tin_valid,
    valid_until,
)
from marketplace.payouts.rules.thresholds import (
    Payee,
    TaxTable,
    TaxTableFaulty,
    Then,
    gate,
    parse,
    standings,
)
from tests.make.ledger import usd

TABLE: TaxTable = _read("")
DAY = date(2026, 6, 1)
NOBODY = Payee(
    country="US",
    verified=frozenset(),
    waiting=frozenset(),
    paid=(),
    paid_before=(),
    withheld_before=False,
    asked_on=date(2024, 1, 1),
)
IN_EUROPE = replace(TABLE, payers=(replace(TABLE.payers[0], country="IE"),))


def test_the_threshold_is_600_until_the_last_day_of_2025_and_2000_from_the_next() -> None:
    last, first = date(2025, 12, 31), date(2026, 1, 1)
    told = {
        (day, minor): gate(TABLE, NOBODY, usd(minor), day).withhold
        for day in (last, first)
        for minor in (599_99, 600_00, 1_999_99, 2_000_00)
    }

    assert {
        (last, 599_99): usd(0),
        (last, 600_00): usd(144_00),
        (last, 1_999_99): usd(480_00),
        (last, 2_000_00): usd(480_00),
        (first, 599_99): usd(0),
        (first, 600_00): usd(0),
        (first, 1_999_99): usd(0),
        (first, 2_000_00): usd(480_00),
    } == told


def test_what_was_paid_before_in_the_year_counts_and_the_whole_payment_is_past_it() -> None:
    payee = replace(NOBODY, paid=(usd(1_950_00),))

    found = gate(TABLE, payee, usd(50_01), DAY)

    assert (True, "tax_withheld", usd(12_00)) == (found.ok, found.code, found.withhold)
    assert usd(0) == gate(TABLE, payee, usd(49_99), DAY).withhold


def test_who_was_past_it_last_year_is_past_it_from_the_first_cent() -> None:
    before = replace(NOBODY, paid_before=(usd(600_00),))

    assert usd(2_40) == gate(TABLE, before, usd(10_00), DAY).withhold
    assert usd(0) == gate(TABLE, before, usd(10_00), date(2027, 6, 1)).withhold


def test_a_verified_form_ends_it_and_one_that_waits_waits() -> None:
    past = replace(NOBODY, paid=(usd(5_000_00),))
    verified = replace(past, verified=frozenset({TaxForm.W9}))
    waiting = replace(past, waiting=frozenset({TaxForm.W9}))

    assert (True, usd(0)) == _ok(gate(TABLE, verified, usd(100_00), DAY))
    assert "tax_form_waits" == gate(TABLE, waiting, usd(100_00), DAY).code
    assert not gate(TABLE, waiting, usd(100_00), DAY).ok


def test_whom_the_tax_office_told_so_loses_a_part_even_with_a_form() -> None:
    told = replace(NOBODY, verified=frozenset({TaxForm.W9}), told_to_withhold=True)

    assert usd(24_00) == gate(TABLE, told, usd(100_00), DAY).withhold


def test_people_elsewhere_are_asked_for_another_form_and_paid_nothing_less() -> None:
    past = replace(NOBODY, country="BR", paid=(usd(2_000_00),))

    assert (False, usd(0)) == _ok(gate(TABLE, past, usd(10_00), DAY))
    assert (True, usd(0)) == _ok(
        gate(TABLE, replace(past, verified=frozenset({TaxForm.W8BEN})), usd(10_00), DAY)
    )


def test_other_currencies_count_by_the_table_and_unknown_ones_from_the_first_cent() -> None:
    euros = replace(NOBODY, paid=(Money(1_700_00, "EUR"),))

    assert usd(0) == gate(TABLE, euros, usd(44_99), DAY).withhold
    assert usd(10_80) == gate(TABLE, euros, usd(45_00), DAY).withhold
    yen = gate(TABLE, NOBODY, Money(1_000, "JPY"), DAY)
    assert Money(0, "JPY") == yen.withhold
    assert Money(240, "BRL") == gate(TABLE, NOBODY, Money(1_000, "BRL"), DAY).withhold


def test_dac7_waits_sixty_days_and_has_no_free_amount() -> None:
    seller = replace(NOBODY, country="DE", asked_on=date(2026, 4, 2))
    first_day = date(2026, 6, 1)

    assert gate(IN_EUROPE, seller, Money(9_000_00, "EUR"), date(2026, 5, 31)).ok
    assert "tax_form_missing" == gate(IN_EUROPE, seller, Money(1, "EUR"), first_day).code
    given = replace(seller, verified=frozenset({TaxForm.DAC7}))
    assert gate(IN_EUROPE, given, Money(1, "EUR"), first_day).ok
    assert gate(IN_EUROPE, replace(seller, country="US"), Money(1, "EUR"), first_day).ok


def test_standings_say_how_far_it_is() -> None:
    (one,) = standings(TABLE, replace(NOBODY, paid=(usd(1_250_00),)), DAY)

    assert (usd(2_000_00), usd(1_250_00), False) == (one.rule.amount, one.paid, one.past)
    assert Then.WITHHOLD is one.rule.then


def _ok(found: object) -> tuple[bool, Money]:
    return found.ok, found.withhold  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("123-45-6789", True),
        ("123456789", True),
        ("12-3456789", True),
        ("900-70-1234", True),
        ("000-45-6789", False),
        ("666-45-6789", False),
        ("123-00-6789", False),
        ("123-45-0000", False),
        ("900-40-1234", False),
        ("111-11-1111", False),
        ("00-3456789", False),
        ("12345678", False),
        ("", False),
    ],
)
def test_numbers_of_the_united_states(number: str, right: bool) -> None:
    assert right == tin_valid(TaxForm.W9, number)


def test_forms_hold_as_long_as_the_law_says() -> None:
    signed = date(2024, 2, 29)

    assert None is valid_until(TaxForm.W9, signed)
    assert date(2027, 12, 31) == valid_until(TaxForm.W8BEN, signed)
    assert date(2027, 2, 28) == valid_until(TaxForm.DAC7, signed)
    assert date(2033, 12, 31) == kept_until(signed, date(2026, 1, 2))
    assert "6789" == last_four("123-45-6789")


def test_a_form_says_everything_that_is_missing_at_once() -> None:
    empty = FormFacts(TaxForm.W9, {"legal_name": "Ann Lee"}, "", "Ann  LEE", certified=False)
    citizen = FormFacts(
        TaxForm.W8BEN,
        {"legal_name": "Ann Lee", "born_on": "1980-02-30", "citizenship": "US", "address": "1 Way",
         "city": "Oslo", "postcode": "0150", "country": "NO"},
        "", "Ann Li", certified=True, no_tin=True,
    )  # fmt: skip

    assert ["/classification", "/address", "/city", "/postcode", "/country", "/tin",
            "/certified"] == [fault.pointer for fault in faults_in(empty, DAY)]  # fmt: skip
    assert ["/born_on", "/citizenship", "/signed_name"] == [
        fault.pointer for fault in faults_in(citizen, DAY)
    ]


def _moved(move: Move, minor: int, *, sent: int | None = None, currency: str = "USD") -> Moved:
    amount = Money(minor, currency)
    return Moved(move, DAY, amount, uuid4(), None if sent is None else usd(sent))


def _amounts(changes: list[Paid]) -> list[int]:
    return [change.amount.minor for change in changes]


def test_what_a_bank_sends_back_was_not_paid_until_it_goes_out_again() -> None:
    moved = [
        _moved(Move.TRANSFER, 100_00, sent=100_00),
        _moved(Move.TO_BANK, 100_00),
        _moved(Move.RETURNED, 100_00),
        _moved(Move.TRANSFER, 50_00, sent=50_00),
        _moved(Move.TO_BANK, 150_00),
    ]

    assert [100_00, -100_00, 50_00, 100_00] == _amounts(paid_changes(moved))


def test_what_is_taken_back_after_a_return_is_not_subtracted_twice() -> None:
    moved = [
        _moved(Move.TRANSFER, 100_00, sent=100_00),
        _moved(Move.TO_BANK, 100_00),
        _moved(Move.RETURNED, 100_00),
        _moved(Move.TAKEN_BACK, 100_00),
    ]

    assert [100_00, -100_00] == _amounts(paid_changes(moved))


def test_returns_in_another_currency_count_at_the_rate_of_what_was_sent() -> None:
    moved = [
        _moved(Move.TRANSFER, 92_00, sent=100_00, currency="EUR"),
        _moved(Move.TO_BANK, 92_00, currency="EUR"),
        _moved(Move.RETURNED, 46_00, currency="EUR"),
    ]

    assert [100_00, -50_00] == _amounts(paid_changes(moved))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[payer", "no TOML"),
        ("", "names no payer"),
        ('[[payer]]\nname = "Us"\ncountry = "Ireland"\nfrom = 2020-01-01', "two capital letters"),
        ('[[payer]]\nname = "Us"\ncountry = "IE"\nfrom = "2020"', "written as 2026-01-01"),
        (
            '[[payer]]\nname = "Us"\ncountry = "IE"\nfrom = 2020-01-01\n[rates.USD]\nEUR = 1.2',
            "written as text",
        ),
        (
            '[[payer]]\nname = "Us"\ncountry = "IE"\nfrom = 2020-01-01\n[[threshold]]\nkey = "x"',
            "Threshold x",
        ),
    ],
)
def test_a_table_that_is_wrong_says_where(text: str, said: str) -> None:
    with pytest.raises(TaxTableFaulty, match=said):
        parse(text)


def test_the_shipped_table_has_one_rule_for_each_day_and_payee() -> None:
    for day in (date(2025, 12, 31), date(2026, 1, 1), date(2027, 1, 1), date(2031, 5, 5)):
        for payee in ("US", "BR", "DE"):
            assert 1 == len(TABLE.about(payee, day))
    assert Decimal("1.15") == TABLE.rates["USD"]["EUR"]
