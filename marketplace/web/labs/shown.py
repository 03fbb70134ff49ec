"""What several pages of a lab show alike: what a job costs, who somebody is, what is to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from marketplace.errors import Fault
from marketplace.ids import JobId
from marketplace.jobs import queries as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.rules import JobState, PauseReason, PayPer, Purpose, seat_price
from marketplace.ledger import queries as ledger
from marketplace.money import Money
from marketplace.secrets import pseudonym
from marketplace.specialists.queries import Attested
from marketplace.web import settings
from marketplace.web.forms import field_errors
from marketplace.web.guards import me
from marketplace.web.labs.builder import NAMES
from marketplace.work.queries import Progress

PAUSED_BECAUSE: Mapping[PauseReason, str] = {
    PauseReason.LAB: "You paused it; work in hand goes on.",
    PauseReason.MONEY: "The balance does not cover the items that came later. Work in hand goes on "
    "and is paid. Top up, then resume.",
    PauseReason.LIMIT: "A spend limit, or the budget of the job, does not allow what its later "
    "items need. Raise it, then resume.",
    PauseReason.QUALITY: "Quality fell below what the job asks for. Look at it before you resume.",
    PauseReason.GUIDELINE: "Specialists met a gap in the instructions. Close it, then resume.",
    PauseReason.PERSONAL: "We paused it: the scan found personal details in its items. Say what "
    "they are, and it goes on.",
    PauseReason.OPERATIONS: "We paused it. Write to us; we resume it once it is settled.",
}
STEPS: Sequence[tuple[str, str, tuple[str, ...]]] = (
    ("Somebody can show what it asks for", "edit", ("/requirements",)),
    ("Title and domain are plain text", "edit", ("/title", "/domain")),
    ("Instructions say what a good judgement is", "edit", ("/instructions_md",)),
    ("The template fits its task type", "edit", ("/template",)),
    ("Items are in, and their gold fits the template", "items", ("/items",)),
    ("What seems to name people in the items is accounted for", "scan", ("/scan",)),
    ("The terms of a qualification are said", "qualification", ("/qualification",)),
    ("The pay is fair for the time it takes", "edit", ("/pay",)),
    ("The lease is long enough", "edit", ("/lease_seconds",)),
    ("The deadline lies ahead", "edit", ("/deadline_at",)),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """A job's money. spent: pay and fee of what is accepted; reserved: set aside now; most: what
    all items can cost."""

    spent: Money
    reserved: Money
    most: Money


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that publishing needs: whether it is so, and where it is mended."""

    words: str
    faults: Sequence[tuple[str, str]]
    href: str


def fee_basis_points() -> int:
    """Our fee at present, in 1/10,000."""
    return settings().platform_fee_basis_points


def cost_of(session: Session, job: Job, progress: Progress) -> Cost:
    """What a job has cost and may cost; for pay by the hour, what left the reserve so far."""
    most = jobs.estimate(job, fee_basis_points=fee_basis_points()).most.total
    reserved = ledger.job_balance(session, JobId(job.id), job.currency)
    each = seat_price(job.terms(fee_basis_points())).total
    if job.pay_per is PayPer.HOUR and job.state in {JobState.OPEN, JobState.PAUSED}:
        return Cost(most - reserved, reserved, most)
    return Cost(each * progress.accepted, reserved, most)


def author_name(specialist_id: UUID) -> str:
    """The pseudonym under which this lab knows a specialist."""
    return pseudonym(str(me().organisation()), str(specialist_id))


def attested_words(attested: Sequence[Attested]) -> list[tuple[str, int, str]]:
    """Credentials as a lab may read them: words, level, the month of the check or nothing."""
    return [
        (
            ", ".join(filter(None, [_title(each.profession), *map(_title, each.specialties)]))
            + (f" ({each.jurisdiction})" if each.jurisdiction else ""),
            each.level,
            each.checked_month.strftime("%Y-%m") if each.checked_month else "",
        )
        for each in attested
    ]


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()


def steps_of(job: Job, faults: Sequence[Fault]) -> list[Step]:
    """The checklist before publishing, each step with its faults and the place to mend them."""
    return [
        Step(words, _mended_at(job, place, [f for f in faults if f.pointer.startswith(prefixes)]),
             _place(job, place))
        for words, place, prefixes in STEPS
        if place != "qualification" or job.purpose is Purpose.QUALIFICATION
    ]  # fmt: skip


def advice_of(job: Job, told: Sequence[Fault]) -> list[tuple[str, str]]:
    """What is worth a look, each with the place of the form."""
    places = ["scan" if one.pointer == "/scan" else "edit" for one in told]
    return [
        (one.message, _place(job, place) + _anchor(place, one.pointer))
        for one, place in zip(told, places, strict=True)
    ]


def _mended_at(job: Job, place: str, faults: Sequence[Fault]) -> list[tuple[str, str]]:
    return [(one.message, _place(job, place) + _anchor(place, one.pointer)) for one in faults]


def _place(job: Job, place: str) -> str:
    views = {
        "items": "lab_items.show",
        "qualification": "lab_qualification.show",
        "scan": "lab_scans.show",
    }
    return url_for(views.get(place, "lab_jobs.edit"), job_id=job.id)


def _anchor(place: str, pointer: str) -> str:
    if place != "edit":
        return ""
    name = next(iter(field_errors([Fault(NAMES.get(pointer, pointer), "")])))
    return f"#field-{name.replace('.', '-')}"


def job_facts(job: Job, tab: str) -> dict[str, Any]:
    """What the frame around every page of a job needs."""
    return {
        "job": job,
        "tab": tab,
        "paused": PAUSED_BECAUSE.get(job.pause_reason or PauseReason.LAB),
    }
