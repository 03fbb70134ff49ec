"""What every page of evidence packs says: what was seen, what is usual, what one may answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from marketplace.quality.rules.evidence_packs import PackKind, PackOutcome, PackState
from marketplace.web.filters import percent

KINDS: Mapping[PackKind, str] = {
    PackKind.HASTE: "Very quick answers",
    PackKind.COPYING: "Words of the material",
    PackKind.NEAR_DUPLICATE: "Nearly the same words",
    PackKind.COLLUSION: "Alike beyond chance",
    PackKind.POSITION: "One place again and again",
    PackKind.SHARING: "Use of the account",
    PackKind.RULE: "A rule of quality control",
}
# Tone, icon, words.
STATES: Mapping[PackState, tuple[str, str, str]] = {
    PackState.OPEN: ("watch", "eye", "Not sent yet"),
    PackState.TOLD: ("active", "send", "Waits for an answer"),
    PackState.ANSWERED: ("watch", "message-square", "Answered"),
    PackState.CLOSED: ("neutral", "circle-check", "Closed"),
}
OUTCOMES: Mapping[PackOutcome, tuple[str, str, str]] = {
    PackOutcome.NOTHING: ("good", "circle-check", "Nothing in it"),
    PackOutcome.EXPLAINED: ("good", "message-square", "Explained"),
    PackOutcome.UPHELD: ("stop", "flag", "Upheld"),
}
# What each figure is called where all of them are listed.
FIGURES: Mapping[str, str] = {
    "answers": "Answers looked at",
    "fast_answers": "Quicker than nearly all of others'",
    "fast_share": "Share of those",
    "fast_share_usual": "Usual share",
    "seconds_median": "Seconds, in the middle",
    "seconds_usual": "Seconds usual for the same",
    "characters_a_second": "Characters read a second",
    "later_to_earlier_ratio": "Later answers' time beside earlier ones'",
    "later_faster_p": "Chance of that by luck",
    "texts_copied": "Texts made of the material's words",
    "texts_written": "Texts written",
    "copied_share_mean": "Share of their words in the material",
    "pairs": "Pairs alike",
    "pairs_of_one_task": "Pairs about the same task",
    "texts_involved": "Texts in those pairs",
    "shared_most": "Most words shared by a pair",
    "tasks_shared": "Tasks both did",
    "agreement": "Same answer",
    "agreement_usual": "Same answer, as skill explains",
    "errors_shared": "Same answer that others call wrong",
    "labels_score": "Agreement, in spreads from the middle",
    "times_score": "Nearness in time, in spreads",
    "texts_score": "Likeness of texts, in spreads",
    "minutes_between_median": "Minutes between their answers",
    "within_quarter_hour": "Within a quarter of an hour",
    "place": "Place",
    "chosen": "Chosen",
    "share": "Share",
    "share_lower": "At least (90 %)",
    "share_upper": "At most (90 %)",
    "share_usual": "Share by lot",
    "people": "People with one browser",
    "sessions": "Stretches of work",
    "hours_p": "Chance of such a change of hours",
    "style_p": "Chance of such a change of writing",
    "style_distance": "Change of writing",
    "style_distance_usual": "Usual change of writing",
    "value": "Share",
    "lower": "Lower bound (90 %)",
    "upper": "Upper bound (90 %)",
    "n": "Pieces of work",
}
_SHARES = frozenset(
    {
        *("fast_share", "fast_share_usual", "copied_share_mean", "shared_most", "agreement"),
        *("agreement_usual", "within_quarter_hour", "share", "share_lower", "share_upper"),
        *("share_usual", "value", "lower", "upper"),
    }
)
_WHY: Mapping[PackKind, str] = {
    PackKind.HASTE: "Good reasons are many: tasks that you know well, notes made beforehand, "
    "a timer that did not run, or dictation.",
    PackKind.COPYING: "Quoting can be just what a task asks for. Say so, or how you write.",
    PackKind.NEAR_DUPLICATE: "Saved phrases, templates or a house style are good reasons.",
    PackKind.COLLUSION: "People trained at one place can err alike, and tasks can invite one "
    "error. Say whether you spoke with somebody about the tasks.",
    PackKind.POSITION: "The order is drawn by lot for each task. Say how you read and choose.",
    PackKind.SHARING: "People travel, lend a machine and change their hours. Say what applies.",
    PackKind.RULE: "Figures can have a good reason. Say what the rule does not know.",
}


def statement(kind: PackKind, numbers: Mapping[str, Any]) -> str:
    """What was seen, beside what would be usual, in plain words for whom it is about."""
    if kind is PackKind.SHARING:
        return _sharing(numbers)
    return _STATEMENTS[kind](numbers)


def _sharing(n: Mapping[str, Any]) -> str:
    if n.get("what") == "one_device":
        return (
            f"The same browser was used to sign in to {n['people']} accounts, yours among them, "
            "and no household was declared. Usually a browser belongs to one person."
        )
    return (
        f"Over {n['sessions']} stretches of work, both your hours and your way of writing changed "
        "more than usually happens by chance."
    )


_STATEMENTS: Mapping[PackKind, Callable[[Mapping[str, Any]], str]] = {
    PackKind.HASTE: lambda n: (
        f"{n['fast_answers']} of your {n['answers']} answers took less time than nearly all of "
        f"other people's answers to tasks of that length: about {n['seconds_median']:.0f} seconds, "
        f"where about {n['seconds_usual']:.0f} are usual."
    ),
    PackKind.COPYING: lambda n: (
        f"{n['texts_copied']} of your {n['texts_written']} rationales consist for the most part of "
        "words that stand in the material or in what a model said of it. Usually a few words are "
        "quoted and the rest is one's own."
    ),
    PackKind.NEAR_DUPLICATE: lambda n: (
        f"{n['texts_involved']} rationales, among {n['texts_written']}, share most of their words "
        f"with another one; the nearest two share {percent(n['shared_most'], 0)}. Usually "
        "rationales of different tasks, or of different people, share hardly a sentence."
    ),
    PackKind.COLLUSION: lambda n: (
        f"On {n['tasks_shared']} tasks your answers equal somebody else's in "
        f"{percent(n['agreement'], 0)}; your skill and theirs would explain "
        f"{percent(n['agreement_usual'], 0)}. {n['errors_shared']} times you both gave the same "
        "answer that the others call wrong."
    ),
    PackKind.POSITION: lambda n: (
        f"{n['chosen']} of {n['answers']} times you chose what was shown {n['place']}, "
        f"which is {percent(n['share'], 0)}. The order is drawn by lot, so "
        f"{percent(n['share_usual'], 0)} is usual."
    ),
    PackKind.RULE: lambda n: (
        f"A rule says: {n['rule']} For your work the share is {percent(n['value'], 0)} over "
        f"{n['n']} pieces of work, with 90 % bounds from {percent(n['lower'], 0)} to "
        f"{percent(n['upper'], 0)}."
    ),
}


def may_answer(kind: PackKind) -> str:
    """What could explain it, so that nobody has to guess what is asked."""
    return _WHY[kind]


def figures(numbers: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """All figures by their names, as people read them."""
    return [
        (words, _figure(name, numbers[name])) for name, words in FIGURES.items() if name in numbers
    ]


def _figure(name: str, value: Any) -> str:
    if name in _SHARES:
        return percent(value, 0)
    return f"{value:.3g}" if isinstance(value, float) else str(value)
