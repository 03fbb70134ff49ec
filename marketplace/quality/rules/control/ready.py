"""Rules that are ready to be replayed and switched on. They restrict only where they are sure."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.quality.rules.control.words import (
    Action,
    Bound,
    Collector,
    Condition,
    RuleText,
    Side,
)


@dataclass(frozen=True, slots=True)
class Ready:
    """A rule to begin with, under a key that stays, and why one would want it."""

    key: str
    text: RuleText
    why: str


def _above(threshold: float, n_min: int, window: int | None = None) -> Condition:
    return Condition(Side.ABOVE, Bound.LOWER, threshold, n_min, window)


_C, _A = Collector, Action
READY: tuple[Ready, ...] = (
    Ready("gold-review", RuleText("Much gold wrong: review all",
          _C.GOLD_ERROR, _above(0.35, 6), _A.REVIEW_ALL),
          "Errors on known answers are the surest sign; a reviewer then sees what goes wrong."),
    Ready("gold-pause", RuleText("Most gold wrong: propose a pause",
          _C.GOLD_ERROR, _above(0.5, 10), _A.PAUSE),
          "Worse than chance on two choices; a person looks at it before anything happens."),
    Ready("gold-more", RuleText("Gold unclear: ask more of it",
          _C.GOLD_ERROR, Condition(Side.ABOVE, Bound.UPPER, 0.5, 4, 20), _A.EXTRA_GOLD, 3),
          "Where a few answers leave open how good somebody is, more gold settles it."),
    Ready("sure-and-wrong", RuleText("Sure, and wrong",
          _C.OVERCONFIDENCE, _above(0.4, 6), _A.NOTIFY),
          "Wrong where they were certain; their confidence misleads aggregation."),
    Ready("alone", RuleText("Often unlike the others",
          _C.DISAGREEMENT, _above(0.5, 15, 100), _A.REVIEW_ALL),
          "Disagreement is no error by itself, so this asks for a reviewer and nothing more."),
    Ready("haste", RuleText("Most answers in a hurry",
          _C.HASTE, _above(0.5, 12, 50), _A.LOWER_CAP, 1),
          "Under a quarter of the usual time; fewer tasks at a time calm the pace."),
    Ready("first-shown", RuleText("Mostly what stands first",
          _C.FIRST_SHOWN, _above(0.7, 20, 100), _A.REVIEW_ALL),
          "Order is drawn by lot, so about half should fall on each of two answers."),
    Ready("last-shown", RuleText("Hardly ever what stands first",
          _C.FIRST_SHOWN, Condition(Side.BELOW, Bound.UPPER, 0.25, 20, 100), _A.REVIEW_ALL),
          "The same on the other side."),
    Ready("same-words", RuleText("The same rationale again and again",
          _C.NEAR_DUPLICATES, _above(0.4, 10, 100), _A.EVIDENCE_PACK),
          "Copied reasons may have a good cause; the evidence is put together for a person."),
    Ready("unsteady", RuleText("Unlike themselves",
          _C.INCONSISTENCY, _above(0.4, 6), _A.NOTIFY),
          "Repeated tasks answered otherwise: a task that is a matter of taste, or haste."),
    Ready("rejected", RuleText("Many answers rejected",
          _C.REJECTED, _above(0.3, 8, 60), _A.REVIEW_ALL),
          "Held against nobody by itself: reviewers may be wrong, so all is looked at."),
    Ready("impossible", RuleText("Many tasks reported as impossible",
          _C.CANNOT_COMPLETE, _above(0.3, 8, 60), _A.NOTIFY),
          "A bad batch of items looks the same, so somebody is told."),
    Ready("picking", RuleText("Most tasks given back",
          _C.GIVEN_BACK, _above(0.6, 12, 60), _A.LOWER_CAP, 1),
          "Giving back is free; giving back most may be picking the easy ones."),
    Ready("idle", RuleText("Mostly idle on paid time",
          _C.IDLE, _above(0.6, 10, 60), _A.NOTIFY),
          "Only of use where pay is by the hour; breaks are nobody's fault."),
    Ready("overturned", RuleText("A reviewer often overturned",
          _C.OVERTURNED, _above(0.25, 8, 100), _A.NOTIFY),
          "Whoever looks after reviewers should know."),
)  # fmt: skip
