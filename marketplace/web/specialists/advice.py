"""What each step of onboarding would open, and the one thing that is best done next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import url_for

from marketplace.jobs.models import Job
from marketplace.ledger.queries import SpecialistBalance
from marketplace.routing.queries import Eligibility
from marketplace.specialists.models import SpecialistProfile
from marketplace.specialists.rules.onboarding import Step
from marketplace.web.filters import count, money
from marketplace.web.specialists.credential_words import CredentialRow
from marketplace.web.specialists.shown import words_of
from marketplace.web.specialists.standing import WORDS, Standing

# Which step mends each reason for which a job is closed.
MENDS: Mapping[str, Step] = {
    "profession": Step.CREDENTIAL,
    "specialty": Step.CREDENTIAL,
    "jurisdiction": Step.CREDENTIAL,
    "credential": Step.CREDENTIAL,
    "level": Step.IDENTITY,
    "languages": Step.HOURS,
    "qualification": Step.QUALIFICATION,
    "skill": Step.QUALIFICATION,
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do. kind: `watch` where something would be lost by waiting."""

    icon: str
    title: str
    why: str
    label: str
    href: str
    kind: str = "neutral"


def openings(
    profile: SpecialistProfile | None,
    fitting: Iterable[Job],
    closed: Iterable[tuple[Job, Eligibility]],
) -> dict[Step, str]:
    """What each step would open, as a sentence; only for steps that some job waits for.

    Counted among the jobs in the person's own professions, and those that ask for none.
    """
    own = set(profile.professions) if profile else set()
    waiting = [(job, allowed) for job, allowed in closed if _is_own(job, own)]
    total = sum(_is_own(job, own) for job in fitting) + len(waiting)
    alone: Counter[Step] = Counter()
    among: Counter[Step] = Counter()
    for _, allowed in waiting:
        codes = {reason.code for reason in allowed.details}
        steps = {MENDS[code] for code in codes if code in MENDS}
        only = len(steps) == 1 and codes <= MENDS.keys()
        (alone if only else among).update(steps)
    return {step: _said(step, alone, among, total, own) for step in {*alone, *among}}


def _is_own(job: Job, professions: set[str]) -> bool:
    return not professions or job.profession is None or job.profession in professions


def _said(
    step: Step, alone: Mapping[Step, int], among: Mapping[Step, int], total: int, own: set[str]
) -> str:
    field = f" in {words_of(next(iter(own))).lower()}" if len(own) == 1 else " in your field"
    if step in alone:
        return f"It opens {alone[step]} of the {count(total, 'job')}{field if own else ''}."
    asking = f"{count(among[step], 'job')} {'asks' if among[step] == 1 else 'ask'}"
    return f"{asking} for it, beside other things."


def next_best(
    standing: Standing,
    rows: Sequence[CredentialRow],
    balances: Mapping[str, SpecialistBalance],
    opened: Mapping[Step, str],
) -> Advice | None:
    """What is best done next, beside work: first what would be lost by waiting."""
    return _credential(rows) or _money(standing, balances) or _step(standing, opened)


def _credential(rows: Sequence[CredentialRow]) -> Advice | None:
    for row in rows:
        if not row.wants_holder:
            continue
        left = f" {count(row.days_left, 'day')} are left." if row.days_left is not None else ""
        href = url_for("specialists.credential", claim_id=row.claim.id)
        return Advice(
            "award",
            f"{row.title}: {row.who[1][0].lower()}{row.who[1][1:]}",
            f"{row.next_step}{left}",
            "Look at it",
            href,
            "watch",
        )
    return None


def _money(standing: Standing, balances: Mapping[str, SpecialistBalance]) -> Advice | None:
    if Step.PAID in standing.done:
        return None
    waiting = [money(has.available) for has in balances.values() if has.available.minor > 0]
    if not waiting:
        return None
    words = WORDS[Step.PAID]
    href = url_for("specialists.start_step", step=Step.PAID)
    why = f"{' and '.join(waiting)} could be paid to you already."
    return Advice("wallet", words.task, why, "Say where", href, "watch")


def _step(standing: Standing, opened: Mapping[Step, str]) -> Advice | None:
    remaining = standing.remaining
    best = next((step for step in remaining if "opens" in opened.get(step, "")), None)
    worth = [step for step in remaining if step is not Step.QUALIFICATION or step in opened]
    step = best or next((step for step in worth if step not in standing.skipped), None)
    if step is None:
        return None
    words = WORDS[step]
    href = url_for("specialists.start_step", step=step)
    return Advice("list-checks", words.task, opened.get(step, words.why), "Do it now", href)
