"""Telling a webhook: signed as Standard Webhooks says, to a public address, without redirects."""

from __future__ import annotations

import time
from datetime import datetime

from standardwebhooks import Webhook

from marketplace import clock, http_client, settings
from marketplace.db import outside_transaction
from marketplace.delivery.rules.parcels import Parcel
from marketplace.delivery.rules.webhooks import (
    SECONDS_MAX,
    Answered,
    Outcome,
    in_sandbox,
    kept_answer,
    outcome_of,
    retry_after_of,
)
from marketplace.errors import GatewayError

AGENT = "Marketplace-Webhooks/1"


def signed(parcel: Parcel, at: datetime) -> dict[str, str]:
    """The headers of a parcel sent at this time; one signature for each of its secrets."""
    body = parcel.body.decode()
    message_id = str(parcel.message_id)
    signatures = [Webhook(each).sign(message_id, at, body) for each in parcel.secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@outside_transaction
def send(parcel: Parcel) -> Answered:
    """Make one attempt; whatever comes of it is an answer, so that it can be kept."""
    at, begun = clock.now(), time.monotonic()
    sandbox = settings.current().webhook_sandbox_base
    try:
        answer = http_client.post(
            parcel.url,
            parcel.body,
            signed(parcel, at),
            allow_private=in_sandbox(parcel.url, sandbox),
            seconds=SECONDS_MAX,
        )
    except http_client.AddressRefused:
        return Answered(Outcome.ADDRESS_REFUSED, at, _since(begun))
    except GatewayError:
        return Answered(Outcome.NO_ANSWER, at, _since(begun))
    return Answered(
        outcome_of(answer.status),
        at,
        _since(begun),
        answer.status,
        kept_answer(answer.body, parcel.secrets),
        retry_after_of(answer.headers.get("retry-after"), at),
    )


def _since(begun: float) -> int:
    """Whole milliseconds."""
    return round((time.monotonic() - begun) * 1000)
