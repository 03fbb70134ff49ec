"""A month of a market: our order of jobs against first come and against chance.

Run `python -m bench.market [--specialists N] [--jobs N] [--days N] [--seed N]`. People come at
their own hours, stay for a while, and take task after task from the first job that the policy
shows them; jobs arrive with a deadline. The order is the real `routing.rules.ranked`, the forecast
the real `routing.rules.forecast`, made for each job as it is published and compared with what
came. Nothing here is timed; the same seed gives the same figures.
"""

from __future__ import annotations

import argparse
import heapq
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from marketplace.money import Money
from marketplace.routing.rules import Day, Forecast, Offer, Standing, forecast, ranked

START = datetime(2026, 11, 2, tzinfo=UTC)  # A Monday.
PROFESSIONS = (("medicine", 0.45), ("law", 0.2), ("software", 0.35))
SPECIALTIES = 6
WEEK_SERVED_SECONDS = 20 * 3_600
HISTORY_DAYS = 28


@dataclass(slots=True)
class Specialist:
    """starts: hour of the day; session: hours at a time; chance: of coming on a day."""

    number: int
    profession: str
    specialty: int
    starts: float
    session: float
    chance: float
    pace: float
    earned: int = 0
    by_day: dict[int, int] = field(default_factory=dict)
    taken: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """seats: judgements wanted; share: how many of them one person may give."""

    number: int
    profession: str
    specialty: int | None
    seats: int
    share: int
    expected: int
    pay: int
    published: float
    deadline: float
    open: int = 0
    filled_at: float | None = None
    told: Forecast | None = None


@dataclass(slots=True)
class Market:
    """Everybody and everything, before anything happens."""

    people: list[Specialist]
    jobs: list[Job]
    days: int


Policy = Callable[[Specialist, Sequence[Job], float, Random], Job]


def made(
    *,
    specialists: int,
    jobs: int,
    days: int,
    seed: int,
    load: float = 0.9,
    professions: Sequence[tuple[str, float]] = PROFESSIONS,
) -> Market:
    """A market whose jobs ask for `load` of the hours that its people have."""
    chance = Random(seed)
    people = [
        Specialist(
            number,
            _drawn(professions, chance),
            chance.randrange(SPECIALTIES),
            starts=chance.choice([7.5, 12.5, 18.0, 20.0]) + chance.uniform(-1, 1),
            session=chance.uniform(0.5, 3),
            chance=chance.betavariate(2, 2.5),
            pace=chance.lognormvariate(0, 0.25),
        )
        for number in range(specialists)
    ]
    posted = [_job(number, days, professions, chance) for number in range(jobs)]
    _size(people, posted, days, load)
    return Market(people, sorted(posted, key=lambda job: job.published), days)


def _drawn(professions: Sequence[tuple[str, float]], chance: Random) -> str:
    names, parts = zip(*professions, strict=True)
    return str(chance.choices(names, parts)[0])


def _job(number: int, days: int, professions: Sequence[tuple[str, float]], chance: Random) -> Job:
    expected = chance.choice([120, 300, 600, 900])
    published = chance.uniform(0, days * 0.75) * 86_400
    return Job(
        number,
        _drawn(professions, chance),
        chance.choice([None, None, chance.randrange(SPECIALTIES)]),
        seats=0,
        share=0,
        expected=expected,
        pay=round(expected / 3_600 * chance.lognormvariate(0, 0.35) * 60_00),
        published=published,
        deadline=min(days * 86_400, published + chance.uniform(4, 12) * 86_400),
    )


