"""The facts of a card: what is true of one export, in numbers and names, as it is kept.

Facts are JSON all the way, since they are kept with the export and a card is made from them years
later; `Facts.read` reads what an older version wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median_low
from typing import Any

from marketplace.delivery.rules.licences import Licence

CELL_MIN = 5
FEWER = f"fewer than {CELL_MIN}"
REST, EVERYBODY = "all others together", "everybody together"


@dataclass(frozen=True, slots=True)
class LabWords:
    """What the lab says itself; empty where it said nothing. languages: BCP 47."""

    title: str = ""
    licence: str = Licence.UNKNOWN.value
    licence_words: str = ""
    languages: tuple[str, ...] = ()
    intended_use: str = ""
    limits: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Guideline:
    """One version of instructions and template; sha256 hexadecimal, of each; made_on: a date."""

    number: int
    instructions_sha256: str
    template_sha256: str
    made_on: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """Those of one attested class, or of several where fewer than five share one.

    people: None for fewer than five; hourly_minor: the median of what an hour brought, in minor
    units; seconds: the median time for a task; both None for fewer than five people.
    """

    name: str
    people: int | None
    judgements: int
    hourly_minor: int | None
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of people on one unit. measures: name → [value, lower, upper], 90 % between."""

    unit: str
    level: str
    items: int
    labels: int
    measures: Mapping[str, Sequence[float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that a card tells, apart from what the file's own counts say.

    as_of, from_on, until_on: RFC 3339; items: of the job; told_items, judgements: in the file's
    reach; spread: judgements of an item → items; models: `{model, version, items}`; ai_use: how
    many judgements say that a tool was used, that none was, or nothing; personal: what the scan of
    the items found, None where they were not looked through.
    """

    reference: str
    title: str
    task_type: str
    type_title: str
    domain: str
    format: str
    format_title: str
    policy: str
    as_of: str
    words: LabWords = field(default_factory=LabWords)
    items: int = 0
    told_items: int = 0
    gold_items: int = 0
    judgements: int = 0
    annotators: int | None = None
    from_on: str | None = None
    until_on: str | None = None
    spread: Mapping[str, int] = field(default_factory=dict)
    currency: str = "USD"
    classes: tuple[People, ...] = ()
    requirements: tuple[str, ...] = ()
    overlap: tuple[int, int] = (1, 1)
    review_ratio: str = "0"
    outcomes: Mapping[str, int] = field(default_factory=dict)
    ai_policy: str = ""
    ai_use: Mapping[str, int] = field(default_factory=dict)
    models: tuple[Mapping[str, Any], ...] = ()
    guidelines: tuple[Guideline, ...] = ()
    personal: Mapping[str, Any] | None = None
    agreement: tuple[Agreement, ...] = ()
    agreement_at: str | None = None
    agreement_judgements: int = 0

    @property
    def name(self) -> str:
        """What the card calls the data."""
        return self.words.title or self.title

    @property
    def licence(self) -> Licence:
        return Licence(self.words.licence)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Facts:
        """The facts as `as_json` wrote them."""
        words = kept["words"]
        parts = {
            "words": LabWords(**(words | {"languages": tuple(words["languages"])})),
            "classes": tuple(People(**each) for each in kept["classes"]),
            "guidelines": tuple(Guideline(**each) for each in kept["guidelines"]),
            "agreement": tuple(Agreement(**each) for each in kept["agreement"]),
            "models": tuple(kept["models"]),
            "requirements": tuple(kept["requirements"]),
            "overlap": (kept["overlap"][0], kept["overlap"][1]),
        }
        return cls(**(dict(kept) | parts))


@dataclass(slots=True)
class Worked:
    """What people of one class did: who, what an hour brought them, how long a task took."""

    people: set[str] = field(default_factory=set)
    hourly_minor: list[int] = field(default_factory=list)
    seconds: list[int] = field(default_factory=list)
    judgements: int = 0

    def add(self, other: Worked) -> None:
        self.people |= other.people
        self.hourly_minor += other.hourly_minor
        self.seconds += other.seconds
        self.judgements += other.judgements


def coarsened(found: Mapping[str, Worked]) -> tuple[People, ...]:
    """Classes of people, the largest first, none of fewer than five people.

    Small classes are told together; where those are fewer than five people still, the next larger
    class joins them, so that no difference from the total tells them apart.
    """
    rest, left = Worked(), sorted(found.items(), key=lambda each: (len(each[1].people), each[0]))
    small = [name for name, each in left if len(each.people) < CELL_MIN]
    names: list[str] = []
    while left and (left[0][0] in small or (names and len(rest.people) < CELL_MIN)):
        name, worked = left.pop(0)
        names.append(name)
        rest.add(worked)
    told = [_told(name, worked) for name, worked in reversed(left)]
    if names:
        alone = names[0] if len(found) == 1 else EVERYBODY
        told.append(_told(REST if told else alone, rest))
    return tuple(told)


def _told(name: str, worked: Worked) -> People:
    if len(worked.people) < CELL_MIN:
        return People(name, None, worked.judgements, None, None)
    return People(
        name,
        len(worked.people),
        worked.judgements,
        median_low(worked.hourly_minor) if worked.hourly_minor else None,
        median_low(worked.seconds) if worked.seconds else None,
    )
