"""`@once`: the transaction of an API call, and its Idempotency-Key.

The answer is kept in the same transaction as the effect. The same key with the same request
replays the first answer for 24 hours; with another request, or while the first is in flight, it is
a 409. A call that fails leaves nothing behind, so it may be sent again with its key.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, overload
from uuid import UUID

from flask import Response, g, json, make_response, request
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import SignInNeeded
from marketplace.identity.service import once as records
from marketplace.web.api.statuses import keyed
from marketplace.web.uploads import HashedInput

View = TypeVar("View", bound=Callable[..., Any])
HEADER = "Idempotency-Key"
CHUNK_BYTES = 64 * 1024


@overload
def once(view: View) -> View: ...
@overload
def once(*, secrets: Sequence[str] = (), streamed: bool = False) -> Callable[[View], View]: ...


def once(view: View | None = None, *, secrets: Sequence[str] = (), streamed: bool = False) -> Any:
    """Open the transaction for an API view and pass its session as the first argument.

    secrets: fields of the answer that are shown this one time and kept as null; streamed: the
    body may be large, so it is hashed while the view reads it instead of being held in memory.
    For functions, not for methods of a MethodView.
    """

    def wrap(inner: View) -> Callable[..., Response]:
        @keyed
        @functools.wraps(inner)
        def run(*args: Any, **kwargs: Any) -> Response:
            asked = call()
            if asked is None:
                with transaction() as session:
                    return make_response(inner(session, *args, **kwargs))
            body = _hashed() if streamed else None
            with transaction() as session:
                record = records.begin(session, asked)
                if record is not None:
                    return _replayed(*records.replay(record, _digest(body)))
                answer = make_response(inner(session, *args, **kwargs))
                _remember(session, asked, _digest(body), answer, secrets)
                return answer

        return run

    return wrap if view is None else wrap(view)


def call() -> records.Call | None:
    """The call with its Idempotency-Key, or None when the caller sent none."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    return records.Call(_token_id(), request.method, request.path, key)


class Kept(NamedTuple):
    """An answer as it was given: its JSON and its status."""

    body: str
    status: int

    def answer(self) -> Response:
        """The answer once more, marked as a replay."""
        return _replayed(self.body, self.status)


def kept(session: Session, digest: bytes | None = None) -> Kept | None:
    """What `keep` kept under this call's key, or None the first time and without a key.

    For views in phases, which cannot be one transaction (they call an outside service, or store a
    file first): they carry no `@once`, and their phase with the effect calls `kept`, then `keep`.
    digest: SHA-256 of the request where its body is not held in memory.
    """
    asked = call()
    record = records.begin(session, asked) if asked else None
    if record is None:
        return None
    return Kept(*records.replay(record, digest or _digest(None)))


def keep(session: Session, answer: Response, digest: bytes | None = None) -> None:
    """Keep the answer under this call's key, in the transaction of its effect."""
    asked = call()
    if asked is not None:
        _remember(session, asked, digest or _digest(None), answer, ())


def _token_id() -> UUID:
    token_id = g.get("token_id")
    if not isinstance(token_id, UUID):
        raise SignInNeeded("Send a bearer token.")
    return token_id


def _hashed() -> HashedInput:
    source = HashedInput(request.environ["wsgi.input"], request.query_string + b"\n")
    request.environ["wsgi.input"] = source
    return source


def _digest(body: HashedInput | None) -> bytes:
    if body is None:
        whole = request.get_data(cache=True)
        return hashlib.sha256(request.query_string + b"\n" + whole).digest()
    while request.stream.read(CHUNK_BYTES):
        pass  # What the view left unread counts as well.
    return body.digest()


def _replayed(body: str, status: int) -> Response:
    answer = Response(body, status=status, mimetype="application/json")
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _remember(
    session: Session, asked: records.Call, digest: bytes, answer: Response, secrets: Sequence[str]
) -> None:
    body = answer.get_data(as_text=True)
    if secrets:
        plain = json.loads(body)
        body = json.dumps({key: None if key in secrets else value for key, value in plain.items()})
    records.remember(session, asked, request_sha256=digest, status=answer.status_code, body=body)
