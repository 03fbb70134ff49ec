"""Reading Stripe's answers: what is an id."""

from __future__ import annotations


def id_of(linked: object) -> str:
    """The id of a field that Stripe fills with an id or an expanded object; "" for nothing."""
    if linked is None or isinstance(linked, str):
        return linked or ""
    return str(getattr(linked, "id"))  # noqa: B009 - the SDK's type for it is a union of classes.
