"""The only construction of Stripe's SDK: version, address, retries, time limits, and its errors.

Callers carry `@outside_transaction` and wrap each call in `translated()`; nothing above a gateway
ever sees an exception of the SDK.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

import stripe

from marketplace.errors import GatewayError, Refused
from marketplace.money import EXPONENT, Money

API_VERSION = "2026-10-28.endive"
CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
# The SDK reuses one idempotency key over its own retries; it retries no 429.
NETWORK_RETRIES = 2
WEBHOOK_TOLERANCE_SECONDS = 300
# Stripe counts these in hundredths, which ISO 4217 does not have.
_IN_HUNDREDTHS = frozenset({"ISK", "UGX"})
# Amounts in these end in a zero, or in two, whatever their smallest unit is.
_PAID_IN_STEPS_OF = {
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 10),
    **dict.fromkeys(("HUF", "TWD"), 100),
}


class StripeSettings(Protocol):
    """What this module reads of the settings; `stripe_api_base` is "" for Stripe itself."""

    @property
    def stripe_secret_key(self) -> str: ...
    @property
    def stripe_api_base(self) -> str: ...


class StripeFault(GatewayError):
    """An answer, or the lack of one, from Stripe.

    code: Stripe's code or None; param: the parameter meant, or None; request_id: Stripe's name
    for the request, or None when none was answered; status: the HTTP status, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.request_id = request_id
        self.status = status


class StripeUnreachable(StripeFault):
    """No answer, a 5xx or a 409: whether the call took effect is unknown; ask with the same key."""


class StripeRefused(StripeFault):
    """Stripe understood and said no (4xx); the same key would replay the same refusal."""


class StripeRateLimited(StripeFault):
    """A 429: nothing was executed or remembered; the same key may be sent again, later."""


class StripeKeyReused(StripeFault):
    """An idempotency key came back with other parameters: our own fault, never to be retried."""


class WebhookRefused(Refused):
    """A delivery that cannot be trusted; nothing of it may be stored as a fact."""

    code = "webhook_refused"


def client(
    settings: StripeSettings,
    *,
    connect_seconds: float = CONNECT_SECONDS,
    read_seconds: float = READ_SECONDS,
    network_retries: int = NETWORK_RETRIES,
) -> stripe.StripeClient:
    """The SDK bound to the settings' key and address, at the API version this code was read for."""
    address = settings.stripe_api_base
    return stripe.StripeClient(
        settings.stripe_secret_key,
        base_addresses={"api": address} if address else {},
        stripe_version=API_VERSION,
        max_network_retries=network_retries,
        http_client=stripe.RequestsClient(timeout=(connect_seconds, read_seconds)),
    )


class _Here:
    settings: StripeSettings | None = None
    client: stripe.StripeClient | None = None
    pid = 0


def use(settings: StripeSettings) -> None:
    """Set what this process's client is built from; nothing is connected yet."""
    _Here.settings, _Here.client = settings, None


def current() -> stripe.StripeClient:
    """This process's client. A fork builds its own, since two processes cannot share a socket."""
    if _Here.settings is None:
        raise RuntimeError("stripe_client.use() has not been called.")
    if _Here.client is None or _Here.pid != os.getpid():
        _Here.client, _Here.pid = client(_Here.settings), os.getpid()
    return _Here.client


def address() -> str:
    """Where calls go; "" for Stripe itself."""
    if _Here.settings is None:
        raise RuntimeError("stripe_client.use() has not been called.")
    return _Here.settings.stripe_api_base


def secret_key() -> str:
    """The key, for what the SDK cannot fetch: files."""
    if _Here.settings is None:
        raise RuntimeError("stripe_client.use() has not been called.")
    return _Here.settings.stripe_secret_key


def is_live(secret_key: str) -> bool:
    """Whether a key moves real money; a restricted key (`rk_live_`) does so as well."""
    return secret_key.startswith(("sk_live_", "rk_live_"))


@contextmanager
def translated() -> Iterator[None]:
    """Turn every exception of the SDK into one of this module's four."""
    try:
        yield
    except stripe.StripeError as fault:
        raise _translate(fault) from fault


@contextmanager
def moving_money() -> Iterator[None]:
    """As `translated`, around a call that makes something under an idempotency key.

    A 401 or a 403 is said at the door, before Stripe looks at the key: it says nothing about what
    the same key may have made before, so it is no answer.
    """
    try:
        with translated():
            yield
    except StripeRefused as refused:
        if refused.status in {401, 403}:
            raise doubtful(refused) from refused
        raise


