"""What holders do with a credential of theirs: files, another check, a renewal, taking it back."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import flash, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Faulty, TooLarge
from marketplace.identity.rules import Permission
from marketplace.specialists import service
from marketplace.web.evidence import REQUEST_BYTES_MAX, download, kept_evidence
from marketplace.web.forms import Form, load
from marketplace.web.guards import me, needs
from marketplace.web.requests import takes_up_to
from marketplace.web.specialists.blueprint import specialists


class RenewalForm(Form):
    """A later last day."""

    renewed_until = fields.Date(
        required=True,
        error_messages={
            "required": "Write the new last day.",
            "invalid": "Write the day as 2027-01-31.",
        },
    )


class AmendmentForm(Form):
    """Specialties to be added."""

    specialties = fields.List(fields.String(), load_default=list)


def _back(claim_id: UUID) -> Response:
    return redirect(url_for("specialists.credential", claim_id=claim_id), code=303)


def _said(refused: Faulty | Conflict | TooLarge) -> None:
    """What stands in the way, at the top of the page that follows."""
    faults = refused.faults if isinstance(refused, Faulty) else ()
    flash(" ".join(each.message for each in faults) or refused.message, "stop")


@specialists.post("/credentials/<uuid:claim_id>/evidence")
@takes_up_to(REQUEST_BYTES_MAX)
@needs(Permission.CREDENTIALS_CLAIM)
def send_evidence(claim_id: UUID) -> Response:
    """Send a file that shows it."""
    try:
        kept_evidence(me(), claim_id)
    except (Faulty, Conflict, TooLarge) as refused:
        _said(refused)
    else:
        flash("The file is kept, encrypted. Only you and our operations can open it.", "good")
    return _back(claim_id)


@specialists.get("/credentials/<uuid:claim_id>/evidence/<uuid:file_id>")
@needs(Permission.CREDENTIALS_CLAIM)
def evidence(claim_id: UUID, file_id: UUID) -> Response:
    """One of one's own files, to be saved."""
    return download(me(), claim_id, file_id)


@specialists.post("/credentials/<uuid:claim_id>/renewal")
@takes_up_to(REQUEST_BYTES_MAX)
@needs(Permission.CREDENTIALS_CLAIM)
def renew(claim_id: UUID) -> Response:
    """Ask for a later last day, with a file that shows it where one is sent."""
    try:
        until: date = load(RenewalForm)["renewed_until"]
        with transaction() as session:
            service.renew_credential(session, me(), claim_id, valid_until=until)
    except (Faulty, Conflict) as refused:
        _said(refused)
        return _back(claim_id)
    asked = "Asked. Somebody looks it up; what holds, holds until its own last day."
    return _with_file(claim_id, asked, f"the new last day, {until.isoformat()}")


def _with_file(claim_id: UUID, asked: str, shows: str) -> Response:
    """Keep the file that came with what was asked; where it cannot be kept, say what to send."""
    sent = request.files.get("file")
    try:
        if sent is not None and sent.filename:
            kept_evidence(me(), claim_id)
    except (Faulty, Conflict, TooLarge) as refused:
        faults = refused.faults if isinstance(refused, Faulty) else ()
        why = " ".join(each.message for each in faults) or refused.message
        words = f"{asked} But your file was not kept: {why} Below, under “Files that show it”, "
        flash(f"{words}send a PDF, PNG or JPEG of at most 10 MiB that shows {shows}.", "watch")
    else:
        flash(asked, "good")
    return _back(claim_id)


@specialists.post("/credentials/<uuid:claim_id>/amendment")
@takes_up_to(REQUEST_BYTES_MAX)
@needs(Permission.CREDENTIALS_CLAIM)
def amend(claim_id: UUID) -> Response:
    """Ask for further specialties, with a file that shows them where one is sent."""
    try:
        wanted = load(AmendmentForm)["specialties"]
        with transaction() as session:
            service.amend_credential(session, me(), claim_id, specialties=wanted)
    except (Faulty, Conflict) as refused:
        _said(refused)
        return _back(claim_id)
    asked = "Asked. It is looked up like a claim; what holds, holds meanwhile."
    return _with_file(claim_id, asked, "the specialties, such as the board's certificate")


@specialists.post("/credentials/<uuid:claim_id>/amendment/withdrawal")
@needs(Permission.CREDENTIALS_CLAIM)
def take_back_amendment(claim_id: UUID) -> Response:
    """Ask for those specialties no more."""
    try:
        with transaction() as session:
            service.take_back_amendment(session, me(), claim_id)
    except Conflict as refused:
        _said(refused)
    else:
        flash("Taken back. What holds, holds as it did.", "good")
    return _back(claim_id)


@specialists.post("/credentials/<uuid:claim_id>/recheck")
@needs(Permission.CREDENTIALS_CLAIM)
def recheck(claim_id: UUID) -> Response:
    """Have it checked again."""
    try:
        with transaction() as session:
            service.recheck_credential(session, me(), claim_id)
    except Conflict as refused:
        _said(refused)
    else:
        flash("The sources are asked again. Nothing is lost meanwhile.", "good")
    return _back(claim_id)


@specialists.post("/credentials/<uuid:claim_id>/withdrawal")
@needs(Permission.CREDENTIALS_CLAIM)
def withdraw(claim_id: UUID) -> Response:
    """Take it back before a decision."""
    try:
        with transaction() as session:
            service.withdraw_credential(session, me(), claim_id)
    except Conflict as refused:
        _said(refused)
    else:
        flash("Taken back. You may claim it again at any time.", "good")
    return _back(claim_id)
