"""Dated thresholds of tax law as data, and what they say of one payment.

The table is a TOML file that an accountant extends; `parse` reads it and tells what is wrong in it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from marketplace.money import EXPONENT, Money, zero
from marketplace.payouts.rules.tax import SHORT_LABELS, TaxForm

_EU = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
EU = frozenset(_EU.split())
FORM_MISSING = "tax_form_missing"
FORM_WAITS = "tax_form_waits"
WITHHELD = "tax_withheld"
CHANGED = "tax_changed"


class TaxTableFaulty(ValueError):
    """The table cannot be used; the message says where."""


class Then(StrEnum):
    """What happens past a threshold while the form is not there."""

    WITHHOLD = "withhold"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, in the eyes of tax law, from one day to another."""

    name: str
    country: str
    begins: date
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """One rule; see the file for what each of its parts means."""

    key: str
    jurisdiction: str
    payer: tuple[str, ...]
    payee: tuple[str, ...]
    not_payee: tuple[str, ...]
    forms: tuple[TaxForm, ...]
    amount: Money
    begins: date
    ends: date | None
    then: Then
    rate_basis_points: int
    carries_over: bool
    grace_days: int
    source: str

    def applies(self, *, payer: str, payee: str, on: date) -> bool:
        """Whether it is about a payment from one country to another on a day."""
        dated = self.begins <= on and (self.ends is None or on <= self.ends)
        mine = _named(payee, self.payee) and not _named(payee, self.not_payee)
        return dated and _named(payer, self.payer) and mine


@dataclass(frozen=True, slots=True)
class TaxTable:
    """All of the file. rates: for a threshold's currency, what one unit of another counts for."""

    payers: tuple[Payer, ...]
    thresholds: tuple[Threshold, ...]
    rates: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)

    def payer_on(self, day: date) -> Payer:
        """Who pays on a day; the latest that has begun."""
        begun = [each for each in self.payers if each.begins <= day]
        return max(begun or self.payers[:1], key=lambda each: each.begins)

    def about(self, payee: str, on: date) -> list[Threshold]:
        """The rules that are about paying somebody in a country on a day."""
        payer = self.payer_on(on).country
        return [each for each in self.thresholds if each.applies(payer=payer, payee=payee, on=on)]

    def counted(self, amounts: Sequence[Money], currency: str) -> Money | None:
        """Amounts in a threshold's currency, rounded half up; None where a rate is missing."""
        sum_minor = 0
        for amount in amounts:
            if amount.currency == currency:
                sum_minor += amount.minor
                continue
            rate = self.rates.get(currency, {}).get(amount.currency)
            if rate is None and amount:
                return None
            major = amount.decimal() * (rate or 0)
            minor = major.scaleb(EXPONENT[currency]).to_integral_value(ROUND_HALF_UP)
            sum_minor += int(minor)
        return Money(sum_minor, currency)


@dataclass(frozen=True, slots=True)
class Payee:
    """What decides about one specialist's pay. verified, waiting: the kinds of form that hold now,
    and that nobody has looked at yet; paid, paid_before: by currency, this year and the last, with
    what was withheld; withheld_before: something was withheld in the last year; asked_on: since
    when we ask; told_to_withhold: they said that the tax office wants it."""

    country: str
    verified: frozenset[TaxForm]
    waiting: frozenset[TaxForm]
    paid: tuple[Money, ...]
    paid_before: tuple[Money, ...]
    withheld_before: bool
    asked_on: date
    told_to_withhold: bool = False


@dataclass(frozen=True, slots=True)
class PayGate:
    """What tax rules say of one payment.

    ok: whether it may be made at all; code: why, for a line, empty where no rule applies; words:
    the same for the specialist; withhold: how much of the amount goes to the tax office instead
    (rule 23), nothing where all of it is theirs.
    """

    ok: bool
    code: str
    words: str
    withhold: Money


def gate(table: TaxTable, payee: Payee, amount: Money, on: date) -> PayGate:
    """Whether `amount` may be paid on `on`, and what of it is withheld.

    The payment that reaches a threshold is past it, whole, as are all that follow in the year.
    """
    nothing = zero(amount.currency)
    withhold = nothing
    for rule in table.about(payee.country, on):
        if payee.verified & set(rule.forms):
            if payee.told_to_withhold and rule.then is Then.WITHHOLD:
                withhold = max(withhold, amount.portion(rule.rate_basis_points), key=_minor)
            continue
        if not _past(table, rule, payee, amount, on):
            continue
        if payee.waiting & set(rule.forms):
            return PayGate(False, FORM_WAITS, _waits(rule), nothing)
        if rule.then is Then.BLOCK:
            return PayGate(False, FORM_MISSING, _missing(rule), nothing)
        withhold = max(withhold, amount.portion(rule.rate_basis_points), key=_minor)
    if withhold:
        return PayGate(True, WITHHELD, _withheld(withhold), withhold)
    return PayGate(True, "", "", nothing)


@dataclass(frozen=True, slots=True)
class Standing:
    """What tax law wants of somebody now. forms: any one of these will do; past: whether the next
    payment waits for it, or loses a part; paid: this year, in the threshold's currency, None where
    a rate is missing."""

    rule: Threshold
    forms: tuple[TaxForm, ...]
    has: bool
    waits: bool
    past: bool
    paid: Money | None


