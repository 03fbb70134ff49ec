"""One call to the API: its description, and how it is sent until it is answered.

Trying again is safe or not done. GET, PUT, PATCH and DELETE ask for a state, so they may come
twice; each POST carries an Idempotency-Key, the same on every try, under which the API answers a
second time what it answered first. What the API says it has not done (429, or no connection at
all) is tried again whatever it is; the few calls marked `again=False`, for nothing else.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Generic, TypeAlias, TypeVar

import httpx

from marketplace.client.errors import Refusal, Unreachable, refusal_of
from marketplace.client.records import Json, Record, encoded
from marketplace.client.transports import Transport

S = TypeVar("S")
A = TypeVar("A")
T = TypeVar("T")

AGAIN = frozenset({502, 503, 504})
NOT_BEGUN = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
BACK_OFF_SECONDS = 0.25
BACK_OFF_SECONDS_MAX = 20.0
RETRY_AFTER_SECONDS_MAX = 120.0
IN_FLIGHT = "idempotency_in_flight"
KEY = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Call(Generic[S, A]):
    """A request as an operation describes it, and what becomes of the answer.

    made: how the decoded answer becomes the result; it gets the engine too, for records that can
    call. `S` is the result over a blocking client, `A` over a waiting one; for all but jobs,
    imports and exports they are the same. json: a body; content: a body as it is. files: of a
    form, wound back for every try. again: whether it may be sent again when nobody knows whether
    it arrived. gone_is_done: whether nothing is made of the answer, so that a DELETE which finds
    nothing on its second try has succeeded. tagged: whether the answer's ETag becomes its field
    `etag`.
    """

    made: Callable[[Any, Any], Any]
    json: Any = None
    content: bytes | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, IO[bytes], str]] = field(default_factory=dict)
    again: bool = True
    gone_is_done: bool = False
    timeout_seconds: float | None = None
    tagged: bool = False


One: TypeAlias = Call[T, T]
R = TypeVar("R", bound=Record)


def to(kind: type[R], **more: Any) -> Call[R, R]:
    """A call that is answered with one object; `more` are fields of Call."""
    return Call(lambda _, found: kind(found), **more)


def to_nothing(**more: Any) -> Call[None, None]:
    """A call that is answered with nothing worth telling."""
    return Call(lambda _, __: None, gone_is_done=True, **more)


def to_bytes(**more: Any) -> Call[bytes, bytes]:
    """A call that is answered with a small file."""
    return Call(lambda _, found: found if isinstance(found, bytes) else encoded(found), **more)


def to_json(**more: Any) -> Call[Json, Json]:
    """A call whose answer is taken as it is."""
    return Call(lambda _, found: found, **more)


@dataclass(frozen=True, slots=True)
class Engine:
    """Sends calls over a transport. tries: the most for one call, the first included."""

    transport: Transport
    tries: int = 5

    async def run(self, method: str, path: str, call: Call[Any, Any]) -> Any:
        """What becomes of the answer. Raises Refusal and Unreachable."""
        answer = await self.sent(method, path, call)
        found = _decoded(answer)
        if call.tagged:
            found["etag"] = answer.headers.get("etag", "")
        return call.made(self, found)

    async def sent(self, method: str, path: str, call: Call[Any, Any]) -> httpx.Response:
        """The answer, after as many tries as it takes. Raises Refusal and Unreachable."""
        more = _request(method, call)
        tried = 0
        arrived = False
        while True:
            tried += 1
            for _, file, _ in call.files.values():
                file.seek(0)
            try:
                answer = await self.transport.send(self.transport.build(method, path, **more))
            except httpx.RequestError as lost:
                begun = not isinstance(lost, NOT_BEGUN)
                if tried >= self.tries or (begun and not call.again):
                    raise unreachable(lost) from lost
                arrived = arrived or begun
                await self.transport.sleep(pause(tried))
                continue
            # What a first DELETE, whose answer was lost, has ended, is not there for the second.
            gone = method == "DELETE" and arrived and answer.status_code == httpx.codes.NOT_FOUND
            if answer.is_success or (gone and call.gone_is_done):
                return answer
            refusal = refusal_of(answer.status_code, answer.headers, answer.content)
            if tried >= self.tries or not may_come_again(refusal, safe=call.again):
                raise refusal
            await self.transport.sleep(max(pause(tried), refusal.retry_after or 0))


def may_come_again(refusal: Refusal, *, safe: bool) -> bool:
    """Whether another try is safe and may end otherwise."""
    if (refusal.retry_after or 0) > RETRY_AFTER_SECONDS_MAX:
        return False
    if refusal.status == 429:
        return True
    return safe and (refusal.status in AGAIN or refusal.code == IN_FLIGHT)


def pause(tried: int) -> float:
    """Seconds before the next try: twice as long each time, less a random part."""
    return min(BACK_OFF_SECONDS_MAX, BACK_OFF_SECONDS * 2.0**tried) * random.uniform(0.5, 1)


def unreachable(lost: httpx.RequestError) -> Unreachable:
    """A lost connection in a sentence."""
    try:
        address = str(lost.request.url.copy_with(path="/", query=None))
    except RuntimeError:  # The request never was made.
        address = "The marketplace"
    return Unreachable(f"{address} does not answer ({type(lost).__name__}).")


def _request(method: str, call: Call[Any, Any]) -> dict[str, Any]:
    headers = dict(call.headers)
    more: dict[str, Any] = {"headers": headers}
    if call.query:
        more["params"] = call.query
    if call.json is not None:
        headers["Content-Type"] = "application/json"
        more["content"] = encoded(call.json)
    elif call.content is not None:
        more["content"] = call.content
    if call.files:
        more |= {"files": call.files, "data": call.form}
    if method in ("POST", "PATCH"):
        headers.setdefault(KEY, uuid.uuid4().hex)
    if call.timeout_seconds is not None:
        more["timeout"] = call.timeout_seconds
    return more


def _decoded(answer: httpx.Response) -> Any:
    """JSON as values, nothing as None, all else as bytes."""
    told = answer.headers.get("content-type", "")
    if not answer.content:
        return None
    if "json" not in told or "ndjson" in told:
        return answer.content
    try:
        return answer.json()
    except ValueError:
        words = "The answer broke off, or is not of a marketplace."
        raise Unreachable(words) from None
