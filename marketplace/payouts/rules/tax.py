"""Tax forms: which there are, what each asks, how long it holds, and what a tax number looks like.

Sources: instructions to the forms W-9 and W-8BEN of the Internal Revenue Service; Council
Directive (EU) 2021/514 (DAC7), annex V, section II.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from marketplace.errors import Fault

TEXT_MAX = 200
TIN_MAX = 30


class TaxForm(StrEnum):
    """Who a payee is to a tax office."""

    W9 = "w9"
    W8BEN = "w8ben"
    W8BENE = "w8bene"
    DAC7 = "dac7"


class TaxFormState(StrEnum):
    """Where a form stands; `replaced`: a later one of the same kind has taken its place."""

    SUBMITTED = "submitted"
    VERIFIED = "verified"
    REFUSED = "refused"
    REPLACED = "replaced"


TAX_FORM_NEXT: Mapping[TaxFormState, frozenset[TaxFormState]] = {
    TaxFormState.SUBMITTED: frozenset(
        {TaxFormState.VERIFIED, TaxFormState.REFUSED, TaxFormState.REPLACED}
    ),
    # A tax office may say years later that a number is wrong.
    TaxFormState.VERIFIED: frozenset({TaxFormState.REFUSED, TaxFormState.REPLACED}),
    TaxFormState.REFUSED: frozenset(),
    TaxFormState.REPLACED: frozenset(),
}
TAX_FORM_LABELS: Mapping[TaxForm, str] = {
    TaxForm.W9: "Form W-9, for United States persons",
    TaxForm.W8BEN: "Form W-8BEN, for individuals elsewhere",
    TaxForm.W8BENE: "Form W-8BEN-E, for entities elsewhere",
    TaxForm.DAC7: "Seller data under DAC7, for residents of the European Union",
}
SHORT_LABELS: Mapping[TaxForm, str] = {
    TaxForm.W9: "W-9",
    TaxForm.W8BEN: "W-8BEN",
    TaxForm.W8BENE: "W-8BEN-E",
    TaxForm.DAC7: "DAC7 seller data",
}
STATE_LABELS: Mapping[TaxFormState, str] = {
    TaxFormState.SUBMITTED: "Waits for our look",
    TaxFormState.VERIFIED: "Verified",
    TaxFormState.REFUSED: "Not accepted",
    TaxFormState.REPLACED: "Replaced",
}
# What each form asks beyond the tax number; a name in OPTIONAL may stay empty.
ADDRESS = ("address", "city", "region", "postcode", "country")
ASKED: Mapping[TaxForm, tuple[str, ...]] = {
    TaxForm.W9: ("legal_name", "business_name", "classification", *ADDRESS),
    TaxForm.W8BEN: ("legal_name", "born_on", "citizenship", *ADDRESS),
    TaxForm.W8BENE: ("legal_name", "entity_kind", *ADDRESS),
    TaxForm.DAC7: ("legal_name", "born_on", "vat_number", *ADDRESS),
}
OPTIONAL = frozenset({"business_name", "region", "vat_number"})
COUNTRIES = frozenset({"country", "citizenship"})
CLASSIFICATIONS = {
    "individual": "Individual or sole proprietor",
    "llc": "Limited liability company",
    "c_corporation": "C corporation",
    "s_corporation": "S corporation",
    "partnership": "Partnership",
    "trust": "Trust or estate",
}
# What a typed name stands under; the words are kept with the form as they were shown.
CERTIFICATIONS: Mapping[TaxForm, tuple[str, ...]] = {
    TaxForm.W9: (
        "The number on this form is my correct taxpayer identification number.",
        "I am a citizen or other person of the United States.",
        "I am not subject to backup withholding, unless I have said above that I am.",
    ),
    TaxForm.W8BEN: (
        "I am the person named here and the one who is paid.",
        "I am not a citizen or other person of the United States.",
        "I do this work outside the United States; if that changes, I say so within 30 days.",
    ),
    TaxForm.W8BENE: (
        "The entity named here is the one that is paid, and I may sign for it.",
        "The entity is not a person of the United States.",
        "The work is done outside the United States; if that changes, I say so within 30 days.",
    ),
    TaxForm.DAC7: (
        "What I state here is correct and complete.",
        "I know that it is reported to the tax office together with what I was paid.",
    ),
}
# DAC7 lets an operator rely on what was collected within the last 36 months.
DAC7_YEARS = 3
W8_YEARS = 3
KEPT_YEARS = 7


@dataclass(frozen=True, slots=True)
class FormFacts:
    """A form as its person filled it in.

    facts: by the names in ASKED; tin: the tax number as typed, empty where `no_tin` says that
    their country gives none; withheld_from: the Internal Revenue Service has told them that they
    are subject to backup withholding (W-9 only); signed_name: their name, typed as a signature.
    """

    kind: TaxForm
    facts: Mapping[str, str]
    tin: str
    signed_name: str
    certified: bool
    no_tin: bool = False
    withheld_from: bool = False


def plain_tin(tin: str) -> str:
    """A tax number without the signs that people put between its parts."""
    return re.sub(r"[\s.\-/]", "", tin).upper()


def us_tin_valid(tin: str) -> bool:
    """Whether nine digits could be a number that the United States have given out.

    A social security number begins with none of 000, 666; its middle and its end are not all
    zeros; 9xx are individual taxpayer numbers (ITIN) with a middle from 50 on. An employer's number
    (two digits, a hyphen, seven) has a prefix that is not 00.
    """
    if re.fullmatch(r"[0-9]{2}-[0-9]{7}", tin.strip()):
        return not tin.startswith("00")
    digits = plain_tin(tin)
    if not re.fullmatch(r"[0-9]{9}", digits) or len(set(digits)) == 1:
        return False
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in {"000", "666"} or group == "00" or serial == "0000":
        return False
    return not area.startswith("9") or int(group) >= 50


def tin_valid(kind: TaxForm, tin: str) -> bool:
    """Whether a number could be one: exactly for the United States, by its shape elsewhere."""
    if kind is TaxForm.W9:
        return us_tin_valid(tin)
    plain = plain_tin(tin)
    return 5 <= len(plain) <= TIN_MAX and plain.isascii() and plain.isalnum()


def last_four(tin: str) -> str:
    """What may be shown of a tax number."""
    return plain_tin(tin)[-4:]


def valid_until(kind: TaxForm, signed_on: date) -> date | None:
    """The last day on which a form holds; None: until something changes.

    A W-8 holds to the end of the third calendar year after it was signed.
    """
    if kind is TaxForm.W9:
        return None
    if kind is TaxForm.DAC7:
        return _years_on(signed_on, DAC7_YEARS)
    return date(signed_on.year + W8_YEARS, 12, 31)


def kept_until(signed_on: date, last_paid_on: date | None) -> date:
    """The day on which a form may go for good: seven full years after it was last of use."""
    last = max(signed_on, last_paid_on or signed_on)
    return date(last.year + KEPT_YEARS, 12, 31)


def _years_on(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # The 29th of February.
        return date(day.year + years, 2, 28)


def faults_in(form: FormFacts, today: date) -> list[Fault]:
    """What stands in the way of a form, by field; empty where nothing does."""
    faults = [fault for name in ASKED[form.kind] if (fault := _fault(form, name, today))]
    wanted = form.kind is TaxForm.W9 or not form.no_tin
    if wanted and not tin_valid(form.kind, form.tin):
        faults.append(Fault("/tin", _tin_advice(form.kind)))
    if form.facts.get("country") == "US" and form.kind in {TaxForm.W8BEN, TaxForm.W8BENE}:
        faults.append(Fault("/country", "Somebody who lives in the United States signs a W-9."))
    if form.kind is TaxForm.W8BEN and form.facts.get("citizenship") == "US":
        faults.append(Fault("/citizenship", "A citizen of the United States signs a W-9."))
    if not form.certified:
        faults.append(Fault("/certified", "Read the statements and tick that they are true."))
    if _words(form.signed_name) != _words(form.facts.get("legal_name", "")):
        faults.append(Fault("/signed_name", "Type your name as it stands above; it signs this."))
    return faults


def _fault(form: FormFacts, name: str, today: date) -> Fault | None:
    value = form.facts.get(name, "").strip()
    if not value:
        return None if name in OPTIONAL else Fault(f"/{name}", "This is needed.")
    if len(value) > TEXT_MAX or not value.isprintable():
        return Fault(f"/{name}", f"Write it in one line of at most {TEXT_MAX} letters.")
    if name in COUNTRIES and not re.fullmatch("[A-Z]{2}", value):
        return Fault(f"/{name}", "Choose a country.")
    if name == "classification" and value not in CLASSIFICATIONS:
        return Fault(f"/{name}", "Choose one of these.")
    if name == "born_on" and not _born(value, today):
        return Fault(f"/{name}", "Write the day of your birth, such as 1980-02-28.")
    return None


def _born(value: str, today: date) -> bool:
    try:
        born = date.fromisoformat(value)
    except ValueError:
        return False
    return born.year >= 1900 and born < today


def _tin_advice(kind: TaxForm) -> str:
    if kind is TaxForm.W9:
        return "Write the nine digits of your SSN or ITIN, or your EIN such as 12-3456789."
    return "Write the number by which your tax office knows you, letters and digits."


def _words(name: str) -> list[str]:
    return name.casefold().split()
