"""Evidence packs: what one is about, how it goes on, and when a finding is worth a question; pure.

A pack is a question to one person. It is put together by the system, sent by a person, answered by
whom it is about, and closed by a person. Nothing here knows of pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.errors import Conflict, Denied, Fault, Faulty
from marketplace.quality.rules.control import Collector
from marketplace.quality.rules.integrity import Finding, FindingKind
from marketplace.tasktypes import unstorable_places

REPLY_WITHIN = timedelta(days=7)
REPLY_MIN = 10
WORDS_MAX = 4_000


class PackKind(StrEnum):
    """What was seen; `rule` where a rule of quality control asked for a pack."""

    HASTE = "haste"
    COPYING = "copying"
    NEAR_DUPLICATE = "near_duplicate"
    COLLUSION = "collusion"
    POSITION = "position"
    SHARING = "sharing"
    RULE = "rule"


class PackState(StrEnum):
    """open: put together, nobody was told; told: its person may answer; answered: they did;
    closed: a person has said what it comes to."""

    OPEN = "open"
    TOLD = "told"
    ANSWERED = "answered"
    CLOSED = "closed"


class PackOutcome(StrEnum):
    """nothing: nothing speaks for it; explained: there is a good reason; upheld: it is as seen."""

    NOTHING = "nothing"
    EXPLAINED = "explained"
    UPHELD = "upheld"


_S = PackState
NEXT_PACK: Mapping[PackState, frozenset[PackState]] = {
    _S.OPEN: frozenset({_S.TOLD, _S.CLOSED}),
    _S.TOLD: frozenset({_S.ANSWERED, _S.CLOSED}),
    _S.ANSWERED: frozenset({_S.CLOSED}),
    _S.CLOSED: frozenset(),
}
# What who works by dictation, a screen reader or a switch does otherwise than most.
ABOUT_INPUT = frozenset({PackKind.HASTE, PackKind.COPYING, PackKind.NEAR_DUPLICATE})
COLLECTS_INPUT = frozenset({Collector.HASTE, Collector.NEAR_DUPLICATES, Collector.IDLE})
# Below these a figure is too small to trouble anybody with.
_LEAST: Mapping[FindingKind, Mapping[str, float]] = {
    FindingKind.COPYING: {"texts_copied": 4},
    FindingKind.NEAR_DUPLICATE: {"pairs": 4, "texts_involved": 5},
    FindingKind.COLLUSION: {"tasks_shared": 8},
}
COPIED_SHARE_MIN = 0.3
HASTE_RATIO_MAX = 0.5  # Somebody a little quicker than steady colleagues is no question.


class TooEarly(Conflict):
    """The person still has time to answer."""

    code = "reply_awaited"


def worth_a_question(finding: Finding) -> bool:
    """Whether what was seen is enough that a person should look at it."""
    if finding.kind not in {each.value for each in PackKind}:
        return False
    numbers = finding.numbers
    least = _LEAST.get(finding.kind, {})
    if any(float(numbers[name]) < value for name, value in least.items()):
        return False
    if finding.kind is FindingKind.HASTE:
        usual = float(numbers["seconds_usual"])
        return float(numbers["seconds_median"]) <= HASTE_RATIO_MAX * usual
    if finding.kind is FindingKind.COPYING:
        copied, written = float(numbers["texts_copied"]), float(numbers["texts_written"])
        return copied >= COPIED_SHARE_MIN * written
    return True


def check_outcome(
    state: PackState, outcome: PackOutcome, reply_by: datetime | None, at: datetime
) -> None:
    """Conflict where a pack cannot be closed like that yet.

    What nobody was told can only be dropped; what somebody may still answer can be dropped or
    explained, and be upheld only after their answer or after their time.
    """
    if state is PackState.CLOSED:
        raise Conflict("This is closed already.")
    if state is PackState.OPEN and outcome is not PackOutcome.NOTHING:
        raise Conflict("Its person was not told. Ask them first, or close it as nothing.")
    waits = state is PackState.TOLD and reply_by is not None and at < reply_by
    if waits and outcome is PackOutcome.UPHELD:
        raise TooEarly("They have not answered and still have time. Wait for them.")


def check_apart(decider: object, person: object) -> None:
    """Denied for who would decide about themselves."""
    if decider == person:
        raise Denied("Nobody decides about themselves; ask a colleague.")


def checked_words(text: str, pointer: str) -> str:
    """What somebody says, tidied; Faulty when it is too little or too much."""
    faults = list(unstorable_places({pointer.removeprefix("/"): text}))
    said = text.strip()
    if not REPLY_MIN <= len(said) <= WORDS_MAX:
        words = f"Write {REPLY_MIN} to {WORDS_MAX:,} characters, in your own words."
        faults.append(Fault(pointer, words))
    if faults:
        raise Faulty("Something is missing.", faults)
    return said
