"""Answers with typed fields that put up with fields of tomorrow; and values on their way out.

A `Record` holds the API's JSON as it came (`raw`, and `record["field"]`); its annotated fields are
read from there when they are asked for: times as datetime, money as `Money`, objects as records.
A field that this version does not know is in `raw`; one that an older server leaves out is an
AttributeError when, and only when, it is asked for.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeAlias, TypedDict
from uuid import UUID

Json = dict[str, Any]
Read = Callable[[Any], Any]


class Money(NamedTuple):
    """Whole minor units (cents, yen, fils) and an ISO 4217 code."""

    amount_minor: int
    currency: str

    def __str__(self) -> str:
        return f"{self.amount_minor} minor units of {self.currency}"


class MoneyAsked(TypedDict):
    """An amount as the API's JSON has it."""

    amount_minor: int
    currency: str


AnyMoney: TypeAlias = Money | MoneyAsked
AnyId: TypeAlias = str | UUID


class Record:
    """An object of the API. raw: its JSON, as it came."""

    __slots__ = ("raw",)
    raw: Json

    def __init__(self, raw: Json) -> None:
        self.raw = raw

    def __getattr__(self, name: str) -> Any:
        read = readers(type(self)).get(name)
        if read is None:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}.")
        if name not in self.raw:
            raise AttributeError(f"This marketplace's answer has no field {name!r}.")
        return read(self.raw[name])

    def __getitem__(self, name: str) -> Any:
        return self.raw[name]

    def __contains__(self, name: object) -> bool:
        return name in self.raw

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *readers(type(self)), *self.raw})

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.raw == other.raw

    __hash__ = None  # type: ignore[assignment] # It may be equal to another one by its content.

    def __repr__(self) -> str:
        told = [f"{name}={self.raw[name]!r}" for name in ("id", "state") if name in self.raw]
        return f"<{type(self).__name__} {' '.join(told)}".rstrip() + ">"


_known: dict[type[Record], Mapping[str, Read]] = {}


def readers(kind: type[Record]) -> Mapping[str, Read]:
    """How each annotated field of a record is read."""
    if kind not in _known:
        hints = typing.get_type_hints(kind)
        _known[kind] = {name: reader(hint) for name, hint in hints.items() if name != "raw"}
    return _known[kind]


def reader(hint: Any) -> Read:
    """How JSON becomes a value of an annotation."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, UnionType):
        kinds = [each for each in inner if each is not NoneType]
        read = reader(kinds[0]) if len(kinds) == 1 else _same
        return lambda value: None if value is None else read(value)
    if origin is list:
        one = reader(inner[0])
        return _same if one is _same else lambda values: [one(each) for each in values]
    if origin is dict:
        one = reader(inner[1])
        return _same if one is _same else lambda found: {k: one(v) for k, v in found.items()}
    if hint is Money:
        return lambda value: Money(value["amount_minor"], value["currency"])
    if hint is datetime:
        return datetime.fromisoformat
    if hint is date:
        return date.fromisoformat
    if isinstance(hint, type) and issubclass(hint, Record):
        return hint
    return _same


def _same(value: Any) -> Any:
    return value


def plain(value: Any) -> Any:
    """A value as JSON has it: money, times, ids and records within it included."""
    if isinstance(value, Money):
        return {"amount_minor": value.amount_minor, "currency": value.currency}
    if isinstance(value, Record):
        return value.raw
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    return value


def encoded(value: Any) -> bytes:
    """A body of JSON, once for all times that it is sent. Raises ValueError for NaN."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False).encode()
