"""The catalogue that a new installation starts with: rows, which a migration copies once.

From then on the tables hold the catalogue and operations changes it on its pages, so a change here
reaches nobody's database. Specialties carry the taxonomy codes of NUCC (2026) that a registry may
show for them, the usual one first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
VERSION = "2026-11"
PROFESSIONS: Sequence[tuple[str, str]] = (
    ("medicine", "Medicine"),
    ("nursing", "Nursing and midwifery"),
    ("pharmacy", "Pharmacy"),
    ("allied_health", "Allied health"),
    ("law", "Law"),
    ("software", "Software"),
)
# Profession, heading, then specialties: a key, and codes after it where a taxonomy has some.
SPECIALTIES: Sequence[tuple[str, str, str]] = (
    (
        "medicine",
        "Specialties",
        """
        allergy_immunology 207K00000X
        anesthesiology 207L00000X
        cardiology 207RC0000X 207RI0011X 207RC0001X
        critical_care 207RC0200X
        dermatology 207N00000X
        emergency_medicine 207P00000X
        endocrinology 207RE0101X
        family_medicine 207Q00000X
        gastroenterology 207RG0100X
        general_surgery 208600000X
        geriatrics 207RG0300X 207QG0300X
        hematology 207RH0000X 207RH0003X
        hospital_medicine 208M00000X
        infectious_disease 207RI0200X
        internal_medicine 207R00000X
        nephrology 207RN0300X
        neurology 2084N0400X 2084N0402X
        neurosurgery 207T00000X
        nuclear_medicine 207U00000X
        obstetrics_gynecology 207V00000X
        oncology 207RX0202X 207RH0003X
        ophthalmology 207W00000X
        orthopedics 207X00000X
        otolaryngology 207Y00000X
        pathology 207ZP0102X 207ZP0101X 207ZP0105X
        pediatrics 208000000X
        pharmacy 183500000X
        physical_medicine 208100000X
        plastic_surgery 208200000X
        psychiatry 2084P0800X 2084P0804X
        pulmonology 207RP1001X
        radiation_oncology 2085R0001X
        radiology 2085R0202X 2085R0204X
        rheumatology 207RR0500X
        thoracic_surgery 208G00000X
        urology 208800000X
        vascular_surgery 2086S0129X
        """,
    ),
    (
        "nursing",
        "Fields",
        """
        adult_nursing 163W00000X
        critical_care_nursing 163WC0200X
        mental_health_nursing 163WP0808X
        midwifery 367A00000X
        nurse_practitioner 363L00000X
        pediatric_nursing 163WP0200X
        """,
    ),
    ("pharmacy", "Fields", "clinical_pharmacy 1835P0018X\ncommunity_pharmacy 183500000X"),
    (
        "allied_health",
        "Fields",
        """
        biomedical_science 246Q00000X
        dietetics 133V00000X
        occupational_therapy 225X00000X
        paramedicine 146L00000X
        physiotherapy 225100000X
        psychology 103T00000X
        radiography 247100000X
        speech_and_language_therapy 235Z00000X
        """,
    ),
    (
        "law",
        "Practice areas",
        "administrative\nantitrust\nbankruptcy\ncivil_litigation\nconstitutional\ncontracts\n"
        "corporate\ncriminal\ndata_protection\nemployment\nenvironmental\nfamily\n"
        "finance_and_banking\nhealth\nimmigration\nintellectual_property\ninternational\n"
        "property\nsecurities\ntax\ntort",
    ),
    (
        "software",
        "Fields",
        "backend\ncloud\ncompilers\ndata_engineering\ndatabases\ndistributed_systems\nembedded\n"
        "frontend\nmachine_learning\nmobile\nnetworking\noperating_systems\nperformance\nsecurity\n"
        "testing",
    ),
    (
        "software",
        "Languages",
        "python\njavascript\ntypescript\njava\ngo\nrust\nc\ncpp\ncsharp\nsql\nkotlin\nswift\nphp\n"
        "ruby",
    ),
)
TITLES = {
    "cpp": "C++",
    "csharp": "C#",
    "javascript": "JavaScript",
    "obstetrics_gynecology": "Obstetrics and gynecology",
    "php": "PHP",
    "sql": "SQL",
    "typescript": "TypeScript",
}


def format_row(place: str, pattern: str, description: str, example: str) -> Row:
    """How identifiers are written in one place."""
    return {
        "place": place,
        "pattern": pattern,
        "description": description,
        "example": example,
        "version": VERSION,
    }


# What a person ticks after looking: each is asked for before a claim is verified at its level.
CHECKLIST: Sequence[Row] = tuple(
    {"key": key, "level": level, "sentence": sentence}
    for key, level, sentence in (
        ("source_opened", 2, "I opened the register's own page."),
        ("name_matches", 2, "The name there is this person's name."),
        ("jurisdiction_matches", 2, "The register is that of the stated jurisdiction."),
        ("identity_shown", 3, "An identity document or control of the account was shown."),
        ("status_active", 4, "The licence is active today."),
        ("no_restrictions", 4, "No restriction or discipline is noted."),
    )
)
ACCOUNT_CHECKLIST: Sequence[Row] = tuple(
    {"key": key, "level": level, "sentence": sentence}
    for key, level, sentence in (
        ("source_opened", 2, "I opened the account's own page."),
        ("name_matches", 2, "The name or the work there is this person's."),
        ("jurisdiction_matches", 2, "The account is the one that was stated, letter for letter."),
        ("identity_shown", 3, "The person acted from the account, so they control it."),
        ("status_active", 4, "The account is in use today."),
        ("no_restrictions", 4, "Nothing there says that it was taken over or suspended."),
    )
)
_DIGITS = "digits, no others"
_NHS_STYLE = ("stripe.identity", "us.ofac", "manual")
_US_CARE = ("stripe.identity", "us.leie", "us.ofac", "manual")
_USUAL: Row = {
    "jurisdictions": ["GB"],
    "verifiers": list(_NHS_STYLE),
    "sold_level": 3,
    "auto_verify": False,
    "two_person": False,
    "expires": True,
    "reverify_days": 365,
    "evidence_days": 400,
    "claimable": True,
    "checklist": list(CHECKLIST),
}


def type_row(
    key: str, title: str, profession: str, formats: Sequence[Row], look_up: Row, **other: Any
) -> Row:
    """A credential type; what is not said is as usual."""
    links = [{"place": place, "url": url} for place, url in look_up.items()]
    own = {"key": key, "title": title, "profession": profession}
    return dict(_USUAL) | own | {"formats": list(formats), "look_up": links} | other


CREDENTIAL_TYPES: Sequence[Row] = (
    type_row(
        "npi",
        "National Provider Identifier",
        "medicine",
        [format_row("US", "[12][0-9]{9}", "ten digits that start with 1 or 2", "1234567893")],
        {"US": "https://npiregistry.cms.hhs.gov/provider-view/{identifier}"},
        jurisdictions=["US"],
        verifiers=["us.npi.nppes", *_US_CARE],
        auto_verify=True,
        expires=False,
    ),
    type_row(
        "us_medical_license",
        "State medical licence",
        "medicine",
        [
            format_row("US-CA", "[A-Z]{1,3}[0-9]{3,7}", "a letter and digits", "A123456"),
            format_row("US-NY", "[0-9]{6}", "six digits", "123456"),
            format_row("US-TX", "[A-Z][0-9]{4}", "a letter and four digits", "K1234"),
            format_row("US-FL", "(?:ME|OS)[0-9]{3,6}", "ME or OS and digits", "ME12345"),
            format_row("US-*", "[A-Z0-9]{3,15}", "3 to 15 letters and digits", "MD12345"),
        ],
        {"US-*": "https://www.docinfo.org/search/"},
        jurisdictions=["US-*"],
        verifiers=list(_US_CARE),
    ),
    type_row(
        "gmc",
        "General Medical Council register",
        "medicine",
        [format_row("GB", "C?([0-9]{7})", "seven digits", "1234567")],
        {"GB": "https://www.gmc-uk.org/registrants/{identifier}"},
    ),
    type_row(
        "orcid",
        "ORCID iD",
        "medicine",
        [format_row("*", "[0-9]{15}[0-9X]", "sixteen characters", "0000-0002-1825-0097")],
        {"*": "https://orcid.org/{identifier}"},
        jurisdictions=["*"],
        expires=False,
        checklist=list(ACCOUNT_CHECKLIST),
    ),
    type_row(
        "nmc",
        "Nursing and Midwifery Council register",
        "nursing",
        [
            format_row(
                "GB",
                "[0-9]{2}[A-Z][0-9]{4}[A-Z]",
                "two digits, a letter, four digits, a letter",
                "99I1234E",
            )
        ],
        {"GB": "https://www.nmc.org.uk/registration/search-the-register/"},
    ),
    type_row(
        "us_nursing_license",
        "State nursing licence",
        "nursing",
        [format_row("US-*", "[A-Z0-9]{3,15}", "3 to 15 letters and digits", "RN123456")],
        {"US-*": "https://www.nursys.com/LQC/LQCTerms.aspx"},
        jurisdictions=["US-*"],
        verifiers=list(_US_CARE),
    ),
    type_row(
        "gphc",
        "General Pharmaceutical Council register",
        "pharmacy",
        [format_row("GB", "[0-9]{7}", "seven digits", "2012345")],
        {"GB": "https://www.pharmacyregulation.org/registers/"},
    ),
    type_row(
        "hcpc",
        "Health and Care Professions Council register",
        "allied_health",
        [format_row("GB", "[A-Z]{2}[0-9]{5,6}", "two letters and five or six digits", "PH123456")],
        {"GB": "https://www.hcpc-uk.org/check-the-register/"},
    ),
    type_row(
        "us_bar",
        "State bar admission",
        "law",
        [
            format_row("US-CA", "0{0,9}([1-9][0-9]{0,5})", f"up to six {_DIGITS}", "123456"),
            format_row("US-NY", "[0-9]{7}", f"seven {_DIGITS}", "1234567"),
            format_row("US-TX", "[0-9]{8}", f"eight {_DIGITS}", "12345678"),
            format_row("US-FL", "0{0,9}([1-9][0-9]{0,6})", f"up to seven {_DIGITS}", "1012345"),
            format_row("US-IL", "[0-9]{7}", f"seven {_DIGITS}", "6123456"),
            format_row("US-PA", "0{0,9}([1-9][0-9]{0,5})", f"up to six {_DIGITS}", "123456"),
            format_row("US-DC", "[0-9]{4,10}", f"four to ten {_DIGITS}", "1001234"),
        ],
        {
            "US-CA": "https://apps.calbar.ca.gov/attorney/Licensee/Detail/{identifier}",
            "US-NY": "https://iapps.courts.state.ny.us/attorneyservices/search",
            "US-TX": "https://www.texasbar.com/",
            "US-FL": "https://www.floridabar.org/directories/find-mbr/",
        },
        jurisdictions=["US-*"],
        two_person=True,
    ),
    type_row(
        "sra",
        "Solicitors Regulation Authority roll",
        "law",
        [format_row("GB", "0{0,9}([1-9][0-9]{0,6})", f"up to seven {_DIGITS}", "123456")],
        {"GB": "https://www.sra.org.uk/consumers/register/"},
        two_person=True,
    ),
    type_row(
        "github",
        "GitHub account",
        "software",
        [
            {
                **format_row("*", "[A-Z0-9][A-Z0-9-]{0,38}", "the account's name", "octocat"),
                "exact": True,
            }
        ],
        {"*": "https://github.com/{identifier}"},
        jurisdictions=["*"],
        verifiers=["github.oauth", "manual"],
        auto_verify=True,
        expires=False,
        checklist=list(ACCOUNT_CHECKLIST),
    ),
    type_row(
        "coder_qualification",
        "Coder qualification",
        "software",
        [],
        {},
        jurisdictions=["*"],
        verifiers=["qualification"],
        auto_verify=True,
        claimable=False,
    ),
)


def profession_rows() -> list[dict[str, Any]]:
    """The rows of table `profession`, in the order in which people read them."""
    return [
        {"key": key, "title": title, "position": number, "retired_at": None}
        for number, (key, title) in enumerate(PROFESSIONS, start=1)
    ]


def specialty_rows() -> list[dict[str, Any]]:
    """The rows of table `specialty`."""
    found = [
        (profession, heading, *line.split())
        for profession, heading, lines in SPECIALTIES
        for line in lines.strip().splitlines()
    ]
    return [
        {
            "profession": profession,
            "key": key,
            "title": TITLES.get(key, key.replace("_", " ").capitalize()),
            "heading": heading,
            "nucc_codes": codes,
            "position": number,
            "retired_at": None,
        }
        for number, (profession, heading, key, *codes) in enumerate(found, start=1)
    ]


def type_rows() -> list[dict[str, Any]]:
    """The rows of table `credential_type`."""
    return [
        dict(row) | {"position": number, "retired_at": None}
        for number, row in enumerate(CREDENTIAL_TYPES, start=1)
    ]
