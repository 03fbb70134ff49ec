"""The frame around signed-in pages: the rail by audience and permission, the account menu.

Templates see it as `frame`, None where nobody is signed in. Entries are listed once here; one
whose page does not exist yet is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import Flask, current_app, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from marketplace.db import in_transaction, transaction
from marketplace.identity.queries import Visitor
from marketplace.identity.rules import OrganisationKind, Permission
from marketplace.specialists.queries import wanting_count
from marketplace.stripe_client import is_live
from marketplace.web import settings
from marketplace.web.guards import visitor

RAIL_MAX = 7


class Audience(StrEnum):
    """For whom the page is; it decides density and the rail."""

    LAB = "lab"
    SPECIALIST = "specialist"
    OPERATIONS = "operations"
    FINANCE = "finance"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the rail. key: the letter after `g`; permission: None for anyone signed in;
    also: beginnings of paths elsewhere that belong to it."""

    label: str
    href: str
    icon: str
    key: str
    permission: Permission | None = None
    also: tuple[str, ...] = ()


_P = Permission
_API = Entry(
    "API",
    "/lab/quick-start",
    "key",
    "a",
    _P.JOBS_VIEW,
    also=("/account/tokens", "/lab/webhooks", "/lab/webhook-deliveries"),
)
_DESK = Entry("Desk", "/finance", "landmark", "d", _P.FINANCE_VIEW)
_MEMBERS = Entry("Members", "/organisation/members", "users", "m", _P.MEMBERS_MANAGE)
LAB = (
    Entry("Jobs", "/lab/jobs", "briefcase", "j", _P.JOBS_VIEW),
    Entry("Review", "/lab/review", "eye", "r", _P.WORK_REVIEW, also=("/lab/appeals",)),
    Entry("Balance", "/lab/balance", "wallet", "b", _P.BALANCE_VIEW),
    Entry("Exports", "/lab/exports", "download", "e", _P.EXPORTS_CREATE),
    Entry(
        "Models",
        "/lab/models",
        "server",
        "o",
        _P.JOBS_VIEW,
        also=("/lab/judges", "/lab/judge-runs", "/lab/judge-reports"),
    ),
    _MEMBERS,
    _API,
)
CREDENTIALS = Entry(
    "Credentials",
    "/work/credentials",
    "award",
    "c",
    _P.CREDENTIALS_CLAIM,
    also=("/work/connections", "/work/qualifications"),
)
SPECIALIST = (
    Entry("Home", "/work", "house", "h", _P.WORK_DO),
    Entry("Feed", "/work/feed", "list-filter", "f", _P.WORK_DO, also=("/work/jobs",)),
    Entry("Earnings", "/work/earnings", "coins", "e", _P.EARNINGS_VIEW),
    CREDENTIALS,
    Entry("Account", "/account", "user", "a", also=("/work/profile", "/work/keys")),
)
_QUALITY = ("/quality", "/operations/questions")
# One rail for all of the platform's people: operations first, then finance, cut at seven.
PLATFORM = (
    Entry(
        "Credentials",
        "/operations/credentials",
        "badge-check",
        "c",
        _P.CREDENTIALS_VERIFY,
        also=("/operations/cases", "/operations/catalogue"),
    ),
    Entry(
        "Screening",
        "/operations/hits",
        "shield-alert",
        "s",
        _P.CREDENTIALS_VERIFY,
        also=(
            *("/operations/payees", "/operations/expiring", "/operations/lists"),
            *("/operations/pay-holds", "/finance/tax/forms"),
        ),
    ),
    Entry("Appeals", "/operations/appeals", "gavel", "a", _P.APPEALS_DECIDE),
    Entry("Quality", "/quality/rules", "shield-check", "u", _P.QUALITY_CONTROL, _QUALITY),
    Entry("People", "/operations/people", "users", "p", _P.PEOPLE_VIEW),
    Entry("Qualifications", "/lab/jobs", "award", "q", _P.JOBS_VIEW),
    _DESK,
    Entry(
        "Payout runs",
        "/finance/payout-runs",
        "banknote",
        "r",
        _P.FINANCE_VIEW,
        also=("/finance/payout-lines", "/finance/payout-schedules", "/finance/reversals"),
    ),
    Entry("Trial balance", "/finance/trial-balance", "scale", "t", _P.FINANCE_VIEW),
    Entry(
        "Reconcile",
        "/finance/reconciliation",
        "git-compare",
        "n",
        _P.FINANCE_VIEW,
        also=("/finance/statements", "/finance/breaks", "/finance/periods"),
    ),
    Entry(
        "Ledger",
        "/finance/accounts",
        "book-open",
        "l",
        _P.FINANCE_VIEW,
        also=("/finance/entries", "/finance/transactions"),
    ),
    Entry(
        "Tax",
        "/finance/tax",
        "file-text",
        "x",
        _P.FINANCE_VIEW,
        also=("/finance/tax-rates", "/finance/tax-totals"),
    ),
    Entry("Pay holds", "/operations/pay-holds", "circle-pause", "h", _P.PAY_HOLD),
    _MEMBERS,
    Entry("Our balance", "/lab/balance", "wallet", "b", _P.BALANCE_VIEW),
)
MENU = (
    ("Account", "/account", "user"),
    ("Second factor", "/account/second-factor", "shield-check"),
    ("Signed-in browsers", "/account/sign-ins", "monitor"),
    ("API tokens", "/account/tokens", "key"),
    ("API documentation", "/api/docs", "code-xml"),
)


