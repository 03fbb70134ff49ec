"""What several pages of a specialist show alike: a job's terms, a credential's next step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from marketplace import clock
from marketplace.jobs.models import Job
from marketplace.jobs.rules import AiPolicy, PayPer
from marketplace.review.rules import REWORK_ROUNDS_MAX
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import CREDENTIAL_TYPES, HOLDING, PROFESSIONS, CredentialState
from marketplace.specialists.rules.lifecycle import LEVEL_LABELS
from marketplace.tasktypes import TASK_TYPES
from marketplace.web import settings
from marketplace.web.filters import count, duration, money, percent
from marketplace.work.rules import REWORK_LEASE

AI_WORDS: Mapping[AiPolicy, tuple[str, str]] = {
    AiPolicy.FORBIDDEN: ("No AI tools", "The lab wants answers that no AI tool had a part in."),
    AiPolicy.DISCLOSED: (
        "AI tools if you say so",
        "You may use AI tools and name them in your answer; naming them carries no penalty.",
    ),
    AiPolicy.FREE: ("AI tools as you like", "You may use AI tools and need not say so."),
}
_S = CredentialState
NEXT_STEPS: Mapping[CredentialState, str] = {
    _S.CLAIMED: "The first checks are running. You need do nothing.",
    _S.CHECKING: "Somebody looks it up in the register. You need do nothing; it moves to "
    "verified, or you read here what did not fit.",
    _S.VERIFIED: "Nothing to do. Jobs that ask for it are in your feed.",
    _S.EXPIRING_SOON: "Renew it with its register before the last day. It counts until then.",
    _S.EXPIRED: "Renew it with its register; operations looks it up again and opens it anew.",
    _S.SUSPENDED: "It does not count at present. Operations looks into it and decides.",
    _S.REVOKED: "It could not be confirmed and does not count. If a letter or digit was wrong, "
    "claim it again as the register writes it.",
    _S.BLOCKED: "Another account holds this identifier. Operations compares the two; until then "
    "it does not count.",
}
REASONS: Mapping[str, str] = {
    "identifier_taken": "another account holds the identifier",
    "licence_expired": "its last day has passed",
    "not_reverified": "a year has passed since it was last looked up",
    "licence_expires_soon": "its last day is near",
    "not_confirmed": "the register did not confirm it",
    "suspended_by_person": "suspended by operations",
    "revoked_by_person": "revoked by operations",
    "reopened": "opened again by operations",
}
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "pass": ("good", "Passed"),
    "fail": ("stop", "Did not pass"),
    "inconclusive": ("watch", "Open"),
    "unavailable": ("neutral", "The source did not answer"),
}


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential as its holder reads it. days_left: None where it does not end or count."""

    claim: CredentialClaim
    title: str
    place: str
    specialties: str
    level_words: str
    days_left: int | None
    next_step: str


def credential_row(claim: CredentialClaim) -> CredentialRow:
    """One credential in words."""
    return CredentialRow(
        claim=claim,
        title=credential_title(claim),
        place=claim.jurisdiction,
        specialties=", ".join(map(words_of, claim.specialties)),
        level_words=LEVEL_LABELS[claim.level],
        days_left=days_left(claim.valid_until) if claim.state in HOLDING else None,
        next_step=NEXT_STEPS[claim.state],
    )


def credential_title(claim: CredentialClaim) -> str:
    """`State medical licence`."""
    known = CREDENTIAL_TYPES.get(claim.type)
    return known.title if known else words_of(claim.type)


def days_left(until: date | None) -> int | None:
    """Whole days until the last day; None for what never ends."""
    return None if until is None else (until - clock.now().date()).days


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


def rejection_rules(job: Job) -> Sequence[str]:
    """What decides whether an answer is paid, as sentences; known before a claim."""
    ratio = float(job.review_sample_ratio)
    share = percent(ratio, 0)
    read = (
        "Answers are accepted as they are handed in."
        if ratio <= 0
        else "A reviewer reads every answer before it is accepted."
        if ratio >= 1
        else f"A reviewer reads {share} of the answers, drawn by lot; the others are accepted "
        "as they are handed in."
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
        f"reason; for {hold} nobody else gets the task.",
        "A rejected answer is not paid, and the reviewer must say why.",
        "“Cannot be answered” and “the instructions do not say” penalise nobody.",
        cleared,
    )


def requirements(job: Job) -> Sequence[tuple[str, str]]:
    """What a job asks of a person: (name, words)."""
    profession = PROFESSIONS.get(job.profession or "")
    asked = [
        ("Profession", profession.title if profession else words_of(job.profession or "")),
        ("Specialty", " or ".join(map(words_of, job.specialties))),
        ("Credential", f"Level {job.credential_level_min} or higher: "
         f"{LEVEL_LABELS[job.credential_level_min].lower()}" if job.credential_level_min else ""),
        ("Licensed in", " or ".join(job.jurisdictions)),
        ("Languages", " and ".join(job.languages)),
    ]  # fmt: skip
    return [(name, words) for name, words in asked if words]
