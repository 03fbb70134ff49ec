"""Offline checks of identifiers: what can be told without asking anyone."""

from __future__ import annotations

import re

from marketplace.errors import Fault, Faulty
from marketplace.specialists.rules.catalogue import CredentialType, Format, format_of
from marketplace.specialists.rules.verdicts import Outcome as Outcome
from marketplace.specialists.rules.verdicts import Verdict as Verdict

NPI_PREFIX = "80840"  # The card issuer's number that the NPI standard puts before the ten digits.


IDENTIFIER_MAX = 60


def luhn_holds(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit (ISO/IEC 7812-1, annex B) of the others."""
    if not digits.isascii() or not digits.isdigit():
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def npi_holds(npi: str) -> bool:
    """Whether ten digits can be a US National Provider Identifier: 1 or 2 first, Luhn last."""
    return re.fullmatch(r"[12][0-9]{9}", npi) is not None and luhn_holds(NPI_PREFIX + npi)


def orcid_holds(orcid: str) -> bool:
    """Whether sixteen characters, with or without hyphens, hold ISO 7064 MOD 11-2."""
    compact = orcid.replace("-", "").upper()
    if not re.fullmatch(r"[0-9]{15}[0-9X]", compact):
        return False
    total = 0
    for digit in compact[:15]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == compact[15]


_CHECKSUMS = {
    "npi": (npi_holds, "luhn", "The check digit does not fit; look for a typing mistake."),
    "orcid": (orcid_holds, "mod_11_2", "The last character does not fit; look for a mistake."),
}


# An ORCID is written as its address as often as alone: ORCID itself asks for the address.
_ORCID_ADDRESS = re.compile(r"\s*(?:https?://)?(?:www\.)?orcid\.org/([^/?#]*)/?\s*", re.IGNORECASE)


def compact_form(identifier: str) -> str:
    """Capitals, without spaces and punctuation; of an ORCID's address the ORCID."""
    address = _ORCID_ADDRESS.fullmatch(identifier)
    return re.sub(r"[\s./_-]+", "", address[1] if address else identifier).upper()


def written_form(identifier: str, known: Format | None) -> str:
    """An identifier as its pattern reads it: an account's name keeps its hyphens."""
    if known is not None and known.exact:
        return identifier.strip().upper()
    return compact_form(identifier)


def normal_form(kind: CredentialType, jurisdiction: str, identifier: str) -> str:
    """An identifier as it is compared and hashed, however it was written."""
    known = format_of(kind, jurisdiction)
    compact = written_form(identifier, known)
    fits = re.fullmatch(known.pattern, compact) if known else None
    return fits.group(1) if fits and fits.lastindex else compact


def shown_form(kind: CredentialType, jurisdiction: str, identifier: str) -> str:
    """An identifier as a register's address has it: an account's name keeps its capitals."""
    known = format_of(kind, jurisdiction)
    if known is not None and known.exact:
        return identifier.strip()
    plain = normal_form(kind, jurisdiction, identifier)
    if kind.key == "orcid":
        return "-".join(plain[at : at + 4] for at in range(0, len(plain), 4))
    return plain


def check_identifier(kind: CredentialType, jurisdiction: str, identifier: str) -> Verdict:
    """Level 1 for a well-formed identifier; inconclusive where no format is known.

    Raises Faulty at /identifier for one that cannot be right.
    """
    source = f"format.{kind.key}"
    known = format_of(kind, jurisdiction)
    compact = written_form(identifier, known)
    if not 1 <= len(compact) <= IDENTIFIER_MAX or not compact.isprintable():
        advice = f"Write it as the register shows it, at most {IDENTIFIER_MAX} characters."
        raise Faulty("The identifier is not well formed.", [Fault("/identifier", advice)])
    if known is None:
        reasons = ("format_unknown",)
        return Verdict(source, "format", Outcome.INCONCLUSIVE, 0, reasons=reasons)
    if not re.fullmatch(known.pattern, compact):
        advice = f"Write {known.description}, such as {known.example}."
        raise Faulty("The identifier is not well formed.", [Fault("/identifier", advice)])
    checked = ["format"]
    if kind.key in _CHECKSUMS:
        holds, name, advice = _CHECKSUMS[kind.key]
        if not holds(compact):
            raise Faulty("The identifier cannot be right.", [Fault("/identifier", advice)])
        checked.append(name)
    evidence = ({"source": source, "source_version": known.version},)
    return Verdict(
        source, "format", Outcome.PASS, 1, observed={"checked": checked}, evidence=evidence
    )
