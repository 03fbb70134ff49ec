"""Phrases that a card, a datasheet and Croissant share; each is made of facts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from marketplace.delivery.rules.facts import FEWER, Facts, Guideline, People
from marketplace.money import Money

UNITS = ((3600, "h"), (60, "min"), (1, "s"))
POLICIES: Mapping[str, str] = {
    "majority": "by majority: what more than half of an item's judgements say",
    "model": "by what is believed: what a third person settled, else what models and specialists "
    "together make likeliest",
    "all": "every judgement for itself",
}
MEASURES: Mapping[str, str] = {
    "observed": "Raw agreement",
    "alpha": "Krippendorff's alpha",
    "ac1": "Gwet's AC1",
    "ac2": "Gwet's AC2",
    "kappa": "Cohen's kappa",
    "fleiss": "Fleiss' kappa",
}


def number(count: int) -> str:
    """`2,000`."""
    return f"{count:,}"


def counted(count: int, noun: str) -> str:
    """`1 item`, `2,000 items`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def many(items: Sequence[str]) -> str:
    """A list as a sentence holds it."""
    *first, last = items or ("none",)
    return f"{', '.join(first)} and {last}" if first else last


def moment(at: str | None) -> str:
    """`2026-11-23 19:05 UTC` of an RFC 3339 time in UTC."""
    return f"{at[:10]} {at[11:16]} UTC" if at else "never"


def duration(seconds: int) -> str:
    """`1 h 5 min`, `48 s`; two units at most."""
    parts, left = [], seconds
    for size, unit in UNITS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2]) or "0 s"


def people(count: int | None) -> str:
    """How many people, where they are enough to be told; None is fewer than that."""
    return FEWER if count is None else number(count)


def hourly(one: People, currency: str) -> str:
    """The median of what an hour brought; not told where too few people did the work."""
    return "not told" if one.hourly_minor is None else str(Money(one.hourly_minor, currency))


def annotators(facts: Facts) -> str:
    """Who judged, in one sentence."""
    if not facts.judgements:
        return "Nobody has judged anything yet."
    classes = [
        f"{people(each.people)} of “{each.name.replace('_', ' ')}”" for each in facts.classes
    ]
    told = f": {many(classes)}" if facts.annotators is not None else ""
    return (
        f"{people(facts.annotators)[0].upper()}{people(facts.annotators)[1:]} specialists, known "
        f"here by pseudonyms of this lab alone{told}. Professions are those attested "
        "when the export was asked for; no class of fewer than five people is told apart."
    )


def per_item(facts: Facts) -> str:
    """How many judgements items have."""
    spread = [
        f"{counted(items, 'item')} with {n}" for n, items in sorted(
            facts.spread.items(), key=lambda each: int(each[0]))
    ]  # fmt: skip
    low, high = facts.overlap
    wanted = str(low) if low == high else f"{low} to {high}"
    return f"{wanted} wanted; {many(spread) if spread else 'none given yet'}"


def timeframe(facts: Facts) -> str:
    """The days between which the work was done."""
    if facts.from_on is None or facts.until_on is None:
        return "no work yet"
    if facts.from_on == facts.until_on:
        return f"on {facts.from_on}"
    return f"from {facts.from_on} to {facts.until_on}"


def requirements(facts: Facts) -> str:
    """What was asked of whoever judged, a list in a line."""
    return "; ".join(facts.requirements) or "none beyond a verified account"


def ai_tools(facts: Facts) -> str:
    """What the job allows of AI tools, and how many judgements name one."""
    named = facts.ai_use.get("named", 0)
    return (
        f"{facts.ai_policy}. {counted(named, 'judgement')} of {number(facts.judgements)} "
        f"{'names' if named == 1 else 'name'} an AI tool that was used."
    )


def models(facts: Facts) -> list[str]:
    """Whose pre-labels items carried, a phrase each."""
    return [
        f"{each['model']} {each['version']} ({counted(each['items'], 'item')})"
        for each in facts.models
    ]


def personal(facts: Facts) -> str:
    """What the scan for personal details found, and what the lab said of it."""
    found = facts.personal
    if found is None:
        return "The items were not looked through for personal details."
    if not found["found"]:
        return "A scan of every item for personal details found none."
    said = {
        "none": "the lab declared that none of it is about a real person",
        "deidentified": "the lab declared the items de-identified",
        "permitted": "the lab declared that it may share them",
    }
    return (
        f"A scan of every item found {counted(found['found'], 'likely personal detail')} in "
        f"{counted(found['items'], 'item')}; "
        f"{said.get(found['declared'] or '', 'the lab has declared nothing of it')}."
    )


def reviewing(facts: Facts) -> str:
    """How work was reviewed, and what became of all of it."""
    percent = f"{float(facts.review_ratio) * 100:g} %"
    told = [f"{number(n)} {state.replace('_', ' ')}" for state, n in facts.outcomes.items()]
    return (
        f"{percent} of submissions were drawn for review by a second person; what became of all "
        f"submissions until the export: {many(told)}."
    )


def guideline(each: Guideline) -> str:
    """One version of the guidelines: its file, its day and what its coming changed."""
    change = {
        "reopen": "; judged tasks were asked again",
        "requalify": "; people qualified again first",
        "finish": "; begun tasks finished on the version before",
    }.get(each.change, "")
    return f"guidelines/v{each.number}.md, from {each.made_on}{change}"
