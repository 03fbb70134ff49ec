"""What a lab may write into a job: how it is tidied, and what is wrong with it.

Pointers lead into the body of `POST /jobs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypedDict
from uuid import UUID

from marketplace.errors import Fault, Faulty
from marketplace.jobs.rules.lifecycle import AiPolicy, LatePay, PayPer, Purpose
from marketplace.money import Money
from marketplace.tasktypes import Json

TITLE_MAX = 200
INSTRUCTIONS_MAX = 200_000
PAY_MINOR_MAX = 10**8
DEADLINE_YEARS = range(2000, 2101)
# What one task takes where the lab does not say, until measured times are known.
EXPECTED_SECONDS: Mapping[str, int] = {
    "pairwise": 120,
    "ranking": 300,
    "rubric": 240,
    "demonstration": 900,
    "fact_check": 900,
    "code": 900,
    "spans": 300,
    "regions": 300,
    "rubric_writing": 900,
    "trajectory": 1_200,
    "critique_revise": 900,
    "judge_calibration": 180,
    "correction": 300,
    "chat": 1_200,
    "red_team": 900,
}
EXPECTED_SECONDS_OTHERWISE = 300
# What may change after publishing. Everything else is what specialists agreed to, or what the
# money was reserved for; pay rises by `raise_pay`, which reserves the difference first.
# Caps on one person's tasks bind claims from now on; what is in hand stays in hand.
RUNNING_FIELDS = frozenset(
    {"title", "deadline_at", "review_sample_ratio", "claims_live_max", "tasks_a_person_max"}
)
# What two authors of one task must not share, where the job says so.
DISTINCT_BY = ("household", "device", "organisation")
CLAIMS_LIVE_MAX = 5  # Where the lab does not say.
CLAIMS_LIVE_MOST = 100
TASKS_A_PERSON_MOST = 1_000_000
CANNOT_COMPLETE_MOST = Decimal("0.5")
REPEATS_MOST = Decimal("0.2")
QUALIFICATIONS_MOST = 10
# Other words for the professions that specialists are listed under.
PROFESSIONS_ALSO = {
    "physician": "medicine",
    "doctor": "medicine",
    "lawyer": "law",
    "attorney": "law",
    "coder": "software",
    "software_engineer": "software",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:-([A-Za-z]{4}))?(?:-([A-Za-z]{2}|\d{3}))?", re.IGNORECASE)


class JobFields(TypedDict, total=False):
    """The fields of a job that a lab writes; `pay` is for one task or one hour."""

    title: str
    domain: str
    purpose: Purpose | str
    instructions_md: str
    template: Json
    profession: str | None
    specialties: list[str]
    credential_level_min: int
    jurisdictions: list[str]
    languages: list[str]
    skill_min: Decimal | float | None
    overlap_min: int
    overlap_max: int
    confidence_target: Decimal | float | None
    pay: Money
    pay_per: PayPer | str
    expected_seconds: int
    time_cap_seconds: int
    lease_seconds: int
    review_sample_ratio: Decimal | float
    ai_policy: AiPolicy | str
    deadline_at: datetime | None
    qualification_ids: list[UUID]
    distinct_by: list[str]
    claims_live_max: int
    tasks_a_person_max: int | None
    late_pay: LatePay | str
    cannot_complete_ratio: Decimal | float
    contingency_ratio: Decimal | float
    repeat_ratio: Decimal | float


class _Wrong(Exception):
    """Why one field cannot be taken."""


def cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, tidied; Faulty with every fault of all of them."""
    found: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, value in fields.items():
        pointer, read = _READERS[name]
        try:
            found[name] = read(value)
        except _Wrong as wrong:
            faults.append(Fault(pointer, str(wrong)))
    least, most = found.get("overlap_min"), found.get("overlap_max")
    if least is not None and most is not None and most < least:
        faults.append(Fault("/overlap/max", "This must be at least the smallest overlap."))
    if faults:
        raise Faulty("Some fields cannot be used.", faults)
    return found


def _title(value: object) -> str:
    title = " ".join(value.split()) if isinstance(value, str) else ""
    if not title or len(title) > TITLE_MAX or _CONTROL.search(title):
        raise _Wrong(f"Write a title of 1 to {TITLE_MAX} ordinary characters.")
    return title


def _domain(value: object) -> str:
    domain = " ".join(value.split()) if isinstance(value, str) else None
    if domain is None or len(domain) > TITLE_MAX or _CONTROL.search(domain):
        raise _Wrong(f"Write at most {TITLE_MAX} ordinary characters.")
    return domain


def _instructions(value: object) -> str:
    if not isinstance(value, str) or len(value) > INSTRUCTIONS_MAX:
        raise _Wrong(f"Write text of at most {INSTRUCTIONS_MAX:,} characters.")
    if _UNSTORABLE.search(value):
        raise _Wrong("Remove the NUL characters and halves of characters from the instructions.")
    return value.replace("\r\n", "\n")


def _template(value: object) -> Json:
    if not isinstance(value, dict):
        raise _Wrong("Give an object; GET /task-types/{type} says which fields it has.")
    return value


def _key(value: object) -> str:
    key = re.sub(r"[\s-]+", "_", value.strip().lower()) if isinstance(value, str) else ""
    if not _KEY.fullmatch(key):
        raise _Wrong("Use a key of letters, digits and underscores, such as internal_medicine.")
    return key


def _profession(value: object) -> str | None:
    if value is None or value == "":
        return None
    key = _key(value)
    return PROFESSIONS_ALSO.get(key, key)


def _jurisdiction(value: object) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if not _JURISDICTION.fullmatch(code):
        raise _Wrong("Use a country or subdivision of ISO 3166, such as GB or US-CA.")
    return code


