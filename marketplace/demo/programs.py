"""A lab's programs: a token that one of them uses, and a server that is told what happens."""

from __future__ import annotations

from marketplace import settings
from marketplace.db import transaction
from marketplace.delivery.queries import webhooks as queries
from marketplace.delivery.service import webhook_wishes as wishes
from marketplace.delivery.service import webhooks as service
from marketplace.demo.people import actor_of
from marketplace.identity import service as identity
from marketplace.identity.rules import Permission

LAB = "lab@demo.test"
SCOPES = (Permission.JOBS_VIEW, Permission.EXPORTS_CREATE)
KINDS = ("job.*", "export.*", "budget.*")
# So many events before the endpoint was there are told once more, so that its log has a page.
TOLD_AGAIN = 60


def connect() -> None:
    """Make both, once; no server is told where there is no sandbox to be one."""
    base = settings.current().webhook_sandbox_base
    with transaction() as session:
        lab = actor_of(session, LAB)
        if not base or queries.webhooks_of(session, lab, limit=1):
            return
        # Nobody knows this token: the demonstration forgets it at once.
        identity.create_token(session, lab, name="Nightly exports", scopes=SCOPES)
        made = service.create_webhook(
            session, lab, url=f"{base}/lab", description="Our training pipeline", kinds=KINDS
        )
        wishes.send_test(session, lab, made.id)
        # What the sequencer numbered by now; it may lag behind history.
        after = max(0, made.reached - TOLD_AGAIN)
        wishes.replay(session, lab, made.id, after=after)
