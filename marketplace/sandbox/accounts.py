"""Connected accounts, with controller properties, capabilities, requirements and bank accounts."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from psycopg import sql

from marketplace.sandbox import balance, events
from marketplace.sandbox.currencies import known
from marketplace.sandbox.errors import ApiError, no_such, refused
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/accounts"
CAPABILITIES = ("transfers", "card_payments")
NEEDED = (
    "external_account",
    "individual.dob.day",
    "individual.dob.month",
    "individual.dob.year",
    "individual.first_name",
    "individual.last_name",
    "tos_acceptance.date",
    "tos_acceptance.ip",
)
CURRENCY_OF = {
    "US": "usd",
    "GB": "gbp",
    "CA": "cad",
    "CH": "chf",
    "AU": "aud",
    "JP": "jpy",
    "IN": "inr",
    "BR": "brl",
    "MX": "mxn",
    "SE": "sek",
    "NO": "nok",
    "DK": "dkk",
    "PL": "pln",
}
_EURO = "AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"
EURO = frozenset(_EURO.split())
INTERVALS = ("daily", "manual", "weekly", "monthly")


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/accounts, with `controller` properties or one of the older types."""
    if tx.account:
        raise ApiError("Connected accounts cannot create accounts of their own.", status=403)
    country = (params.text("country", most=2) or "US").upper()
    currency = params.text("default_currency") or _currency_of(country)
    kind = params.text("type", choices=("custom", "express", "standard"))
    controller = _controller(params, kind)
    account = _blank(tx, tx.new_id("acct_"), country, known(currency), param_type=kind)
    account["controller"] = controller
    account["email"] = params.text("email", most=800)
    account["business_type"] = params.text(
        "business_type", choices=("individual", "company", "non_profit", "government_entity")
    )
    account["metadata"] = params.metadata()
    account["_person"] = _person(params)
    _read_profile(params, account)
    _read_tos(params, account)
    for name, requested in _requested(params).items():
        account["_requested"][name] = requested
    params.done()
    refresh(account)
    tx.insert(account)
    return public(account)


def _currency_of(country: str) -> str:
    if country in EURO:
        return "eur"
    if country not in CURRENCY_OF:
        raise ApiError(
            f"Country '{country}' is unknown to this sandbox.",
            code="country_unsupported",
            param="country",
        )
    return CURRENCY_OF[country]


def _controller(params: Params, kind: str | None) -> Body:
    if kind and params.has("controller"):
        raise ApiError(
            "You may only specify one of these parameters: type, controller.", param="controller"
        )
    asked = params.nested("controller")
    fees = asked.nested("fees").text("payer", choices=("account", "application"))
    losses = asked.nested("losses").text("payments", choices=("application", "stripe"))
    collection = asked.text("requirement_collection", choices=("application", "stripe"))
    dashboard = asked.nested("stripe_dashboard").text("type", choices=("express", "full", "none"))
    if dashboard == "express" and losses == "stripe":
        raise ApiError(
            "An Express dashboard needs controller[losses][payments]=application.",
            param="controller[losses][payments]",
        )
    return {
        "type": "application",
        "is_controller": True,
        "fees": {"payer": fees or "account"},
        "losses": {"payments": losses or "stripe"},
        "requirement_collection": collection or "stripe",
        "stripe_dashboard": {"type": dashboard or (kind if kind == "express" else "full")},
    }


def _person(params: Params) -> Body:
    person = params.nested("individual")
    person.accept("phone", "address", "dob", "relationship")
    names = ("first_name", "last_name", "email")
    return {name: person.text(name) for name in names}


def _read_profile(params: Params, account: Body) -> None:
    profile = params.nested("business_profile")
    for name in ("mcc", "name", "product_description", "support_email", "url"):
        if profile.has(name):
            account["business_profile"][name] = profile.text(name)
    schedule = params.nested("settings").nested("payouts").nested("schedule")
    interval = schedule.text("interval", choices=INTERVALS)
    schedule.accept("delay_days", "weekly_anchor", "monthly_anchor")
    if interval is not None:
        account["settings"]["payouts"]["schedule"]["interval"] = interval


