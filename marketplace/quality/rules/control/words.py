"""The words that rules of quality control are made of, and what is wrong with one; pure.

There is no word for rejecting work or for ending somebody's account: no rule can say it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from marketplace.errors import Fault, Faulty

N_MIN_LEAST = 4
N_MIN_MOST = 1_000
WINDOW_MOST = 5_000
LIVE_CAP_MOST = 20
EXTRA_GOLD_MOST = 10
REVIEWED_MOST = 500
NAME_MAX = 80
REPLY_MIN, REPLY_MAX = 10, 4_000


class Collector(StrEnum):
    """What a rule looks at: a share of somebody's pieces of work in a job, each 0..1."""

    GOLD_ERROR = "gold_error"
    OVERCONFIDENCE = "overconfidence"
    DISAGREEMENT = "disagreement"
    HASTE = "haste"
    FIRST_SHOWN = "first_shown"
    NEAR_DUPLICATES = "near_duplicates"
    INCONSISTENCY = "inconsistency"
    REJECTED = "rejected"
    CANNOT_COMPLETE = "cannot_complete"
    GIVEN_BACK = "given_back"
    LAPSED = "lapsed"
    IDLE = "idle"
    OVERTURNED = "overturned"


COLLECTOR_LABELS: Mapping[Collector, str] = {
    Collector.GOLD_ERROR: "Share of gold answered wrongly",
    Collector.OVERCONFIDENCE: "Share of gold wrong where they said they were sure (90 % or more)",
    Collector.DISAGREEMENT: "Share of labels unlike the majority of the others",
    Collector.HASTE: "Share of answers given in under a quarter of the usual time",
    Collector.FIRST_SHOWN: "Share of choices that fell on what was shown first",
    Collector.NEAR_DUPLICATES: "Share of rationales nearly the same as an earlier one",
    Collector.INCONSISTENCY: "Share of repeated tasks answered otherwise",
    Collector.REJECTED: "Share of decided answers that were rejected",
    Collector.CANNOT_COMPLETE: "Share of tasks reported as impossible",
    Collector.GIVEN_BACK: "Share of tasks given back",
    Collector.LAPSED: "Share of tasks whose time ran out",
    Collector.IDLE: "Share of the time on tasks spent idle",
    Collector.OVERTURNED: "Share of the verdicts of a reviewer that were overturned",
}


class Side(StrEnum):
    """On which side of the threshold a rule fires."""

    ABOVE = "above"
    BELOW = "below"


class Bound(StrEnum):
    """Which end of the 90 % bounds is compared: the one that makes a rule sure, or the other."""

    LOWER = "lower"
    UPPER = "upper"


class Action(StrEnum):
    """What a rule asks for. Pausing waits for a person; evidence and notices restrict nobody."""

    REVIEW_ALL = "review_all"
    LOWER_CAP = "lower_cap"
    PAUSE = "pause"
    EXTRA_GOLD = "extra_gold"
    NOTIFY = "notify"
    EVIDENCE_PACK = "evidence_pack"


ACTION_LABELS: Mapping[Action, str] = {
    Action.REVIEW_ALL: "A person reviews all that they hand in next",
    Action.LOWER_CAP: "They hold fewer tasks at a time",
    Action.PAUSE: "Pause them in the job, once a person has confirmed it",
    Action.EXTRA_GOLD: "They get further gold",
    Action.NOTIFY: "Tell whoever looks after the rule",
    Action.EVIDENCE_PACK: "Put the evidence together",
}
RESTRICTING = frozenset({Action.REVIEW_ALL, Action.LOWER_CAP, Action.PAUSE})


class RuleState(StrEnum):
    """A rule is written, replayed, and only then switched on."""

    DRAFT = "draft"
    ON = "on"
    OFF = "off"


NEXT_RULE: Mapping[RuleState, frozenset[RuleState]] = {
    RuleState.DRAFT: frozenset({RuleState.ON}),
    RuleState.ON: frozenset({RuleState.OFF}),
    RuleState.OFF: frozenset({RuleState.ON, RuleState.DRAFT}),
}


class FiringState(StrEnum):
    """proposed: waits for a person, nothing holds yet; in_force: holds, and may be answered;
    noted: told, restricts nobody; upheld, lifted: a person decided."""

    PROPOSED = "proposed"
    IN_FORCE = "in_force"
    NOTED = "noted"
    UPHELD = "upheld"
    LIFTED = "lifted"