def standings(table: TaxTable, payee: Payee, on: date) -> list[Standing]:
    """Every rule that is about somebody on a day, and how they stand to it."""
    found = []
    for rule in table.about(payee.country, on):
        least = Money(1, rule.amount.currency)
        found.append(
            Standing(
                rule=rule,
                forms=rule.forms,
                has=bool(payee.verified & set(rule.forms)),
                waits=bool(payee.waiting & set(rule.forms)),
                past=_past(table, rule, payee, least, on),
                paid=table.counted(payee.paid, rule.amount.currency),
            )
        )
    return found


def _minor(amount: Money) -> int:
    return amount.minor


def _past(table: TaxTable, rule: Threshold, payee: Payee, amount: Money, on: date) -> bool:
    if (on - payee.asked_on).days < rule.grace_days:
        return False
    total = table.counted((*payee.paid, amount), rule.amount.currency)
    if total is None or total >= rule.amount:
        return True
    return rule.carries_over and carried(table, rule, payee, on)


def carried(table: TaxTable, rule: Threshold, payee: Payee, on: date) -> bool:
    """Whether the year before was past its own threshold, or something was withheld in it."""
    if payee.withheld_before:
        return True
    last = date(on.year - 1, 12, 31)
    same = [
        each
        for each in table.about(payee.country, last)
        if each.jurisdiction == rule.jurisdiction and set(each.forms) & set(rule.forms)
    ]
    if not same or not any(payee.paid_before):
        return False
    before = table.counted(payee.paid_before, same[0].amount.currency)
    return before is None or before >= same[0].amount


def _waits(rule: Threshold) -> str:
    return (
        f"Your {_forms(rule)} is here and one of us still has to look at it. The money stays in "
        "your balance and goes out with the run after that."
    )


def _missing(rule: Threshold) -> str:
    return (
        f"Tax law wants a form of you before we may pay more: {_forms(rule)}. Fill it in under "
        "Earnings, Tax form; the money stays in your balance until then."
    )


def _withheld(withhold: Money) -> str:
    return (
        f"{withhold} of this goes to the tax office, since we have no valid tax number of you. "
        "It counts as paid to you, and you can claim it with your tax return. Fill in the tax form "
        "under Earnings, and nothing more is withheld."
    )


def _forms(rule: Threshold) -> str:
    return " or ".join(SHORT_LABELS[each] for each in rule.forms if len(rule.forms) == 1 or
                       each is not TaxForm.W9)  # fmt: skip


def _named(country: str, named: Sequence[str]) -> bool:
    return country in named or "*" in named or ("EU" in named and country in EU)


def parse(text: str) -> TaxTable:
    """The table in a TOML file; TaxTableFaulty says which entry is wrong, and how."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise TaxTableFaulty(f"It is no TOML: {fault}.") from None
    payers = tuple(_payer(each) for each in raw.get("payer", ()))
    rules = tuple(_threshold(each) for each in raw.get("threshold", ()))
    if not payers:
        raise TaxTableFaulty("It names no payer.")
    keys = [each.key for each in rules]
    if len(set(keys)) != len(keys):
        raise TaxTableFaulty("Two thresholds have the same key.")
    return TaxTable(payers, rules, _rates(raw.get("rates", {})))


def _payer(raw: Mapping[str, Any]) -> Payer:
    try:
        return Payer(str(raw["name"]), _country(raw["country"]), _day(raw["from"]),
                     _day(raw["until"]) if "until" in raw else None)  # fmt: skip
    except (KeyError, ValueError) as fault:
        raise TaxTableFaulty(f"Payer {raw.get('name', '?')}: {fault}.") from None


def _threshold(raw: Mapping[str, Any]) -> Threshold:
    try:
        return Threshold(
            key=str(raw["key"]),
            jurisdiction=str(raw["jurisdiction"]),
            payer=tuple(raw["payer"]),
            payee=tuple(raw["payee"]),
            not_payee=tuple(raw.get("not_payee", ())),
            forms=tuple(TaxForm(each) for each in raw["forms"]),
            amount=Money(raw["threshold_minor"], raw["currency"]),
            begins=_day(raw["from"]),
            ends=_day(raw["until"]) if "until" in raw else None,
            then=Then(raw["then"]),
            rate_basis_points=_basis_points(raw["rate_basis_points"]),
            carries_over=bool(raw["carries_over"]),
            grace_days=int(raw["grace_days"]),
            source=str(raw["source"]),
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise TaxTableFaulty(f"Threshold {raw.get('key', '?')}: {fault}.") from None


def _rates(raw: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Decimal]]:
    if not all(isinstance(rate, str) for each in raw.values() for rate in each.values()):
        raise TaxTableFaulty('A rate is written as text, such as EUR = "1.15".')
    try:
        found = {to: {of: Decimal(rate) for of, rate in each.items()} for to, each in raw.items()}
    except InvalidOperation:
        raise TaxTableFaulty('A rate is a number, such as EUR = "1.15".') from None
    named = {code for to, each in found.items() for code in (to, *each)}
    low = any(rate <= 0 for each in found.values() for rate in each.values())
    if low or not named <= set(EXPONENT):
        raise TaxTableFaulty("A rate is above zero and of a currency that the ledger knows.")
    return found


def _basis_points(value: object) -> int:
    if not isinstance(value, int) or not 0 <= value <= 10_000:
        raise ValueError("rate_basis_points goes from 0 to 10,000")
    return value


def _country(value: object) -> str:
    if not isinstance(value, str) or len(value) != 2 or not value.isupper():
        raise ValueError("a country has two capital letters")
    return value


def _day(value: object) -> date:
    if type(value) is not date:
        raise ValueError("a day is written as 2026-01-01")
    return value
