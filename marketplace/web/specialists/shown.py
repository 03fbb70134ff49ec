"""A job in words, as several pages of a specialist show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marketplace.jobs.models import Job
from marketplace.jobs.rules import AiPolicy, LatePay, PayPer
from marketplace.review.rules import REWORK_ROUNDS_MAX, Policy
from marketplace.specialists.rules.lifecycle import LEVEL_LABELS
from marketplace.tasktypes import TASK_TYPES
from marketplace.web import settings
from marketplace.web.filters import count, duration, money, percent
from marketplace.web.specialists import places
from marketplace.work.rules import REWORK_LEASE

AI_WORDS: Mapping[AiPolicy, tuple[str, str]] = {
    AiPolicy.FORBIDDEN: ("No AI tools", "The lab wants answers that no AI tool had a part in."),
    AiPolicy.DISCLOSED: (
        "AI tools if you say so",
        "You may use AI tools and name them in your answer; naming them carries no penalty.",
    ),
    AiPolicy.FREE: ("AI tools as you like", "You may use AI tools and need not say so."),
}
# What a task of each type is like, for who has never seen one.
TASK_WORDS: Mapping[str, str] = {
    "pairwise": "You read two answers to one request and say which is better, and why.",
    "ranking": "You read several answers to one request and put them in order.",
    "rubric": "You read one answer and score it, aspect by aspect.",
    "demonstration": "You read a request and write the answer that should be given.",
    "fact_check": "You read a text and judge each of its claims, with your sources.",
    "regions": "You mark what you find on an image, and say what it is.",
    "code": "You read a change of code, comment on its lines and give a verdict.",
    "spans": "You mark words of a text with labels and say how they relate.",
    "rubric_writing": "You write the criteria by which answers to a conversation are scored.",
    "critique_revise": "You hold an answer against a set of principles and write it anew.",
    "judge_calibration": "You judge as a model did, and see what it said once yours is in.",
    "correction": "You put right what a model made of a text.",
    "chat": "You talk to models as somebody else would, and say which reply is better.",
    "red_team": "You judge, or try, how far a model can be brought to do what it must not. You may "
    "stop at any time.",
}
APART: Mapping[str, str] = {
    "household": "in your household",
    "device": "who uses your device",
    "organisation": "with an employer of yours",
}
# What can be done about each reason for which a job is not offered.
ACTIONS: Mapping[str, str] = {
    "profession": "Claim a credential",
    "specialty": "Look at your credentials",
    "jurisdiction": "Claim a licence there",
    "level": "See what the next level needs",
    "credential": "Look at your credentials",
    "languages": "Change your languages",
    "employer": "Change your employers",
    "skill": "Look at the qualifications",
    "qualification": "Look at the qualifications",
    "claims_live": "See what is in your hands",
    "daily_minutes": "Change your limit",
}


def action_words(code: str) -> str:
    """What the link beside a reason says."""
    return ACTIONS.get(code, "See what you can do")


def words_of(key: str) -> str:
    """`family_medicine` as people write it."""
    return key.replace("_", " ").capitalize()


def type_title(job: Job) -> str:
    """`Pairwise preference`."""
    known = TASK_TYPES.get(job.task_type)
    return known.title if known else words_of(job.task_type)


def pay_words(job: Job) -> str:
    """`$4.50 a task`."""
    return f"{money(job.pay)} {'a task' if job.pay_per is PayPer.TASK else 'an hour'}"


def review_words(job: Job) -> str:
    """How much of the work is read by a reviewer, in a few words."""
    ratio = float(job.review_sample_ratio)
    if ratio <= 0:
        return "accepted as handed in"
    return "every answer reviewed" if ratio >= 1 else f"{percent(ratio, 0)} reviewed"


def rejection_rules(job: Job, policy: Policy | None = None) -> Sequence[str]:
    """What decides whether an answer is paid, as sentences; known before a claim. policy: the
    job's rules of review, the usual ones where it says none."""
    policy = policy or Policy()
    ratio = float(job.review_sample_ratio)
    share = percent(ratio, 0)
    read = (
        "Answers are accepted as they are handed in."
        if ratio <= 0
        else "A reviewer reads every answer before it is accepted."
        if ratio >= 1
        else f"A reviewer reads at least {share} of the answers, drawn by lot, and more where an "
        "answer was unsure or its author is new; the others are accepted as they are handed in."
    )
    days = settings().clearance_days
    cleared = (
        f"Accepted pay is pending for {count(days, 'day')}, then it can be paid out."
        if days
        else "Accepted pay can be paid out at once."
    )
    hold = duration(REWORK_LEASE.total_seconds())
    return (
        read,
        f"An answer may come back to you at most {count(REWORK_ROUNDS_MAX, 'time')}, with the "
        f"reason; for {hold} nobody else gets the task. The pay is for the whole, once: it is "
        "earned when the last round is accepted. If the time passes, the task goes to somebody "
        "else, and what you hand in later is treated like any late answer.",
        rejected_words(policy),
        f"What nobody decides within {count(policy.days_max, 'day')} is accepted by itself, and "
        "paid.",
        late_words(job),
        unanswered_words(job),
        cleared,
    )


