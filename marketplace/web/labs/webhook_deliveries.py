"""One delivery to a webhook: what it carries, what came of each try, and once more."""

from __future__ import annotations

import json
from uuid import UUID

from flask import Blueprint, flash, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.delivery.queries import webhooks as queries
from marketplace.delivery.rules.webhooks import OUTCOME_WORDS, DeliveryState, host_of
from marketplace.delivery.service import webhook_wishes as wishes
from marketplace.errors import Conflict
from marketplace.identity.rules import Permission
from marketplace.web.forms import Form, load
from marketplace.web.fragments import page_or_block
from marketplace.web.guards import me, needs

deliveries = Blueprint("lab_deliveries", __name__, url_prefix="/lab")


class ReplayForm(Form):
    """Numbers of events: after the first, up to and with the last."""

    after = fields.Integer(required=True)
    through = fields.Integer(load_default=None, allow_none=True)


@deliveries.get("/webhook-deliveries/<uuid:delivery_id>")
@needs(Permission.WEBHOOKS_MANAGE)
def show(delivery_id: UUID) -> str | Response:
    """One delivery; the page follows along while it waits for its first try."""
    with transaction() as session:
        whole = queries.delivery_of(session, me(), delivery_id)
    delivery = whole.delivery
    return page_or_block(
        "labs/webhook_delivery.html",
        "delivery_progress",
        target="delivery-progress",
        delivery=delivery,
        hook=whole.endpoint,
        tries=whole.attempts,
        payload=json.dumps(json.loads(whole.body), indent=2, ensure_ascii=False),
        follows=delivery.state is DeliveryState.WAITING and not whole.attempts,
        outcome_words=OUTCOME_WORDS,
        host=host_of(whole.endpoint.url),
    )


@deliveries.post("/webhook-deliveries/<uuid:delivery_id>/again")
@needs(Permission.WEBHOOKS_MANAGE)
def again(delivery_id: UUID) -> Response:
    """Deliver the same event to the same endpoint once more."""
    with transaction() as session:
        whole = queries.delivery_of(session, me(), delivery_id)
        event_id, hook_id = whole.delivery.event_id, whole.endpoint.id
        if event_id is None:
            made = wishes.send_test(session, me(), hook_id)
        else:
            (made,) = wishes.redeliver(session, me(), event_id, hook_id=hook_id)
    return redirect(url_for("lab_deliveries.show", delivery_id=made.id), code=303)


@deliveries.post("/webhooks/<uuid:hook_id>/replay")
@needs(Permission.WEBHOOKS_MANAGE)
def replay(hook_id: UUID) -> Response:
    """Deliver a range of events once more."""
    asked = load(ReplayForm)
    if asked["after"] < 0:
        raise Conflict("Events are numbered from 1; give 0 to begin with the first.")
    with transaction() as session:
        count = wishes.replay(session, me(), hook_id, **asked)
    words = "No event in this range is of a kind that it asks for."
    flash(f"{count:,} events are on their way." if count else words, "good" if count else "watch")
    return redirect(url_for("lab_webhooks.show", hook_id=hook_id), code=303)
