"""What likely names a person in a text: patterns with check digits or with the words around them.

Patterns of our own, since the analysers at hand load language models. Each is linear: quantities
are bounded, and a pattern is tried only where a cheap look says that it could be there. They are
made for English, for names in Latin letters and for the numbers of a few countries; what they
miss is not proof that there is nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from marketplace.jobs.rules.scan import checksums
from marketplace.jobs.rules.scan.kinds import Personal

_AROUND = 40  # Characters in front of a number in which the word for it may stand.


@dataclass(frozen=True, slots=True)
class Found:
    """One likely personal detail: its kind and its place in code points."""

    kind: Personal
    start: int
    end: int


_TITLE = (
    r"(?:(?:Mrs|Mr|Ms|Mx|Dr|Prof|Smt|Hon)\.?|Miss|Professor|Doctor|Sir|Dame|Lady|Lord|Justice|Judge|"
    r"Shri|Madam)"
)
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀĂĄĆČĎĐĒĘĚĞİĶŁŃŇŌŐŘŚŞŠŤŪŮŹŻŽ]"
_GIVEN = rf"{_CAPITAL}(?:[\w'\u2019]{{1,30}}(?:-{_CAPITAL}\w{{1,30}})?|\.)"
_NAMED = re.compile(rf"{_TITLE}[ \u00a0]{{1,2}}(?:{_GIVEN}[ \u00a0]?){{1,3}}")
_PATIENT = re.compile(
    r"(?:[Pp]atient(?:'s)? [Nn]ame|[Nn]ame of (?:the )?[Pp]atient|PATIENT NAME|PATIENT'S NAME)"
    rf"\s{{0,2}}:\s{{0,3}}({_CAPITAL}\w{{1,30}}(?:,? {_GIVEN}){{1,2}})"
)
# Words that follow a title and are no name.
_OTHER_WORDS = (
    "Who What The This That In On At And Or But If Is Of For Chief Department Court Hospital "
    "Advocate Office Justice Judge Patient Speaker Chairman President Secretary Minister Doctor "
    "General Attorney Counsel Commission Committee Tribunal Registrar Note Please Thank Thanks Yes "
    "No Not You Your We Our My His Her He She They It So Can Could Will Would Have Has Do Does Did "
    "Are Was Were How When Where Why Let With From To As By An A I II III IV Bench Full Division "
    "Mr Mrs Ms Mx Miss Dr Prof Professor Sir Dame Lady Lord Shri Smt Nurse Madam Road School "
    # What stands where a name was taken out.
    "Also Now Then After Before Both Their There These Those "
    "XYZ ABC ABCD Y Z Doe Redacted Name Blank"
)
_NO_NAMES = frozenset(_OTHER_WORDS.split())
_MISSING = re.compile(r"\b(?:[Ww]e|[Yy]ou|[Tt]hey|I|to|not|[Nn]ever|[Ww]ill|[Mm]ay) $")
_COURTS = re.compile(r"\b(?:High|Supreme|District|Civil|Sessions|In|The|Of|Section|Article) ")
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2}|"
    r"\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Z][a-z]{2,8},? \d{4}|"
    r"[A-Z][a-z]{2,8}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})"
)
_BORN = re.compile(
    r"(?:\bd\.?o\.?b\b\.?|date of birth|birth ?date|\bborn(?: on)?)"
    rf"\W{{0,4}}(?:is |was |on )?{_DATE}",
    re.IGNORECASE,
)
_OLD = re.compile(
    r"(?<![\w.,\u2013-])(?:9\d|1[01]\d)[ -]?(?:years?|yrs?|yo|y/o|y\.o\.?)\b"
    r"(?:[ -](?:old|of age))?|"
    r"\b(?:aged?|age of)\W{1,3}(?:9\d|1[01]\d)\b(?![.,]?\d|%)",
    re.IGNORECASE,
)
_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}\b"
)
_RUN = re.compile(r"(?<![\w.,/$€£#=-])\+?\(?\d[\d ().\-\u00a0]{5,27}\d(?![\w%]|[.,/-]\d)")
_US_PHONE = re.compile(r"(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}")
_WORLD_PHONE = re.compile(r"\+[1-9]\d{0,2}[ .()-]{0,2}(?:\(?\d{1,5}\)?[ .-]?){2,5}")
_UK_PHONE = re.compile(r"\(?0(?:1\d{2,4}|2\d|7\d{3}|800|33\d)\)? ?\d{3,4} ?\d{3,4}")
_WORDS_OF_PHONES = re.compile(
    r"\b(?:tel|telephone|phone|mobile|cell|fax|call(?: \w+)? (?:at|on))\b", re.I
)
_RECORD = re.compile(
    r"\b(?:MRN|M\.R\.N\.|medical record(?: number| no\.?)?|hospital (?:number|no\.?)|"
    r"patient (?:id|number|no\.?)|chart (?:number|no\.?)|account (?:number|no\.?)|"
    r"accession (?:number|no\.?)|health (?:plan|insurance) (?:id|number|no\.?)|health id)"
    r"\s{0,2}[:#]?\s{0,2}(?:is )?([A-Z]{0,4}-?\d[\dA-Z-]{3,18})\b",
    re.IGNORECASE,
)
_PASSPORT = re.compile(
    r"\bpassport(?: number| no\.?| nr\.?|)?\s{0,2}[:#]?\s{0,2}(?:is )?([A-Z]{0,2}\d{6,9})\b",
    re.IGNORECASE,
)
_LICENCE = re.compile(
    r"\bdriv(?:er(?:'s|s)?|ing) licen[cs]e(?: number| no\.?)?\s{0,2}[:#]?\s{0,2}(?:is )?"
    r"([A-Z]{0,5}\d[\dA-Z-]{4,18})\b",
    re.IGNORECASE,
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b")
_IP = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_STREETS = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Terrace|"
    r"Close|Crescent|Square|Way|Parkway|Pkwy|Highway|Hwy)"
)
_STREET = re.compile(
    rf"(?<![\w.,$/-])\d{{1,5}}[A-Za-z]? (?:{_CAPITAL}[\w'\u2019]{{1,20}} ){{1,3}}{_STREETS}\b\.?"
)
_ZIP = re.compile(
    r"\b(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|"
    r"S[CD]|T[NX]|UT|V[AT]|W[AIVY])\.?,? \d{5}(?:-\d{4})?\b"
)
_POSTCODE = re.compile(r"\b(?:[A-Z]{1,2}\d{1,2}|[A-Z]{1,2}\d[A-Z]) \d[ABD-HJLNP-UW-Z]{2}\b")
_DIGIT = re.compile(r"\d")


def found_in(text: str) -> Iterator[Found]:
    """Likely personal details of a text, kind by kind."""
    yield from _names(text)
    if "@" in text:
        yield from _whole(Personal.EMAIL, _EMAIL, text)
    if _DIGIT.search(text) is None:
        return
    low = text.lower()
    for kind, words, pattern in _BY_WORDS:
        if any(word in low for word in words):
            yield from _whole(kind, pattern, text)
    yield from _runs(text, low)
    for match in _STREET.finditer(text):
        if _COURTS.search(match[0]) is None:
            yield Found(Personal.ADDRESS, *match.span())
    yield from _whole(Personal.ADDRESS, _ZIP, text)
    yield from _whole(Personal.ADDRESS, _POSTCODE, text)
    for match in _IBAN.finditer(text):
        if checksums.iban(match[0]):
            yield Found(Personal.IBAN, *match.span())
    if text.count(".") >= 3:
        yield from _addresses(text)


_BY_WORDS: tuple[tuple[Personal, tuple[str, ...], re.Pattern[str]], ...] = (
    (Personal.BIRTH_DATE, ("birth", "born", "dob", "d.o.b"), _BORN),
    (Personal.GREAT_AGE, ("year", "yr", "yo", "y/o", "y.o", "age"), _OLD),
    (
        Personal.RECORD_NUMBER,
        (
            "mrn",
            "m.r.n",
            "record",
            "hospital n",
            "patient",
            "chart",
            "account",
            "acces",
            "health",
            "uhid",
        ),
        _RECORD,
    ),
    (Personal.PASSPORT, ("passport",), _PASSPORT),
    (Personal.DRIVING_LICENCE, ("driv",), _LICENCE),
)


def _whole(kind: Personal, pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    for match in pattern.finditer(text):
        yield Found(kind, *match.span())


def _names(text: str) -> Iterator[Found]:
    for match in _NAMED.finditer(text):
        start = match.start()
        if start and (text[start - 1].isalnum() or text[start - 1] in "'\u2019-_"):
            continue
        if match[0].startswith("Miss ") and _MISSING.search(text[max(0, start - 8) : start]):
            continue
        words = match[0].rstrip().split()
        while len(words) > 1 and _is_no_name(words[-1].strip(".'\u2019")):
            words.pop()
        named = [word for word in words[1:] if len(word.rstrip(".")) > 1]
        if named and not _is_no_name(_bare(words[1])):
            last = _bare(words[-1])
            end = match[0].rindex(last, 0, len(match[0])) + len(last)
            yield Found(Personal.NAME, start, start + end)
    if "atient" in text or "PATIENT" in text:
        for match in _PATIENT.finditer(text):
            yield Found(Personal.NAME, *match.span(1))


def _is_no_name(word: str) -> bool:
    """Whether it is another word, or the row of X that stands where a name was."""
    return word in _NO_NAMES or not word.strip("X")


def _bare(word: str) -> str:
    """A name without what says whose something is."""
    return word.removesuffix("'s").removesuffix("\u2019s")


def _runs(text: str, low: str) -> Iterator[Found]:
    """Runs of digits, each of the first kind that it can be."""
    for match in _RUN.finditer(text):
        kind = _kind_of(match[0].strip(), low[max(0, match.start() - _AROUND) : match.start()])
        if kind is not None:
            yield Found(kind, *match.span())


def _kind_of(run: str, before: str) -> Personal | None:
    digits = re.sub(r"\D", "", run)
    for kind, number, form, words, holds in _NUMBERS:
        named = any(word in before for word in words)
        if len(digits) in number and (named or (form and form.fullmatch(run))) and holds(digits):
            return kind
    return Personal.PHONE if _is_phone(run, digits, before) else None


# A kind, how many digits it has, the form that tells it by itself, words that tell it, its check.
_NUMBERS: tuple[
    tuple[Personal, range, re.Pattern[str] | None, tuple[str, ...], Callable[[str], bool]], ...
] = (
    (
        Personal.SSN,
        range(9, 10),
        re.compile(r"\d{3}-\d{2}-\d{4}"),
        ("ssn", "social security"),
        checksums.ssn,
    ),
    (Personal.NPI, range(10, 11), None, ("npi",), checksums.npi),
    (Personal.NHS, range(10, 11), re.compile(r"\d{3} \d{3} \d{4}"), ("nhs",), checksums.nhs),
    (
        Personal.AADHAAR,
        range(12, 13),
        re.compile(r"\d{4} \d{4} \d{4}"),
        ("aadhaar", "aadhar"),
        checksums.aadhaar,
    ),
    (
        Personal.CARD,
        range(13, 20),
        re.compile(r"\d{13,19}|\d{4}(?:[ -]\d{4}){3}|\d{4}[ -]\d{6}[ -]\d{5}"),
        (),
        checksums.card,
    ),
)


def _is_phone(run: str, digits: str, before: str) -> bool:
    if run.startswith("+"):
        return 8 <= len(digits) <= 15 and _WORLD_PHONE.fullmatch(run) is not None
    if _US_PHONE.fullmatch(run) or (_UK_PHONE.fullmatch(run) and len(digits) in {10, 11}):
        return True
    return 7 <= len(digits) <= 13 and _WORDS_OF_PHONES.search(before[-20:]) is not None


def _addresses(text: str) -> Iterator[Found]:
    for match in _IP.finditer(text):
        before = text[max(0, match.start() - 12) : match.start()].lower()
        if "version" in before or "v." in before or "section" in before or "ec " in before:
            continue
        try:
            address = ipaddress.IPv4Address(match[0])
        except ValueError:
            continue
        if address.is_global:
            yield Found(Personal.IP_ADDRESS, *match.span())
