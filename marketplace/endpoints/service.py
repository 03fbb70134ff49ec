"""The verbs of model endpoints: set up, change, test, retire, and count calls before they go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace import audit, clock, settings
from marketplace.actor import Actor
from marketplace.endpoints import queries, rules
from marketplace.endpoints.gateway import Call
from marketplace.endpoints.models import ModelEndpoint, ModelUse
from marketplace.endpoints.rules import BudgetSpent, NameTaken, Outcome
from marketplace.errors import Missing
from marketplace.identity.rules import Permission
from marketplace.ids import new_id

TEST_MESSAGES = ({"role": "user", "content": "Say hello in one short sentence."},)


def create_endpoint(session: Session, actor: Actor, fields: Mapping[str, Any]) -> ModelEndpoint:
    """Set up an endpoint for the actor's organisation; Faulty, or NameTaken."""
    actor.require(Permission.JOBS_EDIT)
    found = rules.cleaned(
        {**rules.DEFAULTS, **fields}, sandbox=settings.current().model_sandbox_base
    )
    endpoint = ModelEndpoint(
        id=new_id(),
        organisation_id=actor.organisation(),
        version=1,
        created_by=actor.person(),
        created_at=clock.now(),
        **found,
    )
    try:
        with session.begin_nested():
            session.add(endpoint)
    except IntegrityError:
        words = f"There is, or was, an endpoint “{found['name']}”. Choose another name."
        raise NameTaken(words) from None
    audit.record(session, actor, "set up a model endpoint", endpoint.id)
    return endpoint


def change_endpoint(
    session: Session, actor: Actor, endpoint_id: UUID, fields: Mapping[str, Any]
) -> ModelEndpoint:
    """Change what is given. The key stays where none is given, unless the address is another."""
    actor.require(Permission.JOBS_EDIT)
    endpoint = _locked(session, actor, endpoint_id)
    given = {name: value for name, value in fields.items() if name != "name"}
    found = rules.cleaned(
        {"base_url": endpoint.base_url, **given}, sandbox=settings.current().model_sandbox_base
    )
    if found["base_url"] != endpoint.base_url:
        found.setdefault("api_key", None)
    changed = [name for name, value in found.items() if getattr(endpoint, name) != value]
    for name in changed:
        setattr(endpoint, name, found[name])
    if changed:
        endpoint.version += 1
        endpoint.tested_at = endpoint.test_outcome = None
        audit.record(session, actor, "changed a model endpoint", endpoint.id, fields=changed)
    return endpoint


def retire_endpoint(session: Session, actor: Actor, endpoint_id: UUID) -> None:
    """Ask this endpoint nothing any more, and forget its key; its name stays taken."""
    actor.require(Permission.JOBS_EDIT)
    endpoint = _locked(session, actor, endpoint_id)
    endpoint.retired_at, endpoint.api_key = clock.now(), None
    audit.record(session, actor, "retired a model endpoint", endpoint.id)


def begin_test(session: Session, actor: Actor, endpoint_id: UUID) -> Call:
    """The call that a test makes, for `gateway.ask` once the transaction is over."""
    actor.require(Permission.JOBS_EDIT)
    endpoint = _locked(session, actor, endpoint_id)
    audit.record(session, actor, "tested a model endpoint", endpoint.id)
    return call_of(endpoint, "a", TEST_MESSAGES)


def record_test(session: Session, actor: Actor, call: Call, outcome: Outcome) -> ModelEndpoint:
    """Keep how a test ended, unless the endpoint was changed meanwhile."""
    endpoint = _locked(session, actor, call.endpoint_id)
    if endpoint.version == call.version:
        endpoint.tested_at, endpoint.test_outcome = clock.now(), outcome
    return endpoint


def call_of(endpoint: ModelEndpoint, slot: str, messages: Sequence[Mapping[str, str]]) -> Call:
    """One question to an endpoint, with all that is needed once its row is let go."""
    return Call(
        slot=slot,
        endpoint_id=endpoint.id,
        version=endpoint.version,
        model=endpoint.model,
        base_url=endpoint.base_url,
        api_key=endpoint.api_key,
        timeout_seconds=endpoint.timeout_seconds,
        body=rules.body_of(
            endpoint.model,
            messages,
            system_prompt=endpoint.system_prompt,
            sampling={"temperature": endpoint.temperature, "top_p": endpoint.top_p},
            limit=(endpoint.limit_field, endpoint.tokens_a_turn_max),
        ),
    )


def take_calls(session: Session, job_id: UUID, endpoints: Iterable[ModelEndpoint]) -> None:
    """Count the calls that a job is about to make, one for each time an endpoint is named.

    BudgetSpent where one has no calls left; then none is counted. The rows are taken in the order
    of their ids, so that two turns never wait for each other.
    """
    known = {}
    wanted: Counter[UUID] = Counter()
    for endpoint in endpoints:
        known[endpoint.id] = endpoint
        wanted[endpoint.id] += 1
    for endpoint_id in sorted(wanted):
        count, most = wanted[endpoint_id], known[endpoint_id].calls_a_job_max
        added = insert(ModelUse).values(job_id=job_id, endpoint_id=endpoint_id, calls=count)
        counted = added.on_conflict_do_update(
            index_elements=["job_id", "endpoint_id"],
            set_={"calls": ModelUse.calls + count},
            where=ModelUse.calls + count <= most,
        ).returning(ModelUse.calls)
        if count > most or session.execute(counted).first() is None:
            raise BudgetSpent(
                "The calls to the model that the lab allows for this job are used up. Hand in what "
                "you have, or leave the task and say that it cannot be answered; nothing is held "
                "against you."
            )


def _locked(session: Session, actor: Actor, endpoint_id: UUID) -> ModelEndpoint:
    endpoint = queries.endpoint_of(session, actor, endpoint_id)
    session.flush()  # What was changed before is not to be read over.
    session.refresh(endpoint, with_for_update=True)
    if endpoint.retired_at is not None:
        raise Missing("This model endpoint is retired.")
    return endpoint