NEXT_FIRING: Mapping[FiringState, frozenset[FiringState]] = {
    FiringState.PROPOSED: frozenset({FiringState.IN_FORCE, FiringState.LIFTED}),
    FiringState.IN_FORCE: frozenset({FiringState.UPHELD, FiringState.LIFTED}),
    FiringState.NOTED: frozenset({FiringState.LIFTED}),
    FiringState.UPHELD: frozenset({FiringState.LIFTED}),
    FiringState.LIFTED: frozenset(),
}
FIRING_LABELS: Mapping[FiringState, str] = {
    FiringState.PROPOSED: "Waits for a person",
    FiringState.IN_FORCE: "In force",
    FiringState.NOTED: "Noted",
    FiringState.UPHELD: "Upheld",
    FiringState.LIFTED: "Lifted",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """When a rule fires: the bound of a share stands on one side of the threshold, from `n_min`
    pieces of work on; window: only the last so many count, None counts all."""

    side: Side
    bound: Bound
    threshold: float
    n_min: int
    window: int | None = None


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule as it is written. amount: of the action, such as the
    answers to be looked at; None without."""

    name: str
    collector: Collector
    condition: Condition
    action: Action
    amount: int | None = None


# Least, most and usual of what an action counts.
_AMOUNTS = {
    Action.REVIEW_ALL: (1, REVIEWED_MOST, 20),
    Action.LOWER_CAP: (1, LIVE_CAP_MOST, 1),
    Action.EXTRA_GOLD: (1, EXTRA_GOLD_MOST, 3),
}


def checked(rule: RuleText) -> RuleText:
    """The rule with the amount that its action needs; Faulty for one that cannot be meant.

    A rule that restricts somebody must compare the bound that makes it sure: the lower one above
    the threshold, the upper one below it; the raw share never decides.
    """
    faults = []
    name = " ".join(rule.name.split())
    asked = rule.condition
    if not 3 <= len(name) <= NAME_MAX:
        faults.append(Fault("/name", f"Write a name of 3 to {NAME_MAX} characters."))
    if not 0 < asked.threshold < 1:
        faults.append(Fault("/threshold", "Write a share between 0 and 1, such as 0.4."))
    if not N_MIN_LEAST <= asked.n_min <= N_MIN_MOST:
        words = f"A rule looks at {N_MIN_LEAST} to {N_MIN_MOST} pieces of work at the least."
        faults.append(Fault("/n_min", words))
    if asked.window is not None and not asked.n_min <= asked.window <= WINDOW_MOST:
        words = f"The window holds the least number, and at most {WINDOW_MOST}."
        faults.append(Fault("/window", words))
    sure = Bound.LOWER if asked.side is Side.ABOVE else Bound.UPPER
    if rule.action in RESTRICTING and asked.bound is not sure:
        words = f"What restricts somebody must be sure: compare the {sure.value} bound."
        faults.append(Fault("/bound", words))
    amount, more = _amount(rule)
    faults += more
    if faults:
        raise Faulty("The rule needs mending.", faults)
    return RuleText(name, rule.collector, asked, rule.action, amount)


def _amount(rule: RuleText) -> tuple[int | None, list[Fault]]:
    if rule.action not in _AMOUNTS:
        return None, []
    least, most, usual = _AMOUNTS[rule.action]
    amount = usual if rule.amount is None else rule.amount
    if not least <= amount <= most:
        return amount, [Fault("/amount", f"Write a whole number from {least} to {most}.")]
    return amount, []


def sentence(rule: RuleText) -> str:
    """A rule as a person reads it."""
    asked = rule.condition
    of = f"of the last {asked.window}" if asked.window else "of all"
    amount = f" ({rule.amount})" if rule.amount is not None else ""
    return (
        f"{COLLECTOR_LABELS[rule.collector]}: once the {asked.bound.value} 90 % bound lies "
        f"{asked.side.value} {asked.threshold:.0%}, {of} and from {asked.n_min} on. "
        f"Then: {ACTION_LABELS[rule.action][0].lower()}{ACTION_LABELS[rule.action][1:]}{amount}."
    )
