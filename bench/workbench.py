"""From submit to the next task painted, what the page weighs, how a long run scrolls: in a browser.

Run `python -m bench.workbench [--tasks N] [--payload-bytes N] [--steps N] [--workers N] [--list]`.
One doctor prefers one of two answers of together about 10 KB, presses Enter, and the next task
comes; measured in the page, from the key to the second frame after the swap. Then a browser with
an empty cache opens a task: bytes over the wire by kind, requests, first paint; with `--list` each
file. Then a run of an agent of thousands of steps is scrolled, and the frames are timed beside
those of the same page at rest, since the client shares the machine.
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

import orjson
from playwright.sync_api import Browser, Page, sync_playwright

from bench.claims import ENVIRONMENT
from bench.load.programs import free_port, product, running
from bench.load.world import World, world
from marketplace.db import transaction
from marketplace.embedded import temporary
from marketplace.ids import JobId
from marketplace.jobs import service as job_service
from marketplace.money import Money
from marketplace.routing import service as routing
from marketplace.web.visitors import COOKIE
from tests.make import identity, specialists, work
from tests.make.jobs import FEE_BASIS_POINTS

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
# Milliseconds between frames while the list moves so many pixels a frame; 0 is at rest.
FRAMES = """([pixels, frames]) => new Promise((done) => {
  const view = document.querySelector("x-trajectory [data-view]");
  const taken = [];
  let last = 0;
  const frame = (now) => {
    if (last) taken.push(now - last);
    last = now;
    view.scrollTop += pixels;
    if (taken.length < frames) requestAnimationFrame(frame);
    else done(taken);
  };
  requestAnimationFrame(frame);
})"""
LOADED = """() => document.querySelector("x-trajectory:defined")?.steps?.every(Boolean)"""
FRAMES_TIMED = 300
SPEEDS = {
    "at rest": 0,
    "wheel, 20 pixels a frame": 20,
    "flick, 100 pixels a frame": 100,
    "dragged bar, 400 pixels a frame": 400,
}
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


def weighed(page: Page, path: str) -> tuple[list[tuple[str, str, int]], Any]:
    """(kind, address and bytes over the wire of each file, first paint in ms) on a cold cache."""
    asked: dict[str, tuple[str, str]] = {}
    files: list[tuple[str, str, int]] = []
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on(
        "Network.responseReceived",
        lambda one: asked.update({one["requestId"]: (one["type"], one["response"]["url"])}),
    )
    network.on(
        "Network.loadingFinished",
        lambda one: files.append((*asked[one["requestId"]], int(one["encodedDataLength"]))),
    )
    page.goto(path, wait_until="networkidle")
    return [each for each in files if each[1].startswith("http")], page.evaluate(PAINT)


def long_run(steps: int) -> dict[str, Any]:
    """A run of an agent that says something, and now and then calls a tool."""
    found: list[dict[str, Any]] = []
    for number in range(steps):
        step: dict[str, Any] = {"id": f"s{number}", "kind": "agent"}
        if number % 3 == 1:
            step |= {"kind": "tool_call", "tool": "read_row", "args": {"row": number}}
            step["result"] = "\n".join(f"row {number}.{line}" for line in range(9))
        found.append(step | {"content": noise(60 + 90 * (number % 7))})
    return {"goal": "Look at every row and change none.", "steps": found}


def scrolled(browser: Browser, address: str, steps: int) -> None:
    """Print the frames of a long run, at rest and at two speeds."""
    with transaction() as session:
        lab = identity.lab_owner(session)
        work.money_in(session, lab, Money(1_000_00, "USD"))
        job = job_service.create_job(
            session,
            lab,
            task_type="trajectory",
            title="One long run",
            domain="cardiology",
            instructions_md="Find the first step that is wrong.",
            profession="medicine",
            pay=Money(30_00, "USD"),
            template={"first_error": "required"},
        )
        row = orjson.dumps({"external_id": "run", "payload": long_run(steps)})
        job_service.add_items(session, lab, JobId(job.id), [row])
    with transaction() as session:
        routing.publish_job(session, lab, JobId(job.id), fee_basis_points=FEE_BASIS_POINTS)
    path, cookie = claimed(job.id)
    page = window(browser, address, cookie)
    page.goto(path)
    page.wait_for_function(LOADED, timeout=60_000)
    print(f"a run of {steps:,} steps, milliseconds between frames")
    for name, pixels in SPEEDS.items():
        taken = sorted(page.evaluate(FRAMES, [pixels, FRAMES_TIMED]))
        p95 = taken[round(len(taken) * 0.95)]
        late = sum(each > 2 * 1000 / 60 for each in taken) / len(taken)
        print(f"  {name:<32} median {median(taken):.0f}, p95 {p95:.0f}, longest {taken[-1]:.0f},"
              f" {late:.1%} later than two frames")  # fmt: skip


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
        files, paint = weighed(window(browser, address, cookie), path)
        weight: Counter[str] = Counter()
        for kind, name, size in sorted(files, key=lambda each: -each[2]):
            weight[kind] += size
            if given.list:
                print(f"  {size:>7,} {kind:<10} {name.removeprefix(address)}")
        parts = ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in weight.most_common())
        print(f"cold page: {weight.total() / 1000:.1f} KB in {len(files)} requests ({parts})")
        print(f"  first contentful paint after {paint:.0f} ms" if paint else "  no paint was told")
        scrolled(browser, address, given.steps)
        browser.close()


def main() -> None:
    """Start everything in a temporary folder, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--payload-bytes", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="each file of the page")
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
