"""Operations over the API: the queue of credentials, and decisions on them, in twos."""

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
from marketplace.specialists.queries.credentials import Waits
from marketplace.specialists.rules import CredentialState, Decision
from marketplace.web import api
from marketplace.web.api.credential_shapes import CredentialDecided, CredentialShown
from marketplace.web.guards import me, needs

operations_api = api.blueprint("operations", "Operations: verifying credentials.")


class QueueQuery(api.PageQuery):
    """Which to list. waits: second_person, renewal or amendment, in whatever state they are, or
    holder: those that only their holder can take on, which are else left out."""

    state = fields.Enum(CredentialState, by_value=True, load_default=CredentialState.CHECKING)
    type = fields.String(load_default=None)
    waits = fields.Enum(Waits, by_value=True, load_default=None)


@operations_api.get("/operations/credentials")
@needs(Permission.CREDENTIALS_VERIFY)
@operations_api.arguments(QueueQuery, location="query")
@operations_api.response(200, api.listing(CredentialShown))
def list_credentials(asked: dict[str, Any]) -> dict[str, Any]:
    """Credential claims, the longest waiting first."""
    with transaction() as session:
        rows = queries.queue(
            session,
            me(),
            state=asked["state"],
            type=asked["type"],
            waits=asked["waits"],
            after=asked["after"],
            limit=asked["limit"] + 1,
        )
    return api.page(rows, limit=asked["limit"], key=lambda row: row.id)


class CredentialDecision(Schema):
    """What was found at the source. level counts for `verify`, which needs its checklist;
    specialties: those asked for beside the credential that the source shows."""

    outcome = fields.String(
        required=True, validate=validate.OneOf([each.value for each in Decision])
    )
    note = fields.String(required=True)
    level = fields.Integer(strict=True, load_default=2)
    checklist = fields.Dict(keys=fields.String(), values=fields.Boolean(), load_default=dict)
    valid_until = fields.Date(load_default=None, allow_none=True)
    specialties = fields.List(fields.String(), load_default=list)


@operations_api.post("/operations/credentials/<uuid:claim_id>/decision")
@needs(Permission.CREDENTIALS_VERIFY)
@api.once
@operations_api.arguments(CredentialDecision)
@operations_api.response(200, CredentialDecided)
def post_credential_decision(
    session: Session, asked: dict[str, Any], claim_id: UUID
) -> dict[str, Any]:
    """Decide on a claim after looking at its source; never on one's own.

    Where the credential's type takes two people, the answer has a `proposal` and nothing else has
    changed; a colleague confirms it.
    """
    return _decided(session, specialists.decide_credential(session, me(), claim_id, **asked))


class SecondLook(Schema):
    """What the second person found. agrees: carry the proposal out, or drop it."""

    agrees = fields.Boolean(required=True)
    note = fields.String(required=True)


@operations_api.post("/operations/credentials/<uuid:claim_id>/confirmation")
@needs(Permission.CREDENTIALS_VERIFY)
@api.once
@operations_api.arguments(SecondLook)
@operations_api.response(200, CredentialDecided)
def post_confirmation(session: Session, asked: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    """Look as well and confirm a colleague's proposal, or disagree; its author may take it back."""
    return _decided(session, specialists.confirm_decision(session, me(), claim_id, **asked))


def _decided(session: Session, claim: CredentialClaim) -> dict[str, Any]:
    plain = {name: getattr(claim, name) for name in CredentialShown().fields}
    return plain | {"proposal": queries.claim_of(session, me(), claim.id).proposal}