@contextmanager
def reading_back() -> Iterator[None]:
    """As `translated`, around reading more of what was just made: it exists, so that a refusal to
    show the rest must not look like a refusal to make it."""
    try:
        with translated():
            yield
    except StripeRefused as refused:
        raise doubtful(refused) from refused


def doubtful(refused: StripeRefused) -> StripeUnreachable:
    """A refusal that says nothing about the thing itself, as what it is: no answer."""
    return StripeUnreachable(
        refused.message,
        code=refused.code,
        param=refused.param,
        request_id=refused.request_id,
        status=refused.status,
    )


def stripe_minor(amount: Money) -> int:
    """An amount as Stripe counts it."""
    return amount.minor * 100 if amount.currency in _IN_HUNDREDTHS else amount.minor


def sendable(amount: Money) -> Money:
    """The part of an amount that Stripe pays out: whole tens of fils and millimes, whole forints
    and New Taiwan dollars. What is left over stays with its owner for the next time."""
    step = _PAID_IN_STEPS_OF.get(amount.currency, 1)
    return Money(amount.minor - amount.minor % step, amount.currency)


def iso(minor: int, currency: str) -> Money:
    """Stripe's count of a currency's smallest unit as ISO 4217 counts it."""
    code = currency.upper()
    if code not in EXPONENT:
        raise ValueError(f"Stripe names the currency {code}, which the ledger does not know.")
    if code not in _IN_HUNDREDTHS:
        return Money(minor, code)
    whole, rest = divmod(minor, 100)
    if rest:
        raise ValueError(f"{minor} is no whole amount of {code}.")
    return Money(whole, code)


def _translate(fault: stripe.StripeError) -> StripeFault:
    # On a 429 the SDK leaves `fault.code` empty; the body's own error has it.
    inner = fault.error
    kind = _kind(fault)
    return kind(
        fault.user_message or "Stripe gave no answer.",
        code=fault.code or getattr(inner, "code", None),
        param=getattr(fault, "param", None) or getattr(inner, "param", None),
        request_id=fault.request_id,
        status=fault.http_status,
    )


def _kind(fault: stripe.StripeError) -> type[StripeFault]:
    status = fault.http_status
    if isinstance(fault, stripe.RateLimitError):
        return StripeRateLimited
    if status is None or status >= 500 or status == 409:
        return StripeUnreachable
    if isinstance(fault, stripe.IdempotencyError):
        return StripeKeyReused
    return StripeRefused


def verify_webhook(
    payload: bytes, header: str, secret: str, *, now: datetime, livemode: bool = False
) -> dict[str, Any]:
    """The event in a signed delivery, as a plain dict; WebhookRefused for anything doubtful.

    payload: the body's bytes as they came, since a re-serialised body no longer carries its
    signature; header: `Stripe-Signature`; now: aware UTC. The SDK alone would accept a timestamp
    in the future, so the window is checked here, on both sides of `now`.
    """
    if not secret.strip():
        raise WebhookRefused("No webhook secret is configured, so no delivery can be trusted.")
    try:
        stripe.WebhookSignature.verify_header(payload, header, secret, tolerance=None)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        raise WebhookRefused("The signature does not fit this body.") from None
    if abs(_signed_at(header) - now.timestamp()) > WEBHOOK_TOLERANCE_SECONDS:
        raise WebhookRefused("The signature's time is more than five minutes away from now.")
    return _trusted_event(payload, livemode=livemode)


def _signed_at(header: str) -> int:
    # Exactly the SDK's choice, the first part named `t`: any other reading would let an old
    # signature borrow a new time.
    times = [part.split("=", 2)[1] for part in header.split(",") if part.split("=", 2)[0] == "t"]
    if not times or not (times[0].isascii() and times[0].isdigit()):
        raise WebhookRefused("The signature carries no time.")
    return int(times[0])


def _trusted_event(payload: bytes, *, livemode: bool) -> dict[str, Any]:
    try:
        event = json.loads(payload)
    except ValueError:
        raise WebhookRefused("The body is not JSON.") from None
    if not isinstance(event, dict) or event.get("object") != "event" or "id" not in event:
        raise WebhookRefused("The body is not an event.")
    if event.get("livemode") is not livemode:
        raise WebhookRefused("A test event reached a live address, or the other way round.")
    return event
