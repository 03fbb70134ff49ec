"""Cases that wait to be settled: two accounts, one identifier."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import parse_id
from marketplace.specialists import queries, service
from marketplace.specialists.rules import CaseOutcome
from marketplace.specialists.rules.lifecycle import CASE_LABELS
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations
from marketplace.web.operations.credentials import at_field, words

PAGE = 50
OUTCOMES = [(outcome.value, said) for outcome, said in CASE_LABELS.items()]


class SettleForm(Form):
    """How a case ends."""

    case_outcome = fields.String(load_default=CaseOutcome.SETTLED.value)
    case_note = fields.String(load_default="")


def _facts() -> dict[str, Any]:
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.open_cases(session, me(), after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        sides = queries.sides_of(session, me(), rows)
        counts = queries.waiting_counts(session, me())
        known = queries.catalogue(session)
        names = identity.people_by_ids(session, {claim.person_id for claim in sides.values()})
    return {
        "rows": rows,
        "sides": sides,
        "names": names,
        "after": after,
        "last": rows[-1].id if len(found) > PAGE else None,
        "counts": counts,
        "outcomes": OUTCOMES,
        **words(known),
    }


@operations.get("/cases")
@needs(Permission.CREDENTIALS_VERIFY)
def cases() -> str:
    """Cases that nobody has settled, oldest first."""
    return render_template("operations/cases.html", **_facts())


@operations.post("/cases/<uuid:case_id>/close")
@needs(Permission.CREDENTIALS_VERIFY)
@form_page("operations/cases.html", _facts)
def close_case(case_id: UUID) -> Response:
    """Say how a case is settled."""
    asked = load(SettleForm)
    with at_field("/case_outcome"), transaction() as session:
        case = service.close_case(
            session, me(), case_id, outcome=asked["case_outcome"], note=asked["case_note"]
        )
    flash(f"Settled: {CASE_LABELS[case.outcome or CaseOutcome.SETTLED].lower()}.", "good")
    return redirect(url_for("operations.credential", claim_id=case.claim_id), code=303)
