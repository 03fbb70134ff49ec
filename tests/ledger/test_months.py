"""Months, days and instants: how they close, what they remember, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Refused
from marketplace.ids import PersonId, new_id
from marketplace.ledger import queries, service
from marketplace.ledger.models import LedgerDay, LedgerTransaction
from marketplace.ledger.rules import SourceKind
from marketplace.ledger.rules.periods import PeriodState
from marketplace.money import Money
from tests.make import ledger as make
from tests.make.ledger import usd

MAY = date(2026, 5, 1)
STRIPE = "A:stripe:balance:USD"
LABS = "L:lab:available"


@contextmanager
def living_at(moment: datetime) -> Iterator[None]:
    """Live from a moment on."""
    with clock.shifted(moment - clock.now()):
        yield


def day_of(session: Session, bt: str) -> date:
    """The book's day on which a top-up took effect."""
    found = session.query(LedgerTransaction).filter_by(source_id=bt).one()
    return found.effective_on


def test_a_month_closes_step_by_step_and_remembers_all_of_them(session: Session) -> None:
    asked, agreed = PersonId(new_id()), PersonId(new_id())
    closer = Actor(asked, permissions=frozenset({"periods.close", "finance.view"}))
    make.topped_up(session, usd(1_00), balance_transaction_id="txn_may")

    service.begin_closing(session, closer, date(2026, 5, 17))
    make.topped_up(session, usd(2_00), balance_transaction_id="txn_late")
    service.resume_month(session, closer, MAY, reason="a statement is missing")
    make.topped_up(session, usd(3_00), balance_transaction_id="txn_in_time")
    service.close_period(session, closer, MAY)
    with pytest.raises(service.PeriodClosed):
        service.begin_closing(session, closer, MAY)
    again = {"asked_by": asked, "approved_by": agreed, "reason": "fees of May"}
    with pytest.raises(Refused, match="two people"):
        service.reopen_period(session, closer, MAY, **(again | {"approved_by": asked}))  # type: ignore[arg-type]
    with pytest.raises(Refused, match="why"):
        service.reopen_period(session, closer, MAY, **(again | {"reason": " "}))  # type: ignore[arg-type]
    service.reopen_period(session, closer, MAY, **again)  # type: ignore[arg-type]
    make.topped_up(session, usd(4_00), balance_transaction_id="txn_reopened")
    service.close_period(session, closer, MAY)
    with pytest.raises(Conflict):
        service.resume_month(session, closer, MAY)

    [month] = [one for one in queries.period_states(session, SYSTEM) if one.month == MAY]
    assert (PeriodState.CLOSED, True, 1) == (month.state, month.reopened, month.late)
    steps = [(mark.step.value, mark.reason) for mark in month.marks]
    assert [
        ("closing", ""),
        ("open", "a statement is missing"),
        ("closed", ""),
        ("reopened", "fees of May"),
        ("closed", ""),
    ] == steps
    assert (asked, agreed) == (month.marks[3].person_id, month.marks[3].second_person_id)
    today = service.book_today()
    days = [day_of(session, f"txn_{name}") for name in ("may", "late", "in_time", "reopened")]
    assert [make.A_DAY, today, make.A_DAY, make.A_DAY] == days
    assert [] == queries.broken_invariants(session)
    with pytest.raises(Denied):
        service.close_period(session, Actor(asked), MAY)


def test_scenario_39_what_comes_late_is_in_the_open_month_and_the_report_shows_it(
    session: Session,
) -> None:
    make.topped_up(session, usd(10_00), balance_transaction_id="txn_in_may")
    service.close_period(session, SYSTEM, MAY)

    make.topped_up(
        session, usd(7_00), balance_transaction_id="txn_late", effective_on=date(2026, 5, 31)
    )
    # A month before a closed one takes nothing either: May began with what April ended with.
    make.topped_up(
        session, usd(2_00), balance_transaction_id="txn_older", effective_on=date(2026, 4, 30)
    )

    [late] = queries.late_postings(session, SYSTEM, MAY)
    assert ("txn_late", date(2026, 5, 31)) == (late.source_id, late.happened_on)
    assert service.book_today() == late.effective_on == day_of(session, "txn_older")
    [may] = [row for row in queries.roll_forward(session, SYSTEM, MAY) if row.stem == LABS]
    assert (usd(0), usd(10_00)) == (may.opening, may.closing)
    [now] = [
        row
        for row in queries.roll_forward(session, SYSTEM, service.book_today())
        if row.stem == LABS
    ]
    assert (usd(10_00), {SourceKind.TOP_UP: usd(9_00)}) == (now.opening, now.movements)


