"""The whole loop over the API: from a lab's file to a specialist's payout and the lab's data."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import httpx
import pyotp
from marshmallow import RAISE
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.identity import service as people
from marketplace.identity.rules import Role
from marketplace.ledger import queries as ledger
from marketplace.payouts import background as payout_background
from marketplace.payouts import service as payouts
from marketplace.web.api.judgements import ClaimShown, SubmissionShown
from marketplace.web.api.work import HandedInShown
from tests.journeys.conftest import Program
from tests.make import background, identity, specialists
from tests.make.billing import CARD_AT_ONCE, Stripe
from tests.make.payouts import Officer

ITEMS = 6
CHOICES = ["a", "b", "tie", "a", "a", "b"]
JOB = {
    "title": "Which answer would you give a patient?",
    "domain": "cardiology",
    "task_type": "pairwise",
    "instructions_md": "Prefer the answer that is **safe** to act on.",
    "template": {"question": "Which answer is safer?", "strength": True},
    "requirements": {"profession": "medicine", "credential_level_min": 2},
    "overlap": {"min": 2, "max": 2},
    "pay": {"amount_minor": 450, "currency": "USD", "per": "task"},
    "review": {"sample_ratio": 0},
}


def items() -> bytes:
    rows = [
        {
            "external_id": f"q-{n}",
            "payload": {
                "messages": [{"role": "user", "content": f"Question {n} 🫀"}],
                "a": f"First answer {n}",
                "b": f"Second answer {n}",
                "metadata": {"model_a": "secret"},
            },
        }
        for n in range(ITEMS)
    ]
    return b"\n".join(json.dumps(row).encode() for row in rows)


def pay_at_the_sandbox(url: str) -> None:
    with httpx.Client(follow_redirects=False) as client:
        answer = client.post(url, data={"card": CARD_AT_ONCE, "email": "lab@example.test"})
    assert 303 == answer.status_code


def work_off(person: Program, job_id: str) -> None:
    claim = person.post("/claims", 201, json={"job_id": job_id})
    while claim is not None:
        assert "metadata" not in claim["task"]["payload"]
        number = int(claim["task"]["payload"]["a"].rpartition(" ")[2])
        choice = CHOICES[number]
        answer = {
            "fence": claim["fence"],
            "judgement": {"choice": choice, "strength": 0 if choice == "tie" else 2},
            "rationale": "The doses differ.",
            "next": True,
        }
        handed_in = person.post(f"/claims/{claim['id']}/submission", 201, json=answer)
        assert {} == HandedInShown(unknown=RAISE).validate(handed_in)
        assert set(SubmissionShown().fields) == set(handed_in["submission"])
        assert handed_in["claim"] is None or set(ClaimShown().fields) == set(handed_in["claim"])
        claim = handed_in["claim"]


def test_a_lab_posts_specialists_work_finance_pays_and_the_lab_downloads(
    session: Session, stripe: Stripe, program: Callable[[Actor], Program]
) -> None:
    lab = program(identity.lab_owner(session))
    doctors = [specialists.doctor(session) for _ in range(2)]
    job_id = post_and_publish(lab, stripe)
    workers = [program(doctor) for doctor in doctors]
    assert [job_id] == [each["job_id"] for each in workers[0].get("/feed")["items"]]
    for worker in workers:
        work_off(worker, job_id)
    background.run("review.accept_arrived")
    progress = lab.get(f"/jobs/{job_id}/progress")
    assert (ITEMS, 2 * ITEMS) == (progress["final"], progress["accepted"])
    background.run("quality.fit_job", job_id=job_id)
    assert 1.0 == lab.get(f"/jobs/{job_id}/quality")["pairs"][0]["kappa"]

    with clock.shifted(timedelta(days=8)):
        background.run("review.clear_due")
    assert ITEMS * 2 * 450 == pay_out(session, stripe, program, doctors)
    expected = [f"q-{n}" for n in range(ITEMS) if CHOICES[n] != "tie"]
    assert expected == downloaded(lab, job_id)
    assert [] == ledger.broken_invariants(session)


def post_and_publish(lab: Program, stripe: Stripe) -> str:
    """Post the job with its items, see it refused without money, top up, publish; its id."""
    job_id: str = lab.post("/jobs", 201, json=JOB)["id"]
    sent = lab.post(f"/jobs/{job_id}/items", data=items(), content_type="application/x-ndjson")
    assert (ITEMS, 0, []) == (sent["accepted"], sent["duplicates"], sent["rejected"])
    quote = lab.post(f"/jobs/{job_id}/quote")
    assert (ITEMS, 4) == (quote["tasks"], quote["eligible_specialists"])  # Fewer than five.
    assert {"amount_minor": ITEMS * 2 * 540, "currency": "USD"} == quote["price"]
    assert "insufficient_funds" == lab.post(f"/jobs/{job_id}/publish", 409)["code"]
    top_up(lab, stripe)
    assert "open" == lab.post(f"/jobs/{job_id}/publish")["state"]
    left = lab.get("/balance")["available"]["amount_minor"]
    assert 100_00 - quote["price"]["amount_minor"] == left
    return job_id


def top_up(lab: Program, stripe: Stripe) -> None:
    """Pay $100 in at the sandbox's page; the sweep finds it without any webhook."""
    asked = {"amount": {"amount_minor": 100_00, "currency": "USD"}}
    pay_at_the_sandbox(lab.post("/top-ups", 201, json=asked)["checkout_url"])
    stripe.controls.advance(5)
    with clock.shifted(timedelta(minutes=10)):
        background.run("billing.sweep_top_ups")
        background.run_all()
    assert 100_00 == lab.get("/balance")["available"]["amount_minor"]


