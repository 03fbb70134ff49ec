"""The queue of credentials, one of them with its evidence, and the decision on it, in twos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Fault, Faulty
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.specialists import queries, service
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.queries.credentials import Waits
from marketplace.specialists.rules import (
    HOLDING,
    NEXT,
    Catalogue,
    CredentialState,
    Decision,
    Refusal,
)
from marketplace.specialists.rules.check_words import check_words, reason_words
from marketplace.specialists.rules.evidence import ACCEPTED
from marketplace.specialists.rules.lifecycle import DECIDED, LEVEL_LABELS, STATE_LABELS
from marketplace.web.evidence import REQUEST_BYTES_MAX, download, kept_evidence
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations
from marketplace.web.requests import takes_up_to

PAGE = 50
# The states that a queue is looked at by, the one that waits for a person first.
STATES = (
    CredentialState.CHECKING,
    CredentialState.BLOCKED,
    CredentialState.EXPIRING_SOON,
    CredentialState.EXPIRED,
    CredentialState.SUSPENDED,
    CredentialState.VERIFIED,
    CredentialState.REVOKED,
    CredentialState.WITHDRAWN,
)
WAITS = {
    Waits.SECOND_PERSON: "Waiting for a second person",
    Waits.RENEWAL: "Renewals asked for",
    Waits.AMENDMENT: "Specialties to add",
    Waits.HOLDER: "Waiting for their holder",
}
CHOICES = {
    Decision.VERIFY: ("Verify", "The source shows it, at the level below."),
    Decision.REJECT: ("Reject", "The source does not show it, or shows somebody else."),
    Decision.SUSPEND: ("Suspend", "Something must be settled first; it does not count meanwhile."),
    Decision.REVOKE: ("Revoke", "It stood once and does not any more."),
    Decision.REOPEN: ("Look at it again", "It goes back into the queue."),
}
SAID = {
    Decision.VERIFY: "Verified. Jobs that ask for it are in their feed now.",
    Decision.REJECT: "Rejected. They see that it was not confirmed.",
    Decision.SUSPEND: "Suspended. It does not count until somebody decides again.",
    Decision.REVOKE: "Revoked. It does not count any more.",
    Decision.REOPEN: "Back in the queue.",
}
REFUSALS = [
    ("", "Choose why; the holder reads it"),
    (Refusal.NOT_SHOWN.value, "Neither the register nor the file shows it"),
    (Refusal.NOTHING_SENT.value, "The register does not show it, and no file was sent"),
    (Refusal.UNREADABLE.value, "The file cannot be read"),
    (Refusal.OTHER_PERSON.value, "The file names somebody else"),
]
PROPOSED = "Proposed. Nothing changed yet: a colleague looks too, then confirms or disagrees."


class DecisionForm(Form):
    """What was decided after looking at the source."""

    outcome = fields.String(required=True, error_messages={"required": "Choose what you decide."})
    level = fields.Integer(load_default=2)
    valid_until = fields.String(load_default="")
    note = fields.String(load_default="")
    specialties = fields.List(fields.String(), load_default=list)


class RefusalForm(Form):
    """Why what a holder asked for is refused."""

    refusal = fields.String(load_default="")


class SecondForm(Form):
    """What the second person found."""

    agrees = fields.Boolean(required=True, error_messages={"required": "Choose whether you agree."})
    second_note = fields.String(load_default="")


def words(known: Catalogue) -> dict[str, Any]:
    """What templates of operations call things."""
    return {
        "types": known.types,
        "catalogue": known,
        "level_labels": LEVEL_LABELS,
        "state_labels": STATE_LABELS,
        "check_words": check_words,
        "reason_words": reason_words,
    }


@operations.get("/credentials")
@needs(Permission.CREDENTIALS_VERIFY)
def credentials() -> str:
    """Claims by state, type or what they wait for, the longest waiting first."""
    states = {each.value: each for each in CredentialState}
    state = states.get(request.args.get("state", ""), CredentialState.CHECKING)
    waits = {each.value: each for each in Waits}.get(request.args.get("waits", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        known = queries.catalogue(session)
        kind = request.args.get("type", "")
        kind = kind if kind in known.types else ""
        found = queries.queue(
            session,
            me(),
            state=state,
            type=kind or None,
            waits=waits,
            after=after,
            limit=PAGE + 1,
        )
        rows = found[:PAGE]
        names = identity.people_by_ids(session, {claim.person_id for claim in rows})
        since = queries.waiting_since(session, me(), rows)
        counts = queries.waiting_counts(session, me())
    return render_template(
        "operations/credentials.html",
        rows=rows,
        names=names,
        since=since,
        state=state,
        waits=waits,
        kind=kind,
        after=after,
        last=rows[-1].id if len(found) > PAGE else None,
        counts=counts,
        states=[(each.value, STATE_LABELS[each]) for each in STATES],
        waits_for=[("", "Anything"), *((each.value, said) for each, said in WAITS.items())],
        kinds=[("", "All types"), *((key, each.title) for key, each in known.types.items())],
        **words(known),
    )


@operations.get("/credentials/<uuid:claim_id>")
@needs(Permission.CREDENTIALS_VERIFY)
def credential(claim_id: UUID) -> str:
    """One claim with its source, what was found, its history, and the decision."""
    return render_template("operations/credential.html", **_again(claim_id))


def _again(claim_id: UUID | None = None) -> dict[str, Any]:
    with transaction() as session:
        return _claim_facts(session, claim_id or (request.view_args or {})["claim_id"])


def _claim_facts(session: Session, claim_id: UUID) -> dict[str, Any]:
    detail = queries.claim_of(session, me(), claim_id)
    people = {detail.claim.person_id, *(run.person_id for run, _ in detail.runs)}
    people |= {change.person_id for change in detail.changes}
    people |= {each for one in detail.proposals for each in (one.person_id, one.settled_by)}
    people |= {file.person_id for file in detail.files}
    own = detail.claim.person_id == me().person_id
    waits = detail.proposal is not None
    return {
        "detail": detail,
        "claim": detail.claim,
        # An account's own name is what anybody writes there; registers have that of the papers.
        "papers": queries.profile_of(session, me(), detail.claim.person_id),
        "own": own,
        "mine": waits and detail.proposal and detail.proposal.person_id == me().person_id,
        "names": identity.people_by_ids(session, {each for each in people if each}),
        "choices": [] if own or waits else _choices(detail.claim),
        "decisions": {decision: said for decision, (said, _) in CHOICES.items()},
        "checklist": detail.kind.checklist,
        "levels": [(level, f"{level}: {LEVEL_LABELS[level]}") for level in (2, 3, 4)],
        "accepted": ACCEPTED,
        "refusals": REFUSALS,
        **words(queries.catalogue(session)),
    }


def _choices(claim: CredentialClaim) -> list[tuple[str, str, str]]:
    """The decisions that the claim's state allows: (value, words, hint)."""
    never_stood = claim.state in {CredentialState.CHECKING, CredentialState.BLOCKED}
    left_out = Decision.REVOKE if never_stood else Decision.REJECT
    # What stands may be verified again, at another level or for longer.
    possible = NEXT[claim.state] | ({CredentialState.VERIFIED} if claim.state in HOLDING else set())
    return [
        (decision.value, *said)
        for decision, said in CHOICES.items()
        if DECIDED[decision] in possible and decision is not left_out
    ]