def _size(people: Sequence[Specialist], jobs: Sequence[Job], days: int, load: float) -> None:
    """Give each job seats, so that each profession is asked for the same share of its hours."""
    for profession in {each.profession for each in people}:
        mine = [job for job in jobs if job.profession == profession]
        hours = sum(
            each.chance * 0.85 * each.session * days
            for each in people
            if each.profession == profession
        )
        for job in mine:
            narrow = 1.0 if job.specialty is None else 0.4
            seats = narrow * load * hours * 3_600 / len(mine) / job.expected
            job.seats = job.open = max(1, round(seats))
            job.share = max(1, job.seats // 5)


def ours(who: Specialist, offered: Sequence[Job], at: float, chance: Random) -> Job:
    """The first of our order."""
    del chance
    by_id = {str(job.number): job for job in offered}
    today = int(at // 86_400)
    week = sum(who.by_day.get(day, 0) for day in range(today - 6, today + 1))
    standing = Standing(served=min(1.0, week / WEEK_SERVED_SECONDS))
    offers = [_offer(job, who) for job in offered]
    return by_id[ranked(offers, START + timedelta(seconds=at), standing)[0].job_id]


def _offer(job: Job, who: Specialist) -> Offer:
    return Offer(
        job_id=str(job.number),
        specialty_matches=int(job.specialty == who.specialty),
        seats_open=job.open,
        seats_total=job.seats,
        rate=Money(round(job.pay * 3_600 / job.expected), "USD"),
        published_at=START + timedelta(seconds=job.published),
        deadline_at=START + timedelta(seconds=job.deadline),
    )


def first_come(who: Specialist, offered: Sequence[Job], at: float, chance: Random) -> Job:
    """The job that was posted first."""
    del who, at, chance
    return min(offered, key=lambda job: (job.published, job.number))


def by_chance(who: Specialist, offered: Sequence[Job], at: float, chance: Random) -> Job:
    """Any job."""
    del who, at
    return chance.choice(list(offered))


def fits(who: Specialist, job: Job) -> bool:
    """Whether somebody may work on a job at all."""
    return job.profession == who.profession and job.specialty in (None, who.specialty)


def live(market: Market, policy: Policy, *, seed: int) -> None:
    """Let the month happen; jobs and people remember what came of it."""
    chance = Random(seed)
    waiting = sorted(market.jobs, key=lambda job: job.published, reverse=True)
    current: list[Job] = []
    events = _arrivals(market, chance)
    while events:
        at, number, until = heapq.heappop(events)
        while waiting and waiting[-1].published <= at:
            job = waiting.pop()
            job.told = _told(market, job, current)
            current.append(job)
        current = [job for job in current if job.open and job.deadline > at]
        who = market.people[number]
        offered = [
            job for job in current if fits(who, job) and who.taken.get(job.number, 0) < job.share
        ]
        if offered:
            took = _take(who, policy(who, offered, at, chance), at, chance)
            again = at + took
        else:
            again = at + 1_200  # They look again in a while.
        if again < until:
            heapq.heappush(events, (again, number, until))


def _arrivals(market: Market, chance: Random) -> list[tuple[float, int, float]]:
    events = []
    for day in range(market.days):
        rest = 0.5 if day % 7 >= 5 else 1.0
        for who in market.people:
            if chance.random() < who.chance * rest:
                at = (day * 24 + who.starts + chance.gauss(0, 0.5)) * 3_600
                events.append((max(0.0, at), who.number, at + who.session * 3_600))
    heapq.heapify(events)
    return events


def _take(who: Specialist, job: Job, at: float, chance: Random) -> float:
    took = job.expected * who.pace * chance.lognormvariate(0, 0.3)
    job.open -= 1
    if not job.open:
        job.filled_at = at + took
    who.earned += job.pay
    who.taken[job.number] = who.taken.get(job.number, 0) + 1
    day = int(at // 86_400)
    who.by_day[day] = who.by_day.get(day, 0) + round(took)
    return took


def _told(market: Market, job: Job, current: Sequence[Job]) -> Forecast:
    """What the quote would have said when the job was published."""
    today = int(job.published // 86_400)
    can = [who for who in market.people if fits(who, job)]
    days = [
        Day(day % 7, sum(who.by_day.get(day, 0) for who in can))
        for day in range(max(0, today - HISTORY_DAYS), today)
    ]
    beside = [other for other in current if other.profession == job.profession and other.open]
    return forecast(
        job.seats,
        eligible=len(can),
        expected_seconds=job.expected,
        days=days,
        competing=len(beside),
        weekday=today % 7,
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a market. days to fill are None where a share of the jobs never filled."""

    fill_ratio: float
    starved_seats: int
    p50_days: float | None
    p90_days: float | None
    gini: float
    forecasts: int
    within_p50: float | None
    within_p90: float | None


def outcome(market: Market) -> Outcome:
    """The figures of a month that is over."""
    seats = sum(job.seats for job in market.jobs)
    starved = sum(job.open for job in market.jobs)
    times = sorted(
        (job.filled_at - job.published) / 86_400 if job.filled_at else float("inf")
        for job in market.jobs
    )
    told = [job for job in market.jobs if job.told and job.told.p50 and job.told.p90]
    return Outcome(
        fill_ratio=1 - starved / seats,
        starved_seats=starved,
        p50_days=_finite(times[len(times) // 2]),
        p90_days=_finite(times[len(times) * 9 // 10]),
        gini=gini([who.earned for who in market.people]),
        forecasts=len(told),
        within_p50=_share(told, "p50"),
        within_p90=_share(told, "p90"),
    )


def _finite(days: float) -> float | None:
    return days if days < float("inf") else None


def _share(told: Sequence[Job], name: str) -> float | None:
    kept = [
        job.filled_at is not None and job.filled_at - job.published <= getattr(job.told, name)
        for job in told
    ]
    return sum(kept) / len(kept) if kept else None


def gini(amounts: Sequence[int]) -> float:
    """0: everybody the same; 1: one has all."""
    ordered, whole = sorted(amounts), sum(amounts)
    if not whole:
        return 0.0
    weighted = sum(rank * amount for rank, amount in enumerate(ordered, start=1))
    return 2 * weighted / (len(ordered) * whole) - (len(ordered) + 1) / len(ordered)


POLICIES: dict[str, Policy] = {"ours": ours, "first come": first_come, "chance": by_chance}


def main() -> None:
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--specialists", type=int, default=500)
    asked.add_argument("--jobs", type=int, default=200)
    asked.add_argument("--days", type=int, default=30)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--load", type=float, default=0.9, help="share of the people's hours wanted")
    given = vars(asked.parse_args())
    print(f"Python {platform.python_version()}, {given}")
    heads = ("filled", "starved", "p50 d", "p90 d", "Gini", "told", "in p50", "in p90")
    print(f"{'':12}" + "".join(f"{head:>9}" for head in heads))
    for name, policy in POLICIES.items():
        market = made(**given)
        live(market, policy, seed=given["seed"])
        found = outcome(market)
        row = (
            f"{found.fill_ratio:.1%}", found.starved_seats, _shown(found.p50_days),
            _shown(found.p90_days), f"{found.gini:.3f}", found.forecasts,
            _percent(found.within_p50), _percent(found.within_p90),
        )  # fmt: skip
        print(f"{name:12}" + "".join(f"{each:>9}" for each in row))


def _shown(days: float | None) -> str:
    return "never" if days is None else f"{days:.1f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


if __name__ == "__main__":
    main()
