"""Appeals: who may file one, until when, how many, and how one ends; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from marketplace.errors import Conflict, Denied, Fault, Faulty, TooOften
from marketplace.review.rules.verdicts import OverturnCause, Verdict
from marketplace.tasktypes import unstorable_places

FILE_WITHIN = timedelta(days=14)
STATEMENT_WITHIN = timedelta(days=3)
DECIDE_WITHIN = timedelta(days=7)
REMIND_BEFORE = timedelta(days=2)
REASON_MIN = 20
REASON_MAX = 4_000
# What one person may have open or lost in 30 days; each that was upheld of late gives more.
MONTH = timedelta(days=30)
SEASON = timedelta(days=90)
APPEALS_A_MONTH = 10
MORE_FOR_EACH_UPHELD = 3


class AppealSubject(StrEnum):
    """What is appealed: a verdict on work, a rule of quality control that a person upheld, or gold
    that the lab kept after a dispute."""

    DECISION = "decision"
    FIRING = "firing"
    GOLD = "gold"


class AppealState(StrEnum):
    """filed: waits for somebody; assigned: a person looks at it; upheld, denied: they decided.

    withdrawn: by its author; lapsed: nobody decided in time, so it ended in its author's favour;
    overtaken: what it was about was changed otherwise meanwhile.
    """

    FILED = "filed"
    ASSIGNED = "assigned"
    UPHELD = "upheld"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    OVERTAKEN = "overtaken"


_ENDS = frozenset({AppealState.WITHDRAWN, AppealState.LAPSED, AppealState.OVERTAKEN})
NEXT_APPEAL: Mapping[AppealState, frozenset[AppealState]] = {
    AppealState.FILED: _ENDS | {AppealState.ASSIGNED},
    AppealState.ASSIGNED: _ENDS | {AppealState.FILED, AppealState.UPHELD, AppealState.DENIED},
    AppealState.UPHELD: frozenset(),
    AppealState.DENIED: frozenset(),
    AppealState.WITHDRAWN: frozenset(),
    AppealState.LAPSED: frozenset(),
    AppealState.OVERTAKEN: frozenset(),
}
OPEN_APPEALS = frozenset({AppealState.FILED, AppealState.ASSIGNED})


class NoAppeal(Conflict):
    """There is nothing here that its author could appeal, or not any more."""

    code = "no_appeal"


class AppealMoved(Conflict):
    """The appeal is in another state than the page showed."""

    code = "appeal_moved"


class StatementAwaited(Conflict):
    """The lab still has time to say its side."""

    code = "statement_awaited"


class NotApart(Denied):
    """Whoever decides an appeal has to do with neither side of it."""

    code = "not_apart"


def file_by(decided_at: datetime) -> datetime:
    """Until when a verdict may be appealed."""
    return decided_at + FILE_WITHIN


def statement_due(filed_at: datetime) -> datetime:
    """Until when the lab may say its side before anybody decides."""
    return filed_at + STATEMENT_WITHIN


def decide_by(filed_at: datetime) -> datetime:
    """When an appeal ends in its author's favour unless somebody decided it."""
    return filed_at + DECIDE_WITHIN


def why_not(
    verdict: Verdict, cause: OverturnCause | None, decided_at: datetime, at: datetime
) -> str | None:
    """Why a verdict cannot be appealed, in words for its author; None where it can."""
    if verdict is Verdict.ACCEPT:
        return "This was accepted; there is nothing to appeal."
    if cause in {OverturnCause.APPEAL, OverturnCause.APPEAL_LAPSED}:
        return "This was decided on appeal, which is the last word."
    if at > file_by(decided_at):
        return "The two weeks in which this could be appealed are over."
    return None


def checked_words(text: str, pointer: str) -> str:
    """What a side says, tidied; Faulty when it says too little or too much."""
    faults = list(unstorable_places({pointer.removeprefix("/"): text}))
    said = text.strip()
    if not REASON_MIN <= len(said) <= REASON_MAX:
        words = f"Say why in {REASON_MIN} to {REASON_MAX:,} characters."
        faults.append(Fault(pointer, words))
    if faults:
        raise Faulty("Something is missing.", faults)
    return said


def allowance(upheld: int) -> int:
    """How many appeals a person may have open or lost in 30 days, by those upheld in 90 days."""
    return APPEALS_A_MONTH + MORE_FOR_EACH_UPHELD * upheld


def check_allowance(counted: int, upheld: int) -> None:
    """TooOften where a person has as many appeals open or lost as they may.

    Whoever is right may go on for ever; asking in vain costs nothing but the wait.
    """
    if counted >= allowance(upheld):
        raise TooOften(
            f"You have {counted} appeals of the last 30 days that are open or were not upheld. "
            "Wait for one to be decided; each that is upheld makes room for more.",
            retry_after_seconds=24 * 3600,
        )


def check_statement(filed_at: datetime, spoken: bool, at: datetime) -> None:
    """StatementAwaited while the lab has neither spoken nor let its time pass."""
    if not spoken and at < statement_due(filed_at):
        raise StatementAwaited(
            "The lab has three days to say its side, and has not yet. Decide after that."
        )
