"""Finance's month over HTTP: a run with its mishaps, the bank's statement, a break, the close."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from pypdf import PdfReader
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.identity.rules import Role
from marketplace.ids import AccrualId, PersonId, new_id
from marketplace.ledger import queries as ledger_queries
from marketplace.ledger import service as ledger
from marketplace.money import Money
from marketplace.outbox import OutboxRow
from marketplace.payouts import background as payouts
from marketplace.payouts import service as payees
from marketplace.payouts.models import PayoutLine
from marketplace.reconciliation.rules import camt
from marketplace.worker import names
from marketplace.worker.perform import perform
from tests.journeys.conftest import Program
from tests.make import background, billing
from tests.make import identity as make
from tests.make import ledger as make_ledger
from tests.make import payouts as make_payouts
from tests.make.billing import Stripe
from tests.make.breaks import code_of
from tests.make.ledger import usd

DAY_SECONDS = 86_400
# The SDK asks twice more by itself, so silence that is to reach us lasts for three calls.
SILENCE = {"method": "POST", "path": "/v1/transfers", "count": 3}
PAY = [usd(minor) for minor in (30_00, 40_00, 50_00, 60_00, 70_00)]
BANK_FEE, OUR_FEE = usd(12_50), usd(20_00)


def earned(session: Session, lab: Actor, person_id: PersonId, amount: Money) -> None:
    """Pay that a lab's work brought, cleared; our fee for it covers what Stripe keeps."""
    job = make_ledger.funded_job(session, amount + OUR_FEE, lab_id=lab.organisation())
    make_ledger.accepted(session, job, person_id, amount, OUR_FEE)
    accrual = AccrualId(new_id())
    ledger.clear_pay(session, specialist_id=person_id, accrual_id=accrual, amount=amount)


def a_payee(stripe: Stripe) -> PersonId:
    """A specialist whose account at Stripe can be paid."""
    with transaction() as session:
        person_id = billing.a_person(session, is_specialist=True)
        payees.open_onboarding(
            session,
            make_payouts.specialist_actor(person_id),
            payee_name="Some Body",
            country="US",
            currency="USD",
        )
    back = make_payouts.RETURN
    payouts.onboarding_url(person_id, refresh_url=back, return_url=back)
    stripe.controls.enable(make_payouts.account_of(person_id))
    refresh = billing.work("payouts.refresh_account")
    payouts.refresh_account(refresh, person_id=str(person_id))
    return person_id


def work_through(*slices: str) -> None:
    """What a worker does for these slices; payouts are sent above, line by line."""
    names.bind_all()
    for _ in range(20):
        with transaction() as session:
            rows = select(OutboxRow.id).where(
                OutboxRow.done_at.is_(None),
                OutboxRow.not_before <= clock.now(),
                or_(*(OutboxRow.name.startswith(f"{each}.") for each in slices)),
            )
            due = list(session.scalars(rows))
        if not due:
            return
        for row_id in due:
            perform(str(row_id))
    raise AssertionError("The outbox never runs empty.")


def send(run: dict[str, Any], person_id: PersonId) -> None:
    """What a worker does with a specialist's line."""
    with transaction() as session:
        (line_id,) = [
            line["id"] for line in run["lines"] if line["specialist_id"] == str(person_id)
        ]
        line = session.get_one(PayoutLine, line_id)
    make_payouts.send(line)


@contextmanager
def next_month(stripe: Stripe) -> Iterator[date]:
    """The sixth day of the next month, here, at Stripe and at the bank, whose last line is of that
    month; gives the month before it.
    """
    today = ledger.book_today()
    first = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    days = (first - today).days
    stripe.controls.advance(days * DAY_SECONDS)
    stripe.sdk.v1.payouts.create({"amount": 30_00, "currency": "usd"})
    stripe.controls.advance(5 * DAY_SECONDS)
    with clock.shifted(timedelta(days=days + 5)):
        yield today.replace(day=1)


def test_a_month_of_finance(
    session: Session, stripe: Stripe, program: Callable[[Actor], Program]
) -> None:
    finance = make.staff(session, Role.PREPARER, Role.RECONCILER)
    approver = make.staff(session, Role.APPROVER, Role.AUDITOR)
    first, second = program(finance), program(approver)
    code = code_of(session, approver)
    lab = billing.a_lab(session)
    billing.refresh(billing.paid_top_up(lab, usd(1_000_00)))
    people = [a_payee(stripe) for _ in PAY]
    for person_id, amount in zip(people, PAY, strict=True):
        earned(session, lab, person_id, amount)

    run = _paid_with_mishaps(stripe, first, second, people, code)
    stripe.sdk.v1.payouts.create({"amount": 100_00, "currency": "usd"})
    stripe.controls.bank_debit(BANK_FEE.minor, "usd", "ACCOUNT FEE", kind="fee")
    with next_month(stripe) as month:
        _statement_taken(stripe, first)
        _break_explained(first, second, code_of(session, approver))
        _closed(first, second, f"{month:%Y-%m}")

    assert "partially_sent" == run["state"]
    assert [] == ledger_queries.broken_invariants(session)


