"""`@once`: the transaction of an API call, and its Idempotency-Key.

The answer is kept in the same transaction as the effect. The same key with the same request
replays the first answer for 24 hours; with another request, or while the first is in flight, it is
a 409. A call that fails leaves nothing behind, so it may be sent again with its key.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload
from uuid import UUID

from flask import Response, g, json, make_response, request
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.errors import SignInNeeded
from marketplace.identity.service import once as records

View = TypeVar("View", bound=Callable[..., Any])
HEADER = "Idempotency-Key"
CHUNK_BYTES = 64 * 1024


class HashedInput(io.RawIOBase):
    """The request's body, hashed while it is read by whoever reads it."""

    def __init__(self, source: Any, seed: bytes) -> None:
        self._source = source
        self._hash = hashlib.sha256(seed)

    def readable(self) -> bool:
        """As for any input."""
        return True

    def readinto(self, room: Any) -> int:
        """Read at most as many bytes as there is room for."""
        piece: bytes = self._source.read(len(room))
        room[: len(piece)] = piece
        self._hash.update(piece)
        return len(piece)

    def digest(self) -> bytes:
        """SHA-256 of all that was read so far."""
        return self._hash.digest()


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


def call_digest() -> str | None:
    """A text for a row's own unique key, for verbs that call an outside service in phases.

    Such a view cannot be one transaction: it carries no `@once`, and its first phase makes its row
    under this key, or finds the row that an earlier try made. None without an Idempotency-Key.
    """
    asked = call()
    return None if asked is None else asked.digest()


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
