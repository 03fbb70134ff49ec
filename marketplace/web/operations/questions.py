"""Evidence packs for operations: the queue, one side by side, sending and closing it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import clock
from marketplace.db import transaction
from marketplace.errors import Conflict, Fault, Faulty
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import SubmissionId, parse_id
from marketplace.quality import queries, service
from marketplace.quality.rules.evidence_packs import PackOutcome, PackState
from marketplace.review import service as review
from marketplace.secrets import pseudonym
from marketplace.web import integrity_words as words
from marketplace.web import settings
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.operations.blueprint import operations

PAGE = 50
SAID = {
    PackOutcome.NOTHING: "Closed: there is nothing in it.",
    PackOutcome.EXPLAINED: "Closed as explained. They have a letter with your note.",
    PackOutcome.UPHELD: "Upheld. They have a letter with your note; no pay has changed.",
}


class CloseForm(Form):
    """What a pack comes to, and why."""

    outcome = fields.String(load_default="")
    note = fields.String(load_default="")


def _name(person_id: str) -> str:
    """The name under which the platform's pages speak of a person here."""
    return pseudonym(str(me().organisation()), person_id)


@operations.get("/questions")
@needs(Permission.INTEGRITY_DECIDE)
def question_queue() -> str:
    """Packs that wait for a person, or those in one state, newest first."""
    states = {each.value: each for each in PackState}
    state = states.get(request.args.get("state", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.pack_queue(session, me(), state=state, after=after, limit=PAGE + 1)
        counts = queries.pack_counts(session, me())
    rows = found[:PAGE]
    return render_template(
        "operations/questions.html",
        rows=[(row, _name(str(row.pack.person_id))) for row in rows],
        state=state,
        counts=counts,
        words=words,
        now=clock.now(),
        after=after,
        last=rows[-1].pack.id if len(found) > PAGE else None,
    )


def _facts() -> dict[str, Any]:
    pack_id = (request.view_args or {})["pack_id"]
    with transaction() as session:
        row = queries.pack_of(session, me(), pack_id)
        beside = queries.packs_beside(session, me(), row)
        waiting = queries.pack_queue(session, me(), limit=PAGE)
        decided = row.pack.decided_by
        names = identity.people_by_ids(session, {decided} if decided else set())
    others = [each.pack.id for each in waiting if each.pack.id != pack_id]
    pack = row.pack
    late = pack.reply_by is not None and clock.now() >= pack.reply_by
    return {
        "row": row,
        "pack": pack,
        "who": _name(str(pack.person_id)),
        "name_of": _name,
        "beside": [(each, _name(str(each.person_id))) for each in beside],
        "numbers": row.content.numbers if row.content else {},
        "words": words,
        "names": names,
        "may_uphold": pack.state is PackState.ANSWERED or (pack.state is PackState.TOLD and late),
        "next": url_for("operations.question", pack_id=others[0]) if others else "",
    }


@operations.get("/questions/<uuid:pack_id>")
@needs(Permission.INTEGRITY_DECIDE)
def question(pack_id: UUID) -> str:
    """One pack: figures, the answers side by side, what its person says, what to decide."""
    del pack_id  # Read from the address, as the form's page does.
    return render_template("operations/question.html", **_facts())


@operations.post("/questions/<uuid:pack_id>/send")
@needs(Permission.INTEGRITY_DECIDE)
def send_question(pack_id: UUID) -> Response:
    """Send a pack to its person."""
    try:
        with transaction() as session:
            service.tell_pack(session, me(), pack_id)
    except Conflict as refused:
        flash(refused.message, "stop")
    else:
        flash("Sent. They have seven days to say their side.", "good")
    return redirect(url_for("operations.question", pack_id=pack_id), code=303)


@operations.post("/questions/<uuid:pack_id>")
@needs(Permission.INTEGRITY_DECIDE)
@form_page("operations/question.html", _facts)
def close_question(pack_id: UUID) -> Response:
    """Say what a pack comes to."""
    asked = load(CloseForm)
    known = {each.value: each for each in PackOutcome}
    if asked["outcome"] not in known:
        raise Faulty("Something is missing.", [Fault("/outcome", "Choose what it comes to.")])
    outcome = known[asked["outcome"]]
    try:
        with transaction() as session:
            service.close_pack(session, me(), pack_id, outcome=outcome, note=asked["note"])
    except Conflict as refused:
        raise Faulty(refused.message, [Fault("/outcome", refused.message)]) from None
    flash(SAID[outcome], "good")
    back = url_for("operations.question_queue")
    if outcome is PackOutcome.UPHELD:
        back = url_for("operations.question", pack_id=pack_id)
    return redirect(back, code=303)


@operations.post("/questions/<uuid:pack_id>/reject/<uuid:submission_id>")
@needs(Permission.INTEGRITY_DECIDE)
def reject_for_question(pack_id: UUID, submission_id: UUID) -> Response:
    """Overturn the acceptance of one answer of a pack that was upheld."""
    try:
        with transaction() as session:
            review.reject_upheld(
                session,
                me(),
                pack_id,
                SubmissionId(submission_id),
                note=request.form.get("note", ""),
                clearance_days=settings().clearance_days,
            )
    except (Conflict, Faulty) as refused:
        flash(refused.message, "stop")
    else:
        flash("Overturned. They have a letter about this answer, and can appeal.", "good")
    return redirect(url_for("operations.question", pack_id=pack_id), code=303)
