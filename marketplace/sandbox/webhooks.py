"""Webhook endpoints, and the delivery of events to them: signed, with retries."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence

import httpx
import stripe
from psycopg import sql

from marketplace.sandbox import deliveries, events
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Row, Store, Tx, public

TIMEOUT_SECONDS = 10.0
ATTEMPTS_MAX = 16
RETRY_SECONDS_MAX = 3_600.0
LEASE_SECONDS = 2 * TIMEOUT_SECONDS
URL = "/v1/webhook_endpoints"


def configure(tx: Tx, url: str | None, secret: str) -> None:
    """Make the endpoint of the command line what it says now; None switches it off."""
    body = _endpoint(tx, deliveries.CONFIGURED_ID, url or "", secret, ["*"], connect=False)
    body["description"] = "Given when the sandbox was started"
    body["status"] = "enabled" if url else "disabled"
    if tx.find("webhook_endpoint", deliveries.CONFIGURED_ID, lock=True):
        tx.save(body)
    else:
        tx.insert(body)


def _endpoint(
    tx: Tx, endpoint_id: str, url: str, secret: str, wanted: list[str], *, connect: bool
) -> Body:
    return {
        "id": endpoint_id,
        "object": "webhook_endpoint",
        "api_version": None,
        "application": None,
        "created": tx.now,
        "description": None,
        "enabled_events": wanted,
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": url,
        "_secret": secret,
        "_connect": connect,
    }


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/webhook_endpoints; the secret is shown in this answer only."""
    url = _checked_url(params.needed("url"))
    wanted = params.texts("enabled_events")
    if not wanted:
        raise ApiError(
            "Missing required param: enabled_events.",
            code="parameter_missing",
            param="enabled_events",
        )
    secret = f"whsec_{secrets.token_urlsafe(24)}"
    connect = bool(params.flag("connect"))
    body = _endpoint(tx, tx.new_id("we_"), url, secret, wanted, connect=connect)
    body["description"] = params.text("description")
    body["api_version"] = params.text("api_version")
    body["metadata"] = params.metadata()
    params.done()
    return {**public(tx.insert(body)), "secret": secret}


def _checked_url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ApiError("Invalid URL: it must start with http:// or https://", param="url")
    return url


def update(tx: Tx, params: Params, endpoint_id: str) -> Body:
    """POST /v1/webhook_endpoints/{id}: url, enabled_events, disabled, description, metadata."""
    body = tx.need("webhook_endpoint", endpoint_id, lock=True)
    if params.has("url"):
        body["url"] = _checked_url(params.needed("url"))
    if params.has("enabled_events"):
        body["enabled_events"] = params.texts("enabled_events")
    if params.has("disabled"):
        body["status"] = "disabled" if params.flag("disabled") else "enabled"
    if params.has("description"):
        body["description"] = params.text("description")
    body["metadata"] = params.metadata(body["metadata"])
    params.done()
    return public(tx.save(body))


def retrieve(tx: Tx, params: Params, endpoint_id: str) -> Body:
    """GET /v1/webhook_endpoints/{id}"""
    params.done()
    return public(tx.need("webhook_endpoint", endpoint_id))


def delete(tx: Tx, params: Params, endpoint_id: str) -> Body:
    """DELETE /v1/webhook_endpoints/{id}"""
    params.done()
    tx.need("webhook_endpoint", endpoint_id, lock=True)
    tx.run(sql.SQL("DELETE FROM sandbox_objects WHERE id = %s"), (endpoint_id,))
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}


def list_endpoints(tx: Tx, params: Params) -> Body:
    """GET /v1/webhook_endpoints"""
    return page(tx, of_kind("webhook_endpoint", URL), params)


def deliver_next(store: Store, http: httpx.Client, *, only: Sequence[str] | None = None) -> bool:
    """Deliver one event that is due, outside any transaction; whether there was one."""
    with store.transaction() as tx:
        delivery = deliveries.lease(tx, LEASE_SECONDS, only=only)
        if delivery is None:
            return False
        endpoint = tx.find("webhook_endpoint", delivery["endpoint_id"])
        row = tx.rows(
            sql.SQL("SELECT * FROM sandbox_events WHERE id = %s"), (delivery["event_id"],)
        )
        event = events.shown(tx, row[0])
    delivered, outcome = False, "the endpoint is gone"
    if endpoint is not None:
        delivered, outcome = _post(http, endpoint, event)
    with store.transaction() as tx:
        _record(tx, delivery, delivered=delivered, outcome=outcome, gone=endpoint is None)
    return True


def _post(http: httpx.Client, endpoint: Body, event: Body) -> tuple[bool, str]:
    payload = json.dumps(event, indent=2)
    # The product checks the signature's time against its own clock, so it is real time.
    signature = stripe.WebhookSignature.generate_signature_header(
        payload, endpoint["_secret"], timestamp=int(time.time())
    )
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature,
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks) sandbox",
    }
    try:
        response = http.post(endpoint["url"], content=payload.encode(), headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        return False, f"no answer: {type(fault).__name__}"
    return response.is_success, f"HTTP {response.status_code}"


def _record(tx: Tx, delivery: Row, *, delivered: bool, outcome: str, gone: bool) -> None:
    attempts = delivery["attempts"]
    state = "delivered" if delivered else "waiting"
    if gone or (not delivered and attempts >= ATTEMPTS_MAX):
        state = "given_up"
    wait = min(2.0 ** (attempts - 1), RETRY_SECONDS_MAX)
    deliveries.record(tx, delivery["id"], state=state, outcome=outcome, again_seconds=wait)


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_endpoints),
    Route("GET", f"{URL}/<endpoint_id>", retrieve),
    Route("POST", f"{URL}/<endpoint_id>", update),
    Route("DELETE", f"{URL}/<endpoint_id>", delete),
)