@pytest.mark.parametrize(
    ("moment", "book_day"),
    [
        # The last minutes of a month in New York are the first of the next in UTC.
        ("2028-02-29T23:30:00-05:00", date(2028, 2, 29)),
        ("2027-03-01T04:59:59+00:00", date(2027, 2, 28)),
        ("2027-03-01T05:00:00+00:00", date(2027, 3, 1)),
        # On these days the clocks change; midnight is at another hour of UTC before and after.
        ("2027-03-14T04:59:00+00:00", date(2027, 3, 13)),
        ("2027-03-15T03:59:00+00:00", date(2027, 3, 14)),
        ("2027-11-07T04:00:00+00:00", date(2027, 11, 7)),
        ("2027-11-08T04:59:00+00:00", date(2027, 11, 7)),
        ("2027-12-31T23:59:59-05:00", date(2027, 12, 31)),
    ],
)
def test_scenario_38_the_books_day_is_that_of_its_zone(moment: str, book_day: date) -> None:
    at = datetime.fromisoformat(moment)

    assert book_day == clock.book_day(at, "America/New_York")
    begins = datetime.combine(book_day, datetime.min.time(), ZoneInfo("America/New_York"))
    assert (
        begins.astimezone(UTC) <= at.astimezone(UTC) < begins.astimezone(UTC) + timedelta(hours=25)
    )


def test_scenario_38_a_leap_day_is_a_day_of_february(session: Session) -> None:
    with living_at(datetime(2028, 3, 2, 12, tzinfo=UTC)):
        leap = date(2028, 2, 29)
        make.topped_up(session, usd(1_00), effective_on=leap)
        make.topped_up(session, usd(2_00), effective_on=date(2028, 3, 1))
        service.number_transactions(session)

        [february] = [
            row for row in queries.roll_forward(session, SYSTEM, leap) if row.stem == LABS
        ]
        assert usd(1_00) == february.closing
        assert february.ties
        service.close_period(session, SYSTEM, leap)
        assert usd(1_00) == queries.balance_at(session, SYSTEM, STRIPE, on=leap)
        assert usd(0) == queries.balance_at(session, SYSTEM, STRIPE, on=date(2028, 2, 28))


@pytest.mark.parametrize("numbered", [True, False], ids=["numbered", "not yet numbered"])
def test_both_calendars_know_every_day(session: Session, numbered: bool) -> None:
    days = [date(2026, 5, 3), date(2026, 5, 1), date(2026, 5, 31), date(2026, 4, 30)]
    lab = make.a_lab()
    for turn, day in enumerate(days):
        make.topped_up(session, usd(10 ** (turn + 2)), lab_id=lab, effective_on=day)
        if numbered:
            # One by one, so that later days are moved by what takes effect before them.
            service.number_transactions(session, limit=1)
    make.topped_up(session, Money(5, "JPY"), lab_id=lab, effective_on=days[0])

    def on(day: date) -> int:
        return queries.balance_at(session, SYSTEM, STRIPE, on=day).minor

    assert [0, 100_000, 101_000, 101_100, 111_100] == [
        on(date(2026, 4, 29)),
        on(date(2026, 4, 30)),
        on(date(2026, 5, 2)),
        on(date(2026, 5, 30)),
        on(date(2026, 5, 31)),
    ]
    rows = {row.code: row.raw for row in queries.trial_balance(session, SYSTEM, on=days[0])}
    assert usd(101_100) == rows[STRIPE] == -rows[f"L:lab:{lab}:available:USD"]
    totals = queries.trial_totals(session, SYSTEM, on=days[2])
    assert (usd(111_100), usd(111_100)) == (totals["USD"].debit, totals["USD"].credit)
    moved = queries.roll_forward(session, SYSTEM, MAY)
    assert all(row.ties for row in moved)
    [labs] = [row for row in moved if row.stem == LABS and row.opening.currency == "USD"]
    assert (usd(100_000), usd(111_100)) == (labs.opening, labs.closing)
    assert [] == queries.broken_invariants(session)


