"""Images of a job: sending them, and seeing them as specialists do."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, flash, url_for
from werkzeug.utils import redirect
from werkzeug.wrappers import Response as AnyResponse

from marketplace.db import transaction
from marketplace.errors import Faulty
from marketplace.identity.rules import Permission
from marketplace.jobs import queries
from marketplace.web.guards import me, needs
from marketplace.web.images import image_answer, sent_images, take_images
from marketplace.web.requests import takes_uploads

images = Blueprint("lab_images", __name__, url_prefix="/lab")
TOLD_MAX = 10


@images.post("/jobs/<uuid:job_id>/images")
@takes_uploads
@needs(Permission.JOBS_EDIT)
def upload(job_id: UUID) -> AnyResponse:
    """Take images, and say on the page of items what became of them."""
    try:
        taken = take_images(me(), job_id, sent_images())
    except Faulty as faulty:
        flash(faulty.message, "stop")
        return redirect(url_for("lab_items.show", job_id=job_id), code=303)
    added = sum(each.state == "added" for each in taken)
    known = sum(each.state == "duplicate" for each in taken)
    refused = [each for each in taken if each.state == "refused"]
    if added or known:
        said = f"{added:,} {'image is' if added == 1 else 'images are'} in."
        flash(said + (f" {known:,} were here already." if known else ""), "good")
    for each in refused[:TOLD_MAX]:
        flash(f"{each.name[:80]}: {each.message}", "watch")
    if len(refused) > TOLD_MAX:
        flash(f"{len(refused) - TOLD_MAX:,} more were not taken.", "watch")
    return redirect(url_for("lab_items.show", job_id=job_id), code=303)


@images.get("/jobs/<uuid:job_id>/images/<path:name>")
@needs(Permission.JOBS_VIEW)
def show(job_id: UUID, name: str) -> Response:
    """One image, for the lab's members and reviewers."""
    with transaction() as session:
        image = queries.image_of(session, me(), job_id, name)
    return image_answer(image)
