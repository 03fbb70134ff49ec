"""Professions, their specialties, and the credentials that show them: what the rows mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from marketplace.errors import Fault, Faulty
from marketplace.specialists.rules import catalogue_rows

_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ "
    "NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY PR GU VI"
)
US_STATES = frozenset(_STATES.split())
COUNTRY = re.compile(r"[A-Z]{2}")
IDENTIFIER_PLACE = "{identifier}"
Checklist = Mapping[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Format:
    """How an identifier is written, without spaces and punctuation.

    Where the pattern has a group, the group is the identifier and the rest a manner of writing.
    exact: hyphens and the like are part of it, as in an account's name.
    """

    pattern: str
    description: str
    example: str
    version: str
    exact: bool = False


@dataclass(frozen=True, slots=True)
class CredentialType:
    """A kind of credential. jurisdictions: `US`, `GB`, `US-*` for any state, `*` for anywhere.

    formats: by jurisdiction, then by `US-*` or `*`; look_up: where a person looks it up, by
    jurisdiction, `{identifier}` standing for the identifier; verifiers: keys of those that may
    look at it; sold_level: the level from which it is sold as verified; auto_verify: verdicts
    alone may verify it once they show that level; two_person: a person's decision that grants or
    ends it needs another's; reverify_days: how long a check holds; evidence_days: how long files
    are kept; claimable: people claim it themselves (else the product grants it); checklist: what a
    person ticks, with the least level that needs it; retired: nobody claims it any more.
    """

    key: str
    title: str
    profession: str
    jurisdictions: tuple[str, ...]
    formats: Mapping[str, Format]
    look_up: Mapping[str, str]
    verifiers: tuple[str, ...]
    checklist: Checklist
    expires: bool = True
    sold_level: int = 3
    auto_verify: bool = False
    two_person: bool = False
    reverify_days: int = 365
    evidence_days: int = 400
    claimable: bool = True
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Specialty:
    """A specialty under its heading, such as `Languages`; nucc_codes: what registries call it."""

    key: str
    title: str
    heading: str
    nucc_codes: tuple[str, ...] = ()
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Profession:
    """A profession and what people in it specialise in; `listed` holds retired ones as well."""

    key: str
    title: str
    listed: Mapping[str, Specialty] = field(default_factory=dict)
    retired: bool = False

    @property
    def specialties(self) -> dict[str, str]:
        """Those that are offered: key to title."""
        return {key: each.title for key, each in self.listed.items() if not each.retired}

    @property
    def headings(self) -> dict[str, dict[str, str]]:
        """Those that are offered, key to title, by heading."""
        found: dict[str, dict[str, str]] = {}
        for key, title in self.specialties.items():
            found.setdefault(self.listed[key].heading, {})[key] = title
        return found


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it, retired ones included, since what is stored must keep its words."""

    professions: Mapping[str, Profession]
    types: Mapping[str, CredentialType]

    def offered_professions(self) -> dict[str, Profession]:
        """The professions that forms offer, in order."""
        return {key: each for key, each in self.professions.items() if not each.retired}

    def offered_types(self, profession: str | None = None) -> dict[str, CredentialType]:
        """The types that people may claim, in order; of one profession, or of all."""
        live = self.offered_professions()
        return {
            key: each
            for key, each in self.types.items()
            if each.claimable
            and not each.retired
            and each.profession in live
            and profession in {None, each.profession}
        }

    def specialty_title(self, key: str) -> str:
        """A specialty in words, whichever profession has it."""
        for profession in self.professions.values():
            if key in profession.listed:
                return profession.listed[key].title
        return key.replace("_", " ").capitalize()


def assembled(
    professions: Iterable[Mapping[str, Any]],
    specialties: Iterable[Mapping[str, Any]],
    types: Iterable[Mapping[str, Any]],
) -> Catalogue:
    """The catalogue that rows describe, each kind in its order."""
    listed: dict[str, dict[str, Specialty]] = {}
    for row in specialties:
        listed.setdefault(row["profession"], {})[row["key"]] = Specialty(
            key=row["key"],
            title=row["title"],
            heading=row["heading"],
            nucc_codes=tuple(row["nucc_codes"]),
            retired=row["retired_at"] is not None,
        )
    known = (
        Profession(
            row["key"], row["title"], listed.get(row["key"], {}), row["retired_at"] is not None
        )
        for row in professions
    )
    kinds = (type_from(row) for row in types)
    return Catalogue({each.key: each for each in known}, {each.key: each for each in kinds})


def type_from(row: Mapping[str, Any]) -> CredentialType:
    """The credential type that a row describes."""
    formats = {
        each["place"]: Format(**{name: each[name] for name in each if name != "place"})
        for each in row["formats"]
    }
    return CredentialType(
        key=row["key"],
        title=row["title"],
        profession=row["profession"],
        jurisdictions=tuple(row["jurisdictions"]),
        formats=formats,
        look_up={each["place"]: each["url"] for each in row["look_up"]},
        verifiers=tuple(row["verifiers"]),
        checklist={each["key"]: (each["level"], each["sentence"]) for each in row["checklist"]},
        expires=row["expires"],
        sold_level=row["sold_level"],
        auto_verify=row["auto_verify"],
        two_person=row["two_person"],
        reverify_days=row["reverify_days"],
        evidence_days=row["evidence_days"],
        claimable=row["claimable"],
        retired=row["retired_at"] is not None,
    )


def first_catalogue() -> Catalogue:
    """The catalogue that a new installation starts with."""
    return assembled(
        catalogue_rows.profession_rows(),
        catalogue_rows.specialty_rows(),
        catalogue_rows.type_rows(),
    )


def credential_type(catalogue: Catalogue, key: str) -> CredentialType:
    """The type of this key, to be claimed; Faulty at /type with the types there are."""
    offered = catalogue.offered_types()
    if key not in offered:
        fault = Fault("/type", f"Choose one of {', '.join(offered)}.")
        raise Faulty("There is no such credential.", [fault])
    return offered[key]


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


def clean_specialties(profession: Profession, specialties: Iterable[str]) -> list[str]:
    """The specialties without repeats; Faulty at /specialties for one the profession lacks."""
    wanted = list(dict.fromkeys(specialties))
    unknown = [each for each in wanted if each not in profession.specialties]
    if unknown:
        fault = Fault("/specialties", f"There is no “{unknown[0][:60]}” in {profession.key}.")
        raise Faulty("A specialty is not one we know.", [fault])
    return wanted


def _places(jurisdiction: str) -> tuple[str, ...]:
    """Under which a format or a link may stand, the nearest first."""
    country = jurisdiction.partition("-")[0]
    return (jurisdiction, f"{country}-*", country, "*")


def format_of(kind: CredentialType, jurisdiction: str) -> Format | None:
    """How identifiers of this type are written there; None where nobody told us."""
    return next((kind.formats[at] for at in _places(jurisdiction) if at in kind.formats), None)


def look_up_address(
    kind: CredentialType, jurisdiction: str, identifier: str | None = None
) -> str | None:
    """The register's page for a person to open; None where there is none that we know.

    identifier: leads to the record itself where the register has such pages; without one the
    address holds nothing personal and may be stored.
    """
    found = next((kind.look_up[at] for at in _places(jurisdiction) if at in kind.look_up), None)
    if found is None or identifier is None:
        return found and found.partition(IDENTIFIER_PLACE)[0]
    return found.replace(IDENTIFIER_PLACE, quote(identifier, safe=""))
