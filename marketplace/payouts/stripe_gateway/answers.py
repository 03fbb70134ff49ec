"""Reading Stripe's answers: what is an id, and what is no answer."""

from __future__ import annotations

from marketplace.stripe_client import StripeRefused, StripeUnreachable


def doubtful(refused: StripeRefused) -> StripeUnreachable:
    """A refusal that says nothing about the thing itself, as what it is: no answer."""
    return StripeUnreachable(
        refused.message,
        code=refused.code,
        param=refused.param,
        request_id=refused.request_id,
        status=refused.status,
    )


def id_of(linked: object) -> str:
    """The id of a field that Stripe fills with an id or an expanded object; "" for nothing."""
    if linked is None or isinstance(linked, str):
        return linked or ""
    return str(getattr(linked, "id"))  # noqa: B009 - the SDK's type for it is a union of classes.