def rejected_words(policy: Policy) -> str:
    """What a rejection means, and who looks at it again."""
    again = (
        " Another reviewer, who does not know of it, looks at "
        f"{percent(policy.second_look_ratio, 0)} "
        "of the rejections; where they differ you are paid."
        if policy.second_look_ratio
        else ""
    )
    return f"A rejected answer is not paid, and the reviewer must say why.{again}"


def late_words(job: Job) -> str:
    """What becomes of an answer whose time ran out."""
    share = "half its pay" if job.late_pay is LatePay.HALF else "its full pay"
    return (
        "If your time runs out you may still hand in: it counts while the task is free, and earns "
        f"{share} where somebody else has it by then."
    )


def unanswered_words(job: Job) -> str:
    """What becomes of a task that cannot be done."""
    ratio = float(job.cannot_complete_ratio)
    paid = f", and a task that cannot be done earns {percent(ratio, 0)} of its pay" if ratio else ""
    return f"“Cannot be answered” and “the instructions do not say” penalise nobody{paid}."


def limits_of(job: Job) -> Sequence[str]:
    """How much of a job one person may do, and beside whom, as sentences."""
    held = count(job.claims_live_max, "task")
    found = [f"You may hold {held} of it at a time."]
    if job.tasks_a_person_max:
        found.append(f"You may do {count(job.tasks_a_person_max, 'task')} of it in all.")
    apart = [APART[each] for each in job.distinct_by if each in APART]
    if apart:
        found.append(f"You are not given a task that somebody {' or '.join(apart)} has judged.")
    found.append("You are not given a task whose material you wrote, as far as the lab says.")
    return found


def preview(template: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """What a task asks, from its template: (title, question), the main question first."""
    asked = [("The question", str(template.get("question") or ""))]
    for aspect in template.get("aspects") or []:
        asked.append((str(aspect.get("title") or aspect["key"]), str(aspect.get("question") or "")))
    for promise in template.get("self_check") or []:
        asked.append(("You confirm", str(promise.get("title") or promise.get("key") or "")))
    if template.get("rationale", "optional") == "required":
        asked.append(("Your reasons", "A few sentences with every answer."))
    return [(title, question) for title, question in asked if question or title != "The question"]


def requirements(job: Job) -> Sequence[tuple[str, str]]:
    """What a job asks of a person: (name, words)."""
    least = job.credential_level_min
    level = f"Level {least} or higher: {LEVEL_LABELS[least].lower()}" if least else ""
    number = len(job.qualification_ids)
    asked = [
        ("Profession", words_of(job.profession or "")),
        ("Specialty", " or ".join(map(words_of, job.specialties))),
        ("Credential", level),
        ("Licensed in", " or ".join(map(places.place_name, job.jurisdictions))),
        ("Languages", " and ".join(map(places.language_name, job.languages))),
        ("Qualification", count(number, "qualification") + " passed" if number else ""),
        ("Skill", f"{percent(job.skill_min, 0)} or more, as measured" if job.skill_min else ""),
    ]
    return [(name, words) for name, words in asked if words]
