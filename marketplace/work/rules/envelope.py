"""What is sent with a judgement: why, how sure, by which sources and tools, in how much time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson

from marketplace.errors import Fault, Faulty
from marketplace.tasktypes import unstorable_places


class IntervalKind(StrEnum):
    """What the time was: hands on, reading, declared research, away."""

    ACTIVE = "active"
    READING = "reading"
    RESEARCH = "research"
    IDLE = "idle"


class Flag(StrEnum):
    """What an author says of their own answer, or of the item."""

    UNSURE = "unsure"
    OUTSIDE_COMPETENCE = "outside_competence"
    BAD_ITEM = "bad_item"


class EvidenceKind(StrEnum):
    """What a claim of a rationale points at."""

    SPAN = "span"
    STEP = "step"
    LINE = "line"
    REGION = "region"
    CITATION = "citation"


# How sure an author is, as a chance of being right, in words that mean the same to everybody.
CONFIDENCE_ANCHORS: Sequence[tuple[float, str, str]] = (
    (0.5, "A guess", "as likely wrong as right"),
    (0.65, "Leaning", "right about two times in three"),
    (0.8, "Fairly sure", "right four times in five"),
    (0.9, "Sure", "right nine times in ten"),
    (0.99, "Certain", "wrong once in a hundred"),
)
REFERENCE_TYPES = ("url", "citation")
REFERENCE_FIELDS = ("type", "url", "citation", "locator", "quote", "accessed_at")
CLAIMS_MAX = 20
CLAIM_LENGTH_MAX = 5_000
EVIDENCE_A_CLAIM_MAX = 20
EVIDENCE_BYTES_MAX = 4_096
REFERENCES_MAX = 100
REFERENCE_LENGTH_MAX = 4_000
NOTES_MAX = 50
NOTE_LENGTH_MAX = 500
# Stretches of one kind with no more between them than this are shown and kept as one.
JOINED_WITHIN = timedelta(seconds=2)
SPENT_MAX = 2_000
# What programs report may be off by as much; it is cut to the claim all the same.
CLOCKS_DIFFER = timedelta(minutes=2)
_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of a specialist's time; started_at < ended_at, aware. note: in their own words."""

    kind: IntervalKind
    started_at: datetime
    ended_at: datetime
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is sent with a judgement.

    confidence: 0..1; references: objects with a type; rationale_claims: [{text, evidence: [{kind,
    …}]}]; flags: words of `Flag`; intervals: time not reported before; time_notes: what the author
    says of stretches of their time, reported now or before.
    """

    judgement: Any
    rationale: str | None = None
    confidence: float | None = None
    references: Sequence[Any] = ()
    ai_use: Mapping[str, Any] | None = None
    rationale_claims: Sequence[Any] = ()
    flags: Sequence[str] = ()
    intervals: Sequence[Interval] = field(default=())
    time_notes: Sequence[Interval] = field(default=())

    def content(self) -> dict[str, Any]:
        """What will be kept, by the names of the API's body."""
        return {
            "judgement": self.judgement,
            "rationale": self.rationale,
            "confidence": self.confidence,
            "references": list(self.references),
            "ai_use": None if self.ai_use is None else dict(self.ai_use),
            "rationale_claims": list(self.rationale_claims),
            "flags": list(self.flags),
        }

    def sha256(self) -> bytes:
        """A hash of the content, to tell a repeated submission from another one.

        What is empty among the parts that came later stays out, so that an answer has one hash.
        """
        content = self.content()
        later = {name: content.pop(name) for name in ("rationale_claims", "flags")}
        parts = [*content.values(), *([later] if any(later.values()) else [])]
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).digest()

    def said(self) -> str | None:
        """The rationale as one text, whether it was written as one or in claims."""
        claims = [str(each.get("text", "")) for each in self.rationale_claims]
        return self.rationale or "\n\n".join(filter(None, claims)) or None


def refuse_unstorable(content: Any) -> None:
    """Faulty, with pointers into the content, for text and numbers that no row can hold."""
    faults = list(unstorable_places(content))
    if faults:
        raise Faulty("Some of this cannot be kept.", faults)


def reference_of(text: str, *, locator: str = "", quote: str = "", accessed_at: str = "") -> Any:
    """A reference from what somebody typed: an address is a `url`, all else a `citation`."""
    kind = "url" if _URL.fullmatch(text) else "citation"
    more = {"locator": locator, "quote": quote, "accessed_at": accessed_at}
    return {"type": kind, kind: text} | {name: said for name, said in more.items() if said}


def envelope_faults(envelope: Envelope) -> list[Fault]:
    """What is wrong with all that stands beside the judgement, by JSON pointer."""
    return [
        *_reference_faults(envelope.references),
        *_claim_faults(envelope.rationale_claims),
        *(
            Fault(f"/flags/{at}", f"Flags are {', '.join(Flag)}.")
            for at, flag in enumerate(envelope.flags)
            if flag not in set(Flag)
        ),
        *(
            Fault(f"/time_notes/{at}", f"Keep a note on time below {NOTE_LENGTH_MAX} characters.")
            for at, each in enumerate(envelope.time_notes)
            if len(each.note or "") > NOTE_LENGTH_MAX
        ),
    ]


