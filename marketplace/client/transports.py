"""The two ways to the wire: one blocks its thread, the other gives the loop away.

All that the client does is written once, as coroutines that await nothing but these functions.
Over `Blocking` such a coroutine never stops, so `driven` runs it to its end without any loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import httpx

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls go. url: of the API; headers: of every call, the token's among them."""

    url: str
    headers: Mapping[str, str] = field(repr=False)

    def request(
        self, http: httpx.Client | httpx.AsyncClient, method: str, path: str, more: dict[str, Any]
    ) -> httpx.Request:
        """A request there, over a connection that may belong to somebody else."""
        headers = {**self.headers, **more.pop("headers", {})}
        return http.build_request(method, self.url + path, headers=headers, **more)


class Transport(Protocol):
    """What a call needs of the wire."""

    def build(self, method: str, path: str, **more: Any) -> httpx.Request:
        """A request below the API's address."""

    async def send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """The answer, read whole unless `stream`."""

    def pieces(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """The body of a streamed answer as it comes, undone of no encoding."""

    async def read(self, answer: httpx.Response) -> bytes:
        """The whole body of a streamed answer."""

    async def close(self, answer: httpx.Response) -> None:
        """Let go of a streamed answer."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Blocking:
    """Over httpx.Client."""

    def __init__(self, http: httpx.Client, place: Place) -> None:
        self.http = http
        self.place = place

    def build(self, method: str, path: str, **more: Any) -> httpx.Request:
        """As the protocol says."""
        return self.place.request(self.http, method, path, more)

    async def send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """As the protocol says."""
        return self.http.send(request, stream=stream)

    async def pieces(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """As the protocol says."""
        for piece in answer.iter_raw():
            yield piece

    async def read(self, answer: httpx.Response) -> bytes:
        """As the protocol says."""
        return answer.read()

    async def close(self, answer: httpx.Response) -> None:
        """As the protocol says."""
        answer.close()

    async def sleep(self, seconds: float) -> None:
        """As the protocol says."""
        time.sleep(seconds)


class Waiting:
    """Over httpx.AsyncClient."""

    def __init__(self, http: httpx.AsyncClient, place: Place) -> None:
        self.http = http
        self.place = place

    def build(self, method: str, path: str, **more: Any) -> httpx.Request:
        """As the protocol says."""
        return self.place.request(self.http, method, path, more)

    async def send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """As the protocol says."""
        return await self.http.send(request, stream=stream)

    async def pieces(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """As the protocol says."""
        async for piece in answer.aiter_raw():
            yield piece

    async def read(self, answer: httpx.Response) -> bytes:
        """As the protocol says."""
        return await answer.aread()

    async def close(self, answer: httpx.Response) -> None:
        """As the protocol says."""
        await answer.aclose()

    async def sleep(self, seconds: float) -> None:
        """As the protocol says."""
        await asyncio.sleep(seconds)


def driven(work: Awaitable[T]) -> T:
    """What a coroutine over `Blocking` returns; it never waits for a loop."""
    run: Coroutine[Any, Any, T] = work  # type: ignore[assignment] # __anext__() has send() as well.
    try:
        run.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise RuntimeError("A blocking call waited for a loop that is not there.")