def _paid_with_mishaps(
    stripe: Stripe, first: Program, second: Program, people: list[PersonId], code: str
) -> dict[str, Any]:
    """Five are to be paid: one account turns restricted, one call stays unanswered."""
    made = first.post("/finance/payout-runs", 201, json={"minimum_minor": 10_00})
    path = f"/finance/payout-runs/{made['id']}"
    approval = {"content_sha256": made["content_sha256"], "totp_code": code}
    first.post(f"{path}/approve", 403, json=approval)
    second.post(f"{path}/approve", 409, json=approval | {"content_sha256": "0" * 64})
    second.post(f"{path}/approve", json=approval)
    first.post(f"{path}/release")
    restricted, unanswered, *others = people
    stripe.controls.restrict(make_payouts.account_of(restricted))
    run = first.get(path)
    stripe.controls.fault("drop", **SILENCE)
    send(run, unanswered)
    for person_id in (restricted, *others):
        send(run, person_id)
    between = {line["specialist_id"]: line for line in first.get(path)["lines"]}
    with clock.shifted(timedelta(seconds=61)):
        send(run, unanswered)
    after = first.get(path)

    states = [between[str(person_id)]["state"] for person_id in people]
    assert ["rejected", "unknown", "transferred", "transferred", "transferred"] == states
    assert between[str(restricted)]["reason"]
    ended = {line["specialist_id"]: line["state"] for line in after["lines"]}
    assert "transferred" == ended[str(unanswered)]
    assert 4 == len(stripe.transfers())
    return dict(after)


def _statement_taken(stripe: Stripe, first: Program) -> None:
    """The bank's file is uploaded, proven, and its lines are matched."""
    file = stripe.controls.statement("camt053", until=ledger.book_today())
    account = camt.read(file)[0].account
    source = {"kind": "camt053", "account": account, "currency": "USD"}
    first.post("/finance/statement-sources", 201, json=source)
    broken = file.replace(b"100.00", b"100.01", 1)
    upload = {"kind": "camt053", "file": (io.BytesIO(broken), "bank.xml")}
    first.post("/finance/statements", 422, data=upload)
    taken = first.post(
        "/finance/statements", 201, data=upload | {"file": (io.BytesIO(file), "bank.xml")}
    )
    again = first.post(
        "/finance/statements", 201, data=upload | {"file": (io.BytesIO(file), "bank.xml")}
    )
    background.run("reconciliation.pull")
    work_through("reconciliation", "billing")

    assert (3, False, True) == (taken["entries_new"], taken["again"], again["again"])


def _break_explained(first: Program, second: Program, code: str) -> None:
    """One line of the bank is nobody's: explained with evidence, and approved by another."""
    compared = first.post("/finance/reconciliations", 201)
    (found,) = first.get("/finance/breaks")["items"]
    path = f"/finance/breaks/{found['id']}"
    first.post(f"{path}/investigate")
    letter = base64.b64encode(b"The bank charges 12.50 a month.").decode()
    legs = [
        {"account": "E:writeoff:USD", "amount_minor": BANK_FEE.minor, "currency": "USD"},
        {"account": "A:bank:client_funds:USD", "amount_minor": -BANK_FEE.minor, "currency": "USD"},
    ]
    proposed = {
        "action": "adjust",
        "reason": "bank_fee",
        "note": "The monthly fee of the account.",
        "legs": legs,
        "effective_on": found["theirs"]["on"],
    }
    first.post(f"{path}/propose", 422, json=proposed)
    evidence = {"name": "letter.txt", "content_base64": letter}
    made = first.post(f"{path}/propose", 201, json=proposed | {"evidence": evidence})
    approval = {"content_sha256": made["content_sha256"], "totp_code": code}
    first.post(f"{path}/approve", 403, json=approval)
    done = second.post(f"{path}/approve", json=approval)
    second.post(f"{path}/approve", 409, json=approval)
    background.number_facts()
    later = first.post("/finance/reconciliations", 201)

    assert 1 == sum(compared["breaks"].values())
    assert -BANK_FEE.minor == found["difference"]["amount_minor"]
    assert ("resolved", "adjusted") == (done["state"], done["resolution"])
    assert {"amount_minor": 0} != later["outcome"]
    assert [] == first.get("/finance/breaks")["items"]


def _closed(first: Program, second: Program, month: str) -> None:
    """The month is closed, once; its pack says what the book says."""
    path = f"/finance/periods/{month}"
    second_round = Program(second.client, second.token)
    before = first.get(path)
    closed = first.post(f"{path}/close")
    first.post(f"{path}/close", 409)
    work_through("reconciliation")
    pack = second_round.get(f"{path}/pack")
    kept = second_round.get(path)

    assert [] == [check for check in before["checklist"] if not check["ok"]]
    assert "closed" == closed["state"]
    assert hashlib.sha256(pack).hexdigest() == kept["closes"][0]["pack_sha256"]
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        trial = archive.read("trial-balance.csv").decode()
        pdf = PdfReader(io.BytesIO(archive.read("close-pack.pdf")))
        for name, one in manifest["files"].items():
            assert one["sha256"] == hashlib.sha256(archive.read(name)).hexdigest()
    assert month == manifest["month"]
    assert "E:writeoff:USD,expense,USD,12.50," in trial
    assert "bank fee" in "".join(page.extract_text() for page in pdf.pages).replace("_", " ")
