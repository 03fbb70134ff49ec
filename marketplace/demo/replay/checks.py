"""What was expected, what was found, and figures as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marketplace.demo.replay.source import Comparison, kappas_between, kappas_of_judges
from marketplace.errors import Refused

TOLERANCE = 1e-9


class FigureOff(Refused):
    """A figure of the replay is not what the folder says it must be."""

    code = "figure_off"


def expect(what: str, expected: object, found: object) -> None:
    """Raise FigureOff unless both are equal."""
    if expected != found:
        raise FigureOff(f"{what}: {expected} was expected, {found} was found.")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cohen's kappa between the people, and of each judge with their majority."""

    people: tuple[float, ...]
    judges: Mapping[str, float]


def of_source(items: Sequence[Comparison]) -> Agreement:
    """What the folder itself says."""
    columns = list(zip(*(item.choices for item in items), strict=True))
    majorities = {item.external_id: item.majority for item in items}
    return Agreement(tuple(kappas_between(columns)), kappas_of_judges(items, majorities))


def of_export(items: Sequence[Comparison], rows: Sequence[Mapping[str, Any]]) -> Agreement:
    """What the raw export says, which knows its authors by pseudonym only.

    Raises FigureOff unless each of them gave the answers of exactly one of the people.
    """
    by_author: dict[str, dict[str, str]] = {}
    for row in rows:
        own = by_author.setdefault(row["author"]["pseudonym"], {})
        own[row["external_id"]] = row["judgement"]["choice"]
    people = len(items[0].choices)
    expect("People in the export", people, len(by_author))
    columns = []
    for place in range(people):
        said = {item.external_id: item.choices[place] for item in items}
        author = next((name for name, own in by_author.items() if own == said), None)
        if author is None:
            raise FigureOff(f"Nobody in the export gave the answers of person {place + 1}.")
        own = by_author.pop(author)
        columns.append([own[item.external_id] for item in items])
    majorities = {row["external_id"]: row["majority"].get("choice") for row in rows}
    return Agreement(tuple(kappas_between(columns)), kappas_of_judges(items, majorities))


def expect_alike(expected: Agreement, found: Agreement) -> None:
    """Raise FigureOff where two agreements differ by more than rounding."""
    pairs = [
        *zip(expected.people, found.people, strict=True),
        *((kappa, found.judges[model]) for model, kappa in expected.judges.items()),
    ]
    for wanted, seen in pairs:
        if abs(wanted - seen) > TOLERANCE:
            raise FigureOff(f"Kappa {wanted:.6f} was expected, {seen:.6f} was found.")


def in_words(agreement: Agreement) -> str:
    """The figures on two lines."""
    people = ", ".join(f"{kappa:.3f}" for kappa in agreement.people)
    judges = ", ".join(f"{model} {kappa:.3f}" for model, kappa in agreement.judges.items())
    return f"Cohen's kappa between the people: {people}\nCohen's kappa with the majority:  {judges}"
