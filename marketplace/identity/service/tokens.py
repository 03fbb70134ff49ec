"""API tokens: shown once, cut by their scopes and by what their person may do at each use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import Actor
from marketplace.errors import Fault, Faulty, Missing, SignInNeeded
from marketplace.identity import queries
from marketplace.identity.models import ApiToken, Person
from marketplace.identity.queries import Visitor
from marketplace.identity.rules import (
    TOKEN_DAYS_DEFAULT,
    TOKEN_DAYS_MAX,
    Permission,
    PersonState,
    clean_name,
    clean_scopes,
)
from marketplace.ids import new_id
from marketplace.secrets import new_token, token_hash

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


def visitor_of_token(session: Session, plain: str) -> tuple[Visitor, ApiToken]:
    """Who holds this bearer token, with the permissions that are left now.

    SignInNeeded when it is unknown, expired or revoked, or its person may not act any more.
    """
    now = clock.now()
    found = session.execute(
        select(ApiToken, Person)
        .join(Person, Person.id == ApiToken.person_id)
        .where(ApiToken.token_hash == token_hash(plain), ApiToken.revoked_at.is_(None))
        .where(ApiToken.expires_at > now, Person.state == PersonState.ACTIVE)
    ).first()
    if found is None:
        raise SignInNeeded("The token is unknown, expired or revoked.")
    token, person = found
    organisations = queries.belongings(session, person.id)
    whole = queries.actor_for(person, organisations, token.organisation_id)
    if whole.organisation_id != token.organisation_id:
        raise SignInNeeded("The token is for an organisation that you are no longer in.")
    if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
        token.last_used_at = now
    actor = replace(whole, permissions=whole.permissions & frozenset(token.scopes))
    return queries.visitor_of(person, organisations, actor), token


def actor_of_token(session: Session, plain: str) -> tuple[Actor, ApiToken]:
    """As `visitor_of_token`, for callers that need the actor only."""
    visitor, token = visitor_of_token(session, plain)
    return visitor.actor, token
