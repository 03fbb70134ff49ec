"""Identity documents at Stripe, in our own words: what they say stays in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from stripe import StripeClient

from marketplace.db import outside_transaction
from marketplace.specialists.rules.identity import SeenDocument
from marketplace.stripe_client import translated

# Stripe leaves these out unless they are asked for by name.
EXPANDED = [
    "verified_outputs",
    "verified_outputs.dob",
    "last_verification_report",
    "last_verification_report.document.expiration_date",
]


@outside_transaction
def create_session(
    client: StripeClient, *, check_id: UUID, return_url: str
) -> tuple[str, str | None]:
    """(id, address) of a new session; the same check, the same session.

    The address is good for one visit. Nothing about the person is sent but our own random id.
    """
    with translated():
        session = client.v1.identity.verification_sessions.create(
            {
                "type": "document",
                "options": {
                    "document": {"require_live_capture": True, "require_matching_selfie": True}
                },
                "return_url": return_url,
                "metadata": {"check_id": str(check_id)},
            },
            {"idempotency_key": f"identity:{check_id}"},
        )
    return session.id, session.url


@outside_transaction
def session_now(client: StripeClient, session_id: str) -> SeenDocument:
    """The session as it is now, with what the document said where it was verified."""
    with translated():
        session: dict[str, Any] = client.v1.identity.verification_sessions.retrieve(
            session_id, {"expand": EXPANDED}
        ).to_dict()
    said = session.get("verified_outputs") or {}
    report = session.get("last_verification_report")
    document = (report.get("document") or {}) if isinstance(report, Mapping) else {}
    return SeenDocument(
        status=str(session["status"]),
        url=session.get("url"),
        error=(session.get("last_error") or {}).get("code"),
        first_name=said.get("first_name"),
        last_name=said.get("last_name"),
        born_on=_day(said.get("dob")),
        document_country=document.get("issuing_country"),
        document_until=_day(document.get("expiration_date")),
        redacted=(session.get("redaction") or {}).get("status") is not None,
    )


@outside_transaction
def redact(client: StripeClient, session_id: str) -> None:
    """Have Stripe forget what a session holds: images, names, numbers. Safe to ask twice."""
    with translated():
        client.v1.identity.verification_sessions.redact(
            session_id, {}, {"idempotency_key": f"redact:{session_id}"}
        )


def _day(parts: Mapping[str, Any] | None) -> date | None:
    if not parts or not all(parts.get(name) for name in ("year", "month", "day")):
        return None
    return date(int(parts["year"]), int(parts["month"]), int(parts["day"]))
