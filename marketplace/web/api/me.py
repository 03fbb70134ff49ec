"""`GET /api/v1/me`: who a token is."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import Schema, fields

from marketplace.errors import SignInNeeded
from marketplace.web.api.frame import blueprint
from marketplace.web.guards import signed_in, visitor

me_api = blueprint("me", "Who the token is.")


class OrganisationShown(Schema):
    """The organisation that a token acts for."""

    id = fields.UUID()
    name = fields.String()
    kind = fields.String()


class MeShown(Schema):
    """The person behind a token, and what it may do now."""

    id = fields.UUID()
    name = fields.String()
    email = fields.String()
    timezone = fields.String()
    organisation = fields.Nested(OrganisationShown, allow_none=True)
    roles = fields.List(fields.String())
    scopes = fields.List(
        fields.String(), metadata={"description": "What the token and the roles allow together"}
    )
    token_id = fields.UUID()


@me_api.get("/me")
@signed_in
@me_api.response(200, MeShown)
def get_me() -> dict[str, Any]:
    """Who the token is, and its scopes."""
    here = visitor()
    if here is None:
        raise SignInNeeded("Send a bearer token.")
    acted_for = here.organisation
    return {
        "id": here.person_id,
        "name": here.name,
        "email": here.email,
        "timezone": here.timezone,
        "organisation": acted_for
        and {"id": acted_for.organisation_id, "name": acted_for.name, "kind": acted_for.kind.value},
        "roles": sorted(here.actor.roles),
        "scopes": sorted(here.actor.permissions),
        "token_id": g.token_id,
    }
