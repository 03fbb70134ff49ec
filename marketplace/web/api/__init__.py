"""The public API under /api/v1: flask-smorest with our own errors, tokens and answers.

An endpoint is a function of a blueprint made by `blueprint()`, marked by a guard; a POST that has
an effect carries `@once`, which opens the transaction and honours `Idempotency-Key`:

    from marketplace.web import api

    top_ups = api.blueprint("top_ups", "Money in.")

    @top_ups.post("/top-ups")
    @needs(Permission.BALANCE_TOP_UP)
    @api.once
    @top_ups.arguments(TopUpAsked)
    @top_ups.response(201, TopUpShown)
    def post_top_up(session: Session, asked: dict[str, Any]) -> TopUp:
        '''Start a top-up.

        The answer's `checkout_url` is filled in as soon as Stripe has made the page.
        '''
        return billing.start_top_up(session, me(), asked["amount"])

    @top_ups.get("/top-ups")
    @needs(Permission.BALANCE_VIEW)
    @top_ups.arguments(api.PageQuery, location="query")
    @top_ups.response(200, api.listing(TopUpShown))
    def list_top_ups(asked: dict[str, Any]) -> dict[str, Any]:
        '''Top-ups, newest first.'''
        with transaction() as session:
            rows = queries.top_ups(session, me(), after=asked["after"], limit=asked["limit"] + 1)
        return api.page(rows, limit=asked["limit"], key=lambda row: row.id)

The order matters: route, guard, once, arguments, response. Add the module to routes.API.
"""

from marketplace.web.api.answers import (
    LedgerMoneySchema,
    MoneySchema,
    PageQuery,
    Problem,
    file,
    listing,
    money_shown,
    page,
    page_query,
)
from marketplace.web.api.frame import (
    CONFIGURATION,
    MarketplaceApi,
    blueprint,
    register,
)
from marketplace.web.api.once import (
    keep,
    kept,
    once,
)
from marketplace.web.api.statuses import keyed, refuses

__all__ = [
    "CONFIGURATION",
    "LedgerMoneySchema",
    "MarketplaceApi",
    "MoneySchema",
    "PageQuery",
    "Problem",
    "blueprint",
    "file",
    "keep",
    "kept",
    "keyed",
    "listing",
    "money_shown",
    "once",
    "page",
    "page_query",
    "refuses",
    "register",
]
