"""Professions, their specialties, and the credentials that show them: data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.errors import Fault, Faulty

_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ "
    "NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR GU VI"
)
US_STATES = frozenset(_STATES.split())
COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Format:
    """How an identifier is written, without spaces and punctuation.

    Where the pattern has a group, the group is the identifier and the rest a manner of writing.
    """

    pattern: str
    description: str
    example: str
    version: str = "2026-07"


@dataclass(frozen=True, slots=True)
class CredentialType:
    """A kind of credential. jurisdictions: `US`, `GB`, `US-*` for any state, `*` for anywhere.

    formats: by jurisdiction, then by `US-*` or `*`; look_up: where a person looks it up, by
    jurisdiction; sold_level: the level from which it is sold as verified.
    """

    key: str
    title: str
    profession: str
    jurisdictions: tuple[str, ...]
    formats: Mapping[str, Format]
    look_up: Mapping[str, str]
    expires: bool = True
    sold_level: int = 3


@dataclass(frozen=True, slots=True)
class Profession:
    """A profession and what people in it specialise in: key to title."""

    key: str
    title: str
    specialties: Mapping[str, str]


def _titles(keys: str) -> dict[str, str]:
    return {key: key.replace("_", " ").capitalize() for key in keys.split()}


PROFESSIONS: Mapping[str, Profession] = {
    each.key: each
    for each in (
        Profession(
            "medicine",
            "Medicine",
            _titles(
                "anesthesiology cardiology dermatology emergency_medicine endocrinology "
                "family_medicine gastroenterology general_surgery geriatrics hematology "
                "infectious_disease internal_medicine nephrology neurology neurosurgery "
                "obstetrics_gynecology oncology ophthalmology orthopedics otolaryngology pathology "
                "pediatrics pharmacy psychiatry pulmonology radiology rheumatology urology"
            ),
        ),
        Profession(
            "law",
            "Law",
            _titles(
                "administrative antitrust bankruptcy civil_litigation constitutional contracts "
                "corporate criminal data_protection employment environmental family "
                "finance_and_banking health immigration intellectual_property international "
                "property securities tax tort"
            ),
        ),
        Profession(
            "software",
            "Software",
            _titles(
                "backend cloud compilers data_engineering databases distributed_systems embedded "
                "frontend machine_learning mobile networking operating_systems performance "
                "security testing python javascript typescript java go rust c cpp csharp sql"
            ),
        ),
    )
}
_DIGITS = "digits, no others"
CREDENTIAL_TYPES: Mapping[str, CredentialType] = {
    each.key: each
    for each in (
        CredentialType(
            "npi",
            "National Provider Identifier",
            "medicine",
            ("US",),
            {"US": Format(r"[12][0-9]{9}", "ten digits that start with 1 or 2", "1234567893")},
            {"US": "https://npiregistry.cms.hhs.gov/search"},
            expires=False,
        ),
        CredentialType(
            "us_medical_license",
            "State medical licence",
            "medicine",
            ("US-*",),
            {
                "US-CA": Format(r"[A-Z]{1,3}[0-9]{3,7}", "a letter and digits", "A123456"),
                "US-NY": Format(r"[0-9]{6}", "six digits", "123456"),
                "US-TX": Format(r"[A-Z][0-9]{4}", "a letter and four digits", "K1234"),
                "US-FL": Format(r"(ME|OS)[0-9]{3,6}", "ME or OS and digits", "ME12345"),
                "US-*": Format(r"[A-Z0-9]{3,15}", "3 to 15 letters and digits", "MD12345"),
            },
            {"US-*": "https://www.docinfo.org/search/"},
        ),
        CredentialType(
            "gmc",
            "General Medical Council register",
            "medicine",
            ("GB",),
            {"GB": Format(r"C?([0-9]{7})", "seven digits", "1234567")},
            {"GB": "https://www.gmc-uk.org/registrants/"},
        ),
        CredentialType(
            "us_bar",
            "State bar admission",
            "law",
            ("US-*",),
            {
                "US-CA": Format(r"0*([1-9][0-9]{0,5})", f"up to six {_DIGITS}", "123456"),
                "US-NY": Format(r"[0-9]{7}", f"seven {_DIGITS}", "1234567"),
                "US-TX": Format(r"[0-9]{8}", f"eight {_DIGITS}", "12345678"),
                "US-FL": Format(r"0*([1-9][0-9]{0,6})", f"up to seven {_DIGITS}", "1012345"),
                "US-IL": Format(r"[0-9]{7}", f"seven {_DIGITS}", "6123456"),
                "US-PA": Format(r"0*([1-9][0-9]{0,5})", f"up to six {_DIGITS}", "123456"),
                "US-DC": Format(r"[0-9]{4,10}", f"four to ten {_DIGITS}", "1001234"),
            },
            {
                "US-CA": "https://apps.calbar.ca.gov/attorney/LicenseeSearch/QuickSearch",
                "US-NY": "https://iapps.courts.state.ny.us/attorneyservices/search",
                "US-TX": "https://www.texasbar.com/",
                "US-FL": "https://www.floridabar.org/directories/find-mbr/",
            },
        ),
        CredentialType(
            "sra",
            "Solicitors Regulation Authority roll",
            "law",
            ("GB",),
            {"GB": Format(r"0*([1-9][0-9]{0,6})", f"up to seven {_DIGITS}", "123456")},
            {"GB": "https://www.sra.org.uk/consumers/register/"},
        ),
        CredentialType(
            "github",
            "GitHub account",
            "software",
            ("*",),
            {"*": Format(r"[A-Z0-9]{1,39}", "the account's name", "octocat")},
            {"*": "https://github.com/"},
            expires=False,
            sold_level=2,
        ),
        CredentialType(
            "orcid",
            "ORCID iD",
            "medicine",
            ("*",),
            {"*": Format(r"[0-9]{15}[0-9X]", "sixteen characters", "0000-0002-1825-0097")},
            {"*": "https://orcid.org/"},
            expires=False,
        ),
    )
}
# What a person ticks after looking: each is asked for before a claim is verified at its level.
CHECKLIST: Mapping[str, tuple[int, str]] = {
    "source_opened": (2, "I opened the register's own page."),
    "name_matches": (2, "The name there is this person's name."),
    "jurisdiction_matches": (2, "The register is that of the stated jurisdiction."),
    "identity_shown": (3, "An identity document or control of the account was shown."),
    "status_active": (4, "The licence is active today."),
    "no_restrictions": (4, "No restriction or discipline is noted."),
}


def credential_type(key: str) -> CredentialType:
    """The credential type of this key; Faulty at /type with the types there are."""
    found = CREDENTIAL_TYPES.get(key)
    if found is None:
        advice = f"Choose one of {', '.join(CREDENTIAL_TYPES)}."
        raise Faulty("There is no such credential.", [Fault("/type", advice)])
    return found


def clean_jurisdiction(kind: CredentialType, jurisdiction: str) -> str:
    """The jurisdiction in capitals; Faulty at /jurisdiction where this type has no such one."""
    code = jurisdiction.strip().upper()
    country, _, state = code.partition("-")
    fits = (
        code in kind.jurisdictions
        or (country == "US" and state in US_STATES and "US-*" in kind.jurisdictions)
        or ("*" in kind.jurisdictions and (code == "" or COUNTRY.fullmatch(code) is not None))
    )
    if not fits:
        wanted = ", ".join(kind.jurisdictions).replace("US-*", "a state such as US-CA")
        fault = Fault("/jurisdiction", f"For this credential, give {wanted}.")
        raise Faulty("The jurisdiction does not fit the credential.", [fault])
    return "" if "*" in kind.jurisdictions else code


def clean_specialties(profession: str, specialties: list[str]) -> list[str]:
    """The specialties without repeats; Faulty at /specialties for one the profession lacks."""
    known = PROFESSIONS[profession].specialties
    unknown = [each for each in specialties if each not in known]
    if unknown:
        fault = Fault("/specialties", f"There is no “{unknown[0][:60]}” in {profession}.")
        raise Faulty("A specialty is not one we know.", [fault])
    return list(dict.fromkeys(specialties))


def format_of(kind: CredentialType, jurisdiction: str) -> Format | None:
    """How identifiers of this type are written there; None where nobody told us."""
    country = jurisdiction.partition("-")[0]
    for place in (jurisdiction, f"{country}-*", country, "*"):
        if place in kind.formats:
            return kind.formats[place]
    return None


def look_up_address(kind: CredentialType, jurisdiction: str) -> str | None:
    """The register's page for a person to open; None where there is none that we know."""
    country = jurisdiction.partition("-")[0]
    places = (jurisdiction, f"{country}-*", country, "*")
    return next((kind.look_up[place] for place in places if place in kind.look_up), None)