def _reference_faults(references: Sequence[Any]) -> Iterator[Fault]:
    if len(references) > REFERENCES_MAX:
        yield Fault("/references", f"Name at most {REFERENCES_MAX} sources.")
        return
    for at, each in enumerate(references):
        place = f"/references/{at}"
        if not isinstance(each, dict):
            yield Fault(place, "A source is an object with a type.")
        elif each.get("type") not in REFERENCE_TYPES or not each.get(each["type"]):
            yield Fault(place, "A source has the type url or citation, and that field filled in.")
        elif each["type"] == "url" and not _URL.fullmatch(str(each["url"])):
            yield Fault(f"{place}/url", "An address begins with https:// or http://.")
        elif any(
            name not in REFERENCE_FIELDS
            or not isinstance(said, str)
            or len(said) > REFERENCE_LENGTH_MAX
            for name, said in each.items()
        ):
            fields = ", ".join(REFERENCE_FIELDS)
            yield Fault(place, f"A source has texts called {fields}, of 4,000 characters at most.")


def _claim_faults(claims: Sequence[Any]) -> Iterator[Fault]:
    if len(claims) > CLAIMS_MAX:
        yield Fault("/rationale_claims", f"Give at most {CLAIMS_MAX} reasons.")
        return
    for at, each in enumerate(claims):
        place = f"/rationale_claims/{at}"
        if not isinstance(each, dict) or not isinstance(each.get("text"), str):
            yield Fault(place, "A reason is an object with a text and a list of evidence.")
        elif set(each) - {"text", "evidence"}:
            yield Fault(place, "A reason has a text and a list of evidence, and nothing else.")
        elif not each["text"].strip() or len(each["text"]) > CLAIM_LENGTH_MAX:
            yield Fault(f"{place}/text", "Say the reason, in 5,000 characters at most.")
        else:
            yield from _evidence_faults(place, each.get("evidence") or [])


def _evidence_faults(place: str, evidence: Any) -> Iterator[Fault]:
    if not isinstance(evidence, list) or len(evidence) > EVIDENCE_A_CLAIM_MAX:
        yield Fault(f"{place}/evidence", f"Give at most {EVIDENCE_A_CLAIM_MAX} pieces of evidence.")
        return
    for at, each in enumerate(evidence):
        if not isinstance(each, dict) or each.get("kind") not in set(EvidenceKind):
            kinds = ", ".join(EvidenceKind)
            yield Fault(f"{place}/evidence/{at}", f"Evidence has a kind: {kinds}.")
        elif len(orjson.dumps(each)) > EVIDENCE_BYTES_MAX:
            yield Fault(f"{place}/evidence/{at}", "Keep a piece of evidence below 4 KiB.")


def misplaced(intervals: Sequence[Interval], claimed_at: datetime, at: datetime) -> Iterator[Fault]:
    """What is wrong with when stretches of time were, by JSON pointer; clocks may differ a little.

    claimed_at, at: aware; time lies between the claim and now.
    """
    for number, each in enumerate(intervals):
        place = f"/intervals/{number}"
        if each.ended_at <= each.started_at:
            yield Fault(f"{place}/ended_at", "A stretch of time ends after it begins.")
        elif each.started_at < claimed_at - CLOCKS_DIFFER:
            words = f"You claimed the task at {claimed_at.isoformat()}; time before is not part."
            yield Fault(f"{place}/started_at", words)
        elif each.ended_at > at + CLOCKS_DIFFER:
            words = f"It is {at.isoformat()} here; report time once it has passed."
            yield Fault(f"{place}/ended_at", words)


def within(intervals: Iterable[Interval], claimed_at: datetime, at: datetime) -> list[Interval]:
    """The parts of the intervals that lie between the claim and now."""
    cut = [
        replace(
            each,
            started_at=max(each.started_at, claimed_at),
            ended_at=min(each.ended_at, at),
        )
        for each in intervals
    ]
    return [each for each in cut if each.started_at < each.ended_at]


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals in their order, those of one kind that touch made one."""
    found: list[Interval] = []
    for each in sorted(intervals, key=lambda one: (one.started_at, one.ended_at)):
        last = found[-1] if found else None
        if last and last.kind is each.kind and each.started_at - last.ended_at <= JOINED_WITHIN:
            found[-1] = replace(last, ended_at=max(last.ended_at, each.ended_at))
        else:
            found.append(each)
    return found


def spent_of(intervals: Iterable[Interval], notes: Iterable[Interval]) -> list[dict[str, str]]:
    """The time of an answer as it is kept: joined stretches, with the notes that fall on them."""
    told = [each for each in notes if each.note][:NOTES_MAX]
    return [
        {
            "kind": each.kind.value,
            "started_at": each.started_at.isoformat(),
            "ended_at": each.ended_at.isoformat(),
        }
        | _noted(each, told)
        for each in joined(intervals)[:SPENT_MAX]
    ]


def _noted(stretch: Interval, notes: Sequence[Interval]) -> dict[str, str]:
    said = [
        each.note
        for each in notes
        if each.note
        and each.kind is stretch.kind
        and stretch.started_at <= each.started_at < stretch.ended_at
    ]
    return {"note": " ".join(said)[:NOTE_LENGTH_MAX]} if said else {}


def working_seconds(intervals: Iterable[Interval]) -> int:
    """Whole seconds covered by anything but idle; overlapping stretches count once."""
    spans = sorted(
        (each.started_at, each.ended_at) for each in intervals if each.kind is not IntervalKind.IDLE
    )
    covered = timedelta(0)
    reached: datetime | None = None
    for start, end in spans:
        begin = start if reached is None or start > reached else reached
        if end > begin:
            covered += end - begin
            reached = end
    return int(covered.total_seconds())


def seconds_by_kind(intervals: Iterable[Interval]) -> dict[str, int]:
    """Whole seconds of each kind, for a summary; kinds that overlap are counted each."""
    totals = {kind: timedelta(0) for kind in IntervalKind}
    for each in intervals:
        totals[each.kind] += each.ended_at - each.started_at
    return {kind.value: int(total.total_seconds()) for kind, total in totals.items()}
