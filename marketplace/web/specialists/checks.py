"""What was checked of one's own work: known answers, and rules with their figures; one's reply."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import SubmissionId, parse_id
from marketplace.quality import queries, service
from marketplace.quality.rules.control import sentence
from marketplace.quality.rules.gold import DISPUTE_LABELS
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists.blueprint import specialists

PAGE = 50
STATES = {
    "proposed": "Proposed: nothing holds before a person confirms it",
    "in_force": "Holds; a person can lift it",
    "upheld": "Holds; a person has confirmed it",
    "lifted": "Lifted",
}
MEANS = {
    "review_all": "A person looks at your next answers in this job. Pay is as stated.",
    "lower_cap": "You can hold fewer tasks of this job at a time.",
    "pause": "You would get no further tasks of this job; what you have in hand stays yours.",
}


class WordsForm(Form):
    """What a specialist says."""

    words = fields.String(load_default="")


def _facts() -> dict[str, Any]:
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.own_checks(session, me(), after=after, limit=PAGE + 1)
        firings = queries.own_firings(session, me())
    rows = found[:PAGE]
    return {
        "checks": rows,
        "firings": [(each, sentence(each.version.text)) for each in firings],
        "after": after,
        "last": rows[-1].score_id if len(found) > PAGE else None,
        "states": STATES,
        "means": MEANS,
        "dispute_words": DISPUTE_LABELS,
        # Where a reply was refused, its own form has the words and the reason.
        "here": str(next(iter((request.view_args or {}).values()), "")),
    }


@specialists.get("/checks")
@needs(Permission.WORK_DO)
def checks() -> str:
    """One's own checks, newest first."""
    return render_template("specialists/checks.html", **_facts())


@specialists.post("/checks/gold/<uuid:submission_id>")
@needs(Permission.WORK_DO)
@form_page("specialists/checks.html", _facts)
def dispute_check(submission_id: UUID) -> Response:
    """Say that the known answer is wrong."""
    words = load(WordsForm)["words"]
    try:
        with transaction() as session:
            service.dispute_gold(session, me(), SubmissionId(submission_id), reason=words)
    except Faulty as faulty:
        raise _at_words(faulty) from None
    except Conflict as refused:
        flash(refused.message, "stop")
    else:
        flash("The lab is told. If you are right, everybody whom it touched is paid.", "good")
    return redirect(url_for("specialists.checks"), code=303)


@specialists.post("/checks/rules/<uuid:firing_id>")
@needs(Permission.WORK_DO)
@form_page("specialists/checks.html", _facts)
def reply_to_rule(firing_id: UUID) -> Response:
    """Answer a rule that restricts one's work."""
    words = load(WordsForm)["words"]
    try:
        with transaction() as session:
            service.reply_to_firing(session, me(), firing_id, reply=words)
    except Faulty as faulty:
        raise _at_words(faulty) from None
    except Conflict as refused:
        flash(refused.message, "stop")
    else:
        flash("Sent. A person reads it and decides.", "good")
    return redirect(url_for("specialists.checks"), code=303)


def _at_words(faulty: Faulty) -> Faulty:
    """The same fault, beside the field of these forms."""
    return Faulty(faulty.message, [Fault("/words", each.message) for each in faulty.faults])
