"""The saved revisions of an answer: all of them with their times, and any of them back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, render_template, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId
from marketplace.web.errors import wants_fragment
from marketplace.web.guards import me, needs
from marketplace.web.specialists import answers, bench
from marketplace.work import queries
from marketplace.work import service as work
from marketplace.work.models import Draft
from marketplace.work.queries import ClaimView

drafts = Blueprint("drafts", __name__, url_prefix="/work/tasks")
WORDS_MAX = 400


def _said(view: ClaimView, draft: Draft) -> list[tuple[str, str]]:
    """What a revision held, field by field, in the order of the form."""
    values = answers.values(view, draft.content)
    return [
        (name.replace("_", " ").replace(".", ", "), said[:WORDS_MAX])
        for name, said in values.items()
        if said
    ]


@drafts.get("/<uuid:claim_id>/drafts")
@needs(Permission.WORK_DO)
def listing(claim_id: UUID) -> str:
    """The revisions of a claim's draft, newest first; the list alone for the workbench's panel."""
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
        found = queries.drafts_of(session, me(), ClaimId(claim_id))
    facts: dict[str, Any] = {
        "claim": view.claim,
        "job": view.job,
        "revisions": [(draft, _said(view, draft)) for draft in found],
        "urls": bench.urls(claim_id),
    }
    part = "workbench/revisions.html" if wants_fragment() else "workbench/drafts.html"
    return render_template(part, **facts)


@drafts.post("/<uuid:claim_id>/drafts/<int:revision>/restore")
@needs(Permission.WORK_DO)
def restore(claim_id: UUID, revision: int) -> Response:
    """Save an earlier revision once more, on top of the newest: nothing is taken back."""
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
        found = queries.drafts_of(session, me(), ClaimId(claim_id))
        wanted = next((each for each in found if each.revision == revision), None)
        if wanted is None:
            raise Missing("This revision is not there.")
        saved = work.save_draft(
            session,
            me(),
            ClaimId(claim_id),
            fence=answers.fence(),
            content=wanted.content,
            if_match=view.etag,
        )
    flash(f"Revision {revision} is back, as revision {saved.revision}.", "good")
    return redirect(url_for("workbench.show", claim_id=claim_id), code=303)
