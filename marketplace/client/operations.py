"""How a resource's methods are written once and called both ways.

`@operation("GET /jobs/{job_id}")` stands over a function that describes a call; its arguments fill
the path. `@pages` is the same for lists. `@steps` and `@stream` stand over coroutines that make
several calls. Over a `Client` such a method returns its result, over an `AsyncClient` something to
await (or to iterate with `async for`); type checkers see which.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload
from urllib.parse import quote

from marketplace.client.engine import Call, Engine
from marketplace.client.records import Record
from marketplace.client.transports import Blocking, driven


class Sync:
    """The mode of a client that blocks."""


class Async:
    """The mode of a client that is awaited."""


M = TypeVar("M", Sync, Async)
P = ParamSpec("P")
S = TypeVar("S")
A = TypeVar("A")
T = TypeVar("T")
R = TypeVar("R", bound=Record)
PAGE_ROWS = 200
HOLE = re.compile(r"\{(\w+)\}")


class Resource(Generic[M]):
    """Methods over an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine


class _Described(Generic[P]):
    """A method that describes one call. method and path are the API's."""

    def __init__(self, described: str, function: Callable[Concatenate[Any, P], Any]) -> None:
        self.method, _, self.path = described.partition(" ")
        self.function = function
        self.signature = inspect.signature(function)
        self.__doc__ = function.__doc__

    def filled(self, instance: Any, given: tuple[Any, ...], named: dict[str, Any]) -> str:
        """The path with the arguments in their places, or else the instance's own fields."""
        arguments = self.signature.bind(instance, *given, **named).arguments

        def value(name: str) -> object:
            return arguments[name] if name in arguments else getattr(instance, name)

        return HOLE.sub(lambda hole: _in_path(hole[1], value(hole[1])), self.path)


def _in_path(name: str, value: object) -> str:
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{name} is {text!r}, which names nothing.")
    return quote(text, safe="")


class Operation(_Described[P], Generic[P, S, A]):
    """A method that makes one call."""

    @overload
    def __get__(self, instance: None, owner: type) -> Operation[P, S, A]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type) -> Callable[P, S]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type) -> Callable[P, Awaitable[A]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self

        @functools.wraps(self.function)
        def called(*given: Any, **named: Any) -> Any:
            call = self.function(instance, *given, **named)
            path = self.filled(instance, given, named)
            return _run(instance, instance._engine.run(self.method, path, call))

        return called


class Pages(_Described[P], Generic[P, S, A]):
    """A method that iterates over all rows of a list, page by page."""

    @overload
    def __get__(self, instance: None, owner: type) -> Pages[P, S, A]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type) -> Callable[P, Iterator[S]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type) -> Callable[P, AsyncIterator[A]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self

        @functools.wraps(self.function)
        def called(*given: Any, **named: Any) -> Any:
            call = self.function(instance, *given, **named)
            path = self.filled(instance, given, named)
            return _iterated(instance, _rows(instance._engine, path, call))

        return called


class Steps(Generic[P, S, A]):
    """A method that takes several calls."""

    def __init__(self, function: Callable[Concatenate[Any, P], Awaitable[Any]]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Steps[P, S, A]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type) -> Callable[P, S]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type) -> Callable[P, Awaitable[A]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self

        @functools.wraps(self.function)
        def called(*given: Any, **named: Any) -> Any:
            return _run(instance, self.function(instance, *given, **named))

        return called


class Stream(Generic[P, T]):
    """A method that iterates over what several calls bring."""

    def __init__(self, function: Callable[Concatenate[Any, P], AsyncIterator[T]]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Stream[P, T]: ...
    @overload
    def __get__(self, instance: Resource[Sync], owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, instance: Resource[Async], owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self

        @functools.wraps(self.function)
        def called(*given: Any, **named: Any) -> Any:
            return _iterated(instance, self.function(instance, *given, **named))

        return called


def operation(
    described: str,
) -> Callable[[Callable[Concatenate[Any, P], Call[S, A]]], Operation[P, S, A]]:
    """One call: `METHOD /path/{argument}`."""
    return lambda function: Operation(described, function)


def pages(
    described: str,
) -> Callable[[Callable[Concatenate[Any, P], Call[S, A]]], Pages[P, S, A]]:
    """A list: the described call makes one row out of each item of a page."""
    return lambda function: Pages(described, function)


def steps(function: Callable[Concatenate[Any, P], Awaitable[T]]) -> Steps[P, T, T]:
    """Several calls, one result."""
    return Steps(function)


def stream(function: Callable[Concatenate[Any, P], AsyncIterator[T]]) -> Stream[P, T]:
    """Several calls, results as they come."""
    return Stream(function)


def _run(instance: Resource[Any], work: Awaitable[Any]) -> Any:
    return driven(work) if isinstance(instance._engine.transport, Blocking) else work


def _iterated(instance: Resource[Any], rows: AsyncIterator[Any]) -> Any:
    return _drawn(rows) if isinstance(instance._engine.transport, Blocking) else rows


def _drawn(rows: Any) -> Iterator[Any]:
    """An asynchronous generator over a blocking transport, as a plain one."""
    try:
        while True:
            try:
                row = driven(rows.__anext__())
            except StopAsyncIteration:
                return
            yield row
    finally:
        driven(rows.aclose())


async def _rows(engine: Engine, path: str, call: Call[Any, Any]) -> AsyncIterator[Any]:
    """The rows of all pages; one page is held at a time."""
    query = {"limit": PAGE_ROWS} | _given(call.query)
    read: Call[Any, Any] = Call(lambda _, found: found, query=query)
    after: Any = query.get("after")
    while True:
        if after is not None:
            query["after"] = after
        page = await engine.run("GET", path, read)
        for each in page["items"]:
            yield call.made(engine, each)
        after = page.get("next")
        if after is None:
            return


def _given(query: Any) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}
