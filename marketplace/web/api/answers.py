"""The shapes that all endpoints share: money, pages of a list, problems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from marshmallow import Schema, fields, post_load, validate

from marketplace.money import EXPONENT, LARGEST_MINOR, Money

Row = TypeVar("Row")
PAGE_DEFAULT = 50
PAGE_MAX = 200


class MoneySchema(Schema):
    """Whole minor units and an ISO 4217 code; loads as `Money`, zero or more."""

    amount_minor = fields.Integer(
        required=True,
        strict=True,
        attribute="minor",
        validate=validate.Range(min=0, max=LARGEST_MINOR),
        metadata={"description": "Whole minor units: cents, yen, fils.", "example": 4500},
    )
    currency = fields.String(
        required=True, validate=validate.OneOf(sorted(EXPONENT)), metadata={"example": "USD"}
    )

    @post_load
    def _money(self, loaded: dict[str, Any], **_: Any) -> Money:
        return Money(loaded["minor"], loaded["currency"])


class LedgerMoneySchema(Schema):
    """An amount that may be below zero, such as an entry in the ledger; for answers only."""

    amount_minor = fields.Integer(
        attribute="minor", metadata={"description": "Whole minor units, below zero where taken."}
    )
    currency = fields.String(metadata={"example": "USD"})


def money_shown(value: object) -> dict[str, Any]:
    """An amount as `MoneySchema` shows it, for an answer that no schema dumps."""
    if not isinstance(value, Money):
        raise TypeError(f"{type(value).__name__} has no place in an answer.")
    return {"amount_minor": value.minor, "currency": value.currency}


class ProblemError(Schema):
    """One thing wrong with the input."""

    pointer = fields.String(metadata={"description": "JSON pointer into the body"})
    message = fields.String()


class Problem(Schema):
    """What is wrong, as RFC 9457 says, with `code` for programs."""

    type = fields.String()
    status = fields.Integer()
    code = fields.String()
    title = fields.String()
    detail = fields.String()
    errors = fields.List(fields.Nested(ProblemError))


def page_query(after: fields.Field[Any]) -> type[Schema]:
    """The query of a list whose cursor is not an id, such as `fields.Integer()`."""
    limit = fields.Integer(load_default=PAGE_DEFAULT, validate=validate.Range(min=1, max=PAGE_MAX))
    return Schema.from_dict({"limit": limit, "after": after}, name="PageQuery")


class PageQuery(Schema):
    """`?limit=&after=`: how many, and after which id (the former answer's `next`)."""

    limit = fields.Integer(load_default=PAGE_DEFAULT, validate=validate.Range(min=1, max=PAGE_MAX))
    after = fields.UUID(load_default=None)


def file(description: str, *kinds: str) -> dict[str, Any]:
    """How a document describes an answer that is a file, of one of these content types."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"description": description, "content": dict.fromkeys(kinds, binary)}


_listings: dict[str, type[Schema]] = {}


def listing(item: type[Schema]) -> type[Schema]:
    """The schema of a page of such items: `{"items": […], "next": … or null}`."""
    name = item.__name__.removesuffix("Schema") + "List"
    if name not in _listings:
        shape: dict[str, Any] = {
            "items": fields.List(fields.Nested(item)),
            "next": fields.Raw(
                allow_none=True,
                metadata={
                    "type": ["string", "integer"],
                    "description": "`after` of the next page; null on the last",
                },
            ),
        }
        _listings[name] = Schema.from_dict(shape, name=name)
    return _listings[name]


def page(rows: Sequence[Row], *, limit: int, key: Callable[[Row], object]) -> dict[str, Any]:
    """A page out of up to `limit` + 1 rows; `next` is the last shown row's key, if more follow."""
    shown = list(rows[:limit])
    more = len(rows) > limit
    after = key(shown[-1]) if more else None
    return {
        "items": shown,
        "next": after if after is None or isinstance(after, int) else str(after),
    }
