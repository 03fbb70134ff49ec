"""Why somebody does not see a job: one sentence each, with the place where it can be changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from babel import Locale

CREDENTIALS = "/work/credentials"
NEW_CREDENTIAL = "/work/credentials/new"
PROFILE = "/work/profile"
QUALIFICATIONS = "/work/qualifications"
IN_HAND = "/work"


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition that is not met. action_url: the page where it can be; None where it cannot."""

    code: str
    message: str
    action_url: str | None = None


def not_open(state: str) -> Reason:
    """The job hands out nothing at present."""
    return Reason("job_not_open", f"The job is {state} at present; look again later.")


def not_active() -> Reason:
    """The account may not work."""
    return Reason(
        "account",
        "Your account may not take work at present: it is suspended, or its e-mail address was "
        "not confirmed. Write to us if you do not know why.",
    )


def no_credential(profession: str | None) -> Reason:
    """No credential of the profession stands."""
    wanted = words(profession or "any profession")
    return Reason(
        "profession",
        f"It asks for a verified credential in {wanted}, and you hold none that stands. Claim one "
        "on your credentials page; we verify it.",
        NEW_CREDENTIAL,
    )


def specialty(specialties: Sequence[str]) -> Reason:
    """None of the specialties is held."""
    return Reason(
        "specialty",
        f"It asks for one of these specialties: {any_of(specialties)}. If you hold one, claim "
        "a credential that covers it.",
        CREDENTIALS,
    )


def jurisdiction(codes: Sequence[str]) -> Reason:
    """No licence of the place."""
    return Reason(
        "jurisdiction",
        f"It asks for a licence in {any_of(codes)}. If you hold one, claim it.",
        NEW_CREDENTIAL,
    )


def level(least: int) -> Reason:
    """The credential is not verified far enough."""
    return Reason(
        "level",
        f"It asks for credential level L{least} or higher. Your credentials page says what the "
        "next level needs.",
        CREDENTIALS,
    )


def not_at_once() -> Reason:
    """Each condition is met, but by different credentials."""
    return Reason(
        "credential",
        "No single credential of yours meets all that it asks for at once.",
        CREDENTIALS,
    )


def languages(tags: Sequence[str]) -> Reason:
    """A language is missing."""
    return Reason(
        "languages",
        f"It asks for {language_names(tags)}; your profile lacks it. If you work in it, add it.",
        PROFILE,
    )


def own_organisation() -> Reason:
    """A member of the lab."""
    return Reason("own_organisation", "It was posted by an organisation that you belong to.")


def employer() -> Reason:
    """Declared as an employer."""
    return Reason(
        "employer",
        "It was posted by an organisation that your profile names as an employer. If you no longer "
        "work there, change your profile.",
        PROFILE,
    )


def skill(least: float, lower: float | None) -> Reason:
    """The lower bound of the skill is too low, or nothing is known."""
    known = (
        f"of yours we are sure of {lower:.0%} only. It rises with accepted work"
        if lower is not None
        else "we have seen no work of yours of this kind yet. It counts from your first"
    )
    return Reason(
        "skill",
        f"It asks for a measured skill of at least {least:.0%} in its field, and {known} tasks or "
        "a qualification in the same field.",
        QUALIFICATIONS,
    )


def qualifications(missing: int) -> Reason:
    """A qualification was not passed, or its result has expired."""
    which = "a qualification" if missing == 1 else f"{missing} qualifications"
    return Reason(
        "qualification",
        f"It asks for {which} that you have not passed, or whose result has expired. Take it on "
        "your qualifications page.",
        QUALIFICATIONS,
    )


def live_claims(most: int) -> Reason:
    """Too many tasks in hand."""
    return Reason(
        "claims_live",
        f"You hold {most} of its tasks, the most at a time. Hand one in or give one back first.",
        IN_HAND,
    )


def tasks_done(most: int) -> Reason:
    """The share of one person is done."""
    return Reason(
        "tasks_a_person",
        f"You have done {most} of its tasks, the most that one person may do, so that the lab "
        "hears many voices.",
    )


def day_is_full(minutes: int, zone: str) -> Reason:
    """The person's own limit for a day is reached."""
    return Reason(
        "daily_minutes",
        f"You have worked the {minutes} minutes that you set as your limit for a day. New tasks "
        f"come after midnight in {zone}; your profile has the limit if you want to change it.",
        PROFILE,
    )


def language_names(tags: Sequence[str]) -> str:
    """`English (en) and German (de)`: the name to read, and the tag that the profile takes."""
    names = Locale("en").languages
    return " and ".join(f"{names.get(tag.split('-')[0].lower(), tag)} ({tag})" for tag in tags)


def any_of(each: Sequence[str]) -> str:
    """`cardiology or internal medicine`."""
    return " or ".join(map(words, each))


def words(key: str) -> str:
    """`internal_medicine` as people write it."""
    return key.replace("_", " ")
