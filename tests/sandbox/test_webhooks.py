"""Webhooks: signed, retried, and as unruly as a test asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from marketplace import clock
from marketplace.sandbox.control_client import ControlClient
from marketplace.stripe_client import WebhookRefused, verify_webhook
from tests.sandbox.conftest import SECRET, Listener, until

Intend = Callable[[str], str]


@pytest.fixture
def intend(sdk: stripe.StripeClient) -> Intend:
    """Make an intent, and so one event; the intent's id."""

    def make(name: str) -> str:
        return sdk.v1.payment_intents.create(
            {"amount": 5_000, "currency": "usd", "description": name}
        ).id

    return make


def names(listening: Listener) -> list[str]:
    return [
        verify_webhook(body, signature, SECRET, now=clock.now())["data"]["object"]["description"]
        for body, signature in zip(listening.bodies, listening.signatures, strict=True)
    ]


def test_a_delivery_is_signed_and_describes_its_request(
    sdk: stripe.StripeClient, listening: Listener
) -> None:
    sdk.v1.payment_intents.create(
        {"amount": 5_000, "currency": "usd"}, {"idempotency_key": "my-key"}
    )
    event = listening.wait_for("payment_intent.created")

    trusted = verify_webhook(listening.bodies[0], listening.signatures[0], SECRET, now=clock.now())

    assert event == trusted
    assert trusted["request"]["idempotency_key"] == "my-key"
    assert trusted["request"]["id"].startswith("req_")
    with pytest.raises(WebhookRefused):
        verify_webhook(listening.bodies[0] + b" ", listening.signatures[0], SECRET, now=clock.now())


def test_a_failed_delivery_is_tried_again_and_counts_as_undelivered_until_then(
    sdk: stripe.StripeClient, listening: Listener, intend: Intend
) -> None:
    listening.answers[:] = [500]
    intend("again")
    until(lambda: len(listening.bodies) == 1)

    waiting = sdk.v1.events.list({"delivery_success": False}).data
    until(lambda: len(listening.bodies) == 2)
    until(lambda: sdk.v1.events.list({"delivery_success": False}).data == [])

    assert [1] == [event.pending_webhooks for event in waiting]
    assert listening.bodies[0] == listening.bodies[1]
    assert [0] == [
        event.pending_webhooks for event in sdk.v1.events.list({"delivery_success": True}).data
    ]


def test_duplicates_are_the_same_event(
    controls: ControlClient, listening: Listener, intend: Intend
) -> None:
    controls.webhook_fault("duplicate", copies=3)

    intend("thrice")
    intend("once")
    until(lambda: len(listening.bodies) == 4)

    assert ["thrice", "thrice", "thrice", "once"] == names(listening)


def test_a_dropped_event_is_only_in_the_list(
    sdk: stripe.StripeClient, controls: ControlClient, listening: Listener, intend: Intend
) -> None:
    controls.webhook_fault("drop")

    intend("lost")
    intend("heard")
    until(lambda: len(listening.bodies) == 1)
    lost = sdk.v1.events.list({"delivery_success": False}).data
    controls.resend(lost[0].id)
    until(lambda: len(listening.bodies) == 2)

    assert ["heard", "lost"] == names(listening)


def test_events_are_reordered_when_the_set_is_full(
    controls: ControlClient, listening: Listener, intend: Intend
) -> None:
    controls.webhook_fault("reorder", count=3)

    for name in ("one", "two"):
        intend(name)
    held = list(listening.bodies)
    intend("three")
    until(lambda: len(listening.bodies) == 3)

    assert held == []
    assert ["three", "two", "one"] == names(listening)


def test_held_events_can_be_let_go(
    controls: ControlClient, listening: Listener, intend: Intend
) -> None:
    controls.webhook_fault("reorder", count=9)
    for name in ("one", "two"):
        intend(name)

    assert controls.release_webhooks() == 2
    until(lambda: len(listening.bodies) == 2)

    assert ["two", "one"] == names(listening)


def test_a_delayed_event_comes_after_later_ones(
    controls: ControlClient, listening: Listener, intend: Intend
) -> None:
    controls.webhook_fault("delay", seconds=0.4)

    for name in ("late", "early"):
        intend(name)
    until(lambda: len(listening.bodies) == 2)

    assert ["early", "late"] == names(listening)


def test_an_event_may_arrive_before_the_answer(
    controls: ControlClient, listening: Listener, intend: Intend
) -> None:
    controls.webhook_fault("before_response")

    intend("hasty")

    assert ["hasty"] == names(listening)


def test_registered_endpoints_hear_what_they_asked_for(
    sdk: stripe.StripeClient, listening: Listener, payee: Callable[[], str]
) -> None:
    made = sdk.v1.webhook_endpoints.create(
        {"url": listening.url, "enabled_events": ["capability.updated"], "connect": True}
    )
    sdk.v1.webhook_endpoints.update("we_configured", {"disabled": True})

    account = payee()
    event = listening.wait_for("capability.updated")

    shown = sdk.v1.webhook_endpoints.retrieve(made.id).to_dict()
    assert (account, "active") == (event["account"], event["data"]["object"]["status"])
    assert str(made.secret).startswith("whsec_")
    assert "secret" not in shown
    verify_webhook(listening.bodies[0], listening.signatures[0], str(made.secret), now=clock.now())
    assert sdk.v1.webhook_endpoints.delete(made.id).deleted


def test_events_are_listed_by_type_for_their_own_account(
    sdk: stripe.StripeClient, fund: Any, payee: Callable[[], str]
) -> None:
    fund(5_000)
    account = payee()

    charges = sdk.v1.events.list({"type": "charge.*"}).data
    chosen = sdk.v1.events.list({"types": ["charge.updated", "payment_intent.succeeded"]}).data
    theirs = sdk.v1.events.list({}, {"stripe_account": account}).data

    assert ["charge.updated", "charge.succeeded"] == [event.type for event in charges]
    assert ["charge.updated", "payment_intent.succeeded"] == [event.type for event in chosen]
    assert [account] * len(theirs) == [event.account for event in theirs]
    assert sdk.v1.events.retrieve(charges[0].id).type == "charge.updated"
