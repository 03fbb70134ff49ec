"""A turn of a conversation with a model, for pages and API alike: three steps, one request.

Whatever becomes of the asking, what was said stands in the database before it begins.
"""

from __future__ import annotations

from uuid import UUID

from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.endpoints import gateway
from marketplace.ids import ClaimId
from marketplace.work import service as work


def asked(actor: Actor, claim_id: UUID, *, fence: int, turn: int) -> bool:
    """Ask the candidates of the pending turn, and store what they say.

    False where this process waits for as many models as it may: the turn stands unanswered then,
    and is asked again in a moment. Where nothing is to be asked, as somebody asks already, True.
    """
    with gateway.place() as free:
        if not free:
            return False
        with transaction() as session:
            question = work.ask_models(session, actor, ClaimId(claim_id), fence=fence, turn=turn)
        if question is not None:
            replies = gateway.ask(question.calls)
            with transaction() as session:
                work.record_replies(session, question, replies)
    return True
