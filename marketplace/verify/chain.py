"""Following a job's chain of events link by link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from marketplace.verify.report import Kind
from marketplace.verify.seal import link

RANGES_KEPT = 1_000


@dataclass(slots=True)
class Chain:
    """Where a chain stands. at: the number of the last event followed; head: its stated link."""

    at: int = 0
    head: bytes = b""
    _gaps: list[tuple[int, int]] = field(default_factory=list)

    def follow(self, event: Mapping[str, Any], stated: bytes) -> Iterator[tuple[Kind, int, str]]:
        """Take the next event with the link that it carries, and tell what is wrong with it."""
        number, kind = event["number"], event["kind"]
        if number <= self.at:
            yield self._late(number, kind)
            return
        if number > self.at + 1:
            if len(self._gaps) < RANGES_KEPT:
                self._gaps.append((self.at + 1, number - 1))
        elif link(self.head, number, event) != stated:
            yield (
                Kind.ALTERED,
                number,
                f"Event {number} ({kind}) is not what its link was made of, or the one before it "
                "is not.",
            )
        self.at, self.head = number, stated

    def ended(self, number: int, head: bytes) -> Iterator[tuple[Kind, int | None, str]]:
        """What is wrong with the chain as a whole; number, head: as they were signed."""
        if self.at < number:
            self._gaps.append((self.at + 1, number))
        for first, last in self._gaps:
            words = f"Event {first} was" if first == last else f"Events {first} to {last} were"
            yield Kind.MISSING, first, f"{words} cut out of the chain."
        if self.at > number:
            words = f"The chain goes on to event {self.at}; what was signed ends at {number}."
            yield Kind.ADDED, number + 1, words
        elif self.at == number and self.head != head:
            yield Kind.ALTERED, number, "The chain ends in another link than the one signed."

    def _late(self, number: int, kind: str) -> tuple[Kind, int, str]:
        for place, (first, last) in enumerate(self._gaps):
            if first <= number <= last:
                rest = [(first, number - 1), (number + 1, last)]
                self._gaps[place : place + 1] = [(low, high) for low, high in rest if low <= high]
                return Kind.REORDERED, number, f"Event {number} ({kind}) stands in the wrong place."
        return Kind.ADDED, number, f"Event {number} ({kind}) stands there twice."