def _language(value: object) -> str:
    parts = _LANGUAGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if parts is None:
        raise _Wrong("Use a language tag such as en or pt-BR.")
    language, script, region = parts.groups()
    tag = [language.lower(), script and script.title(), region and region.upper()]
    return "-".join(part for part in tag if part)


def _each(read: Callable[[object], str], *, most: int = 50) -> Callable[[object], list[str]]:
    def read_all(value: object) -> list[str]:
        if not isinstance(value, (list, tuple)) or len(value) > most:
            raise _Wrong(f"Give a list of at most {most}.")
        return list(dict.fromkeys(read(each) for each in value))

    return read_all


def _whole(low: int, high: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise _Wrong(f"Give a whole number from {low:,} to {high:,}.")
        return value

    return read


def _ratio(value: object) -> Decimal:
    """A number from 0 to 1 with three decimals, as the column holds it."""
    try:
        number = Decimal(str(value)) if type(value) in {int, float, Decimal} else Decimal(-1)
    except InvalidOperation:
        number = Decimal(-1)
    if not (number.is_finite() and 0 <= number <= 1):
        raise _Wrong("Give a number from 0 to 1.")
    return number.quantize(Decimal("0.001"))


def _ratio_up_to(most: Decimal) -> Callable[[object], Decimal]:
    def read(value: object) -> Decimal:
        ratio = _ratio(value)
        if ratio > most:
            raise _Wrong(f"Give a number from 0 to {most}.")
        return ratio

    return read


def _maybe_whole(low: int, high: int) -> Callable[[object], int | None]:
    read = _whole(low, high)
    return lambda value: None if value is None else read(value)


def _qualifications(value: object) -> list[UUID]:
    if not isinstance(value, (list, tuple)) or len(value) > QUALIFICATIONS_MOST:
        raise _Wrong(f"Give a list of at most {QUALIFICATIONS_MOST} ids of qualifications.")
    try:
        return list(dict.fromkeys(UUID(str(each)) for each in value))
    except ValueError:
        raise _Wrong("Use ids of qualifications, as GET /qualifications lists them.") from None


def _distinct_by(value: object) -> list[str]:
    if not isinstance(value, (list, tuple)) or not set(value) <= set(DISTINCT_BY):
        raise _Wrong(f"Choose among {', '.join(DISTINCT_BY)}.")
    return [kind for kind in DISTINCT_BY if kind in value]


def _maybe_ratio(value: object) -> Decimal | None:
    return None if value is None else _ratio(value)


def _member(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    def read(value: object) -> StrEnum:
        try:
            return kind(str(value))
        except ValueError:
            raise _Wrong(f"Choose one of {', '.join(kind)}.") from None

    return read


def _pay(value: object) -> Money:
    if not isinstance(value, Money) or not 0 <= value.minor <= PAY_MINOR_MAX:
        raise _Wrong(f"Give an amount from 0 to {PAY_MINOR_MAX:,} in minor units.")
    return value


def _deadline(value: object) -> datetime | None:
    if value is not None and (not isinstance(value, datetime) or value.tzinfo is None):
        raise _Wrong("Give a time with its zone, such as 2026-09-01T12:00:00Z.")
    # At the ends of the calendar a zone's offset leads out of it, and no driver reads that back.
    if value is not None and value.year not in DEADLINE_YEARS:
        raise _Wrong(f"Give a time from {DEADLINE_YEARS[0]} to {DEADLINE_YEARS[-1]}.")
    return value


_READERS: Mapping[str, tuple[str, Callable[[object], Any]]] = {
    "title": ("/title", _title),
    "domain": ("/domain", _domain),
    "purpose": ("/purpose", _member(Purpose)),
    "instructions_md": ("/instructions_md", _instructions),
    "template": ("/template", _template),
    "profession": ("/requirements/profession", _profession),
    "specialties": ("/requirements/specialties", _each(_key)),
    "credential_level_min": ("/requirements/credential_level_min", _whole(0, 4)),
    "jurisdictions": ("/requirements/jurisdictions", _each(_jurisdiction, most=300)),
    "languages": ("/requirements/languages", _each(_language)),
    "skill_min": ("/requirements/skill_min", _maybe_ratio),
    "overlap_min": ("/overlap/min", _whole(1, 50)),
    "overlap_max": ("/overlap/max", _whole(1, 50)),
    "confidence_target": ("/overlap/confidence_target", _maybe_ratio),
    "pay": ("/pay/amount_minor", _pay),
    "pay_per": ("/pay/per", _member(PayPer)),
    "expected_seconds": ("/expected_seconds", _whole(1, 7 * 86_400)),
    "time_cap_seconds": ("/time_cap_seconds", _whole(1, 7 * 86_400)),
    "lease_seconds": ("/lease_seconds", _whole(60, 14 * 86_400)),
    "review_sample_ratio": ("/review/sample_ratio", _ratio),
    "ai_policy": ("/ai_policy", _member(AiPolicy)),
    "deadline_at": ("/deadline_at", _deadline),
    "qualification_ids": ("/requirements/qualifications", _qualifications),
    "distinct_by": ("/conflicts/distinct_by", _distinct_by),
    "claims_live_max": ("/limits/claims_live_max", _whole(1, CLAIMS_LIVE_MOST)),
    "tasks_a_person_max": ("/limits/tasks_a_person_max", _maybe_whole(1, TASKS_A_PERSON_MOST)),
    "late_pay": ("/late_pay", _member(LatePay)),
    "cannot_complete_ratio": ("/cannot_complete_ratio", _ratio_up_to(CANNOT_COMPLETE_MOST)),
    "contingency_ratio": ("/contingency_ratio", _ratio),
    "repeat_ratio": ("/repeat_ratio", _ratio_up_to(REPEATS_MOST)),
}
