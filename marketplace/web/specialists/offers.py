"""Which of the jobs that fit are shown, in which order: what the address says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from marketplace.jobs.models import Job
from marketplace.money import Money
from marketplace.routing.queries import Eligibility, FeedEntry
from marketplace.tasktypes import TASK_TYPES
from marketplace.web.specialists.shown import words_of

BEST = "best"
SORTS: Mapping[str, str] = {
    BEST: "Best fit",
    "rate": "Pay an hour",
    "pay": "Pay a task",
    "newest": "Newest",
    "deadline": "Deadline",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the viewer asked for; unknown words of an address ask for nothing."""

    sort: str
    profession: str
    task_type: str

    @property
    def narrows(self) -> bool:
        """Whether some jobs may be left out."""
        return bool(self.profession or self.task_type)


def wish_from(address: MultiDict[str, str]) -> Wish:
    """The wish that the query of an address carries."""
    sort = address.get("sort", BEST)
    task_type = address.get("type", "")
    return Wish(
        sort=sort if sort in SORTS else BEST,
        profession=address.get("profession", "")[:60],
        task_type=task_type if task_type in TASK_TYPES else "",
    )


def chosen(entries: Sequence[FeedEntry], wish: Wish, *, currency: str) -> list[FeedEntry]:
    """The entries that fit the wish, in its order; amounts compare within a currency only, and
    the viewer's own comes first."""
    found = [
        entry
        for entry in entries
        if wish.profession in {"", entry.job.profession or ""}
        and wish.task_type in {"", entry.job.task_type}
    ]
    if wish.sort == BEST:
        return found
    return sorted(found, key=_keys(currency)[wish.sort])


def _keys(currency: str) -> Mapping[str, Callable[[FeedEntry], Any]]:
    def most(amount: Money) -> tuple[bool, str, int]:
        return amount.currency != currency, amount.currency, -amount.minor

    def newest(entry: FeedEntry) -> float:
        return -(entry.job.published_at or entry.job.created_at).timestamp()

    def deadline(entry: FeedEntry) -> float:
        ends = entry.job.deadline_at
        return ends.timestamp() if ends else float("inf")

    return {
        "rate": lambda entry: most(entry.hourly_rate),
        "pay": lambda entry: most(entry.pay),
        "newest": newest,
        "deadline": deadline,
    }


def by_closeness(
    others: Sequence[tuple[Job, Eligibility]], professions: Collection[str]
) -> tuple[list[tuple[Job, Eligibility]], list[tuple[Job, Eligibility]]]:
    """Closed jobs in one's own professions (or for anyone), and those for other professions."""
    near = [
        pair
        for pair in others
        if not professions or pair[0].profession is None or pair[0].profession in professions
    ]
    ids = {job.id for job, _ in near}
    return near, [pair for pair in others if pair[0].id not in ids]


def choices(entries: Sequence[FeedEntry]) -> dict[str, list[tuple[str, str]]]:
    """What can be chosen among these entries: (value, words), everything first."""
    professions = sorted({entry.job.profession for entry in entries if entry.job.profession})
    types = sorted({entry.job.task_type for entry in entries})
    return {
        "sorts": list(SORTS.items()),
        "professions": [("", "Any"), *((key, words_of(key)) for key in professions)],
        "types": [
            ("", "Any"),
            *((key, TASK_TYPES[key].title if key in TASK_TYPES else key) for key in types),
        ],
    }
