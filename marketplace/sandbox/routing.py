"""What a resource module offers: operations on a transaction, each at a method and a path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.sandbox.store import Body


@dataclass(frozen=True)
class Answer:
    """A status other than 200 that keeps its effects, such as a declined card's failed charge."""

    status: int
    body: Body


@dataclass(frozen=True)
class Raw:
    """A file's content instead of JSON."""

    text: str
    media_type: str


Operation = Callable[..., Body | Answer | Raw]


@dataclass(frozen=True)
class Route:
    """One call of the API: `operation(tx, params, **path)` gives the body, or an Answer."""

    method: str
    path: str
    operation: Operation
