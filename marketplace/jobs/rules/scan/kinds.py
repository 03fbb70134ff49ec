"""Kinds of personal details, what fields are named for them, and how a report shows a value."""

from __future__ import annotations

import re
from enum import StrEnum

SCANNER_VERSION = "2026-11.1"


class Personal(StrEnum):
    """What kind of personal detail it is."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    GREAT_AGE = "great_age"
    EMAIL = "email"
    PHONE = "phone"
    ADDRESS = "address"
    RECORD_NUMBER = "record_number"
    NHS = "nhs_number"
    NPI = "npi"
    SSN = "social_security_number"
    AADHAAR = "aadhaar"
    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"
    IBAN = "iban"
    CARD = "payment_card"
    IP_ADDRESS = "ip_address"


KIND_LABELS = {
    Personal.NAME: "name of a person",
    Personal.BIRTH_DATE: "date of birth",
    Personal.GREAT_AGE: "age over 89",
    Personal.EMAIL: "e-mail address",
    Personal.PHONE: "telephone number",
    Personal.ADDRESS: "postal address",
    Personal.RECORD_NUMBER: "number of a patient or a record",
    Personal.NHS: "NHS number",
    Personal.NPI: "national provider identifier",
    Personal.SSN: "social security number",
    Personal.AADHAAR: "Aadhaar number",
    Personal.PASSPORT: "passport number",
    Personal.DRIVING_LICENCE: "driving licence",
    Personal.IBAN: "bank account (IBAN)",
    Personal.CARD: "payment card",
    Personal.IP_ADDRESS: "internet address (IP)",
}
# Those whose form or check digit leaves little doubt.
SURE = frozenset({
    Personal.RECORD_NUMBER, Personal.NHS, Personal.NPI, Personal.SSN, Personal.AADHAAR,
    Personal.PASSPORT, Personal.DRIVING_LICENCE, Personal.IBAN, Personal.CARD,
    Personal.BIRTH_DATE,
})  # fmt: skip


_NAME_FIELDS = re.compile(
    r"(?:patient|client|first|last|full|given|family|sur|maiden|middle|person|claimant|contact)"
    r"[ _-]?name|patient|surname|forename|completed_by_name"
)
_FIELDS: tuple[tuple[Personal, re.Pattern[str]], ...] = (
    (Personal.NAME, _NAME_FIELDS),
    (Personal.BIRTH_DATE, re.compile(r"dob|(?:date[ _-]?of[ _-]?)?birth(?:[ _-]?date|day)?")),
    (
        Personal.RECORD_NUMBER,
        re.compile(r"mrn|medical[ _-]?record.{0,12}|patient[ _-]?(?:id|no)"),
    ),
    (Personal.SSN, re.compile(r"ssn|social[ _-]?security.{0,12}")),
    (Personal.PHONE, re.compile(r"(?:tele)?phone(?:[ _-]?(?:no|number))?|mobile|fax")),
    (
        Personal.ADDRESS,
        re.compile(r"(?:(?:street|home|postal|mailing)[ _-]?)?address|zip|post(?:al)?[ _-]?code"),
    ),
)
FIELD_VALUE_MAX = 200


def told_by_field(name: str, value: str) -> Personal | None:
    """What a short value is by the name of its field, such as `patient_name`."""
    if not value.strip() or len(value) > FIELD_VALUE_MAX or len(name) > 40:
        return None
    low = name.lower()
    return next((kind for kind, names in _FIELDS if names.fullmatch(low)), None)


def masked(value: str) -> str:
    """A value as a report may show it: the first letter of each word, the last two digits."""
    digits = sum(each.isdigit() for each in value)
    shown, told, seen = [], False, 0
    for each in value[:60]:
        if each.isdigit():
            seen += 1
            shown.append(each if digits >= 4 and seen > digits - 2 else "•")
        elif each.isalpha():
            shown.append("•" if told else each)
        else:
            shown.append(each)
        told = each.isalnum()
    return "".join(shown)
