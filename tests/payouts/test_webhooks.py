"""Stripe's webhooks at our door: forged, doubled, late, unknown, and the good ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import stripe as sdk
from flask import Flask
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, stripe_client
from marketplace.billing.rules import TopUpState
from marketplace.db import transaction
from marketplace.outbox import OutboxRow
from marketplace.settings import Settings
from marketplace.web.webhooks import ROUTES
from tests.make import billing as make
from tests.make.billing import Stripe
from tests.make.ledger import usd

Deliver = Callable[..., int]


@pytest.fixture
def deliver(app: Flask, settings: Settings, stripe: Stripe) -> Deliver:
    """Post an event as Stripe does; the status of the answer."""
    # Where the application was made just now, it took its own settings.
    stripe_client.use(make.StripeSettings(stripe.address))

    def post(
        event: dict[str, Any],
        *,
        secret: str = settings.stripe_webhook_secret,
        shift: timedelta = timedelta(0),
        tamper: bool = False,
    ) -> int:
        payload = json.dumps(event)
        header = sdk.WebhookSignature.generate_signature_header(
            payload, secret, int((clock.now() + shift).timestamp())
        )
        body = payload.replace("evt_", "evt_x", 1) if tamper else payload
        answer = app.test_client().post(
            "/webhooks/stripe",
            data=body.encode(),
            headers={"Stripe-Signature": header, "Content-Type": "application/json"},
        )
        return answer.status_code

    return post


def an_event(kind: str = "charge.updated", **changed: Any) -> dict[str, Any]:
    subject = {"id": "ch_1", "object": "charge", "payment_intent": "pi_1", "metadata": {}}
    return {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "livemode": False,
        "created": int(clock.now().timestamp()),
        "data": {"object": subject},
        **changed,
    }


def queued() -> list[OutboxRow]:
    with transaction() as session:
        rows = select(OutboxRow).where(OutboxRow.once_key.like("stripe:%"))
        return list(session.scalars(rows.order_by(OutboxRow.id)))


def test_a_genuine_event_is_noted_with_its_ids_only(session: Session, deliver: Deliver) -> None:
    status = deliver(an_event())

    assert 200 == status
    assert [("billing.refresh_top_up", {"top_up_id": None, "payment_intent_id": "pi_1"})] == [
        (row.name, row.arguments) for row in queued()
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"secret": "whsec_forged"},
        {"tamper": True},
        {"shift": timedelta(minutes=-6)},
        {"shift": timedelta(minutes=6)},
        {"shift": timedelta(days=1)},
    ],
)
def test_scenario_13_what_cannot_be_trusted_is_refused(
    session: Session, deliver: Deliver, wrong: dict[str, Any]
) -> None:
    assert 400 == deliver(an_event(), **wrong)
    assert [] == queued()


def test_scenario_13_no_signature_at_all(session: Session, app: Flask) -> None:
    answer = app.test_client().post("/webhooks/stripe", data=b"{}")

    assert 400 == answer.status_code


def test_scenario_14_a_live_event_at_a_test_address(session: Session, deliver: Deliver) -> None:
    event = an_event(livemode=True)

    assert [400, 400] == [deliver(event), deliver(event)]
    assert [] == queued()
    with transaction() as tx:
        rows = select(func.count()).where(
            audit.AuditRow.verb == "refused an event of the other mode"
        )
        assert 1 == tx.scalar(rows)


def test_scenario_9_twenty_deliveries_are_one_row(committed: Engine, deliver: Deliver) -> None:
    statuses: list[int] = []
    event = an_event()
    threads = [threading.Thread(target=lambda: statuses.append(deliver(event))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [200] * 20 == statuses
    assert 1 == len(queued())


def test_an_unknown_event_is_taken_and_leaves_a_line(session: Session, deliver: Deliver) -> None:
    event = an_event("radar.early_fraud_warning.created")

    assert [200, 200] == [deliver(event), deliver(event)]
    assert [] == queued()
    with transaction() as tx:
        rows = select(func.count()).where(audit.AuditRow.verb == "met an unknown event")
        assert 1 == tx.scalar(rows)


def test_every_route_leads_to_a_bound_function() -> None:
    assert {name for name, _ in ROUTES.values()} <= set(outbox.bound())


def test_the_sandboxs_own_events_bring_a_top_up_home(
    session: Session, stripe: Stripe, deliver: Deliver
) -> None:
    top_up = make.paid_top_up(make.a_lab(session), usd(500_00))
    events = [event.to_dict() for event in stripe.sdk.v1.events.list({"limit": 100}).data]
    assert {200} == {deliver(event) for event in events}

    for row in queued():
        call = outbox.bound()[row.name].call
        call(make.work(row.name), **row.arguments)

    assert TopUpState.POSTED is make.as_it_is(top_up).state
