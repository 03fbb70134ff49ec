"""API tokens: shown once, cut by their scopes and by what their person may do at each use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty, Missing, SignInNeeded
from marketplace.identity import queries
from marketplace.identity.models import ApiToken
from marketplace.identity.queries import Visitor
from marketplace.identity.rules import (
    TOKEN_DAYS_DEFAULT,
    TOKEN_DAYS_MAX,
    OrganisationKind,
    Permission,
    Role,
    clean_name,
    clean_scopes,
)
from marketplace.ids import new_id
from marketplace.secrets import new_token, token_hash
from marketplace.statements import plain_sql

USED_EVERY = timedelta(minutes=1)
PREFIX = "mkt"
SHOWN_LETTERS = 12


def create_token(
    session: Session,
    actor: Actor,
    *,
    name: str,
    scopes: Iterable[str] | None = None,
    days: int = TOKEN_DAYS_DEFAULT,
) -> tuple[ApiToken, str]:
    """A token of the actor's own, for the organisation acted for; the row and the plain token.

    scopes: permission names, None for all that the actor has. Faulty for scopes that the actor
    does not have and for a life outside 1 to 366 days.
    """
    actor.require(Permission.TOKENS_MANAGE)
    if not 1 <= days <= TOKEN_DAYS_MAX:
        fault = Fault("/days", f"Choose 1 to {TOKEN_DAYS_MAX} days.")
        raise Faulty("A token needs an end that is near enough.", [fault])
    held = frozenset(Permission(one) for one in actor.permissions)
    granted = held if scopes is None else clean_scopes(scopes, held)
    plain = new_token(PREFIX)
    row = ApiToken(
        id=new_id(),
        person_id=actor.person(),
        organisation_id=actor.organisation_id,
        name=clean_name(name),
        starts_with=plain[:SHOWN_LETTERS],
        token_hash=token_hash(plain),
        scopes=sorted(one.value for one in granted),
        created_at=clock.now(),
        expires_at=clock.now() + timedelta(days=days),
    )
    session.add(row)
    audit.record(session, actor, "created token", row.id, scopes=row.scopes)
    return row, plain


def revoke_token(session: Session, actor: Actor, token_id: UUID) -> None:
    """Revoke one of the actor's own tokens; Missing for anyone else's."""
    row = session.get(ApiToken, token_id)
    if row is None or row.person_id != actor.person():
        raise Missing("This token is not there.")
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        audit.record(session, actor, "revoked token", row.id)


# All that is asked about a token on each request, in one statement.
HOLDER = """SELECT token.id AS token_id, token.organisation_id, token.scopes, token.last_used_at,
  person.id, person.name, person.email, person.timezone, person.is_specialist,
  person.email_verified_at, person.totp_confirmed_at,
  (SELECT json_agg(json_build_array(membership.organisation_id, organisation.name,
      organisation.kind, membership.role) ORDER BY organisation.name, organisation.id)
    FROM membership JOIN organisation ON organisation.id = membership.organisation_id
    WHERE membership.person_id = person.id AND organisation.state = 'active') AS roles
FROM api_token token JOIN person ON person.id = token.person_id
WHERE token.token_hash = %(token_hash)s AND token.revoked_at IS NULL
  AND token.expires_at > %(now)s AND person.state = 'active'"""


def visitor_of_token(session: Session, plain: str) -> tuple[Visitor, UUID]:
    """Who holds this bearer token, with the permissions that are left now, and the token's id.

    SignInNeeded when it is unknown, expired or revoked, or its person may not act any more.
    The time it was last used is written at most once a minute.
    """
    now = clock.now()
    found = plain_sql(session, HOLDER, token_hash=token_hash(plain), now=now)
    if not found:
        raise SignInNeeded("The token is unknown, expired or revoked.")
    (holder,) = found
    if holder.last_used_at is None or now - holder.last_used_at > USED_EVERY:
        used = update(ApiToken).where(ApiToken.id == holder.token_id).values(last_used_at=now)
        session.execute(used)
    former, visitor = _visitors.get(holder.token_id, (None, None))
    if visitor is None or former != holder:
        visitor = _visitor(holder)
        if len(_visitors) >= VISITORS_MAX:
            _visitors.clear()
        _visitors[holder.token_id] = holder, visitor
    return visitor, holder.token_id


# Visitors by their token, each with the row that it was made of, and good for that row only.
_visitors: dict[UUID, tuple[Any, Visitor]] = {}
VISITORS_MAX = 10_000


def _visitor(holder: Any) -> Visitor:
    organisations = queries.belongings_of(
        (UUID(organisation_id), name, OrganisationKind(kind), Role(role))
        for organisation_id, name, kind, role in holder.roles or ()
    )
    whole = queries.actor_for(holder, organisations, holder.organisation_id)
    if whole.organisation_id != holder.organisation_id:
        raise SignInNeeded("The token is for an organisation that you are no longer in.")
    actor = replace(whole, permissions=whole.permissions & frozenset(holder.scopes))
    return queries.visitor_of(holder, organisations, actor)


def actor_of_token(session: Session, plain: str) -> tuple[Actor, ApiToken]:
    """As `visitor_of_token`, with the token's row, for callers that need the actor only."""
    visitor, token_id = visitor_of_token(session, plain)
    return visitor.actor, session.get_one(ApiToken, token_id)