def _read_tos(params: Params, account: Body) -> None:
    tos = params.nested("tos_acceptance")
    agreement = tos.text("service_agreement", choices=("full", "recipient"))
    if agreement:
        account["tos_acceptance"]["service_agreement"] = agreement
    if tos.has("date"):
        account["tos_acceptance"].update(date=tos.whole("date"), ip=tos.text("ip"))


def _requested(params: Params) -> dict[str, bool]:
    capabilities = params.nested("capabilities")
    asked: dict[str, bool] = {}
    for name in CAPABILITIES:
        if capabilities.has(name):
            asked[name] = bool(capabilities.nested(name).flag("requested"))
    return asked


def _blank(tx: Tx, account_id: str, country: str, currency: str, *, param_type: str | None) -> Body:
    profile = dict.fromkeys(
        ("mcc", "name", "product_description", "support_address", "support_email")
    )
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {**profile, "support_phone": None, "support_url": None, "url": None},
        "business_type": None,
        "capabilities": {},
        "charges_enabled": False,
        "country": country,
        "created": tx.now,
        "default_currency": currency,
        "details_submitted": False,
        "email": None,
        "external_accounts": _list_of([], f"{URL}/{account_id}/external_accounts"),
        "future_requirements": _requirements([], None),
        "metadata": {},
        "payouts_enabled": False,
        "requirements": _requirements(list(NEEDED), None),
        "settings": {
            "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
            "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": None},
            "payouts": {
                "debit_negative_balances": True,
                "schedule": {"delay_days": 2, "interval": "daily"},
                "statement_descriptor": None,
            },
        },
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": param_type or "none",
        "_requested": {},
        "_restricted": None,
        "_pending_since": None,
        "_person": {},
    }


def _list_of(items: list[Body], url: str) -> Body:
    return {"object": "list", "data": items, "has_more": False, "url": url}


def _requirements(due: list[str], disabled_reason: str | None) -> Body:
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": due,
        "disabled_reason": disabled_reason,
        "errors": [],
        "eventually_due": due,
        "past_due": [],
        "pending_verification": [],
    }


def refresh(account: Body) -> None:
    """Work out requirements, capabilities and what is enabled from what is known."""
    due = [] if account["details_submitted"] else list(NEEDED)
    pending = account["_pending_since"] is not None
    reason = account["_restricted"]
    if reason is None and due:
        reason = "requirements.past_due"
    elif reason is None and pending:
        reason = "requirements.pending_verification"
    account["requirements"] = _requirements(due, reason)
    if pending:
        account["requirements"]["pending_verification"] = ["individual.verification.document"]
    granted = "active" if reason is None else "pending" if pending else "inactive"
    account["capabilities"] = {
        name: granted for name, requested in account["_requested"].items() if requested
    }
    account["charges_enabled"] = account["capabilities"].get("card_payments") == "active"
    behind = account["external_accounts"]["data"]
    mended = bool(behind) and behind[0]["status"] != "errored"
    account["payouts_enabled"] = reason is None and mended


def changed(tx: Tx, before: Body, account: Body, *, also: Sequence[str] = ()) -> None:
    """Save an account, and announce to its own stream what became different.

    also: further event types to announce with the account as their object.
    """
    refresh(account)
    tx.save(account)
    stream = tx.acting_for(account["id"])
    for name, status in account["capabilities"].items():
        if before["capabilities"].get(name) != status:
            events.announce(stream, "capability.updated", capability(account, name))
    for kind in (*also, "account.updated"):
        events.announce(stream, kind, account, before=before)


