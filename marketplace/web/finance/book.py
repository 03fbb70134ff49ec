"""The book: its accounts, and the file for an outside auditor."""

from __future__ import annotations

from flask import render_template, request
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ledger import queries as ledger
from marketplace.ledger.rules import AccountKind
from marketplace.reconciliation import queries as statements
from marketplace.web import settings
from marketplace.web.finance import shown
from marketplace.web.finance.blueprint import finance
from marketplace.web.finance.files import download
from marketplace.web.guards import me, needs

PAGE = 100


def _plain(name: str) -> str:
    """A part of the address, without the NUL that no row could match."""
    return request.args.get(name, "").replace("\0", "")


@finance.get("/accounts")
@needs(Permission.FINANCE_VIEW)
def list_accounts() -> str:
    """Accounts by code, found by a part or a pattern of it, and by kind."""
    kind = {each.value: each for each in AccountKind}.get(request.args.get("kind", ""))
    search = _plain("search").strip()
    after = _plain("after")
    with transaction() as session:
        found = ledger.accounts(
            session, me(), search=search, kind=kind, after=after, limit=PAGE + 1
        )
        names = shown.owner_names(session, [row.code for row in found])
    return render_template(
        "finance/accounts.html",
        rows=[(row, shown.named(row.code, names)) for row in found[:PAGE]],
        last=found[PAGE - 1].code if len(found) > PAGE else None,
        search=search,
        kind=kind,
        kinds=shown.KINDS,
    )


@finance.get("/ledger.beancount")
@needs(Permission.LEDGER_EXPORT)
def beancount() -> Response:
    """The whole book as a file for `bean-check`, with Stripe's balances as assertions."""
    with transaction() as session:
        assertions = statements.stripe_assertions(session, me(), settings().book_timezone)
        lines = ledger.beancount(session, me(), assertions)
        return download((line + "\n" for line in lines), "ledger.beancount", "text/plain")
