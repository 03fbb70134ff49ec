"""Operations over the API: the queue of credentials, and decisions on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.specialists import queries
from marketplace.specialists import service as specialists
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import CredentialState, Decision
from marketplace.web import api
from marketplace.web.guards import me, needs

operations_api = api.blueprint("operations", "Operations: verifying credentials.")


class CredentialShown(Schema):
    """A credential claim, without its identifier."""

    id = fields.UUID()
    person_id = fields.UUID()
    profession = fields.String()
    type = fields.String()
    specialties = fields.List(fields.String())
    jurisdiction = fields.String()
    state = fields.String()
    level = fields.Integer()
    reason = fields.String(allow_none=True)
    valid_until = fields.Date(allow_none=True)
    checked_at = fields.AwareDateTime(allow_none=True)
    created_at = fields.AwareDateTime()


class QueueQuery(api.PageQuery):
    """Which state to list."""

    state = fields.Enum(CredentialState, by_value=True, load_default=CredentialState.CHECKING)


@operations_api.get("/operations/credentials")
@needs(Permission.CREDENTIALS_VERIFY)
@operations_api.arguments(QueueQuery, location="query")
@operations_api.response(200, api.listing(CredentialShown))
def list_credentials(asked: dict[str, Any]) -> dict[str, Any]:
    """Credential claims in a state, oldest first."""
    with transaction() as session:
        rows = queries.queue(
            session, me(), state=asked["state"], after=asked["after"], limit=asked["limit"] + 1
        )
    return api.page(rows, limit=asked["limit"], key=lambda row: row.id)


class CredentialDecision(Schema):
    """What was found at the source. level counts for `verify`, which needs its checklist."""

    outcome = fields.String(
        required=True, validate=validate.OneOf([each.value for each in Decision])
    )
    note = fields.String(required=True)
    level = fields.Integer(strict=True, load_default=2)
    checklist = fields.Dict(keys=fields.String(), values=fields.Boolean(), load_default=dict)
    valid_until = fields.Date(load_default=None, allow_none=True)


@operations_api.post("/operations/credentials/<uuid:claim_id>/decision")
@needs(Permission.CREDENTIALS_VERIFY)
@api.once
@operations_api.arguments(CredentialDecision)
@operations_api.response(200, CredentialShown)
def post_credential_decision(
    session: Session, asked: dict[str, Any], claim_id: UUID
) -> CredentialClaim:
    """Decide on a claim after looking at its source; never on one's own."""
    return specialists.decide_credential(session, me(), claim_id, **asked)