def audience_of(here: Visitor | None) -> Audience:
    """The audience that a visitor belongs to in the organisation acted for."""
    if here is None:
        return Audience.PUBLIC
    organisation = here.organisation
    if organisation is None:
        return Audience.SPECIALIST
    if organisation.kind is OrganisationKind.LAB:
        return Audience.LAB
    finance = here.actor.may(Permission.FINANCE_VIEW)
    return Audience.FINANCE if finance else Audience.OPERATIONS


def entries_for(here: Visitor) -> list[Entry]:
    """At most seven entries whose pages exist and whose permission the visitor holds."""
    audience = audience_of(here)
    rail = {Audience.LAB: LAB, Audience.SPECIALIST: SPECIALIST}.get(audience, PLATFORM)
    allowed = [
        entry
        for entry in rail
        if (entry.permission is None or here.actor.may(entry.permission)) and _exists(entry.href)
    ]
    return allowed[:RAIL_MAX]


def home_of(here: Visitor | None) -> str:
    """Where this visitor's day begins."""
    if here is None:
        return "/sign-in"
    if not here.verified:
        return "/sign-up/unverified"
    # Finance people who may look at people as well begin their day at the desk.
    if audience_of(here) is Audience.FINANCE:
        return _DESK.href
    first = next(iter(entries_for(here)), None)
    return first.href if first and first not in (_API, _MEMBERS) else "/account"


def frame() -> dict[str, Any] | None:
    """What base.html shows around the page; None where nobody is signed in."""
    here = visitor()
    if here is None:
        return None
    entries = entries_for(here) if here.verified else []
    current = _current(entries)
    counts = _counts(here, entries)
    return {
        "audience": audience_of(here).value,
        "home": home_of(here),
        "person": here.name,
        "rail": [
            {
                "label": entry.label,
                "href": entry.href,
                "icon": entry.icon,
                "key": entry.key,
                "current": entry is current,
                "count": counts.get(entry.href),
            }
            for entry in entries
        ],
        "organisations": list(_organisations(here)),
        "menu": [
            {"label": label, "href": href, "icon": icon}
            for label, href, icon in (MENU if here.verified else ())
        ],
        "sign_out": "/sign-out",
        "sandbox": not is_live(settings().stripe_secret_key),
    }


def _counts(here: Visitor, entries: list[Entry]) -> dict[str, int]:
    """What waits behind an entry: how many credentials want their holder to look.

    A page that is made inside a transaction, such as the workbench's answers, goes without.
    """
    shown = any(entry is CREDENTIALS for entry in entries)
    if not shown or in_transaction():
        return {}
    with transaction() as session:
        return {CREDENTIALS.href: wanting_count(session, here.actor)}


def _organisations(here: Visitor) -> Iterator[dict[str, Any]]:
    acted_for = here.actor.organisation_id
    if here.is_specialist:
        yield {
            "label": "My own work",
            "organisation_id": "",
            "current": acted_for is None,
        }
    for one in here.organisations:
        yield {
            "label": one.name,
            "organisation_id": str(one.organisation_id),
            "current": one.organisation_id == acted_for,
        }


def _current(entries: list[Entry]) -> Entry | None:
    """The entry with the longest path that the request's path lies below."""
    under = [
        (len(path), entry)
        for entry in entries
        for path in (entry.href, *entry.also)
        if request.path == path or request.path.startswith(path + "/")
    ]
    return max(under, key=lambda each: each[0], default=(0, None))[1]


def _exists(path: str) -> bool:
    """Whether the application answers GET at this path; asked once for each path."""
    known: dict[str, bool] = current_app.extensions.setdefault("marketplace_paths", {})
    if path not in known:
        adapter = current_app.url_map.bind("localhost")
        try:
            adapter.match(path, method="GET")
            known[path] = True
        except RequestRedirect:
            known[path] = True
        except HTTPException:
            known[path] = False
    return known[path]


def register(app: Flask) -> None:
    """Give every template `frame`, computed once a request, and `request_id`."""

    @app.context_processor
    def give() -> dict[str, Any]:
        if "frame" not in g:
            g.frame = frame()
        return {
            "frame": g.frame,
            "there_is": _exists,
            "visitor": visitor(),
            "request_id": g.get("request_id"),
            # A form that was not sent yet has neither; `forms.refill` sets them.
            "typed": {},
            "errors": {},
        }
