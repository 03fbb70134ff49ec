"""Qualifications: their terms, the concepts and forms of their items, and dealing items to forms.

Parallel forms hold the same number of items of each concept, and no item stands in two of them.
A lab either says each item's form, or leaves all of it to `deal`.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

from marketplace.errors import Fault, Faulty

BANK_MAX = 5_000
FORMS_MAX = 50
ITEMS_A_FORM_MAX = 200
CONCEPT_MAX = 60
CONCEPT_OTHERWISE = "general"
FAULTS_MAX = 20


class Feedback(StrEnum):
    """What a candidate learns besides pass or fail.

    scores: how they did in each concept; explanations: also the explanation of each item that
    they met. Explanations give answers away, so the forms that they came from stay behind them.
    """

    NONE = "none"
    SCORES = "scores"
    EXPLANATIONS = "explanations"


FEEDBACK_LABELS: Mapping[Feedback, str] = {
    Feedback.NONE: "Whether they passed, and nothing else",
    Feedback.SCORES: "How they did in each concept",
    Feedback.EXPLANATIONS: "Each concept, and the explanation of each item they met",
}


# What a lab may say, with the least and the most of each, and what stands where it says nothing.
WHOLE: Mapping[str, tuple[int, int, int]] = {
    "items_a_form": (1, ITEMS_A_FORM_MAX, 10),
    "forms": (1, FORMS_MAX, 2),
    "cooldown_days": (0, 365, 14),
    "valid_days": (1, 3_650, 365),
    "candidates_max": (1, 10_000, 20),
    "time_limit_seconds": (60, 30 * 86_400, 7 * 86_400),
}
PASS_RATIO_OTHERWISE = Decimal("0.800")
TERMS = ("pass_ratio", *WHOLE, "feedback", "credential_type")
_TYPE = re.compile(r"[a-z][a-z0-9_.]{0,59}")


def cleaned_terms(given: Mapping[str, Any]) -> dict[str, Any]:
    """The terms, whole and tidied; Faulty with pointers into the body of PUT …/qualification."""
    faults: list[Fault] = []
    found: dict[str, Any] = {}
    for name, (low, high, otherwise) in WHOLE.items():
        value = given.get(name, otherwise)
        if type(value) is not int or not low <= value <= high:
            faults.append(Fault(f"/{name}", f"Give a whole number from {low:,} to {high:,}."))
        found[name] = value
    found["pass_ratio"] = _ratio(given.get("pass_ratio", PASS_RATIO_OTHERWISE), faults)
    try:
        found["feedback"] = Feedback(given.get("feedback", Feedback.SCORES))
    except ValueError:
        faults.append(Fault("/feedback", f"Choose one of {', '.join(Feedback)}."))
    found["credential_type"] = given.get("credential_type") or None
    if found["credential_type"] and not _TYPE.fullmatch(str(found["credential_type"])):
        faults.append(Fault("/credential_type", "Use the key of a credential type."))
    faults += [
        Fault(f"/{name}", f"The known fields are {', '.join(TERMS)}.")
        for name in given
        if name not in TERMS
    ]
    if faults:
        raise Faulty("These terms cannot be used.", faults)
    return found


def _ratio(value: object, faults: list[Fault]) -> Decimal:
    """More than 0 and at most 1, with three decimals as the column holds them."""
    try:
        number = Decimal(str(value)) if type(value) in {int, float, Decimal} else Decimal(0)
    except InvalidOperation:
        number = Decimal(0)
    if not number.is_finite() or not Decimal("0.001") <= number <= 1:
        faults.append(Fault("/pass_ratio", "Give a number above 0, and at most 1."))
        return PASS_RATIO_OTHERWISE
    return number.quantize(Decimal("0.001"))


@dataclass(frozen=True, slots=True)
class BankItem:
    """An item of a bank. form: from 1, as the lab said it; None where it is ours to deal."""

    id: UUID
    external_id: str
    concept: str
    form: int | None


Forms = dict[int, list[BankItem]]


def corner(payload: Mapping[str, Any]) -> tuple[str, int | None]:
    """(concept, form) that the lab wrote into an item's `metadata`.

    A concept that is not there is “general”; a form that is no whole number from 1 is none.
    """
    own = payload.get("metadata")
    own = own if isinstance(own, dict) else {}
    said = own.get("concept")
    concept = " ".join(said.split())[:CONCEPT_MAX] if isinstance(said, str) else ""
    form = own.get("form")
    text = str(form) if type(form) in {int, str} else ""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else 0
    return concept or CONCEPT_OTHERWISE, number if number >= 1 else None


def form_faults(items: Sequence[BankItem], *, forms: int, items_a_form: int) -> list[Fault]:
    """What keeps a bank from giving parallel forms; empty when `deal` can."""
    if len(items) < forms * items_a_form:
        advice = (
            f"{forms} forms of {items_a_form} items need {forms * items_a_form:,} items; there "
            f"are {len(items):,}. Send more, or ask for fewer."
        )
        return [Fault("/items", advice)]
    if len(items) > BANK_MAX:
        return [Fault("/items", f"Keep a bank to {BANK_MAX:,} items.")]
    said = [item for item in items if item.form is not None]
    if not said:
        return _share_faults(items, forms=forms, items_a_form=items_a_form)
    if len(said) < len(items):
        without = next(item for item in items if item.form is None)
        advice = f"Item {without.external_id} names no form. Name one for every item, or for none."
        return [Fault("/items/payload/metadata/form", advice)]
    return _said_faults(items, forms=forms, items_a_form=items_a_form)


def _share_faults(items: Sequence[BankItem], *, forms: int, items_a_form: int) -> list[Fault]:
    room = {concept: n // forms for concept, n in _by_concept(items).items()}
    if sum(room.values()) >= items_a_form:
        return []
    advice = (
        f"Spread over {forms} forms alike, the concepts give {sum(room.values())} items a form "
        f"and {items_a_form} are wanted. Send more items of the rarer concepts."
    )
    return [Fault("/items/payload/metadata/concept", advice)]


def _said_faults(items: Sequence[BankItem], *, forms: int, items_a_form: int) -> list[Fault]:
    by_form: Forms = {}
    for item in items:
        by_form.setdefault(item.form or 0, []).append(item)
    place = "/items/payload/metadata/form"
    faults = [
        Fault(place, f"Form {number} is not one of 1 to {forms}.")
        for number in sorted(set(by_form) - set(range(1, forms + 1)))
    ]
    first = _by_concept(by_form.get(1, []))
    for number in range(1, forms + 1):
        held = by_form.get(number, [])
        if len(held) != items_a_form:
            faults.append(
                Fault(place, f"Form {number} has {len(held)} items; give it {items_a_form}.")
            )
        elif _by_concept(held) != first:
            advice = f"Form {number} has other concepts than form 1, or in other numbers."
            faults.append(Fault(place, f"{advice} Give all forms the same."))
    return faults[:FAULTS_MAX]


def deal(items: Sequence[BankItem], *, forms: int, items_a_form: int, seed: str) -> Forms:
    """Items by form, from 1; the same bank and seed give the same forms.

    The bank has no `form_faults`. Forms that the lab said are kept; else every form gets the same
    number of items of each concept, as near as can be to the concept's share of the bank, drawn
    by lot. What is left over is in no form and may replace items that are retired.
    """
    if any(item.form is not None for item in items):
        said: Forms = {number: [] for number in range(1, forms + 1)}
        for item in items:
            said[item.form or 0].append(item)
        return said
    lot = random.Random(seed)
    dealt: Forms = {number: [] for number in range(1, forms + 1)}
    quota = quotas(_by_concept(items), forms=forms, items_a_form=items_a_form)
    for concept in sorted(quota):
        drawn = sorted((item for item in items if item.concept == concept), key=lambda i: i.id)
        lot.shuffle(drawn)
        for number in range(forms):
            dealt[number + 1] += drawn[number * quota[concept] : (number + 1) * quota[concept]]
    for held in dealt.values():
        lot.shuffle(held)  # Concepts do not come one after the other.
    return dealt


def quotas(counts: Mapping[str, int], *, forms: int, items_a_form: int) -> dict[str, int]:
    """How many items of each concept stand in each form: largest remainders within what is there.

    The sum is items_a_form where `counts // forms` allow it.
    """
    room = {concept: n // forms for concept, n in counts.items()}
    total = sum(counts.values()) or 1
    whole = {c: min(room[c], n * items_a_form // total) for c, n in counts.items()}
    while sum(whole.values()) < items_a_form:
        open_to = [concept for concept in counts if whole[concept] < room[concept]]
        if not open_to:
            break
        neediest = max(
            open_to, key=lambda c: (counts[c] * items_a_form / total - whole[c], counts[c], c)
        )
        whole[neediest] += 1
    return whole


def _by_concept(items: Sequence[BankItem]) -> dict[str, int]:
    return dict(Counter(item.concept for item in items))
