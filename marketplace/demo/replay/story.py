"""The replay from the first call to the downloaded export."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace import stripe_client
from marketplace.demo import money
from marketplace.demo.quiet import wait_for
from marketplace.demo.replay import checks
from marketplace.demo.replay.checks import expect
from marketplace.demo.replay.client import CallRefused
from marketplace.demo.replay.crew import Crew, Judging, gathered
from marketplace.demo.replay.judging import judge_all
from marketplace.demo.replay.source import Comparison
from marketplace.errors import Refused
from marketplace.money import Money

PAY = Money(150, "USD")
WAIT_SECONDS = 300.0
INSTRUCTIONS = """\
Read the instruction, then both responses. Say which one you would rather have received: first
whether it does what was asked, then whether it is right, then whether it reads well. Length is no
merit. Say **tie** only where you could toss a coin.
"""


class TooSlow(Refused):
    """Background work did not come to its end in time; the message says which."""

    code = "too_slow"


@dataclass(frozen=True, slots=True)
class Told:
    """Where the replay speaks: `line` for a step, `progress` for a line that is overwritten."""

    line: Callable[[str], None]
    progress: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What came out: the files, and the sums for the last line."""

    pairs: Path
    raw: Path
    answers: int
    paid: Money
    seconds: float


def replay(address: str, items: Sequence[Comparison], folder: Path, told: Told) -> Result:
    """Take the items through the whole loop; FigureOff, TooSlow or CallRefused on any fault.

    folder: where the exports are written. Needs a running stack at `address` whose clearance is
    zero days, and the product of the same settings in this process.
    """
    began = time.monotonic()
    seats = len(items) * len(items[0].choices)
    told.line(f"{len(items):,} items, {len(items[0].choices)} answers each, two model judges.")
    with gathered(address, len(items[0].choices)) as crew:
        told.line("A lab, three verified specialists, and finance are signed up.")
        job_id = _post(crew, items)
        price = _pay_in(crew, job_id, len(items))
        crew.lab.post(f"/jobs/{job_id}/publish")
        told.line(f"The job is published; {price} were paid in by card and are reserved.")
        answers = judge_all(job_id, crew.judging, items, _speaking(told, seats))
        expect("Answers handed in", seats, answers)
        told.line(f"{answers:,} answers were handed in.")
        _wait_for_money(crew, job_id, len(items), told)
        paid = _pay_out(crew, len(items))
        told.line(f"{paid} were paid out in {len(crew.judging)} transfers, approved by a second.")
        pairs, raw = _export(crew, job_id, items, folder)
        told.line(checks.in_words(_agreement(items, raw)))
        _close(crew, job_id)
        for line in _book(crew):
            told.line(line)
    return Result(pairs, raw, answers, paid, time.monotonic() - began)


def _post(crew: Crew, items: Sequence[Comparison]) -> str:
    people = len(items[0].choices)
    job = crew.lab.post(
        "/jobs",
        {
            "title": "Which response follows the instruction better?",
            "domain": "general",
            "task_type": "pairwise",
            "instructions_md": INSTRUCTIONS,
            "template": {
                "question": "Which response would you rather have received?",
                "allow_tie": True,
                "allow_both_bad": False,
                "strength": False,
            },
            "requirements": {
                "profession": "software",
                "credential_level_min": 2,
                "languages": ["en"],
            },
            "overlap": {"min": people, "max": people},
            "pay": {"amount_minor": PAY.minor, "currency": PAY.currency, "per": "task"},
            "expected_seconds": 60,
            "lease_seconds": 1_800,
            "review": {"sample_ratio": 0.0},
            "ai_policy": "forbidden",
        },
    )
    report = crew.lab.send_lines(f"/jobs/{job['id']}/items", [item.line() for item in items])
    expect("Rejected lines", [], report["rejected"])
    expect("Accepted items", len(items), report["accepted"])
    again = crew.lab.send_lines(f"/jobs/{job['id']}/items", [item.line() for item in items])
    expect("Items that were sent twice", len(items), again["duplicates"])
    return str(job["id"])


def _pay_in(crew: Crew, job_id: str, count: int) -> Money:
    """Quote, be refused without money, pay on the checkout's page, and wait for the balance."""
    quote = crew.lab.post(f"/jobs/{job_id}/quote")
    expect("Tasks of the quote", count, quote["tasks"])
    expect("Eligible at least", True, quote["eligible_specialists"] >= len(crew.judging))
    try:
        crew.lab.post(f"/jobs/{job_id}/publish")
    except CallRefused as refused:
        expect("The refusal without money", "insufficient_funds", refused.problem)
    else:
        raise checks.FigureOff("A job without money was published.")
    top_up = crew.lab.post("/top-ups", {"amount": quote["price"]})
    money.fill_in(top_up["checkout_url"], card=money.CARD, email="payer@replay.test")
    _until(
        "the top-up to settle",
        lambda: crew.lab.get(f"/top-ups/{top_up['id']}")["state"] == "posted",
    )
    return _money(quote["price"])


def _speaking(told: Told, seats: int) -> Callable[[int, float], None]:
    def tell(done: int, seconds: float) -> None:
        told.progress(f"{done:,} of {seats:,} answers, {done / max(seconds, 0.001):,.0f} a second")

    return tell


