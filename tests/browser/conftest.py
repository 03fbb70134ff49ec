"""A served product and a browser; skipped where there is no Chromium or no front-end library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe as sdk
from playwright.sync_api import Browser
from sqlalchemy import Engine, NullPool, create_engine

from marketplace import db
from marketplace.embedded import Stack
from marketplace.settings import Settings
from marketplace.web import vendor
from tests.browser import town as towns
from tests.browser import windows as browsers
from tests.browser.place import Place, served
from tests.browser.town import Town
from tests.browser.windows import Windows


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, from PATH."""
    if not browsers.CHROMIUM:
        pytest.skip("No Chromium is on PATH: `make test` installs it where it may.")
    if not vendor.up_to_date(vendor.stamp()):
        pytest.skip("The front-end libraries are not there: `make test` fetches them.")
    with browsers.chromium() as started:
        yield started


@pytest.fixture(scope="package")
def place(
    browser: Browser,
    stack: Stack,
    database: Engine,
    settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """The served product, with an empty database; made after the browser, which may be missing."""
    del browser
    folder: Path = tmp_path_factory.mktemp("browser")
    owner = create_engine(db.driver_url(settings.owner_database_url), poolclass=NullPool)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sdk.RequestsClient, "INITIAL_DELAY", 0.0)
        with served(stack, database, owner, settings, folder) as running:
            yield running
    owner.dispose()


@pytest.fixture(scope="package")
def town(place: Place) -> Town:
    """The demonstration world, built once; tests that empty the place come last."""
    return towns.build(place)


@pytest.fixture
def windows(browser: Browser, place: Place, request: pytest.FixtureRequest) -> Iterator[Windows]:
    """Windows on the product, on which any complaint of the browser fails the test.

    They close before the database is emptied: an open page would be told that nobody is signed in.
    """
    if "committed" in request.fixturenames:
        request.getfixturevalue("committed")
    opened = Windows(browser, place.address)
    yield opened
    opened.close()
    assert [] == opened.complaints
