"""Places and languages as people name them, and as codes: `California` and `US-CA`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from marketplace.specialists.rules.catalogue import CredentialType
from marketplace.web.filters import LOCALE

# Groups of countries and private codes that stand among the territories.
NO_COUNTRY = frozenset({"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"})
STATES: Mapping[str, str] = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California",
    "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia",
    "FL": "Florida", "GA": "Georgia", "GU": "Guam", "HI": "Hawaii", "ID": "Idaho",
    "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
    "MN": "Minnesota", "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska",
    "NV": "Nevada", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico",
    "NY": "New York", "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio",
    "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "PR": "Puerto Rico",
    "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee",
    "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VI": "U.S. Virgin Islands", "VA": "Virginia",
    "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
# What people call a country beside the name that the locale has for it.
ALSO: Mapping[str, str] = {
    "uk": "GB", "england": "GB", "great britain": "GB", "usa": "US",
    "united states of america": "US",
}  # fmt: skip
# Offered as boxes to tick; any other is written.
USUAL_LANGUAGES = ("en", "es", "fr", "de", "pt", "it", "nl", "pl", "ar", "hi", "zh", "ja")


@lru_cache(maxsize=1)
def countries() -> list[tuple[str, str]]:
    """Countries as (code, name), by name."""
    known = Locale.parse(LOCALE).territories
    found = [
        (code, str(name))
        for code, name in known.items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRY
    ]
    return sorted(found, key=lambda each: each[1])


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Codes by name in small letters; `Georgia` is the country, as the longer list has it."""
    states = {name.lower(): f"US-{code}" for code, name in STATES.items()}
    return states | dict(ALSO) | {name.lower(): code for code, name in countries()}


def place_name(code: str) -> str:
    """`California` for `US-CA`, `Germany` for `DE`; a code that nobody knows as it is."""
    country, _, part = code.partition("-")
    if country == "US" and part in STATES:
        return STATES[part]
    return str(Locale.parse(LOCALE).territories.get(code, code))


def place_names(codes: Iterable[str]) -> str:
    """Places with commas, such that `place_codes` reads the same codes again."""
    found = []
    for code in codes:
        name = place_name(code)
        found.append(name if _codes().get(name.lower()) == code else code)
    return ", ".join(found)


def place_codes(text: str) -> list[str]:
    """Codes from names or codes with commas; what is neither stays as it was written."""
    parts = [part.strip() for part in text.replace(";", ",").split(",")]
    return [_codes().get(part.lower(), part.upper()) for part in parts if part]


def place_choices(kinds: Iterable[CredentialType]) -> list[tuple[str, str]]:
    """Where credentials of these types are held: (code, words), the empty choice first."""
    codes = {code for kind in kinds for code in kind.jurisdictions}
    states = STATES.items() if "US-*" in codes else ()
    found = [(code, place_name(code)) for code in sorted(codes - {"US-*", "*"})]
    found += sorted(
        ((f"US-{code}", f"United States, {name}") for code, name in states),
        key=lambda each: each[1],
    )
    return [("", "Nowhere in particular" if "*" in codes else "Choose where"), *found]


def language_name(tag: str) -> str:
    """`Brazilian Portuguese` for `pt-BR`; a tag that nobody knows as it is."""
    known = Locale.parse(LOCALE).languages.get(tag.replace("-", "_"))
    if known:
        return str(known)
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag


def language_choices() -> list[tuple[str, str]]:
    """The usual languages as (tag, name)."""
    return [(tag, language_name(tag)) for tag in USUAL_LANGUAGES]


@lru_cache(maxsize=1)
def _tags() -> dict[str, str]:
    known = Locale.parse(LOCALE).languages
    return {str(name).lower(): tag.replace("_", "-") for tag, name in known.items()}


def language_tags(text: str) -> list[str]:
    """Tags from names or tags with commas; what is neither stays as it was written."""
    parts = [part.strip() for part in text.replace(";", ",").split(",")]
    return [_tags().get(part.lower(), part) for part in parts if part]


def language_names(tags: Iterable[str]) -> str:
    """`English, Dutch`, such that `language_tags` reads the same tags again."""
    named = [(tag, language_name(tag)) for tag in tags]
    return ", ".join(name if _tags().get(name.lower()) == tag else tag for tag, name in named)
