"""The image of a claim, for its holder while the task is in hand."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId
from marketplace.jobs import queries as jobs
from marketplace.web.guards import me, needs
from marketplace.web.images import image_answer
from marketplace.work import queries
from marketplace.work.rules import ClaimState

claim_images = Blueprint("claim_images", __name__, url_prefix="/work/tasks")
IN_HAND = frozenset({ClaimState.LIVE, ClaimState.EXPIRED})


@claim_images.get("/<uuid:claim_id>/images/<path:name>")
@needs(Permission.WORK_DO)
def show(claim_id: UUID, name: str) -> Response:
    """The image that the claim's own item names; nobody else's, and none once it has ended."""
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
        if view.claim.state not in IN_HAND or view.payload.get("image") != name:
            raise Missing("There is no such image.")
        image = jobs.named_image(session, view.job.id, name)
    return image_answer(image)
