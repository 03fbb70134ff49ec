"""Conversations over the API: say, ask again, choose. Each step is stored before it is answered."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import ClaimId
from marketplace.tasktypes.conversation import SAID_MAX
from marketplace.tasktypes.pieces import TEXT_MAX
from marketplace.web import api
from marketplace.web.conversations import asked as ask_now
from marketplace.web.guards import me, needs
from marketplace.work import queries
from marketplace.work import service as work

conversations_api = api.blueprint(
    "conversations", "Conversations: talking to models in a task, turn by turn."
)


class ConversationShown(Schema):
    """How it stands. state: open (say something), waiting (a reply is on its way), unanswered (ask
    again), choosing, or ended; turn: the turn that is due; attempt: which try at it; pending: the
    turn that is not finished; told: why there is no reply."""

    state = fields.String()
    turn = fields.Integer()
    attempt = fields.Integer()
    turns_left = fields.Integer()
    turns = fields.List(fields.Dict(keys=fields.String()))
    messages = fields.List(fields.Dict(keys=fields.String()))
    pending = fields.Dict(keys=fields.String(), allow_none=True)
    told = fields.String()
    may_ask_anew = fields.Boolean()
    allow_tie = fields.Boolean()
    allow_edit = fields.Boolean()


class TurnAsked(Schema):
    """Which lease and which turn is meant; a turn that another window held is a 409."""

    fence = fields.Integer(required=True, strict=True)
    turn = fields.Integer(required=True, strict=True)


class SaidAsked(TurnAsked):
    """What the specialist says."""

    said = fields.String(required=True, validate=validate.Length(min=1, max=SAID_MAX))


class ChoiceAsked(TurnAsked):
    """Which reply goes on: its slot, `tie`, or `neither`, which asks the models anew. edit: what
    goes on in place of the reply that was chosen. attempt: as the conversation said when its
    replies were read; a choice among replies that another window asked for is a 409."""

    choice = fields.String(required=True, validate=validate.Length(max=10))
    attempt = fields.Integer(load_default=1, strict=True, validate=validate.Range(min=1))
    edit = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=TEXT_MAX))


def _now(claim_id: UUID) -> dict[str, Any]:
    with transaction() as session:
        view = queries.claim_of(session, me(), ClaimId(claim_id))
    found: dict[str, Any] | None = view.payload.get("conversation")
    if found is None:
        raise Missing("This task has no conversation.")
    return found


@conversations_api.get("/claims/<uuid:claim_id>/conversation")
@needs(Permission.WORK_DO)
@conversations_api.response(200, ConversationShown)
def get_conversation(claim_id: UUID) -> dict[str, Any]:
    """How the conversation of your claim stands."""
    return _now(claim_id)


@conversations_api.post("/claims/<uuid:claim_id>/conversation/turns")
@needs(Permission.WORK_DO)
@conversations_api.arguments(SaidAsked)
@conversations_api.response(200, ConversationShown)
def post_turn(asked: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Say something; the answer holds the replies, or why there are none.

    The same words for the same turn again change nothing, so it may be sent again.
    """
    fence, turn = asked["fence"], asked["turn"]
    with transaction() as session:
        work.say(session, me(), ClaimId(claim_id), fence=fence, turn=turn, text=asked["said"])
    ask_now(me(), claim_id, fence=fence, turn=turn)
    return _now(claim_id)


@conversations_api.post("/claims/<uuid:claim_id>/conversation/ask")
@needs(Permission.WORK_DO)
@conversations_api.arguments(TurnAsked)
@conversations_api.response(200, ConversationShown)
def post_ask(asked: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Ask the models again, where the state is unanswered."""
    ask_now(me(), claim_id, fence=asked["fence"], turn=asked["turn"])
    return _now(claim_id)


@conversations_api.post("/claims/<uuid:claim_id>/conversation/choice")
@needs(Permission.WORK_DO)
@conversations_api.arguments(ChoiceAsked)
@conversations_api.response(200, ConversationShown)
def post_choice(asked: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Choose the reply that goes on; `neither` asks the models anew at once."""
    with transaction() as session:
        work.choose_reply(session, me(), ClaimId(claim_id), **asked)
    if asked["choice"] == "neither":
        ask_now(me(), claim_id, fence=asked["fence"], turn=asked["turn"])
    return _now(claim_id)
