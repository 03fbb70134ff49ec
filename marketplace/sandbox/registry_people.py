"""The invented people and organisations that the sandbox's register of US providers knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_FIRST = "Avery Blythe Corwin Delphine Emeric Fenna Gideon Hester Ivo Junia Kasimir Linnea"
_LAST = "Ashdown Brackenbury Castellan Dunmoor Eskeline Farrowby Gildenhart Hollowell"
FIRST, LAST = _FIRST.split(), _LAST.split()
# NUCC codes of specialties, with their words there.
TAXONOMIES = (
    ("207R00000X", "Internal Medicine"),
    ("207RC0000X", "Internal Medicine, Cardiovascular Disease"),
    ("207Q00000X", "Family Medicine"),
    ("2084P0800X", "Psychiatry & Neurology, Psychiatry"),
    ("2085R0202X", "Radiology, Diagnostic Radiology"),
    ("208000000X", "Pediatrics"),
)
STATES = ("CA", "NY", "TX", "FL")
# What licence numbers look like there.
LICENCES = {"CA": "A{:06d}", "NY": "{:06d}", "TX": "K{:04d}", "FL": "ME{:05d}"}
PEOPLE = 24
CARD_ISSUER = "80840"


@dataclass(frozen=True)
class Person:
    """A provider. licence: in `state`; organisation: its name, for entity type 2."""

    number: str
    first: str
    last: str
    state: str
    licence: str
    code: str = "207R00000X"
    middle: str = ""
    active: bool = True
    organisation: str = ""

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.organisation or " ".join(p for p in (self.first, self.middle, self.last) if p)


def number_from(stem: str) -> str:
    """Nine digits with their check digit (Luhn over 80840 and the number)."""
    total = 0
    for place, digit in enumerate(reversed(CARD_ISSUER + stem)):
        doubled = int(digit) * (2 - place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return stem + str(-total % 10)


def _person(at: int) -> Person:
    state = STATES[at % len(STATES)]
    return Person(
        number=number_from(f"19{at:07d}"),
        first=FIRST[at % len(FIRST)],
        last=LAST[(at * 3 + at // len(FIRST)) % len(LAST)],
        state=state,
        licence=LICENCES[state].format(1_000 + at),
        code=TAXONOMIES[at % len(TAXONOMIES)][0],
    )


KNOWN: tuple[Person, ...] = (
    *(_person(at) for at in range(PEOPLE)),
    Person(number_from("190000100"), "Marlow", "Thistlewood", "CA", "A009001"),
    Person(number_from("190000101"), "Marlow", "Thistlewood", "CA", "A009002"),
    Person(number_from("190000102"), "Odalys", "Winterbourne", "NY", "009003", active=False),
    Person(number_from("190000103"), "", "", "TX", "", organisation="Larkspur Invented Clinic LLC"),
    # The doctor of the demonstration world.
    Person("1234567893", "Elena", "Marsh", "CA", "A204117"),
)


def row_of(person: Person) -> dict[str, Any]:
    """A provider as NPPES answers it; numbers and epochs are text, as they are today."""
    words = dict(TAXONOMIES).get(person.code, "Internal Medicine")
    return {
        "created_epoch": "1262304000000",
        "enumeration_type": "NPI-2" if person.organisation else "NPI-1",
        "last_updated_epoch": "1719792000000",
        "number": person.number,
        "addresses": [
            {
                "country_code": "US",
                "address_purpose": purpose,
                "address_type": "DOM",
                "address_1": "1 INVENTED STREET",
                "city": "NOWHERE",
                "state": person.state,
                "postal_code": "000000000",
            }
            for purpose in ("MAILING", "LOCATION")
        ],
        "practiceLocations": [],
        "basic": _basic(person),
        "taxonomies": [
            {
                "code": person.code,
                "taxonomy_group": "",
                "desc": words,
                "state": person.state,
                "license": person.licence,
                "primary": True,
            }
        ],
        "identifiers": [],
        "endpoints": [],
        "other_names": [],
    }


def _basic(person: Person) -> dict[str, Any]:
    dates = {"enumeration_date": "2010-01-01", "last_updated": "2024-07-01"}
    if not person.active:
        dates["deactivation_date"] = "2024-06-30"
    status = "A" if person.active else "D"
    if person.organisation:
        return {
            "organization_name": person.organisation.upper(),
            "organizational_subpart": "NO",
            "authorized_official_last_name": "NOBODY",
            "status": status,
            **dates,
        }
    return {
        "first_name": person.first.upper(),
        "middle_name": person.middle.upper() or "--",
        "last_name": person.last.upper(),
        "credential": "M.D.",
        "sole_proprietor": "NO",
        "sex": "X",
        "status": status,
        **dates,
    }
