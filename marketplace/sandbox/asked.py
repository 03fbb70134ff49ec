"""What a test control is asked for: values of a JSON object, or a refusal that names the field."""

from __future__ import annotations

from typing import Any

from flask import request

from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.store import Body


def asked() -> Body:
    """The request's JSON object."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ApiError("Test controls take a JSON object.")
    return body


def text(body: Body, name: str) -> str:
    """A text that is not empty."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ApiError(f"{name} must be a text.", param=name)
    return value


def words(body: Body, name: str) -> str:
    """A text that may be missing or empty."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ApiError(f"{name} must be a text.", param=name)
    return value or ""


def whole(body: Body, name: str, *, most: int) -> int:
    """A whole number from 0 to `most`."""
    value: Any = body.get(name)
    if type(value) is not int or not 0 <= value <= most:
        raise ApiError(f"{name} must be a whole number from 0 to {most}.", param=name)
    return value


def signed_whole(body: Body, name: str, *, most: int) -> int:
    """A whole number of either sign."""
    value: Any = body.get(name)
    if type(value) is not int or abs(value) > most:
        raise ApiError(f"{name} must be a whole number from {-most} to {most}.", param=name)
    return value


def flag(body: Body, name: str) -> bool:
    """true or false; missing is false."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise ApiError(f"{name} must be true or false.", param=name)
    return value
