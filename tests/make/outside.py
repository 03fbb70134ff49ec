"""The outside services that verifiers ask, served by one sandbox, and the product set to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx

from marketplace import settings as settings_here
from marketplace import stripe_client
from marketplace.sandbox import addresses
from marketplace.settings import Settings
from tests.make.billing import Stripe

# Someone of the register, and their number there.
NAME = "Avery Ashdown"
NPI = "1900000005"
TWIN = "Marlow Thistlewood"
DOCUMENT = {"born_on": "1980-02-03", "until": "2035-12-31", "country": "GB", "outcome": "verified"}


@contextmanager
def asked(settings: Settings, served: Stripe) -> Iterator[Stripe]:
    """Let the product ask this sandbox, empty, while the block runs."""
    before = settings_here.current()
    here = f"{served.address}{addresses.GITHUB}"
    settings_here.use(
        replace(
            settings,
            nppes_api_base=f"{served.address}{addresses.NPPES}",
            github_client_id=addresses.GITHUB_CLIENT_ID,
            github_client_secret=addresses.GITHUB_CLIENT_SECRET,
            github_oauth_base=here,
            github_api_base=f"{served.address}{addresses.GITHUB_API}",
        )
    )
    served.empty()
    try:
        yield served
    finally:
        settings_here.use(before)
        stripe_client.use(settings)


def show_document(address: str, name: str = NAME, **changed: str) -> httpx.Response:
    """Fill in the page where a document is shown, as the person does."""
    first, _, last = name.rpartition(" ")
    form = {"first_name": first, "last_name": last, **DOCUMENT, **changed}
    return httpx.post(address, data=form, trust_env=False)


def allow_github(address: str, login: str) -> dict[str, str]:
    """Allow it on GitHub's page; the query with which the browser comes back."""
    form = {"login": login, "action": "allow"}
    answer = httpx.post(address, data=form, trust_env=False)
    return dict(httpx.URL(answer.headers["Location"]).params)
