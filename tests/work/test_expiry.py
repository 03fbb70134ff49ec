"""Ending leases: through the index on the ends of live claims, and so many at a time."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event, text
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.money import Money
from marketplace.work import service
from marketplace.work.models import Claim
from marketplace.work.rules import ClaimState
from tests.make import specialists
from tests.make import work as make


def test_leases_end_through_the_index_without_a_sort(session: Session) -> None:
    bind = session.get_bind()
    asked: list[tuple[str, object]] = []

    def note(*call: object) -> None:
        asked.append((str(call[2]), call[3]))

    event.listen(bind, "before_cursor_execute", note)
    try:
        service.expire_leases(session)
    finally:
        event.remove(bind, "before_cursor_execute", note)

    session.execute(text("SET LOCAL enable_seqscan = off"))
    statement, values = next(each for each in asked if "FROM claim" in each[0])
    plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", values)  # type: ignore[arg-type]
    told = "\n".join(plan.scalars())
    assert "ix_claim_expiry" in told
    assert "Sort" not in told


def test_so_many_leases_end_at_a_time_and_the_oldest_first(session: Session) -> None:
    _, job = make.published(session, items=3)
    doctor = specialists.doctor(session)
    claims = [make.claimed(session, doctor, job) for _ in range(3)]
    for hours, claim in enumerate(claims, start=1):
        claim.expires_at = clock.now() - timedelta(hours=hours)
    session.flush()

    assert 2 == service.expire_leases(session, limit=2)

    states = [session.get_one(Claim, claim.id).state for claim in claims]
    assert [ClaimState.LIVE, ClaimState.EXPIRED, ClaimState.EXPIRED] == states


def test_an_hourly_task_without_script_is_paid_its_expected_time_at_most(session: Session) -> None:
    _, job = make.published(
        session,
        items=2,
        pay=Money(120_00, "USD"),
        pay_per="hour",
        expected_seconds=600,
        time_cap_seconds=3_600,
    )
    doctor = specialists.doctor(session)
    quick, slow = make.claimed(session, doctor, job), make.claimed(session, doctor, job)

    with clock.shifted(timedelta(minutes=5)):
        short = make.submit(session, doctor, quick, make.answer())
    with clock.shifted(timedelta(minutes=25)):
        long = make.submit(session, doctor, slow, make.answer())

    assert (300, 600) == (short.active_seconds, long.active_seconds)
    assert 0 < short.pay.minor < long.pay.minor
