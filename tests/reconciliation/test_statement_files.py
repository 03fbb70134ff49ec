"""Readers of statements: versions and banks' habits, and nothing broken is ever believed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.money import Money
from marketplace.reconciliation.rules import camt, delimited, mt940, stripe_report
from marketplace.reconciliation.rules.delimited import ColumnMapping, DateOrder
from marketplace.reconciliation.rules.statements import ParsedStatement, StatementRefused, proven

FILES = Path(__file__).parent / "files"
CAMT_02 = (FILES / "two_days.camt053.001.02.xml").read_bytes()
CAMT_08 = (FILES / "pages.camt053.001.08.xml").read_bytes()
MT940 = (FILES / "pages.sta").read_bytes()
ENGLISH = (FILES / "english.csv").read_bytes()
GERMAN = (FILES / "german.cp1252.csv").read_bytes()
ENGLISH_COLUMNS = ColumnMapping(
    booked_on="Date",
    amount="Amount",
    balance="Balance",
    reference="Reference",
    text=("Description",),
)
GERMAN_COLUMNS = ColumnMapping(
    booked_on="Buchungstag",
    value_on="Wertstellung",
    credit="Haben",
    debit="Soll",
    text=("Verwendungszweck",),
    delimiter=";",
    encoding="cp1252",
    decimal_mark=",",
    date_order=DateOrder.DMY,
    skip_lines=2,
    newest_first=True,
)
REPORT = (
    b"balance_transaction_id,created_utc,currency,gross,fee,net\n"
    b"txn_1,2026-05-01 10:00:00,usd,100.00,3.20,96.80\n"
    b"txn_2,2026-05-01 23:59:59,usd,-10.00,0.00,-10.00\n"
    b"txn_3,2026-05-02 00:00:00,jpy,500,0,500\n"
)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


def german(content: bytes = GERMAN) -> ParsedStatement:
    return delimited.read(
        content,
        GERMAN_COLUMNS,
        account="0012345",
        currency="EUR",
        opening=eur(100_00),
        closing=eur(1599_50),
    )


def english(content: bytes = ENGLISH) -> ParsedStatement:
    return delimited.read(content, ENGLISH_COLUMNS, account="1", currency="USD")


READERS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "camt 02": (CAMT_02, camt.read),
    "camt 08": (CAMT_08, camt.read),
    "mt940": (MT940, mt940.read),
    "english csv": (ENGLISH, english),
    "german csv": (GERMAN, german),
    "report": (REPORT, stripe_report.read),
}


def test_camt_02_with_batch_return_and_two_statements() -> None:
    first, second = camt.read(CAMT_02)

    income, one, other, returned = first.entries
    assert ("DE02 1203 0000 0000 2020 51", 41, 1) == (first.account, first.sequence, first.left_out)
    assert (eur(1000_00), eur(1730_50)) == (first.opening, first.closing)
    assert (date(2026, 5, 1), date(2026, 5, 1)) == (first.from_on, first.to_on)
    assert ("BANK-1", "RF18539007547034", "TX-9", "PMNT/RCDT/ESCT") == (
        income.bank_reference,
        income.end_to_end,
        income.payment_id,
        income.code,
    )
    assert ("Lab of Many Names", "FR7630006000011234567890189", date(2026, 5, 2)) == (
        income.counterparty,
        income.counterparty_account,
        income.value_on,
    )
    # A batch whose parts sum to it is its parts, each a line that can be matched by itself.
    assert [(eur(-20_00), "B-1#1"), (eur(-40_00), "B-1#2")] == [
        (each.amount, each.bank_reference) for each in (one, other)
    ]
    assert (eur(-9_50), True, "AC04") == (
        returned.amount,
        returned.reversal,
        returned.return_reason,
    )
    assert (first.closing, eur(-19_50)) == (second.opening, second.closing)


def test_camt_08_with_prefix_and_pages_in_any_order() -> None:
    (statement,) = camt.read(CAMT_08)

    assert (2, 7, Money(100_00, "USD"), Money(134_90, "USD")) == (
        statement.pages,
        statement.sequence,
        statement.opening,
        statement.closing,
    )
    income, paid = statement.entries
    assert ("N1", "N2", "A Payee", "for something") == (
        income.bank_reference,
        paid.bank_reference,
        paid.counterparty,
        paid.text,
    )
    # What was stated in the payee's currency does not change what the balance moved by.
    assert (Money(-15_10, "USD"), Money(10, "USD")) == (paid.amount, paid.charges)


@pytest.mark.parametrize("version", range(2, 15))
def test_every_version_of_camt_053_is_read(version: int) -> None:
    named = CAMT_08.replace(b"camt.053.001.08", f"camt.053.001.{version:02}".encode())
    assert f"camt.053.001.{version:02}" == camt.read(named)[0].variant


def test_mt940_with_pages_reversals_and_references() -> None:
    (statement,) = mt940.read(MT940)

    income, returned, back = statement.entries
    assert ("10020030/1234567890", 12, 2) == (
        statement.account,
        statement.sequence,
        statement.pages,
    )
    assert (eur(150_50), "ABC-1", "B4E08MS9D00A0009", "LAB OF MANY NAMES") == (
        income.amount,
        income.end_to_end,
        income.bank_reference,
        income.counterparty,
    )
    assert "DE89370400440532013000" == income.counterparty_account
    # RC takes a credit back, RD a debit.
    assert [(eur(-50_50), True, "AC04"), (eur(50), True, "")] == [
        (each.amount, each.reversal, each.return_reason) for each in (returned, back)
    ]
    assert (date(2026, 5, 3), eur(1100_50)) == (statement.to_on, statement.closing)


def test_csv_with_a_running_balance_and_one_without() -> None:
    first, second = english(), german()

    assert [1250_00, -49_90, -49_90] == [each.amount.minor for each in first.entries]
    assert (Money(1000_00, "USD"), Money(2150_20, "USD")) == (first.opening, first.closing)
    rent, fee = second.entries
    assert (eur(2500_00), date(2026, 5, 1), None) == (rent.amount, rent.booked_on, rent.value_on)
    assert (eur(-1000_50), date(2026, 5, 4), "Gebühr") == (fee.amount, fee.value_on, fee.text)


def test_a_preview_shows_rows_with_and_without_a_mapping() -> None:
    bare = delimited.preview(GERMAN)
    read = delimited.preview(GERMAN, GERMAN_COLUMNS, "EUR")
    wrong = delimited.preview(ENGLISH, GERMAN_COLUMNS, "EUR")

    assert {"encoding": "cp1252", "delimiter": ";"} == bare.guessed
    assert "Buchungstag" == read.header[0]
    assert [eur(-1000_50), eur(2500_00)] == [each.amount for each in read.entries]
    assert ((), True) == (wrong.entries, bool(wrong.fault))
    assert GERMAN_COLUMNS == ColumnMapping.of(GERMAN_COLUMNS.as_json())


def test_a_report_of_stripe_is_summed_by_day_and_currency() -> None:
    days = [
        (each.on_day.day, each.currency, each.line_count, each.gross, each.fee, each.net)
        for each in stripe_report.read(REPORT)
    ]

    assert [(1, "USD", 2, 9000, 320, 8680), (2, "JPY", 1, 500, 0, 500)] == days
    with pytest.raises(StatementRefused, match="Line 5"):
        stripe_report.read(REPORT + REPORT.splitlines(keepends=True)[1])


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "cc">]>'
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">&b;</Document>'
)
REFUSED = {
    "no file": (b"", camt.read, "empty"),
    "entities": (BOMB, camt.read, "document type or entities"),
    "another message": (
        CAMT_02.replace(b"053.001.02", b"052.001.02"),
        camt.read,
        "we read camt.053.001.02 to .14",
    ),
    "cut short": (CAMT_02[: len(CAMT_02) // 2], camt.read, "Line .*not well-formed"),
    "an amount changed": (
        CAMT_02.replace(b">800.00<", b">900.00<"),
        camt.read,
        "-100.00 EUR is not explained",
    ),
    "a page missing": (
        CAMT_08.replace(b"<c:PgNb>1<", b"<c:PgNb>3<"),
        camt.read,
        "Page 1 of statement 7",
    ),
    "no closing balance": (
        CAMT_02.replace(b"CLBD", b"CLAV"),
        camt.read,
        "no closing balance",
    ),
    "too many decimals": (
        CAMT_02.replace(b">60.00<", b">60.001<"),
        camt.read,
        "Line 24.*EUR has 2 decimal places",
    ),
    "a line passed over": (MT940.replace(b"RD0,50", b"XX0,50"), mt940.read, "field|lines"),
    "a page of mt940 missing": (MT940[: MT940.index(b"-}")], mt940.read, "not its last"),
    "no mt940": (b"hello\n", mt940.read, "begins with :20:"),
    "a row missing": (
        ENGLISH.replace(b'2026-05-02,Card machine,-49.90,"2,200.10",A2\n', b""),
        english,
        "Line 3.*a row is missing",
    ),
    "another column": (ENGLISH.replace(b"Amount", b"Sum"), english, "no column “Amount”"),
    "words for money": (ENGLISH.replace(b'"1,250.00"', b"lots"), english, "“lots” is no amount"),
    "another order of days": (ENGLISH.replace(b"2026-05-01", b"01.13.26"), english, "is no day"),
    "balances that do not fit": (GERMAN.replace(b"2.500,00", b"2.500,01"), german, "not explained"),
}


@pytest.mark.parametrize(("content", "reader", "words"), list(REFUSED.values()), ids=list(REFUSED))
def test_what_cannot_be_believed_is_refused_with_a_sentence(
    content: bytes, reader: Callable[[bytes], object], words: str
) -> None:
    with pytest.raises(StatementRefused, match=words) as refused:
        reader(content)
    assert refused.value.message.endswith((".", "unchanged."))
    assert 1 == len(refused.value.faults)


def test_the_size_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.reconciliation.rules.statements.FILE_BYTES_MAX", 1_048_576)
    with pytest.raises(StatementRefused, match="larger than 1 MiB"):
        camt.read(b" " * 1_048_577)
    deep = b"<a>" * 60 + b"</a>" * 60
    with pytest.raises(StatementRefused, match="nested deeper"):
        camt.read(deep)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(READERS)),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=3), st.integers(0, 4)), max_size=4),
)
def test_a_broken_file_is_refused_or_still_proves_itself(
    name: str, edits: list[tuple[float, bytes, int]]
) -> None:
    content, reader = READERS[name]
    for place, put, cut in edits:
        at = int(place * len(content))
        content = content[:at] + put + content[at + cut :]
    with contextlib.suppress(StatementRefused):
        found = reader(content)
        for each in found if isinstance(found, tuple) else (found,):
            if isinstance(each, ParsedStatement):
                assert each == proven(each)
