"""Windows of a real browser; whatever the browser complains about fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    expect,
    sync_playwright,
)

from marketplace.web.visitors import COOKIE

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for name in NAMES if (path := shutil.which(name))), None)
SHOTS = Path(__file__).resolve().parent / "shots"
OPTIONS = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# Tests of several people share two cores with their servers; a page may take its time.
WAIT_MS = 30_000.0
USUAL_MS = 5_000.0
Scheme = Literal["light", "dark"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, started once."""
    unboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*OPTIONS, *unboxed])
        expect.set_options(timeout=WAIT_MS)
        try:
            yield started
        finally:
            expect.set_options(timeout=USUAL_MS)
            started.close()


class Windows:
    """Opens windows, each of its own profile, and collects what the browser complains about."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self._address = address
        self._opened: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(
        self,
        *,
        cookie: str = "",
        width: int = 1280,
        scheme: Scheme = "light",
        script: bool = True,
    ) -> Page:
        """A window of somebody who is signed in by a cookie, or of a stranger."""
        context = self._browser.new_context(
            base_url=self._address,
            viewport={"width": width, "height": 860},
            color_scheme=scheme,
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        context.set_default_timeout(WAIT_MS)
        if cookie:
            context.add_cookies([{"name": COOKIE, "value": cookie, "url": self._address}])
        context.on("page", self._watch)
        self._opened.append(context)
        return context.new_page()

    def close(self) -> None:
        """Close what was opened."""
        for context in self._opened:
            context.close()
        self._opened.clear()

    def forgive(self, status: int | None) -> None:
        """Forget complaints about an answer that the page is about, such as a 404."""
        if status is not None:
            self.complaints = [each for each in self.complaints if f" {status} " not in each]

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self._heard(page, said))
        page.on("requestfailed", lambda failed: self._failed(page, failed))

    def _heard(self, page: Page, said: Any) -> None:
        if said.type in {"error", "warning"}:
            self.complaints.append(f"{page.url}: {said.text}")

    def _failed(self, page: Page, failed: Request) -> None:
        # A page that is left takes its polling and its downloads' navigation with it.
        if failed.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{page.url}: {failed.url} {failed.failure}")
