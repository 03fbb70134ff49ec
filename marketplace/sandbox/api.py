"""One call of the API, from the bytes that came to the bytes that go.

The order is Stripe's: the key, a rate limit before everything, the parameters, the idempotency
key, the work, the answer. Faults that tests asked for bend it at their place.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from dataclasses import dataclass
from typing import Any

from flask import Request, Response

from marketplace.sandbox import events, idempotency, webhooks
from marketplace.sandbox.connection import drop
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.faults import Fault, take_api
from marketplace.sandbox.listing import expand
from marketplace.sandbox.pace import Pace
from marketplace.sandbox.params import Params, decode
from marketplace.sandbox.routing import Answer, Operation, Raw
from marketplace.sandbox.store import Store, Tx
from marketplace.sandbox.worker import Worker

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?")
SERVER_FAULT = ApiError(
    "An unknown error occurred (asked for by a test control).",
    status=500,
    kind="api_error",
    executed=True,
)


@dataclass(frozen=True)
class Said:
    """An answer in bytes, whether it was executed, and which request it replays, if any."""

    status: int
    text: str
    executed: bool = True
    replayed: str | None = None
    media_type: str = "application/json"


class Api:
    """The API of one sandbox: its store, its secret key, and the worker to wake."""

    def __init__(self, store: Store, secret_key: str, worker: Worker, pace: Pace) -> None:
        self._store = store
        self._secret_key = secret_key
        self._worker = worker
        self._pace = pace

    def answer(self, request: Request, operation: Operation, path: dict[str, str]) -> Response:
        """Run one call to its response; ConnectionAbortedError when a fault ends the connection."""
        with self._store.transaction() as tx:
            request_id = tx.new_id("req_")
        try:
            self.authenticate(request)
            self._pace.check(request.path)
            fault = self._fault(request)
            said = self._call(request, operation, path, request_id, fault)
        except ApiError as error:
            said = _said(error)
        return _response(request, said, request_id)

    def authenticate(self, request: Request) -> None:
        """Refuse any key but the sandbox's own; the key comes as a bearer or as a user name."""
        given = ""
        if request.authorization is not None:
            given = request.authorization.token or request.authorization.username or ""
        if not given:
            raise ApiError(
                "You did not provide an API key. Provide it in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                status=401,
            )
        if not hmac.compare_digest(given.encode(), self._secret_key.encode()):
            masked = f"{given[:8]}***{given[-4:]}" if len(given) > 16 else "***"
            raise ApiError(f"Invalid API Key provided: {masked}", status=401)

    def _fault(self, request: Request) -> Fault | None:
        with self._store.transaction() as tx:
            fault = take_api(tx, request.method, request.path)
        if fault is None:
            return None
        if fault.kind in {"rate_limit", "lock_timeout"}:
            raise ApiError(
                "Request rate limit exceeded."
                if fault.kind == "rate_limit"
                else "This object cannot be accessed right now because another API request is "
                "currently accessing it.",
                status=429,
                code=fault.kind,
            )
        if fault.kind == "error_503":
            raise ApiError("The service is unavailable.", status=503, kind="api_error")
        if fault.kind == "drop_before":
            drop(seconds=0.0)
        return fault

    def _call(
        self,
        request: Request,
        operation: Operation,
        path: dict[str, str],
        request_id: str,
        fault: Fault | None,
    ) -> Said:
        _check_version(request)
        values = _values(request)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        keyed = None
        if key is not None:
            keyed = idempotency.keyed(key, request.method, request.path, values, request_id)
        account = self._account(request)
        names = {"id": request_id, "idempotency_key": key}
        with self._store.transaction(account, request=names) as tx:
            said = _executed(tx, keyed, operation, values, path, fault=fault)
            announced = list(tx.announced)
        if announced:
            while webhooks.deliver_next(self._store, self._worker.http, only=announced):
                pass
            self._worker.nudge()
        if fault is not None and fault.kind in {"timeout", "drop"}:
            drop(seconds=fault.seconds if fault.kind == "timeout" else 0.0)
        return said

    def _account(self, request: Request) -> str:
        account = request.headers.get("Stripe-Account", "")
        if account:
            with self._store.transaction() as tx:
                if tx.find("account", account) is None:
                    raise ApiError(
                        f"The provided key does not have access to account '{account}' (or that "
                        "account does not exist). Application access may have been revoked.",
                        status=403,
                        code="account_invalid",
                    )
        return account


def _check_version(request: Request) -> None:
    version = request.headers.get("Stripe-Version")
    if version is not None and not _VERSION.fullmatch(version):
        raise ApiError(f"Invalid Stripe API version: {version}")


def _values(request: Request) -> dict[str, Any]:
    if request.method == "POST":
        if request.mimetype not in {"application/x-www-form-urlencoded", ""}:
            raise ApiError("Send parameters as application/x-www-form-urlencoded.")
        pairs = request.form.items(multi=True)
    else:
        pairs = request.args.items(multi=True)
    return decode(pairs)


def _executed(
    tx: Tx,
    keyed: idempotency.Keyed | None,
    operation: Operation,
    values: dict[str, Any],
    path: dict[str, str],
    *,
    fault: Fault | None,
) -> Said:
    if keyed is not None:
        remembered = idempotency.recall(tx, keyed)
        if remembered is not None:
            return Said(remembered.status, remembered.body, replayed=remembered.original)
    if fault is not None and fault.kind == "slow":
        time.sleep(fault.seconds)
    said = _attempt(tx, operation, values, path, fault)
    if keyed is not None and said.executed:
        idempotency.remember(tx, keyed, said.status, said.text)
    return said


def _attempt(
    tx: Tx,
    operation: Operation,
    values: dict[str, Any],
    path: dict[str, str],
    fault: Fault | None,
) -> Said:
    if fault is not None and fault.kind == "error_500":
        return _said(SERVER_FAULT)
    try:
        with tx.savepoint():
            params = Params(values)
            paths = params.texts("expand")
            answer = operation(tx, params, **path)
            if isinstance(answer, Answer):
                said = Said(answer.status, _text(answer.body))
            elif isinstance(answer, Raw):
                said = Said(200, answer.text, media_type=answer.media_type)
            else:
                said = Said(200, _text(expand(tx, answer, paths)))
    except ApiError as error:
        return _said(error)
    if fault is not None and fault.kind == "error_500_after":
        return _said(SERVER_FAULT)
    return said


def _said(error: ApiError) -> Said:
    return Said(error.status, _text(error.body()), executed=error.executed)


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, indent=2)


def _response(request: Request, said: Said, request_id: str) -> Response:
    response = Response(said.text, status=said.status, content_type=said.media_type)
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = request.headers.get("Stripe-Version", events.API_VERSION)
    for name in ("Idempotency-Key", "Stripe-Account"):
        if name in request.headers:
            response.headers[name] = request.headers[name]
    if said.replayed is not None:
        response.headers["Idempotent-Replayed"] = "true"
        response.headers["Original-Request"] = said.replayed
    if said.status == 429:
        code = json.loads(said.text)["error"].get("code", "")
        reason = "global-rate" if code == "rate_limit" else "resource-specific"
        response.headers["Stripe-Rate-Limited-Reason"] = reason
    if said.status == 500:
        # A remembered 500 would only replay; the SDK is told not to ask again by itself.
        response.headers["Stripe-Should-Retry"] = "false"
    return response
