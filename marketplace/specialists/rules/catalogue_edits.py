"""What operations may write into the catalogue: how it is tidied, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from marketplace.errors import Fault, Faulty
from marketplace.specialists.rules.catalogue import COUNTRY, IDENTIFIER_PLACE, US_STATES
from marketplace.specialists.rules.catalogue_rows import VERSION
from marketplace.specialists.rules.checks import compact_form
from marketplace.specialists.rules.patterns import pattern_fault

TEXT_MAX = 200
URL_MAX = 500
LIST_MAX = 80
REVERIFY_DAYS_MAX = 1_095
EVIDENCE_DAYS_MAX = 3_650
# Who may look at a credential; each is a program of ours, `manual` a person of operations.
VERIFIERS: Mapping[str, str] = {
    "us.npi.nppes": "The NPI registry (NPPES)",
    "us.leie": "The list of excluded individuals (LEIE)",
    "us.ofac": "The list of sanctioned people (OFAC)",
    "stripe.identity": "An identity document (Stripe Identity)",
    "github.oauth": "Control of a GitHub account",
    "qualification": "A passed qualification of ours",
    "manual": "A person of operations, at the register",
}
_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NUCC = re.compile(r"[0-9A-Z]{9}X")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
Row = Mapping[str, Any]


def key_fault(key: str, taken: Collection[str]) -> str | None:
    """What is wrong with a new key; keys never change, since what is stored refers to them."""
    if not _KEY.fullmatch(key):
        return "Use lower-case letters, digits and underscores, such as us_medical_license."
    return "This key is taken, perhaps by something retired." if key in taken else None


def _text_fault(text: str) -> str | None:
    ordinary = 1 <= len(text) <= TEXT_MAX and not _CONTROL.search(text)
    return None if ordinary else f"Write 1 to {TEXT_MAX} ordinary characters."


def cleaned_profession(title: str) -> str:
    """The title, tidied; Faulty at /title."""
    tidy = " ".join(title.split())
    if advice := _text_fault(tidy):
        raise Faulty("The profession cannot be kept like this.", [Fault("/title", advice)])
    return tidy


def cleaned_specialty(title: str, heading: str, nucc_codes: Sequence[str]) -> dict[str, Any]:
    """The fields of a specialty, tidied; Faulty with a pointer to each that cannot be used."""
    codes = list(dict.fromkeys(code.strip().upper() for code in nucc_codes if code.strip()))
    found = {
        "title": " ".join(title.split()),
        "heading": " ".join(heading.split()),
        "nucc_codes": codes,
    }
    faults = [
        Fault(f"/{name}", advice)
        for name in ("title", "heading")
        if (advice := _text_fault(str(found[name])))
    ]
    if len(codes) > LIST_MAX or not all(_NUCC.fullmatch(code) for code in codes):
        advice = "Write codes of ten characters that end with X, such as 207RC0000X."
        faults.append(Fault("/nucc_codes", advice))
    if faults:
        raise Faulty("The specialty cannot be kept like this.", faults)
    return found


def cleaned_type(fields: Mapping[str, Any], professions: Collection[str]) -> dict[str, Any]:
    """The fields of a credential type, tidied, as the row has them.

    Faulty with every fault; those of lists point to their place, such as /formats/0/pattern.
    """
    found = dict(fields)
    found["title"] = " ".join(str(fields["title"]).split())
    found["jurisdictions"] = list(
        dict.fromkeys(place.strip().upper() for place in fields["jurisdictions"] if place.strip())
    )
    found["formats"] = [_format(each) for each in fields["formats"]]
    found["look_up"] = [
        {"place": each["place"].strip().upper(), "url": each["url"].strip()}
        for each in fields["look_up"]
    ]
    found["checklist"] = _keyed(fields["checklist"])
    faults = [*_plain_faults(found, professions), *_list_faults(found)]
    if faults:
        raise Faulty("The credential type cannot be kept like this.", faults)
    return found


def _format(row: Row) -> dict[str, Any]:
    tidy = {
        "place": row["place"].strip().upper(),
        "pattern": row["pattern"].strip(),
        "description": " ".join(row["description"].split()),
        "example": row["example"].strip(),
        "version": row.get("version") or VERSION,
    }
    return tidy | ({"exact": True} if row.get("exact") else {})


def _keyed(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The points of a checklist, each with a key that no other has; a key once given stays."""
    found: list[dict[str, Any]] = []
    for row in rows:
        sentence = " ".join(row["sentence"].split())
        words = re.sub(r"[^a-z0-9]+", "_", sentence.lower()).strip("_")[:40].strip("_")
        key = row.get("key") or (words if words[:1].isalpha() else f"point_{words}".strip("_"))
        taken = {each["key"] for each in found}
        number = 2
        while key in taken:
            key, number = f"{key[:40]}_{number}", number + 1
        found.append({"key": key, "level": row["level"], "sentence": sentence})
    return found


