"""Questions about one's own work: what was seen, what is usual, and one's side of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.quality import queries, service
from marketplace.web import integrity_words as words
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists.blueprint import specialists


class ReplyForm(Form):
    """One's side."""

    reply = fields.String(load_default="")


@specialists.get("/questions")
@needs(Permission.WORK_DO)
def questions() -> str:
    """Questions that were sent to the viewer, newest first."""
    with transaction() as session:
        rows = queries.own_packs(session, me())
    return render_template("specialists/questions.html", rows=rows, words=words)


def _facts() -> dict[str, Any]:
    with transaction() as session:
        row = queries.own_pack(session, me(), (request.view_args or {})["pack_id"])
    numbers = row.content.numbers if row.content else None
    return {"row": row, "pack": row.pack, "numbers": numbers, "words": words}


@specialists.get("/questions/<uuid:pack_id>")
@needs(Permission.WORK_DO)
def question(pack_id: UUID) -> str:
    """One question, with the viewer's own answers that it is about and nobody else's."""
    del pack_id  # Read from the address, as the form's page does.
    return render_template("specialists/question.html", **_facts())


@specialists.post("/questions/<uuid:pack_id>")
@needs(Permission.WORK_DO)
@form_page("specialists/question.html", _facts)
def answer_question(pack_id: UUID) -> Response:
    """Say one's side."""
    asked = load(ReplyForm)
    try:
        with transaction() as session:
            service.reply_to_pack(session, me(), pack_id, reply=asked["reply"])
    except Conflict as refused:
        flash(refused.message, "stop")
    else:
        flash("Sent. A person reads it and decides; you get a letter.", "good")
    return redirect(url_for("specialists.question", pack_id=pack_id), code=303)