def capability(account: Body, name: str) -> Body:
    """One capability as an object of its own."""
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": account["future_requirements"],
        "requested": bool(account["_requested"].get(name)),
        "requested_at": account["created"] if account["_requested"].get(name) else None,
        "requirements": account["requirements"],
        "status": account["capabilities"].get(name, "unrequested"),
    }


def bank_account(tx: Tx, account: Body, *, routing: str, number: str, holder: str | None) -> Body:
    """A bank account to pay out to; only its last four digits are kept."""
    return {
        "id": tx.new_id("ba_"),
        "object": "bank_account",
        "account": account["id"],
        "account_holder_name": holder,
        "account_holder_type": "individual",
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": account["country"],
        "currency": account["default_currency"],
        "default_for_currency": True,
        "fingerprint": tx.new_id("")[:16],
        "last4": number[-4:],
        "metadata": {},
        "routing_number": routing or None,
        "status": "new",
    }


def own(tx: Tx, account_id: str, *, lock: bool = False) -> Body:
    """An account by its id: the platform sees all, an account only itself."""
    if tx.account and tx.account != account_id:
        raise no_such("account", account_id)
    return tx.acting_for("").need("account", account_id, lock=lock)


def retrieve(tx: Tx, params: Params, account_id: str) -> Body:
    """GET /v1/accounts/{id}"""
    params.done()
    return public(own(tx, account_id))


def update(tx: Tx, params: Params, account_id: str) -> Body:
    """POST /v1/accounts/{id}: email, metadata, business profile, payout schedule, capabilities."""
    account = own(tx, account_id, lock=True)
    before = copy.deepcopy(account)
    if params.has("email"):
        account["email"] = params.text("email", most=800)
    account["metadata"] = params.metadata(account["metadata"])
    _read_profile(params, account)
    _read_tos(params, account)
    account["_requested"].update(_requested(params))
    params.done()
    changed(tx, before, account)
    return public(account)


def delete(tx: Tx, params: Params, account_id: str) -> Body:
    """DELETE /v1/accounts/{id}; refused while it holds money."""
    params.done()
    account = own(tx, account_id, lock=True)
    rows: list[dict[str, Any]] = balance.amounts(tx.acting_for(account_id))
    if any(row["available"] or row["pending"] for row in rows):
        raise refused("An account with a balance cannot be deleted.", code="account_invalid")
    tx.run(sql.SQL("DELETE FROM sandbox_objects WHERE id = %s"), (account["id"],))
    return {"id": account_id, "object": "account", "deleted": True}


def list_accounts(tx: Tx, params: Params) -> Body:
    """GET /v1/accounts, by created."""
    query = of_kind("account", URL)
    query.within(params)
    return page(tx, query, params)


def list_capabilities(tx: Tx, params: Params, account_id: str) -> Body:
    """GET /v1/accounts/{id}/capabilities"""
    params.done()
    account = own(tx, account_id)
    items = [capability(account, name) for name in account["_requested"]]
    return _list_of(items, f"{URL}/{account_id}/capabilities")


def retrieve_capability(tx: Tx, params: Params, account_id: str, name: str) -> Body:
    """GET /v1/accounts/{id}/capabilities/{name}"""
    params.done()
    if name not in CAPABILITIES:
        raise no_such("capability", name, param="capability")
    return capability(own(tx, account_id), name)


def list_external_accounts(tx: Tx, params: Params, account_id: str) -> Body:
    """GET /v1/accounts/{id}/external_accounts"""
    params.accept("object", "limit")
    params.done()
    account = own(tx, account_id)
    return dict(account["external_accounts"])


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_accounts),
    Route("GET", f"{URL}/<account_id>", retrieve),
    Route("POST", f"{URL}/<account_id>", update),
    Route("DELETE", f"{URL}/<account_id>", delete),
    Route("GET", f"{URL}/<account_id>/capabilities", list_capabilities),
    Route("GET", f"{URL}/<account_id>/capabilities/<name>", retrieve_capability),
    Route("GET", f"{URL}/<account_id>/external_accounts", list_external_accounts),
)