def _wait_for_money(crew: Crew, job_id: str, count: int, told: Told) -> None:
    """Until every answer is accepted and all pay is available."""
    seats = count * len(crew.judging)

    def accepted() -> bool:
        progress = crew.lab.get(f"/jobs/{job_id}/progress")
        told.progress(f"{progress['accepted']:,} of {seats:,} answers accepted")
        return bool(progress["accepted"] == seats and progress["final"] == count)

    _until("the answers to be accepted", accepted)
    _refuse_clearance(crew.judging[0])
    owed = PAY * count

    def cleared() -> bool:
        held = [_available(crew, one) for one in crew.judging]
        told.progress(f"{sum(each.minor for each in held) / (3 * owed.minor):.0%} of the pay")
        return all(each == owed for each in held)

    _until("the pay to clear", cleared)


def _refuse_clearance(one: Judging) -> None:
    (earned,) = one.api.get("/statement", limit=1)["items"]
    if earned["clears_at"] != earned["accrued_at"]:
        raise TooSlow(
            f"Pay clears on {earned['clears_at'][:10]}: run the stack with CLEARANCE_DAYS=0."
        )


def _available(crew: Crew, one: Judging) -> Money:
    code = f"L:spec:{one.person_id}:available:{PAY.currency}"
    try:
        newest = crew.preparer.get(f"/finance/accounts/{code}/entries", limit=1)["items"]
    except CallRefused as refused:
        expect("The status of an account without entries", 404, refused.status)
        return Money(0, PAY.currency)
    return _money(newest[0]["balance_after"])


def _pay_out(crew: Crew, count: int) -> Money:
    """Prepared by one, approved by another with a code, released, and sent."""
    only = [str(one.person_id) for one in crew.judging]
    body = {"currency": PAY.currency, "minimum_minor": 1, "only": only}
    run = crew.preparer.post("/finance/payout-runs", body)
    expect("Total of the payout run", PAY * count * len(only), _money(run["total"]))
    approval = {"content_sha256": run["content_sha256"], "totp_code": crew.approver_code()}
    crew.approver.post(f"/finance/payout-runs/{run['id']}/approve", approval)
    crew.preparer.post(f"/finance/payout-runs/{run['id']}/release")
    where = f"/finance/payout-runs/{run['id']}"
    _until("the payouts to be sent", lambda: crew.preparer.get(where)["ended_at"] is not None)
    ended = crew.preparer.get(where)
    expect("The payout run", "sent", ended["state"])
    transfers = stripe_client.current().v1.transfers
    sent = [transfers.retrieve(line["transfer_id"]) for line in ended["lines"]]
    at_stripe = [Money(one.amount, one.currency.upper()) for one in sent]
    expect("Transfers at Stripe", [PAY * count] * len(only), at_stripe)
    return _money(ended["total"])


def _export(
    crew: Crew, job_id: str, items: Sequence[Comparison], folder: Path
) -> tuple[Path, Path]:
    """Download both exports and hold them against the items."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = _downloaded(crew, job_id, "trl_preference", folder)
    raw = _downloaded(crew, job_id, "raw", folder)
    wanted = {item.external_id: item for item in items if item.majority in {"a", "b"}}
    rows = lines_of(pairs)
    expect("Preference pairs", len(wanted), len(rows))
    for row in rows:
        item = wanted.pop(row["external_id"])
        loser = "b" if item.majority == "a" else "a"
        expect("A chosen response", item.payload[item.majority or ""], _said(row["chosen"]))
        expect("A rejected response", item.payload[loser], _said(row["rejected"]))
    expect("Rows of the raw export", len(items) * len(items[0].choices), len(lines_of(raw)))
    return pairs, raw


def _said(messages: Sequence[dict[str, str]]) -> str:
    return messages[-1]["content"]


def _downloaded(crew: Crew, job_id: str, form: str, folder: Path) -> Path:
    asked = crew.lab.post(f"/jobs/{job_id}/exports", {"format": form, "policy": "majority"})
    where = f"/exports/{asked['id']}"
    _until(f"the export {form}", lambda: crew.lab.get(where)["state"] in {"done", "failed"})
    export = crew.lab.get(where)
    expect(f"The export {form}", "done", export["state"])
    content = crew.lab.file(f"{where}/file")
    expect("The checksum of an export", export["sha256"], hashlib.sha256(content).hexdigest())
    path = folder / str(export["filename"])
    path.write_bytes(content)
    return path


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def _agreement(items: Sequence[Comparison], raw: Path) -> checks.Agreement:
    found = checks.of_export(items, lines_of(raw))
    checks.expect_alike(checks.of_source(items), found)
    return found


def _close(crew: Crew, job_id: str) -> None:
    """Nothing is left over: the quote was the price to the cent."""
    crew.lab.post(f"/jobs/{job_id}/close")
    balance = crew.lab.get("/balance")
    expect("What the lab has left", Money(0, PAY.currency), _money(balance["available"]))
    expect("What is still reserved", Money(0, PAY.currency), _money(balance["reserved"]))


def _book(crew: Crew) -> list[str]:
    """The totals of the trial balance, whose columns must be equal."""
    told = []
    for currency, total in crew.preparer.get("/finance/trial-balance", limit=1)["totals"].items():
        debit, credit = _money(total["debit"]), _money(total["credit"])
        expect(f"Debits and credits in {currency}", debit, credit)
        told.append(f"Trial balance: {debit} debit, {credit} credit")
    return told


def _money(shown: dict[str, Any]) -> Money:
    return Money(shown["amount_minor"], shown["currency"])


def _until(what: str, ready: Callable[[], bool]) -> None:
    """Wait as long as background work may take; TooSlow when it takes longer."""
    if not wait_for(ready, seconds=WAIT_SECONDS):
        raise TooSlow(f"Waited {WAIT_SECONDS:.0f} seconds for {what}; is the worker running?")
