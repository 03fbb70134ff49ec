"""Account links and login links, and what the onboarding page they lead to does."""

from __future__ import annotations

import copy
import secrets
from dataclasses import dataclass

from marketplace.sandbox import accounts, events
from marketplace.sandbox.errors import ApiError, no_such
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx

PAGE = "/onboarding"
DASHBOARD = "/express"
LINK_SECONDS = 300
SESSION_SECONDS = 3_600
PENDING_SECONDS = 3_600
TIMER = "account.verified"
OUTCOMES = ("verified", "pending", "restricted")


@dataclass(frozen=True)
class Filled:
    """What a person wrote on the onboarding page; outcome: one of OUTCOMES, chosen there."""

    first_name: str
    last_name: str
    routing_number: str
    account_number: str
    outcome: str


def create_link(tx: Tx, params: Params, public_url: str) -> Body:
    """POST /v1/account_links; the address works once, for five minutes until it is opened."""
    account_id = params.needed("account")
    if tx.find("account", account_id) is None:
        raise no_such("account", account_id, param="account", status=400)
    kind = params.needed("type", choices=("account_onboarding", "account_update"))
    link: Body = {
        "id": f"alink_{secrets.token_urlsafe(24)}",
        "object": "account_link",
        "created": tx.now,
        "expires_at": tx.now + LINK_SECONDS,
        "_account": account_id,
        "_type": kind,
        "_refresh_url": _checked(params.needed("refresh_url"), "refresh_url"),
        "_return_url": _checked(params.needed("return_url"), "return_url"),
        "_opened_at": None,
        "_used": False,
    }
    params.nested("collection_options").accept("fields", "future_requirements")
    params.accept("collect")
    params.done()
    link["url"] = f"{public_url}{PAGE}/{link['id']}"
    tx.insert(link)
    return {name: link[name] for name in ("object", "created", "expires_at", "url")}


def _checked(url: str, param: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ApiError("Not a valid URL", code="url_invalid", param=param)
    return url


def open_link(tx: Tx, link_id: str) -> tuple[Body, Body] | None:
    """The link and its account when the page may be shown, else None: send to `refresh_url`."""
    link = tx.need("account_link", link_id, lock=True)
    opened = link["_opened_at"]
    over = tx.now > (link["expires_at"] if opened is None else opened + SESSION_SECONDS)
    account = tx.find("account", link["_account"], lock=True)
    if link["_used"] or over or account is None:
        return None
    if opened is None:
        link["_opened_at"] = tx.now
        tx.save(link)
    return link, account


def submit(tx: Tx, link: Body, account: Body, filled: Filled, ip: str) -> None:
    """Take what was filled in: a bank account, the person, the terms, and the chosen outcome."""
    before = copy.deepcopy(account)
    holder = f"{filled.first_name} {filled.last_name}"
    bank = accounts.bank_account(
        tx, account, routing=filled.routing_number, number=filled.account_number, holder=holder
    )
    account["external_accounts"] = {**account["external_accounts"], "data": [bank]}
    account["_person"] = {"first_name": filled.first_name, "last_name": filled.last_name}
    account["business_type"] = account["business_type"] or "individual"
    account["details_submitted"] = True
    account["tos_acceptance"].update(date=tx.now, ip=ip)
    account["_pending_since"] = tx.now if filled.outcome == "pending" else None
    if filled.outcome == "restricted":
        account["_restricted"] = "rejected.other"
    if filled.outcome == "pending":
        tx.schedule(TIMER, account["id"], tx.now + PENDING_SECONDS)
    events.announce(tx.acting_for(account["id"]), "account.external_account.created", bank)
    accounts.changed(tx, before, account)
    close(tx, link)


def close(tx: Tx, link: Body) -> None:
    """The person leaves the page; the link is used up, finished or not."""
    link["_used"] = True
    tx.save(link)


def verified(tx: Tx, account_id: str) -> None:
    """What the timer does: a pending verification succeeds."""
    account = tx.need("account", account_id, lock=True)
    if account["_pending_since"] is None:
        return
    before = copy.deepcopy(account)
    account["_pending_since"] = None
    accounts.changed(tx, before, account)


def restrict(tx: Tx, account_id: str, reason: str) -> None:
    """A test control: disable an account, such as with `platform_paused` or `rejected.fraud`."""
    account = tx.need("account", account_id, lock=True)
    before = copy.deepcopy(account)
    account["_restricted"] = reason
    accounts.changed(tx, before, account)


def enable(tx: Tx, account_id: str, holder: str = "") -> None:
    """A test control: as if the person had filled in the page and passed.

    holder: whose bank account it is; without it, one that is there stays as it is.
    """
    account = tx.need("account", account_id, lock=True)
    before = copy.deepcopy(account)
    if holder or not account["external_accounts"]["data"]:
        bank = accounts.bank_account(
            tx, account, routing="110000000", number="000123456789", holder=holder or None
        )
        account["external_accounts"] = {**account["external_accounts"], "data": [bank]}
    for bank in account["external_accounts"]["data"]:
        # A bank that sent money back has been called, and pays again.
        bank["status"] = "new"
    account.update(details_submitted=True, _restricted=None, _pending_since=None)
    account["tos_acceptance"].update(date=tx.now, ip="127.0.0.1")
    accounts.changed(tx, before, account)


def create_login_link(tx: Tx, params: Params, account_id: str, public_url: str) -> Body:
    """POST /v1/accounts/{id}/login_links, once the person has been onboarded."""
    params.done()
    account = accounts.own(tx, account_id)
    if not account["details_submitted"]:
        raise ApiError(
            "Cannot create a login link for an account that has not completed onboarding."
        )
    return {
        "object": "login_link",
        "created": tx.now,
        "url": f"{public_url}{DASHBOARD}/{account_id}",
    }


def routes(public_url: str) -> tuple[Route, ...]:
    """The calls; links carry the address of their page, so it must be known."""

    def link_here(tx: Tx, params: Params) -> Body:
        return create_link(tx, params, public_url)

    def login_here(tx: Tx, params: Params, account_id: str) -> Body:
        return create_login_link(tx, params, account_id, public_url)

    return (
        Route("POST", "/v1/account_links", link_here),
        Route("POST", f"{accounts.URL}/<account_id>/login_links", login_here),
    )