def _plain_faults(found: Mapping[str, Any], professions: Collection[str]) -> list[Fault]:
    faults = []
    if advice := _text_fault(found["title"]):
        faults.append(Fault("/title", advice))
    if found["profession"] not in professions:
        faults.append(Fault("/profession", "Choose a profession of the catalogue."))
    if not found["jurisdictions"] or not all(map(_is_place, found["jurisdictions"])):
        advice = "Write countries such as GB, US-* for any state, or * for anywhere."
        faults.append(Fault("/jurisdictions", advice))
    if any(each not in VERIFIERS for each in found["verifiers"]):
        faults.append(Fault("/verifiers", f"Choose from {', '.join(VERIFIERS)}."))
    bounds = (
        ("sold_level", 2, 4),
        ("reverify_days", 1, REVERIFY_DAYS_MAX),
        ("evidence_days", 1, EVIDENCE_DAYS_MAX),
    )
    for name, least, most in bounds:
        if type(found[name]) is not int or not least <= found[name] <= most:
            faults.append(Fault(f"/{name}", f"Write a whole number from {least} to {most:,}."))
    programs = set(found["verifiers"]) - {"manual"}
    if found["auto_verify"] and not programs:
        advice = "Nothing but a person looks at this type, so nothing can verify it by itself."
        faults.append(Fault("/auto_verify", advice))
    return faults


def _is_place(place: str) -> bool:
    country, _, state = place.partition("-")
    if country == "US" and state:
        return state == "*" or state in US_STATES
    return place == "*" or (not state and COUNTRY.fullmatch(place) is not None)


def _list_faults(found: Mapping[str, Any]) -> list[Fault]:
    faults = [
        Fault(f"/{name}", f"At most {LIST_MAX} of these.")
        for name in ("formats", "look_up", "checklist")
        if len(found[name]) > LIST_MAX
    ]
    for number, row in enumerate(found["formats"][:LIST_MAX]):
        faults += [
            Fault(f"/formats/{number}/{name}", advice) for name, advice in _format_faults(row)
        ]
    for number, row in enumerate(found["look_up"][:LIST_MAX]):
        if not _is_place(row["place"]):
            faults.append(Fault(f"/look_up/{number}/place", "Write a place such as GB, US-* or *."))
        if not _is_link(row["url"]):
            faults.append(Fault(f"/look_up/{number}/url", "Write an address with https://."))
    for number, row in enumerate(found["checklist"][:LIST_MAX]):
        if _text_fault(row["sentence"]):
            faults.append(Fault(f"/checklist/{number}/sentence", "Write a sentence to tick."))
        if row["level"] not in {2, 3, 4}:
            faults.append(Fault(f"/checklist/{number}/level", "Choose level 2, 3 or 4."))
    for name in ("formats", "look_up"):
        places = [row["place"] for row in found[name]]
        if len(set(places)) < len(places):
            faults.append(Fault(f"/{name}", "Each place stands once."))
    return faults


def _format_faults(row: Row) -> list[tuple[str, str]]:
    faults = []
    if not _is_place(row["place"]):
        faults.append(("place", "Write a place such as GB, US-CA, US-* or *."))
    if _text_fault(row["description"]):
        faults.append(("description", "Say in words how it is written, such as seven digits."))
    example = row["example"].upper() if row.get("exact") else compact_form(row["example"])
    if advice := pattern_fault(row["pattern"], example):
        faults.append(("pattern", advice))
    return faults


def _is_link(url: str) -> bool:
    """Whether a person may be sent there: https, a host, and the identifier at most in its path."""
    if len(url) > URL_MAX or _CONTROL.search(url) or " " in url:
        return False
    try:
        parts = urlsplit(url.replace(IDENTIFIER_PLACE, "0"))
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    named = "." in host and IDENTIFIER_PLACE not in url.partition("://")[2].partition("/")[0]
    plain = parts.username is None and port in {None, 443} and not re.search(r"[{}]", parts.path)
    return parts.scheme == "https" and named and plain