@contextmanager
def at_field(pointer: str) -> Iterator[None]:
    """A conflict as a fault of the form, beside the field that it is about."""
    try:
        yield
    except Conflict as moved:
        raise Faulty(moved.message, [Fault(pointer, moved.message)]) from None


@operations.post("/credentials/<uuid:claim_id>/decision")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/credential.html", _again)
def decide(claim_id: UUID) -> Response:
    """Verify, reject, suspend, revoke or reopen, with the evidence in words; or propose it."""
    asked = load(DecisionForm)
    asked["valid_until"] = _day(asked["valid_until"])
    ticked = {
        name.removeprefix("checklist."): True
        for name in request.form
        if name.startswith("checklist.")
    }
    with at_field("/outcome"), transaction() as session:
        service.decide_credential(session, me(), claim_id, checklist=ticked, **asked)
        proposed = queries.claim_of(session, me(), claim_id).proposal is not None
    flash(PROPOSED if proposed else SAID[Decision(asked["outcome"])], "good")
    return redirect(url_for("operations.credential", claim_id=claim_id), code=303)


@operations.post("/credentials/<uuid:claim_id>/confirmation")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/credential.html", _again)
def confirm(claim_id: UUID) -> Response:
    """The second person confirms a proposal, or disagrees; its author may take it back."""
    asked = load(SecondForm)
    try:
        with at_field("/agrees"), transaction() as session:
            service.confirm_decision(
                session, me(), claim_id, agrees=asked["agrees"], note=asked["second_note"]
            )
    except Faulty as faulty:
        moved = [
            Fault("/second_note" if each.pointer == "/note" else "/agrees", each.message)
            for each in faulty.faults
        ]
        raise Faulty(faulty.message, moved) from None
    except Denied as own:
        raise Faulty(own.message, [Fault("/agrees", own.message)]) from None
    said = "Confirmed, and carried out." if asked["agrees"] else "The proposal is off the table."
    flash(said, "good")
    return redirect(url_for("operations.credential", claim_id=claim_id), code=303)