def downloaded(lab: Program, job_id: str) -> list[str]:
    """The external ids of an export's rows; its counts must tell the one tie."""
    export = lab.post(f"/jobs/{job_id}/exports", 202, json={"format": "trl_preference"})
    background.run_all()
    export = lab.get(f"/exports/{export['id']}")
    assert ("done", ITEMS - 1, 1) == (export["state"], export["rows"], export["counts"]["ties"])
    file = lab.get(f"/exports/{export['id']}/file")
    return [json.loads(row)["external_id"] for row in file.splitlines()]


def with_second_factor(session: Session, actor: Actor) -> Officer:
    """The same person, with TOTP turned on."""
    secret, _ = people.start_totp(session, actor)
    people.confirm_totp(session, actor, pyotp.TOTP(secret).at(clock.now()))
    session.flush()
    return Officer(actor, secret)


def pay_out(
    session: Session, stripe: Stripe, program: Callable[[Actor], Program], doctors: list[Actor]
) -> int:
    """Prepare, approve and release a run over the API; what arrived at Stripe, in cents."""
    for doctor in doctors:
        payouts.open_onboarding(session, doctor, payee_name="Dr. Lin", country="US", currency="USD")
        session.flush()
        back = "http://localhost:8000/work/earnings"
        payout_background.onboarding_url(doctor.person(), refresh_url=back, return_url=back)
        account = payouts.account_of_person(session, doctor.person())
        assert account is not None
        session.refresh(account)
        stripe.controls.enable(str(account.stripe_account_id))
        background.run("payouts.refresh_account", person_id=doctor.person())
    preparer = program(identity.staff(session, Role.PREPARER))
    officer = with_second_factor(session, identity.staff(session, Role.APPROVER))
    run = preparer.post("/finance/payout-runs", 201, json={"minimum_minor": 1})
    approver = program(officer.actor)
    asked = {"content_sha256": run["content_sha256"], "totp_code": officer.code()}
    preparer.post(f"/finance/payout-runs/{run['id']}/approve", 403, json=asked)
    approver.post(f"/finance/payout-runs/{run['id']}/approve", json=asked)
    preparer.post(f"/finance/payout-runs/{run['id']}/release")
    background.run_all()
    assert "sent" == preparer.get(f"/finance/payout-runs/{run['id']}")["state"]
    trial = preparer.get("/finance/trial-balance")["totals"]["USD"]
    assert trial["debit"] == trial["credit"]
    return sum(transfer.amount for transfer in stripe.transfers())
