"""Talking to Stripe about identity documents, and to GitHub about accounts."""

from __future__ import annotations

import base64
from uuid import UUID

import structlog

from marketplace import audit, outbox, settings, stripe_client
from marketplace.actor import SYSTEM, Actor
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.ids import parse_id
from marketplace.secrets import keyed_hash
from marketplace.specialists import service, stripe_gateway
from marketplace.specialists.models import GithubConnection, IdentityCheck
from marketplace.specialists.registries import github
from marketplace.specialists.rules.identity import OPEN, IdentityState
from marketplace.specialists.service.connections import ProvenAccount
from marketplace.stripe_client import StripeRefused

log = structlog.get_logger(__name__)
# A showing is taken up again as often as its page is opened; each address is good once.
STARTS_MAX = 2


def identity_url(actor: Actor, *, return_url: str) -> str | None:
    """Where the person shows a document; None when there is nothing to show at present.

    Call it outside a transaction. The return to `return_url` says nothing: call `read_identity`.
    Raises Conflict as `service.start_identity` does, else StripeFault.
    """
    client = stripe_client.current()
    for _ in range(STARTS_MAX):
        with transaction() as session:
            check = service.start_identity(session, actor)
        if check.stripe_session_id is None:
            session_id, url = stripe_gateway.create_session(
                client, check_id=check.id, return_url=return_url
            )
            with transaction() as session:
                service.record_session(session, check.id, session_id)
            if url is not None:
                return url
            check.stripe_session_id = session_id
        seen = stripe_gateway.session_now(client, check.stripe_session_id)
        with transaction() as session:
            current = service.record_identity(session, check.id, seen)
        if current.state is not IdentityState.CANCELLED:
            # Verified meanwhile, or still at work at Stripe: there is nothing to show.
            return seen.url if current.state in OPEN else None
    return None


def read_identity(check: IdentityCheck) -> IdentityCheck:
    """Ask Stripe how a showing stands and keep the answer; call it outside a transaction."""
    if check.stripe_session_id is None or check.state not in OPEN:
        return check
    seen = stripe_gateway.session_now(stripe_client.current(), check.stripe_session_id)
    with transaction() as session:
        return service.record_identity(session, check.id, seen)


@outbox.background("specialists.refresh_identity", time_limit_seconds=60)
def refresh_identity(
    work: outbox.Work, stripe_session_id: str | None = None, check_id: str | None = None
) -> None:
    """Read a showing from Stripe again; named by Stripe's id or by ours."""
    with transaction() as session:
        check = service.check_named(session, stripe_session_id, parse_id(check_id or ""))
        if check is None:
            audit.record(session, SYSTEM, "met an identity session of nobody", work.id)
        elif check.stripe_session_id is None and stripe_session_id is not None:
            service.record_session(session, check.id, stripe_session_id)
            check.stripe_session_id = stripe_session_id
    if check is not None:
        read_identity(check)
    with transaction() as session:
        outbox.done(session, work)


@outbox.background("specialists.redact_identity", time_limit_seconds=60)
def redact_identity(work: outbox.Work, check_id: str) -> None:
    """Have Stripe forget a document, once what it said has been compared."""
    with transaction() as session:
        check = session.get(IdentityCheck, UUID(check_id))
    if check is None:
        raise Missing("There is no such identity check.")
    if check.redacted_at is None and check.stripe_session_id is not None:
        try:
            stripe_gateway.redact(stripe_client.current(), check.stripe_session_id)
        except StripeRefused as refused:
            # Gone at Stripe, or forgotten already; anything else is tried again.
            if refused.status != 404:
                raise
    with transaction() as session:
        service.record_redacted(session, check.id)
        outbox.done(session, work)


def github_url(state: str, *, redirect_uri: str) -> str | None:
    """Where a person allows GitHub to name them; None where this installation has not set it up."""
    here = settings.current()
    if not github.is_set_up(here):
        return None
    return github.authorize_url(
        here, state=state, verifier=_verifier(state), redirect_uri=redirect_uri
    )


def connect_github(actor: Actor, *, code: str, state: str, redirect_uri: str) -> GithubConnection:
    """Ask GitHub who got this code, and keep the account; call it outside a transaction.

    Raises GithubSaidNo, GithubAway, and Conflict where another person connected the account.
    """
    found = github.account_behind(
        settings.current(), code=code, verifier=_verifier(state), redirect_uri=redirect_uri
    )
    proven = ProvenAccount(found.account_id, found.login, found.created_at, found.numbers)
    with transaction() as session:
        return service.connect_account(session, actor, proven)


def github_is_set_up() -> bool:
    """Whether this installation has an application at GitHub."""
    return github.is_set_up(settings.current())


def _verifier(state: str) -> str:
    """PKCE's secret, derived from the random state, so that nothing is stored between the visits:
    only this server can make it, and only the browser that holds the state can ask for it."""
    return base64.urlsafe_b64encode(keyed_hash("github-pkce", state)).rstrip(b"=").decode()