@operations.post("/credentials/<uuid:claim_id>/renewal/refusal")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/credential.html", _again)
def refuse_renewal(claim_id: UUID) -> Response:
    """The evidence does not show a later day; what holds, holds until its own."""
    with at_field("/refusal"), transaction() as session:
        service.refuse_renewal(session, me(), claim_id, refusal=load(RefusalForm)["refusal"])
    flash("The renewal is refused; its holder reads why. What holds, holds until its day.", "good")
    return redirect(url_for("operations.credential", claim_id=claim_id), code=303)


@operations.post("/credentials/<uuid:claim_id>/amendment/refusal")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/credential.html", _again)
def refuse_amendment(claim_id: UUID) -> Response:
    """Nothing shows the specialties that were asked for; what holds, holds as it did."""
    with at_field("/refusal"), transaction() as session:
        service.refuse_amendment(session, me(), claim_id, refusal=load(RefusalForm)["refusal"])
    flash("Nothing is added; its holder reads why. What holds, holds as it did.", "good")
    return redirect(url_for("operations.credential", claim_id=claim_id), code=303)


@operations.post("/credentials/<uuid:claim_id>/specialties/<specialty>/strike")
@needs(Permission.CREDENTIALS_VERIFY)
def strike_specialty(claim_id: UUID, specialty: str) -> Response:
    """Take off a specialty that nothing shows."""
    with transaction() as session:
        service.strike_specialty(session, me(), claim_id, specialty)
    flash("Struck. Labs read the specialties that stay, and jobs ask for them.", "good")
    return redirect(url_for("operations.credential", claim_id=claim_id), code=303)


@operations.post("/credentials/<uuid:claim_id>/evidence")
@takes_up_to(REQUEST_BYTES_MAX)
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/credential.html", _again)
def add_evidence(claim_id: UUID) -> Response:
    """Keep a file of what was seen at the source, encrypted."""
    with at_field("/file"):
        kept_evidence(me(), claim_id)
    flash("The file is kept, encrypted.", "good")
    return redirect(url_for("operations.credential", claim_id=claim_id), code=303)


@operations.get("/credentials/<uuid:claim_id>/evidence/<uuid:file_id>")
@needs(Permission.CREDENTIALS_VERIFY)
def evidence(claim_id: UUID, file_id: UUID) -> Response:
    """A file of the claim, to be saved; each look leaves a line in the audit trail."""
    return download(me(), claim_id, file_id)


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        fault = Fault("/valid_until", "Write the day as 2027-01-31.")
        raise Faulty("The last day cannot be read.", [fault]) from None
