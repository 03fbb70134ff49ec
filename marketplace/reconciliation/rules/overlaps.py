"""How a statement stands beside those that came before it; pure.

It continues them, lies apart from them, or states some of the same days once more. What is stated
twice must be equal, day for day; what nobody stated is a gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from marketplace.money import Money, zero
from marketplace.reconciliation.rules.statements import ParsedStatement, StatementRefused


class Known(Protocol):
    """A statement that is stored already."""

    @property
    def opening(self) -> Money: ...
    @property
    def closing(self) -> Money: ...
    @property
    def from_on(self) -> date: ...
    @property
    def to_on(self) -> date: ...
    @property
    def sequence(self) -> int | None: ...
    @property
    def number(self) -> str: ...


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """A stored line, as far as it is compared."""

    booked_on: date
    fingerprint: str
    amount: Money


def place(
    new: ParsedStatement, known: Sequence[Known], entries: Sequence[KnownEntry]
) -> dict[str, int]:
    """How many lines of each fingerprint are stored already and belong to other lines.

    known: the account's statements that share a day with it; entries: the account's stored lines
    of those statements' days. StatementRefused where both state a day and differ.
    """
    if not known:
        return {}
    alike = [each for each in known if _says_the_same(new, each)]
    if not alike and new.sequence is not None and _continues(new, known):
        return _counted(new, entries)
    try:
        _prove_equal(new, known, entries)
    except StatementRefused:
        if new.sequence is None and not alike and _continues(new, known):
            return _counted(new, entries)
        raise
    return {}


def _says_the_same(new: ParsedStatement, known: Known) -> bool:
    named = (new.sequence, new.number) == (known.sequence, known.number)
    return named and (new.from_on, new.to_on) == (known.from_on, known.to_on)


def _continues(new: ParsedStatement, known: Sequence[Known]) -> bool:
    """Whether it shares only its first or its last day with its neighbours, and their balance."""
    before = [each for each in known if each.to_on == new.from_on]
    after = [each for each in known if each.from_on == new.to_on and each not in before]
    if len(before) + len(after) != len(known):
        return False
    if any(each.sequence is not None and each.sequence == new.sequence for each in known):
        return False
    follows = not before or any(each.closing == new.opening for each in before)
    leads = not after or any(each.opening == new.closing for each in after)
    return follows and leads


def _counted(new: ParsedStatement, entries: Iterable[KnownEntry]) -> dict[str, int]:
    stored = Counter(each.fingerprint for each in entries)
    return {each.fingerprint: stored[each.fingerprint] for each in new.entries}


def _prove_equal(
    new: ParsedStatement, known: Sequence[Known], entries: Sequence[KnownEntry]
) -> None:
    shared = [(max(new.from_on, each.from_on), min(new.to_on, each.to_on)) for each in known]

    def is_shared(day: date) -> bool:
        return any(first <= day <= last for first, last in shared)

    theirs = _by_day((each.booked_on, each.fingerprint) for each in new.entries)
    ours = _by_day((each.booked_on, each.fingerprint) for each in entries)
    for day in sorted({*theirs, *ours}):
        if is_shared(day) and theirs.get(day) != ours.get(day):
            raise StatementRefused(
                f"Both this file and an earlier one state {day}, and they differ: "
                f"{_told(theirs.get(day))} here, {_told(ours.get(day))} before. Nothing was "
                "stored. Ask the bank which is right; two people can explain it by an adjustment."
            )
    first = min(first for first, _ in shared)
    earliest = min(known, key=lambda each: (each.from_on, each.sequence or 0))
    here = new.opening + _moved(((each.booked_on, each.amount) for each in new.entries), new, first)
    before = earliest.opening + _moved(
        ((each.booked_on, each.amount) for each in entries if each.booked_on >= earliest.from_on),
        new,
        first,
    )
    if here != before:
        raise StatementRefused(
            f"On the morning of {first} this file has {here} and an earlier one {before}. Nothing "
            "was stored. Ask the bank for the files again."
        )


def _by_day(lines: Iterable[tuple[date, str]]) -> Mapping[date, Counter[str]]:
    days: dict[date, Counter[str]] = {}
    for day, fingerprint in lines:
        days.setdefault(day, Counter())[fingerprint] += 1
    return days


def _told(lines: Counter[str] | None) -> str:
    count = sum(lines.values()) if lines else 0
    return f"{count} line{'' if count == 1 else 's'}"


def _moved(lines: Iterable[tuple[date, Money]], new: ParsedStatement, until: date) -> Money:
    moved = zero(new.currency)
    for day, amount in lines:
        if day < until:
            moved = moved + amount
    return moved


@dataclass(frozen=True, slots=True)
class Hole:
    """What is missing between two statements. missing: the balance that nobody explains; zero
    where only a number was passed over.
    """

    before: Known
    after: Known
    missing: Money

    @property
    def sentence(self) -> str:
        """What is missing, in words."""
        if self.missing:
            return (
                f"The statement to {self.before.to_on} closes with {self.before.closing} and the "
                f"next, from {self.after.from_on}, opens with {self.after.opening}: a statement "
                "between them is missing. Upload it."
            )
        return (
            f"After statement {self.before.number} comes {self.after.number}: a number is "
            "missing. Upload the statement between them, or ask the bank whether there is one."
        )


def holes(known: Iterable[Known]) -> list[Hole]:
    """What is missing between an account's statements, in the order of their days.

    A statement within the days of others was proven equal to them when it came.
    """
    ordered = sorted(known, key=lambda each: (each.from_on, each.to_on, each.sequence or 0))
    found: list[Hole] = []
    reach: Known | None = None
    for each in ordered:
        if reach is None or (each.to_on > reach.to_on and each.from_on < reach.to_on):
            reach = each
            continue
        if each.to_on < reach.to_on or (each.to_on == reach.to_on and each.from_on < each.to_on):
            continue
        if _repeats(each, reach):
            continue
        missing = each.opening - reach.closing
        if missing or not _numbered_on(reach, each):
            found.append(Hole(reach, each, missing))
        reach = each
    return found


def _repeats(each: Known, reach: Known) -> bool:
    """Whether a statement of one day is the last day of what is known, stated once more."""
    if each.from_on != reach.to_on or each.closing != reach.closing:
        return False
    return each.sequence is None or each.sequence == reach.sequence


def _numbered_on(before: Known, after: Known) -> bool:
    """Whether the numbers follow each other; each year may begin again at 1.

    A number that goes back within a year is of another series, such as a month's file between
    those of days: it says nothing about what lies between.
    """
    if before.sequence is None or after.sequence is None:
        return True
    if after.to_on.year > before.to_on.year:
        return after.sequence in {1, before.sequence + 1}
    return after.sequence <= before.sequence + 1