def test_each_day_that_ended_has_its_head_in_the_chain(session: Session) -> None:
    at = datetime(2027, 1, 1, 12, tzinfo=UTC)
    for day in range(4):
        with living_at(at + timedelta(days=day)):
            if day != 2:  # A day without postings has no head.
                make.topped_up(session, usd(1_00), fee=usd(10))
            service.number_transactions(session)
            service.number_transactions(session)

    found = queries.heads(session, SYSTEM)
    assert [
        (date(2027, 1, 3), 3, 1),
        (date(2027, 1, 1), 2, 1),
        (date(2026, 12, 31), 1, 1),
    ] == [(one.on_day, one.last_number, one.transaction_count) for one in found]
    assert {"USD": 1_10} == found[0].debits
    assert [] == queries.broken_days(session)


@pytest.mark.parametrize(
    "forged",
    [
        {"last_number": 1, "chain_hash": b"other"},
        {"debits": {"USD": 1_11}},
        {"day_hash": b"x" * 32},
    ],
)
def test_a_forged_head_is_found(session: Session, forged: dict[str, object]) -> None:
    with living_at(datetime(2027, 1, 1, 12, tzinfo=UTC)):
        make.topped_up(session, usd(1_00), fee=usd(10))
        service.number_transactions(session, limit=1)
        [link] = session.scalars(text("SELECT chain_hash FROM ledger_transaction"))
    true = {
        "on_day": date(2027, 1, 1),
        "last_number": 1,
        "chain_hash": link,
        "transaction_count": 1,
        "entry_count": 4,
        "debits": {"USD": 1_10},
        "sealed_at": clock.now(),
        "day_hash": b"y" * 32,
    }
    session.add(LedgerDay(**(true | forged)))
    session.flush()

    [said] = queries.broken_days(session)

    assert "2027-01-01" in said


def test_any_reference_finds_its_transaction(session: Session) -> None:
    lab = make.topped_up(session, usd(123_45), balance_transaction_id="txn_ABC")
    specialist = make.a_specialist()
    line = make.payout_line(session, specialist, usd(20_00))
    sent = make.sent(session, specialist, line, usd(20_00))
    service.number_transactions(session)
    number = session.scalar(
        text("SELECT number FROM ledger_transaction WHERE id = :i"), {"i": sent}
    )

    def sources(reference: str = "", amount: Money | None = None) -> set[str]:
        found = queries.find(session, SYSTEM, reference=reference, amount=amount)
        return {one.source_kind.value for one in found}

    assert {"top_up"} == sources("txn_ABC") == sources(amount=usd(123_45)) == sources(str(lab))
    assert {"top_up"} == sources("txn_ABC", usd(-123_45))
    assert {"transfer"} == sources(f"tr_{line.hex}") == sources(str(sent)) == sources(str(number))
    assert {"payout_reserve", "transfer"} == sources(str(line))
    assert {"payout_reserve", "transfer", "accept", "clear"} == sources(str(specialist))
    assert set() == sources() == sources("txn_abc") == sources(str(new_id())) == sources("9" * 40)
    assert set() == sources(amount=Money(123_45, "EUR")) == sources("tr_x' OR '1'='1")
    [one] = queries.find(session, SYSTEM, reference=f"tr_{line.hex}")
    assert usd(20_00) == one.amount
    with pytest.raises(Denied):
        queries.find(session, Actor(PersonId(new_id())), reference="txn_ABC")


def test_accepted_work_is_found_by_its_submission(session: Session) -> None:
    job = make.funded_job(session, usd(10_00))
    make.accepted(session, job, make.a_specialist(), usd(8_00), usd(2_00))
    source = session.scalar(
        text("SELECT source_id FROM ledger_transaction WHERE source_kind = 'accept'")
    )
    submission, _, _ = str(source).partition(":")

    [found] = queries.find(session, SYSTEM, reference=submission)

    assert (SourceKind.ACCEPT, usd(8_00)) == (found.source_kind, found.amount)
