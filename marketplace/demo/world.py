"""The demonstration world: three weeks of a small marketplace, written down in some seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from marketplace import clock
from marketplace.db import transaction
from marketplace.demo import (
    appealing,
    banking,
    chatting,
    contesting,
    credentials,
    hybrid,
    judging,
    money,
    paying,
    people,
    programs,
    proof,
    reviewing,
    sitting,
    watching,
    work,
)
from marketplace.demo.plan import ATTEMPTS, JOBS, REPORTS, turns
from marketplace.demo.quiet import Quiet, ask_now
from marketplace.demo.timeline import Timeline, at
from marketplace.errors import Refused

DAYS = 18  # Since the morning after credentials were verified.
QUEUE_DAYS = 1  # What was handed in lately still waits for its reviewer.
REWORKED_LATELY = "doctor@demo.test"


class NotEmpty(Refused):
    """The database holds people who did not come with the demonstration."""

    code = "not_empty"


class Unfinished(Refused):
    """Background work that the demonstration waits for did not come to its end."""

    code = "unfinished"


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """Something that happens at a time."""

    at: datetime
    happens: Callable[[], object] = field(compare=False)


def build(password: str, *, say: Callable[[str], None]) -> None:
    """Make the world, or go on where an earlier try was stopped.

    Needs the sandbox and an empty database; raises NotEmpty, Unfinished, and what services raise.
    """
    with transaction() as session:
        if not people.is_empty(session):
            raise NotEmpty("Other people are here already, so the demonstration stays away.")
    timeline = Timeline(clock.now())
    quiet = Quiet()
    quiet.keep()
    say("People: the platform, three labs, twelve specialists …")
    people.make_staff(timeline, password)
    people.make_labs(timeline, password)
    people.make_specialists(timeline, password)
    quiet.keep()
    credentials.claim_all(timeline)
    say("Three weeks of work: jobs, answers, reviews, pay …")
    for moment in sorted(history(timeline)):
        quiet.keep()
        with at(moment.at):
            moment.happens()
    quiet.end()
    say("Lists are loaded, documents shown, registers asked …")
    proof.load_lists()
    proof.show_documents(timeline)
    proof.connect_account()
    programs.connect()
    asked = ask_now()
    chatting.post()
    chatting.hold()
    judged = judging.calibrate() and hybrid.judge(timeline)
    say("A payout run is sent, another is prepared, exports are written …")
    sent = money.release_first()
    paying.sign_forms()
    paying.hold_some()
    money.prepare_second()
    banking.upload_statement()
    watched = watching.begin()
    preferences = next(job for job in JOBS if job.material == "clinical_preferences")
    contested = contesting.contest(preferences)
    written = reviewing.exports_written()
    if not (asked and judged and sent and watched and contested and written):
        raise Unfinished(
            "The worker has not asked, judged, paid or written what it should in time."
        )


def history(timeline: Timeline) -> Iterator[Moment]:
    """All that happened, in no order."""
    yield Moment(timeline.on(19, 14), money.top_up_all)
    for job in JOBS:
        yield Moment(timeline.on(job.posted_days_ago, 7, 30), partial(work.post, job))
        if job.paused_days_ago is not None:
            yield Moment(timeline.on(job.paused_days_ago, 17), partial(work.pause, job))
    yield Moment(timeline.on(18, 9), sitting.post)
    for attempt in ATTEMPTS:
        yield Moment(timeline.on(attempt.days_ago, attempt.hour), partial(sitting.sit, attempt))
    for report in REPORTS:
        yield Moment(timeline.on(report.days_ago, 13), partial(work.report, report))
    for turn in turns(timeline):
        yield Moment(turn.at, partial(work.take_turn, turn))
    for days in range(DAYS, 0, -1):
        yield from _day(timeline, days)
    yield Moment(timeline.on(18, 10), credentials.declare_household)
    yield Moment(timeline.on(11, 11), credentials.suspend)
    yield Moment(timeline.on(8, 12), money.onboard_all)
    yield Moment(timeline.on(6, 10), money.write_details)
    yield Moment(timeline.on(2, 16), work.post_draft)
    yield Moment(timeline.on(1, 9), hybrid.post)
    yield Moment(timeline.on(1, 20, 30), reviewing.ask_for_exports)
    yield Moment(timeline.on(1, 21), money.prepare_first)
    yield Moment(timeline.on(1, 22, 10), money.approve_first)
    preferences = next(job for job in JOBS if job.material == "clinical_preferences")
    late = partial(reviewing.send_back, preferences, REWORKED_LATELY)
    yield Moment(timeline.on(1, 22, 40), late)
    disagreed = partial(appealing.disagree, preferences, REWORKED_LATELY)
    yield Moment(timeline.on(1, 22, 50), disagreed)


def _day(timeline: Timeline, days: int) -> Iterator[Moment]:
    yield Moment(timeline.on(days, 0, 10), credentials.let_time_pass)
    yield Moment(timeline.on(days, 6), work.clear_pay)
    yield Moment(timeline.on(days, 7), work.answer_reworks)
    for job in JOBS:
        if job.is_reviewed and QUEUE_DAYS < days < job.posted_days_ago:
            yield Moment(timeline.on(days, 19, 30), partial(reviewing.review_day, job))
