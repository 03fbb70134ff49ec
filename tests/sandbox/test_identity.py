"""Identity sessions: what the page makes of them, as the SDK and the webhooks tell it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe
from stripe import StripeClient

from marketplace.sandbox.control_client import ControlClient
from tests.sandbox.conftest import Listener, until

FORM = {
    "first_name": "Isolde",
    "last_name": "Quillfeather",
    "born_on": "1980-02-03",
    "until": "2035-12-31",
    "country": "gb",
}
EVENT = "identity.verification_session"
EXPAND: Any = {
    "expand": [
        "verified_outputs",
        "verified_outputs.dob",
        "last_verification_report",
        "last_verification_report.document.expiration_date",
    ]
}


def started(sdk: StripeClient) -> Any:
    return sdk.v1.identity.verification_sessions.create(
        {
            "type": "document",
            "return_url": "http://localhost:8000/back",
            "options": {"document": {"require_matching_selfie": True}},
            "metadata": {"check_id": "one"},
        }
    )


def show(session: Any, outcome: str) -> httpx.Response:
    return httpx.post(session.url, data={**FORM, "outcome": outcome})


def test_a_document_is_verified_and_says_more_only_when_asked(
    sdk: StripeClient, listening: Listener
) -> None:
    session = started(sdk)
    answer = show(session, "verified")
    listening.wait_for(f"{EVENT}.verified")

    plain = sdk.v1.identity.verification_sessions.retrieve(session.id).to_dict()
    full = sdk.v1.identity.verification_sessions.retrieve(session.id, EXPAND).to_dict()

    assert (303, "http://localhost:8000/back") == (answer.status_code, answer.headers["Location"])
    assert ("verified", None, "one") == (
        plain["status"],
        plain["url"],
        plain["metadata"]["check_id"],
    )
    assert "verified_outputs" not in plain
    assert plain["last_verification_report"] == full["last_verification_report"]["id"]
    assert {"year": 1980, "month": 2, "day": 3} == full["verified_outputs"]["dob"]
    document = full["last_verification_report"]["document"]
    assert ("GB", 2035) == (document["issuing_country"], document["expiration_date"]["year"])
    assert [f"{EVENT}.{kind}" for kind in ("created", "processing", "verified")] == (
        listening.types()
    )


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("unreadable", "document_unverified_other"), ("expired", "document_expired")],
)
def test_a_document_that_does_not_do_asks_for_another(
    sdk: StripeClient, listening: Listener, outcome: str, code: str
) -> None:
    session = started(sdk)
    show(session, outcome)
    listening.wait_for(f"{EVENT}.requires_input")

    refused = sdk.v1.identity.verification_sessions.retrieve(session.id, EXPAND).to_dict()
    show(session, "verified")
    then = sdk.v1.identity.verification_sessions.retrieve(session.id)

    assert ("requires_input", code, session.url) == (
        refused["status"],
        refused["last_error"]["code"],
        refused["url"],
    )
    assert refused["verified_outputs"] is None
    assert ("verified", None) == (then.status, then.last_error)


def test_a_slow_one_is_verified_after_an_hour(sdk: StripeClient, controls: ControlClient) -> None:
    session = started(sdk)
    show(session, "processing")

    before = sdk.v1.identity.verification_sessions.retrieve(session.id).status
    controls.advance(3_600)

    after = sdk.v1.identity.verification_sessions.retrieve(session.id).status
    assert ("processing", "verified") == (before, after)


def test_cancelled_and_redacted(
    sdk: StripeClient, controls: ControlClient, listening: Listener
) -> None:
    left, done = started(sdk), started(sdk)
    show(done, "verified")
    cancelled = sdk.v1.identity.verification_sessions.cancel(left.id)
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.identity.verification_sessions.cancel(done.id)

    redacting = sdk.v1.identity.verification_sessions.redact(done.id)
    controls.advance(5)
    listening.wait_for(f"{EVENT}.redacted")
    gone = sdk.v1.identity.verification_sessions.retrieve(done.id, EXPAND).to_dict()

    assert ("canceled", None) == (cancelled.status, cancelled.url)
    assert "processing" == redacting.to_dict()["redaction"]["status"]
    assert ("redacted", None) == (gone["redaction"]["status"], gone["verified_outputs"])
    assert gone["last_verification_report"]["document"]["last_name"] is None
    until(lambda: f"{EVENT}.canceled" in listening.types())


def test_the_page_wants_names_and_days(sdk: StripeClient) -> None:
    session = started(sdk)

    nameless = httpx.post(session.url, data={**FORM, "last_name": " ", "outcome": "verified"})
    dateless = httpx.post(session.url, data={**FORM, "born_on": "x", "outcome": "verified"})

    assert [422, 422] == [nameless.status_code, dateless.status_code]
    assert 404 == httpx.get(f"{session.url}x").status_code


def test_shapes_are_those_of_stripes_examples(sdk: StripeClient, sample_data: Path) -> None:
    """Every field of Stripe's own examples is there, and every event type is one of Stripe's."""
    folder = sample_data / "stripe"
    examples = json.loads((folder / "fixtures3.json").read_text())["resources"]
    kinds = json.loads((folder / "sdk16_contract.json").read_text())["event_types"]
    session = started(sdk)
    show(session, "verified")
    full = sdk.v1.identity.verification_sessions.retrieve(session.id, EXPAND).to_dict()
    report = full["last_verification_report"]
    # Stripe leaves out what was not asked for by name.
    hidden = {"issued_date"}

    assert set() == examples[EVENT].keys() - full.keys()
    assert set() == examples["identity.verification_report"].keys() - report.keys()
    wanted = examples["identity.verification_report"]["document"].keys()
    assert set() == wanted - report["document"].keys() - hidden
    for name in ("created", "processing", "verified", "requires_input", "canceled", "redacted"):
        assert f"{EVENT}.{name}" in kinds
