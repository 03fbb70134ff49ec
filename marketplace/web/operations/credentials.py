"""The queue of credentials, one of them with its evidence, the decision on it, and cases."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.specialists import queries, service
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import (
    CREDENTIAL_TYPES,
    HOLDING,
    NEXT,
    PROFESSIONS,
    CredentialState,
    Decision,
)
from marketplace.specialists.rules.catalogue import CHECKLIST
from marketplace.specialists.rules.lifecycle import DECIDED, LEVEL_LABELS, STATE_LABELS
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations

PAGE = 50
# The states that a queue is looked at by, the one that waits for a person first.
TABS = (
    CredentialState.CHECKING,
    CredentialState.BLOCKED,
    CredentialState.EXPIRING_SOON,
    CredentialState.EXPIRED,
    CredentialState.SUSPENDED,
    CredentialState.VERIFIED,
    CredentialState.REVOKED,
)
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


class DecisionForm(Form):
    """What was decided after looking at the source."""

    outcome = fields.String(required=True, error_messages={"required": "Choose what you decide."})
    level = fields.Integer(load_default=2)
    valid_until = fields.String(load_default="")
    note = fields.String(load_default="")


@operations.get("/credentials")
@needs(Permission.CREDENTIALS_VERIFY)
def credentials() -> str:
    """Claims in a state, oldest first."""
    states = {each.value: each for each in CredentialState}
    state = states.get(request.args.get("state", ""), CredentialState.CHECKING)
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.queue(session, me(), state=state, after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        names = identity.people_by_ids(session, {claim.person_id for claim in rows})
        cases = queries.open_cases(session, me(), limit=PAGE)
    return render_template(
        "operations/credentials.html",
        rows=rows,
        names=names,
        state=state,
        after=after,
        last=rows[-1].id if len(found) > PAGE else None,
        cases=len(cases),
        tabs=[(each, STATE_LABELS[each]) for each in TABS],
        **WORDS,
    )


@operations.get("/credentials/<uuid:claim_id>")
@needs(Permission.CREDENTIALS_VERIFY)
def credential(claim_id: UUID) -> str:
    """One claim with its source, what was found, its history, and the decision."""
    with transaction() as session:
        facts = _claim_facts(session, claim_id)
    return render_template("operations/credential.html", **facts)


def _claim_facts(session: Session, claim_id: UUID) -> dict[str, Any]:
    detail = queries.claim_of(session, me(), claim_id)
    people = {detail.claim.person_id, *(run.person_id for run, _ in detail.runs)}
    people |= {change.person_id for change in detail.changes}
    own = detail.claim.person_id == me().person_id
    return {
        "detail": detail,
        "claim": detail.claim,
        "own": own,
        "names": identity.people_by_ids(session, {each for each in people if each}),
        "choices": [] if own else _choices(detail.claim),
        "checklist": CHECKLIST,
        "levels": [(level, f"{level}: {LEVEL_LABELS[level]}") for level in (2, 3, 4)],
        "professions": PROFESSIONS,
        **WORDS,
    }


def _choices(claim: CredentialClaim) -> list[tuple[str, str, str]]:
    """The decisions that the claim's state allows: (value, words, hint)."""
    never_stood = claim.state in {CredentialState.CHECKING, CredentialState.BLOCKED}
    left_out = Decision.REVOKE if never_stood else Decision.REJECT
    # What stands may be verified again, at another level or for longer.
    possible = NEXT[claim.state] | ({CredentialState.VERIFIED} if claim.state in HOLDING else set())
    return [
        (decision.value, *words)
        for decision, words in CHOICES.items()
        if DECIDED[decision] in possible and decision is not left_out
    ]


def _again() -> dict[str, Any]:
    with transaction() as session:
        return _claim_facts(session, (request.view_args or {})["claim_id"])


@operations.post("/credentials/<uuid:claim_id>/decision")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/credential.html", _again)
def decide(claim_id: UUID) -> Response:
    """Verify, reject, suspend, revoke or reopen, with the evidence in words."""
    asked = load(DecisionForm)
    asked["valid_until"] = _day(asked["valid_until"])
    ticked = {key: f"checklist.{key}" in request.form for key in CHECKLIST}
    try:
        with transaction() as session:
            service.decide_credential(session, me(), claim_id, checklist=ticked, **asked)
    except Conflict as moved:
        raise Faulty(moved.message, [Fault("/outcome", moved.message)]) from None
    flash(SAID[Decision(asked["outcome"])], "good")
    return redirect(url_for("operations.credential", claim_id=claim_id), code=303)


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        fault = Fault("/valid_until", "Write the day as 2027-01-31.")
        raise Faulty("The last day cannot be read.", [fault]) from None


@operations.get("/cases")
@needs(Permission.CREDENTIALS_VERIFY)
def cases() -> str:
    """Cases that nobody has settled, oldest first."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.open_cases(session, me(), after=after, limit=PAGE + 1)
    rows = found[:PAGE]
    last = rows[-1].id if len(found) > PAGE else None
    tabs = [(each, STATE_LABELS[each]) for each in TABS]
    return render_template("operations/cases.html", rows=rows, after=after, last=last, tabs=tabs)


@operations.post("/cases/<uuid:case_id>/close")
@needs(Permission.CREDENTIALS_VERIFY)
def close_case(case_id: UUID) -> Response:
    """Say that a case is settled."""
    with transaction() as session:
        case = service.close_case(session, me(), case_id)
    flash("Settled. What follows is decided on the credentials themselves.", "good")
    return redirect(url_for("operations.credential", claim_id=case.claim_id), code=303)


WORDS: dict[str, Any] = {
    "types": CREDENTIAL_TYPES,
    "level_labels": LEVEL_LABELS,
    "state_labels": STATE_LABELS,
}
