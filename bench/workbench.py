"""From submit to the next task painted, and what the page weighs, in a real browser.

Run `python -m bench.workbench [--tasks N] [--payload-bytes N] [--workers N]`. One doctor prefers
one of two answers of together about 10 KB, presses Enter, and the next task comes; measured in the
page, from the key to the second frame after the swap. Then a browser with an empty cache opens a
task: bytes over the wire by kind, requests, first paint. The client shares the machine.
"""

from __future__ import annotations

import argparse
import platform
import random
import shutil
from collections import Counter
from contextlib import ExitStack
from statistics import median, quantiles
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, Page, sync_playwright

from bench.claims import ENVIRONMENT
from bench.load.programs import free_port, product, running
from bench.load.world import World, world
from marketplace.db import transaction
from marketplace.embedded import temporary
from marketplace.ids import JobId
from marketplace.routing import service as routing
from marketplace.web.visitors import COOKIE
from tests.make import identity, specialists

SEED = 20_261_123
WORDS = ["the", "dose", "patient", "was", "halved", "since", "kidney", "function", "fell", "pain"]
WARM_UP = 5
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
# From the key to the second frame after the swap: by then the next task is on the screen.
CLOCK = """() => {
  window.taken = [];
  let begun = 0;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") begun = performance.now();
  }, true);
  document.addEventListener("htmx:afterSwap", () => requestAnimationFrame(() =>
    requestAnimationFrame(() => window.taken.push(performance.now() - begun))));
}"""
PAINT = """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null"""


def noise(size: int) -> str:
    """Sentences of about so many bytes."""
    found: list[str] = []
    while sum(map(len, found)) < size:
        sentence = " ".join(random.choices(WORDS, k=12))
        found.append(sentence.capitalize() + ". " + ("\n\n" if len(found) % 5 == 4 else ""))
    return "".join(found)


def claimed(job_id: UUID) -> tuple[str, str]:
    """(the address of a first task, the cookie of the doctor who has it)."""
    with transaction() as session:
        doctor = specialists.doctor(session)
    with transaction() as session:
        claim = routing.claim_next(session, doctor, job_id=JobId(job_id))
        assert claim is not None
        return f"/work/tasks/{claim.id}", identity.cookie(session, doctor)


def window(browser: Browser, address: str, cookie: str) -> Page:
    """A window with an empty cache, signed in."""
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 860})
    context.add_cookies([{"name": COOKIE, "value": cookie, "url": address}])
    return context.new_page()


def submissions(page: Page, path: str, tasks: int) -> list[float]:
    """Milliseconds from the key to the next task painted, for so many tasks."""
    page.goto(path)
    page.evaluate(CLOCK)
    for done in range(1, tasks + WARM_UP + 1):
        page.keyboard.press(random.choice("ab"))
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.wait_for_function("done => window.taken.length >= done", arg=done)
    taken: list[float] = page.evaluate("window.taken")
    return taken[WARM_UP:]


def weighed(page: Page, path: str) -> tuple[Counter[str], int, Any]:
    """(bytes over the wire by kind, requests, first paint in ms) of a task on a cold cache."""
    kinds: dict[str, str] = {}
    weight: Counter[str] = Counter()
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on(
        "Network.responseReceived", lambda one: kinds.update({one["requestId"]: one["type"]})
    )
    network.on(
        "Network.loadingFinished",
        lambda one: weight.update(
            {kinds.get(one["requestId"], "?"): int(one["encodedDataLength"])}
        ),
    )
    page.goto(path, wait_until="networkidle")
    return weight, len(kinds), page.evaluate(PAINT)


def measure(here: World, address: str, given: argparse.Namespace) -> None:
    """Print both tables."""
    job_id = here.job(given.tasks + WARM_UP + 10, given.payload_bytes)
    here.settle()
    path, cookie = claimed(job_id)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        taken = submissions(window(browser, address, cookie), path, given.tasks)
        cuts = quantiles(taken, n=100)
        print(f"submit to next task painted, {len(taken)} tasks of {given.payload_bytes:,} bytes")
        print(f"  median {median(taken):.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms")
        path, cookie = claimed(job_id)
        weight, requests, paint = weighed(window(browser, address, cookie), path)
        parts = ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in weight.most_common())
        print(f"cold page: {sum(weight.values()) / 1000:.1f} KB in {requests} requests ({parts})")
        print(f"  first contentful paint after {paint:.0f} ms" if paint else "  no paint was told")
        browser.close()


def main() -> None:
    """Start everything in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--payload-bytes", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    random.seed(SEED)
    print(f"Python {platform.python_version()}, seed {SEED}, {given.workers} workers")
    with ExitStack() as open_now:
        stack = open_now.enter_context(temporary(durable=True))
        port = free_port()
        address = f"http://localhost:{port}"
        environment = ENVIRONMENT | {"PUBLIC_URL": address}
        here = open_now.enter_context(world(stack, environment, noise(given.payload_bytes)))
        served = running(
            product(given.workers, port), port, "/healthz", stack.environment | environment
        )
        open_now.enter_context(served)
        measure(here, address, given)


if __name__ == "__main__":
    main()
