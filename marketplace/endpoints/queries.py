"""Reads of model endpoints, scoped to the organisation of the viewer; none shows a key."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.endpoints.models import ModelEndpoint, ModelUse
from marketplace.errors import Fault, Missing
from marketplace.identity.rules import Permission

LIMIT_MAX = 200


def endpoint_of(session: Session, viewer: Actor, endpoint_id: UUID) -> ModelEndpoint:
    """The endpoint; Missing when it is not there or another organisation's."""
    viewer.require(Permission.JOBS_VIEW)
    found = session.get(ModelEndpoint, endpoint_id)
    if found is None or found.organisation_id != viewer.organisation_id:
        raise Missing("There is no such model endpoint.")
    return found


def endpoints_of(
    session: Session, viewer: Actor, *, after: UUID | None = None, limit: int = 50
) -> Sequence[ModelEndpoint]:
    """Endpoints of the viewer's organisation that are not retired, newest first."""
    viewer.require(Permission.JOBS_VIEW)
    found = select(ModelEndpoint).where(
        ModelEndpoint.organisation_id == viewer.organisation(), ModelEndpoint.retired_at.is_(None)
    )
    if after is not None:
        found = found.where(ModelEndpoint.id < after)
    newest = found.order_by(ModelEndpoint.id.desc()).limit(max(1, min(limit, LIMIT_MAX)))
    return session.scalars(newest).all()


def named(
    session: Session, organisation_id: UUID, names: Collection[str]
) -> Mapping[str, ModelEndpoint]:
    """An organisation's endpoints of these names that are not retired; for callers who have found
    the organisation by a job."""
    found = select(ModelEndpoint).where(
        ModelEndpoint.organisation_id == organisation_id,
        ModelEndpoint.name.in_(names),
        ModelEndpoint.retired_at.is_(None),
    )
    return {each.name: each for each in session.scalars(found.limit(LIMIT_MAX))}


def endpoint_faults(
    session: Session, organisation_id: UUID, template: Mapping[str, Any]
) -> list[Fault]:
    """What a template says of endpoints that are not there; pointers lead into POST /jobs."""
    listed = template.get("candidates")
    rows = listed if isinstance(listed, list) else []
    said = {
        f"/template/candidates/{at}/endpoint": row.get("endpoint")
        for at, row in enumerate(rows)
        if isinstance(row, dict)
    }
    said["/template/endpoint"] = template.get("endpoint")
    wanted = {at: name for at, name in said.items() if isinstance(name, str)}
    if not wanted:  # As for most types.
        return []
    there = named(session, organisation_id, set(wanted.values()))
    return [
        Fault(at, f"There is no model endpoint “{name}”. Set it up under Models, or name another.")
        for at, name in wanted.items()
        if name not in there
    ]


def endpoint_names(session: Session, viewer: Actor) -> list[str]:
    """The names of the viewer's endpoints that are not retired, as templates name them."""
    return sorted(each.name for each in endpoints_of(session, viewer, limit=LIMIT_MAX))


def uses_of(session: Session, viewer: Actor, endpoint_id: UUID) -> Sequence[ModelUse]:
    """How many calls each job has made to an endpoint, the most first."""
    endpoint = endpoint_of(session, viewer, endpoint_id)
    used = select(ModelUse).where(ModelUse.endpoint_id == endpoint.id)
    return session.scalars(used.order_by(ModelUse.calls.desc()).limit(20)).all()
