"""The product's own half: which deliveries are trusted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from marketplace.stripe_client import WebhookRefused, is_live, verify_webhook

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECRET = "whsec_ours"
EVENT = {"id": "evt_1", "object": "event", "livemode": False, "type": "charge.updated"}
BODY = json.dumps(EVENT)


def signed(
    body: str = BODY, *, secret: str = SECRET, off: timedelta = timedelta(0)
) -> tuple[bytes, str]:
    at = int((NOW + off).timestamp())
    header = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=at)
    return body.encode(), header


def test_a_signed_event_is_read_as_a_plain_dict() -> None:
    assert verify_webhook(*signed(), SECRET, now=NOW) == EVENT


def test_a_second_signature_counts_while_the_secret_rotates() -> None:
    body, ours = signed()
    _, other = signed(secret="whsec_other")
    both = f"{other},{ours.split(',')[1]}"

    assert verify_webhook(body, both, SECRET, now=NOW) == EVENT


@pytest.mark.parametrize("minutes", [-5.1, 5.1, 24 * 60, -24 * 60])
def test_a_time_far_from_now_is_refused_on_both_sides(minutes: float) -> None:
    body, header = signed(off=timedelta(minutes=minutes))

    with pytest.raises(WebhookRefused, match="five minutes"):
        verify_webhook(body, header, SECRET, now=NOW)


def test_an_old_signature_cannot_borrow_a_new_time() -> None:
    body, header = signed(off=timedelta(hours=-1))
    for prefix in (f" t={int(NOW.timestamp())},", f"t={int(NOW.timestamp())},"):
        with pytest.raises(WebhookRefused):
            verify_webhook(body, prefix + header, SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", "   "])
def test_without_a_secret_nothing_is_trusted(secret: str) -> None:
    body, header = signed(secret=secret)

    with pytest.raises(WebhookRefused, match="No webhook secret"):
        verify_webhook(body, header, secret, now=NOW)


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=00", "t=x,v1=00", "t,v1", f"t={int(NOW.timestamp())},v0=00"]
)
def test_a_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(WebhookRefused):
        verify_webhook(BODY.encode(), header, SECRET, now=NOW)


def test_a_changed_or_unreadable_body_is_refused() -> None:
    _, header = signed()
    for body in (BODY.replace("evt_1", "evt_2").encode(), b"\xff\xfe", b""):
        with pytest.raises(WebhookRefused):
            verify_webhook(body, header, SECRET, now=NOW)


@pytest.mark.parametrize("body", ["[]", "null", '{"object": "event"}', "no json"])
def test_a_signed_body_that_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(WebhookRefused):
        verify_webhook(*signed(body), SECRET, now=NOW)


def test_test_events_and_live_events_do_not_mix() -> None:
    with pytest.raises(WebhookRefused, match="live"):
        verify_webhook(*signed(), SECRET, now=NOW, livemode=True)
    live = json.dumps({**EVENT, "livemode": True})
    with pytest.raises(WebhookRefused, match="live"):
        verify_webhook(*signed(live), SECRET, now=NOW)


def test_live_keys_are_known_by_their_names() -> None:
    keys = ["sk_live_1", "rk_live_1", "sk_test_1", "rk_test_1"]

    assert [True, True, False, False] == [is_live(key) for key in keys]
