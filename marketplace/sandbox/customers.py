"""Customers: who pays, so that a card or a cash balance can belong to somebody."""

from __future__ import annotations

from psycopg import sql

from marketplace.sandbox import events
from marketplace.sandbox.errors import no_such
from marketplace.sandbox.listing import of_kind, page
from marketplace.sandbox.params import Params
from marketplace.sandbox.routing import Route
from marketplace.sandbox.store import Body, Tx, public

URL = "/v1/customers"
# Fields that the API shows and that mean nothing here.
_NOTHING = (
    "currency customer_account default_source description discount email name phone shipping "
    "test_clock"
)
_TEXTS = ("description", "email", "name", "phone")


def create(tx: Tx, params: Params) -> Body:
    """POST /v1/customers"""
    customer_id = tx.new_id("cus_")
    customer: Body = {
        **dict.fromkeys(_NOTHING.split()),
        "id": customer_id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": tx.now,
        "delinquent": False,
        "invoice_prefix": customer_id[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        "_reconciliation": "automatic",
    }
    _read(params, customer)
    tx.insert(customer)
    events.announce(tx, "customer.created", customer)
    return public(customer)


def _read(params: Params, customer: Body) -> None:
    for name in _TEXTS:
        if params.has(name):
            customer[name] = params.text(name)
    if params.has("address"):
        address = params.nested("address")
        names = ("city", "country", "line1", "line2", "postal_code", "state")
        customer["address"] = {name: address.text(name) for name in names}
    customer["metadata"] = params.metadata(customer["metadata"])
    invoicing = params.nested("invoice_settings")
    if invoicing.has("default_payment_method"):
        chosen = invoicing.text("default_payment_method")
        customer["invoice_settings"]["default_payment_method"] = chosen
    mode = params.nested("cash_balance").nested("settings").text("reconciliation_mode")
    if mode:
        customer["_reconciliation"] = mode
    params.accept("preferred_locales", "tax_exempt", "tax")
    params.done()


def existing(tx: Tx, customer_id: str) -> Body:
    """A customer that another call names, or the refusal that Stripe gives for the parameter."""
    customer = tx.find("customer", customer_id)
    if customer is None:
        raise no_such("customer", customer_id, param="customer", status=400)
    return customer


def update(tx: Tx, params: Params, customer_id: str) -> Body:
    """POST /v1/customers/{id}"""
    customer = tx.need("customer", customer_id, lock=True)
    before = dict(customer)
    _read(params, customer)
    tx.save(customer)
    events.announce(tx, "customer.updated", customer, before=before)
    return public(customer)


def retrieve(tx: Tx, params: Params, customer_id: str) -> Body:
    """GET /v1/customers/{id}"""
    params.done()
    return public(tx.need("customer", customer_id))


def delete(tx: Tx, params: Params, customer_id: str) -> Body:
    """DELETE /v1/customers/{id}"""
    params.done()
    customer = tx.need("customer", customer_id, lock=True)
    tx.run(sql.SQL("DELETE FROM sandbox_objects WHERE id = %s"), (customer_id,))
    events.announce(tx, "customer.deleted", customer)
    return {"id": customer_id, "object": "customer", "deleted": True}


def list_customers(tx: Tx, params: Params) -> Body:
    """GET /v1/customers, by email and created."""
    query = of_kind("customer", URL)
    query.body_is("email", params.text("email"))
    query.within(params)
    return page(tx, query, params)


ROUTES = (
    Route("POST", URL, create),
    Route("GET", URL, list_customers),
    Route("GET", f"{URL}/<customer_id>", retrieve),
    Route("POST", f"{URL}/<customer_id>", update),
    Route("DELETE", f"{URL}/<customer_id>", delete),
)
