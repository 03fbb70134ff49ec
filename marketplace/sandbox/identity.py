"""Identity verification sessions: made, shown a document, verified, cancelled, redacted."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from marketplace.sandbox import events
from marketplace.sandbox.errors import ApiError
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/identity/verification_sessions"
PAGE = "/verify"
SESSION, REPORT = "identity.verification_session", "identity.verification_report"
VERIFIED_TIMER, REDACTED_TIMER = "identity.verified", "identity.redacted"
PROCESSING_SECONDS = 3_600
REDACTING_SECONDS = 1
# What can be chosen on the page: the code of the error that the session then has, or None.
OUTCOMES: dict[str, str | None] = {
    "verified": None,
    "name_differs": None,
    "unreadable": "document_unverified_other",
    "expired": "document_expired",
    "processing": None,
}
ERROR_WORDS = {
    "document_unverified_other": "The document could not be read.",
    "document_expired": "The provided identity document has expired.",
}
OTHER_NAME = ("Somebody", "Else")


@dataclass(frozen=True)
class Shown:
    """What a document says, as it was written on the page; dates as (year, month, day)."""

    first_name: str
    last_name: str
    born: tuple[int, int, int]
    country: str
    until: tuple[int, int, int]


def create(tx: Tx, params: Params, public_url: str) -> Body:
    """POST: a session whose `url` leads to the page where a document is shown."""
    kind = params.needed("type", choices=("document", "id_number"))
    session_id, token = tx.new_id("vs_"), secrets.token_urlsafe(24)
    options = {"document": _options(params.nested("options").nested("document"))}
    session: Body = {
        "id": session_id,
        "object": SESSION,
        "client_reference_id": params.text("client_reference_id"),
        "client_secret": f"{session_id}_secret_{secrets.token_urlsafe(18)}",
        "created": tx.now,
        "last_error": None,
        "last_verification_report": None,
        "livemode": False,
        "metadata": params.metadata(),
        "options": options,
        "redaction": None,
        "related_customer": None,
        "related_customer_account": None,
        "status": "requires_input",
        "type": kind,
        "url": f"{public_url}{PAGE}/{token}",
        "_page": f"{public_url}{PAGE}/{token}",
        "_token": token,
        "_return_url": _checked(params.text("return_url")),
        "_outputs": None,
    }
    params.nested("provided_details").accept("email", "phone")
    params.accept("expand")
    params.done()
    tx.insert(session)
    events.announce(tx, f"{SESSION}.created", session)
    return public(session)


def _options(document: Params) -> Body:
    found: Body = {}
    for name in ("require_id_number", "require_live_capture", "require_matching_selfie"):
        value = document.flag(name)
        if value is not None:
            found[name] = value
    allowed = document.texts("allowed_types")
    return found | ({"allowed_types": allowed} if allowed else {})


def _checked(url: str | None) -> str | None:
    if url is not None and not url.startswith(("http://", "https://")):
        raise ApiError("Not a valid URL", code="url_invalid", param="return_url")
    return url


def retrieve(tx: Tx, params: Params, session_id: str) -> Body:
    """GET; what a document said comes only where it is asked for by name."""
    wanted = params.texts("expand")
    params.done()
    return _with_outputs(tx, tx.need(SESSION, session_id), wanted)


def _with_outputs(tx: Tx, session: Body, wanted: Sequence[str]) -> Body:
    answer = public(session)
    if any(path.partition(".")[0] == "verified_outputs" for path in wanted):
        said = copy.deepcopy(session["_outputs"])
        if said is not None and "verified_outputs.dob" not in wanted:
            del said["dob"]
        answer["verified_outputs"] = said
    report_id = session["last_verification_report"]
    if report_id and any(path.startswith("last_verification_report") for path in wanted):
        report = public(tx.need(REPORT, report_id))
        for name in ("expiration_date", "issued_date", "dob"):
            if f"last_verification_report.document.{name}" not in wanted:
                (report.get("document") or {}).pop(name, None)
        answer["last_verification_report"] = report
    return answer


def cancel(tx: Tx, params: Params, session_id: str) -> Body:
    """POST …/cancel: only while input is wanted."""
    session = tx.need(SESSION, session_id, lock=True)
    params.accept("expand")
    params.done()
    if session["status"] != "requires_input":
        raise ApiError(
            f"You cannot cancel this VerificationSession because it has a status of "
            f"{session['status']}.",
            code="verification_session_unexpected_state",
            executed=True,
        )
    session.update(status="canceled", url=None, client_secret=None)
    tx.save(session)
    events.announce(tx, f"{SESSION}.canceled", session)
    return public(session)


def redact(tx: Tx, params: Params, session_id: str) -> Body:
    """POST …/redact: forget what the document said; takes a moment, as at Stripe."""
    session = tx.need(SESSION, session_id, lock=True)
    params.accept("expand")
    params.done()
    if session["status"] == "processing":
        raise ApiError(
            "You cannot redact this VerificationSession while it is processing.",
            code="verification_session_unexpected_state",
            executed=True,
        )
    if session["redaction"] is None:
        session.update(redaction={"status": "processing"}, url=None, client_secret=None)
        tx.save(session)
        tx.schedule(REDACTED_TIMER, session_id, tx.now + REDACTING_SECONDS)
    return public(session)


def redacted(tx: Tx, session_id: str) -> None:
    """What the timer does: nothing of the document is left."""
    session = tx.need(SESSION, session_id, lock=True)
    session.update(redaction={"status": "redacted"}, _outputs=None)
    if session["last_verification_report"]:
        report = tx.need(REPORT, session["last_verification_report"], lock=True)
        for name in ("first_name", "last_name", "dob", "expiration_date", "address", "files"):
            report["document"][name] = None
        tx.save(report)
    tx.save(session)
    events.announce(tx, f"{SESSION}.redacted", session)


def by_token(tx: Tx, token: str) -> Body | None:
    """The session whose page has this token, locked; None where there is none."""
    rows = tx.rows(
        sql.SQL("SELECT id FROM sandbox_objects WHERE kind = %s AND body->>'_token' = %s"),
        (SESSION, token),
    )
    return tx.find(SESSION, rows[0]["id"], lock=True) if rows else None


def submit(tx: Tx, session: Body, shown: Shown, outcome: str) -> None:
    """Show a document on the page: it is processed, then verified or refused."""
    error = OUTCOMES[outcome]
    if outcome == "name_differs":
        shown = Shown(*OTHER_NAME, shown.born, shown.country, shown.until)
    report = tx.insert(_report(tx, session, shown, error))
    session.update(
        status="processing", last_error=None, last_verification_report=report["id"], url=None
    )
    session["_outputs"] = _outputs(shown)
    tx.save(session)
    events.announce(tx, f"{SESSION}.processing", session)
    if outcome == "processing":
        tx.schedule(VERIFIED_TIMER, session["id"], tx.now + PROCESSING_SECONDS)
    elif error is None:
        verified(tx, session["id"])
    else:
        _refuse(tx, session, error)


def verified(tx: Tx, session_id: str) -> None:
    """The document is in order; also what the timer of a slow one does."""
    session = tx.need(SESSION, session_id, lock=True)
    if session["status"] == "processing":
        session.update(status="verified", client_secret=None)
        tx.save(session)
        events.announce(tx, f"{SESSION}.verified", session)


def _refuse(tx: Tx, session: Body, error: str) -> None:
    session.update(
        status="requires_input",
        last_error={"code": error, "reason": ERROR_WORDS[error]},
        _outputs=None,
        url=session["_page"],
    )
    tx.save(session)
    events.announce(tx, f"{SESSION}.requires_input", session)


def _date(parts: tuple[int, int, int]) -> dict[str, int]:
    return dict(zip(("year", "month", "day"), parts, strict=True))


def _outputs(shown: Shown) -> Body:
    return {
        "address": None,
        "dob": _date(shown.born),
        "email": None,
        "first_name": shown.first_name,
        "id_number_type": None,
        "last_name": shown.last_name,
        "phone": None,
    }


def _report(tx: Tx, session: Body, shown: Shown, error: str | None) -> Body:
    document: dict[str, Any] = {
        "address": None,
        "error": {"code": error, "reason": ERROR_WORDS[error]} if error else None,
        "expiration_date": _date(shown.until),
        "files": [],
        "first_name": shown.first_name,
        "issued_date": None,
        "issuing_country": shown.country,
        "last_name": shown.last_name,
        "status": "unverified" if error else "verified",
        "type": "passport",
        "dob": _date(shown.born),
    }
    return {
        "id": tx.new_id("vr_"),
        "object": REPORT,
        "client_reference_id": session["client_reference_id"],
        "created": tx.now,
        "document": document,
        "livemode": False,
        "options": {"document": session["options"]["document"]},
        "type": session["type"],
        "verification_session": session["id"],
    }


def list_sessions(tx: Tx, params: Params) -> Body:
    """GET, by status and created."""
    query = of_kind(SESSION, URL)
    query.body_is("status", params.text("status"))
    query.within(params)
    return page(tx, query, params)


def routes(public_url: str) -> tuple[Route, ...]:
    """The calls; a session carries the address of its page, so it must be known."""

    def create_here(tx: Tx, params: Params) -> Body:
        return create(tx, params, public_url)

    return (
        Route("POST", URL, create_here),
        Route("GET", URL, list_sessions),
        Route("GET", f"{URL}/<session_id>", retrieve),
        Route("POST", f"{URL}/<session_id>/cancel", cancel),
        Route("POST", f"{URL}/<session_id>/redact", redact),
    )
