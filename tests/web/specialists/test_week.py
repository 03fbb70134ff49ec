"""The week's bars: what of the money is pending, payable and paid."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from marketplace.ids import AccrualId, JobId, PersonId, SubmissionId, new_id
from marketplace.review.models import Accrual
from marketplace.review.queries import Earning
from marketplace.web.specialists.week import columns_of

MONDAY = date(2026, 11, 16)
ZONE = ZoneInfo("UTC")


def earned(minor: int, day: int, *, cleared: bool = True, hour: int = 12) -> Earning:
    """Pay of a day of the week from Monday on (0 is Monday)."""
    at = datetime(2026, 11, 16, hour, tzinfo=UTC) + timedelta(days=day)
    accrual = Accrual(
        id=AccrualId(new_id()),
        submission_id=SubmissionId(new_id()),
        job_id=JobId(new_id()),
        specialist_id=PersonId(new_id()),
        amount_minor=minor,
        currency="USD",
        accrued_at=at,
        clears_at=at,
        cleared_at=at if cleared else None,
    )
    return Earning(accrual, "A job", 1)


def parts(rows: list[Earning], unpaid: int, zone: ZoneInfo = ZONE) -> list[list[float]]:
    """Pending, payable and paid of each of the seven days."""
    found = columns_of(rows, unpaid_minor=unpaid, first=MONDAY, zone=zone)
    return [list(each.values) for each in found]


def test_payouts_take_the_oldest_first() -> None:
    rows = [earned(300, 2, cleared=False), earned(500, 1), earned(400, 0)]

    week = parts(rows, unpaid=600)

    assert [[0, 100, 300], [0, 500, 0], [300, 0, 0]] == week[:3]
    assert [[0, 0, 0]] * 4 == week[3:]


def test_all_of_it_adds_up() -> None:
    rows = [earned(7 + at, at % 7, cleared=at % 3 > 0) for at in reversed(range(21))]

    assert sum(each.accrual.amount_minor for each in rows) == sum(
        sum(day) for day in parts(rows, unpaid=50)
    )


def test_days_are_those_of_the_reader() -> None:
    late = [earned(100, 0, hour=23)]

    assert 100 == sum(parts(late, 100)[0])
    assert 100 == sum(parts(late, 100, ZoneInfo("Asia/Tokyo"))[1])
