"""What the operator asks: is anything broken, and how far behind is the work?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import Engine, text

from marketplace import audit, clock, outbox
from marketplace.actor import SYSTEM
from marketplace.billing import queries as billing
from marketplace.cli.self_check import CHECKS
from marketplace.db import transaction
from marketplace.ids import new_id
from marketplace.ledger import queries as ledger
from marketplace.payouts import queries as payouts
from marketplace.worker import heartbeat
from tests.make import identity as make


def broken() -> dict[str, list[str]]:
    told = {}
    for what, check in CHECKS.items():
        with transaction() as session:
            told[what] = check(session)
    return {what: sentences for what, sentences in told.items() if sentences}


@pytest.fixture
def trails(kept: Engine) -> Engine:
    """A fact and a line of the audit trail, both numbered."""
    with transaction() as session:
        outbox.announce(session, "test.said", new_id(), {}, job_id=new_id())
        audit.record(session, SYSTEM, "said", new_id())
    for number in (outbox.number_events, audit.number_rows):
        with transaction() as session:
            assert 1 == number(session)
    return kept


def test_nothing_is_broken_in_sound_trails(trails: Engine) -> None:
    assert {} == broken()


@pytest.mark.parametrize(
    ("table", "what"), [("event", "the chains of facts"), ("audit", "the audit trail's chain")]
)
def test_what_the_owner_changed_is_found(
    trails: Engine, owner_engine: Engine, table: str, what: str
) -> None:
    with owner_engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text(f"UPDATE {table} SET facts = '[1]'"))  # noqa: S608
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))

    assert [what] == list(broken())


def test_a_top_up_that_the_book_does_not_have_is_found(
    committed: Engine, owner_engine: Engine
) -> None:
    with transaction() as session:
        lab = make.lab_owner(session)
    assert {} == broken()
    forged = text(
        """INSERT INTO top_up (id, organisation_id, asked_by, amount_minor, currency, state,
             success_url, cancel_url, balance_transaction_id, fee_minor, ledger_transaction_id,
             asked_at, next_look_at, posted_at)
           VALUES (gen_random_uuid(), :lab, :person, 5, 'USD', 'posted', '', '', 'txn_forged', 0,
             gen_random_uuid(), now(), now(), now())"""
    )
    with owner_engine.begin() as connection:
        connection.execute(text("ALTER TABLE top_up DISABLE TRIGGER USER"))
        connection.execute(forged, {"lab": lab.organisation_id, "person": lab.person_id})
        connection.execute(text("ALTER TABLE top_up ENABLE TRIGGER USER"))

    assert ["top-ups"] == list(broken())


def test_every_part_that_knows_what_must_hold_is_asked() -> None:
    asked = set(CHECKS.values())

    assert {billing.broken_invariants, payouts.broken_invariants, ledger.broken_invariants} < asked


def test_metrics_say_how_far_behind_the_work_is(app: Flask, kept: Engine, redis: Redis) -> None:
    with transaction() as session:
        outbox.enqueue(session, "test.old", not_before=clock.now() - timedelta(minutes=5))
        outbox.enqueue(session, "test.later", not_before=clock.now() + timedelta(minutes=5))
        outbox.announce(session, "test.said", new_id(), {})
        audit.record(session, SYSTEM, "said", new_id())
        audit.record(session, SYSTEM, "said again", new_id())
    heartbeat.beat(redis, "relay")
    told = app.test_client().get("/metrics").get_data(as_text=True)
    values = dict(line.rsplit(" ", 1) for line in told.splitlines() if line.startswith("market"))

    assert ["1.0", "1.0", "2.0", "0.0", "1.0", "0.0"] == [
        values[name]
        for name in (
            "marketplace_outbox_due",
            'marketplace_unnumbered{of="events"}',
            'marketplace_unnumbered{of="audit"}',
            "marketplace_payout_lines_unknown",
            'marketplace_alive{part="relay"}',
            'marketplace_alive{part="worker"}',
        )
    ]
    assert 300 <= float(values["marketplace_outbox_oldest_seconds"]) < 400
