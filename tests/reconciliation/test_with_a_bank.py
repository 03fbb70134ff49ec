"""The sandbox's bank and Stripe together: money goes round, and every line is explained."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from marketplace import clock, db, outbox, storage
from marketplace.actor import SYSTEM
from marketplace.ids import new_id
from marketplace.ledger import queries as ledger
from marketplace.payouts.models import ConnectedPayout, StrayTransfer
from marketplace.payouts.rules import ConnectedState
from marketplace.reconciliation import background, service
from marketplace.reconciliation.queries.completeness import stripe_gaps
from marketplace.reconciliation.rules import camt, delimited
from marketplace.reconciliation.rules.breaks import BreakKind
from marketplace.reconciliation.rules.delimited import ColumnMapping
from marketplace.reconciliation.rules.statements import SourceKind, StatementRefused
from marketplace.reconciliation.service.statements import Taken
from marketplace.reconciliation.stripe_gateway import lines, payouts
from tests.make.billing import KEY, Stripe
from tests.make.ledger import usd
from tests.make.payouts import a_specialist_to_pay, account_of
from tests.reconciliation.test_pull import post_all_lines, pull

DAY = 86_400


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """A store of one's own."""
    former = storage._Here.storage
    storage.use(storage.from_url(str(tmp_path)))
    yield tmp_path
    storage._Here.storage = former


def treasury_posts() -> None:
    """What the outbox hands to treasury."""
    with db.transaction() as session:
        rows = session.execute(
            text(
                "SELECT arguments ->> 'bt' AS bt FROM outbox"
                " WHERE name = 'reconciliation.post_line' ORDER BY id"
            )
        ).all()
        for row in rows:
            service.post_line(session, row.bt)


def test_money_goes_round_and_every_line_is_explained(stripe: Stripe, kept: Path) -> None:
    stripe.fund(usd(500_00))
    pull()
    post_all_lines()
    stripe.sdk.v1.payouts.create({"amount": 120_00, "currency": "usd"})
    stripe.sdk.v1.topups.create({"amount": 40_00, "currency": "usd", "description": "funding"})
    stripe.controls.wire(75_00, "usd", "RF00 nobody knows", payer="LAB OF MANY NAMES")
    stripe.controls.advance(4 * DAY)
    # Later news first, as they come: the statement is there before Stripe's payouts are.
    file = stripe.controls.statement("camt053")
    account = camt.read(file)[0].account
    with db.transaction() as session:
        service.add_source(
            session, SYSTEM, kind=SourceKind.CAMT053, account=account, currency="USD"
        )
    with clock.shifted(timedelta(days=4)):
        taken = background.take_statement(SYSTEM, file, kind=SourceKind.CAMT053, name="bank.xml")
        pull()
        treasury_posts()
        made = background.compare_all(SYSTEM)
        other = background.take_statement(
            SYSTEM, stripe.controls.statement("mt940"), kind=SourceKind.MT940, name="bank.sta"
        )

    assert (3, 0) == (taken.entries_new, taken.entries_known)
    assert 1 == made.counts["S5 trace_id"] + made.counts.get("S5 amount_and_days", 0)
    assert 1 == made.counts["S5 funding_of_stripe"]
    assert 1 == made.counts["S6 received"]
    # A wire that waits for its owner is no break on its first day. What Stripe kept of the
    # payment is missing until we fund it, which coverage says.
    assert {"coverage_shortfall": 1} == made.breaks
    with db.transaction() as session:
        assert usd(120_00 - 40_00 + 75_00) == ledger.balance(session, "A:bank:client_funds:USD")
        assert usd(0) == ledger.balance(session, "A:stripe:to_bank:USD")
        assert usd(0) == ledger.balance(session, "A:stripe:topup_in_transit:USD")
        assert usd(75_00) == ledger.balance(session, "L:unapplied:USD")
    # The same days in another form bring nothing new, whatever the bank writes there.
    assert 0 == other.entries_new


def test_a_report_of_stripe_proves_that_no_line_is_missing(stripe: Stripe, kept: Path) -> None:
    for minor in (100_00, 50_00):
        stripe.fund(usd(minor))
    begins = stripe.controls.now() // DAY * DAY
    stripe.controls.advance(2 * DAY)
    run = stripe.sdk.v1.reporting.report_runs.create(
        {
            "report_type": "balance_change_from_activity.itemized.3",
            "parameters": {"interval_start": begins, "interval_end": begins + DAY},
        }
    )
    stripe.controls.advance(60)
    done = stripe.sdk.v1.reporting.report_runs.retrieve(run.id)
    assert done.result is not None
    assert done.result.url is not None
    answer = httpx.get(done.result.url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False)
    pull()

    taken = background.take_statement(
        SYSTEM, answer.content, kind=SourceKind.STRIPE_BALANCE, name="report.csv"
    )
    told = answer.content.splitlines()
    short = b"\n".join(told[:-1]) + b"\n"

    assert 2 == taken.entries_new
    with db.transaction() as session:
        found = service.found_differences(session, clock.now() + timedelta(days=3))["stripe"]
    assert BreakKind.FILE_GAP not in {each.kind for each in found}
    background.take_statement(SYSTEM, short, kind=SourceKind.STRIPE_BALANCE, name="short.csv")
    with db.transaction() as session:
        found = service.found_differences(session, clock.now() + timedelta(days=3))["stripe"]
    (gap,) = [each for each in found if each.kind is BreakKind.FILE_GAP]
    assert "has 1 lines" in str(gap.theirs["says"])


def test_reports_are_asked_for_and_taken_by_themselves(stripe: Stripe, kept: Path) -> None:
    stripe.fund(usd(100_00))
    began = clock.now().date()
    stripe.controls.advance(2 * DAY)
    with clock.shifted(timedelta(days=2)):
        first, again = report_asked(), report_asked()
        waits = report_looked_for(first)
        stripe.controls.advance(60)
        report_looked_for(first)
        report_looked_for(again)
    with db.transaction() as session:
        told = session.execute(text("SELECT on_day, line_count FROM stripe_report_day")).all()
        files = session.scalars(text("SELECT count(*) FROM statement_file")).one()
    stripe.fund(usd(7_00))
    with clock.shifted(timedelta(days=4)):
        pull()
    with db.transaction() as session:
        through = began + timedelta(days=2)
        reported = stripe_gaps(session, began, through - timedelta(days=1))
        beyond = stripe_gaps(session, began, through)

    assert (first, True, 1) == (again, waits, files)
    assert [(began, 1)] == [tuple(each) for each in told]
    assert [] == reported
    assert [f"unreported:{through}"] == [gap.key for gap in beyond]


def report_asked() -> str:
    """One run of the schedule; the report run that it has watched."""
    with db.transaction() as session:
        work = outbox.open_work(session, outbox.enqueue(session, "reconciliation.ask_report"))
    assert work is not None
    background.ask_report(work)
    newest = (
        "SELECT arguments ->> 'run_id' FROM outbox WHERE name = 'reconciliation.take_report'"
        " ORDER BY id DESC LIMIT 1"
    )
    with db.transaction() as session:
        return str(session.scalars(text(newest)).one())


def report_looked_for(run_id: str) -> bool:
    """One look at a report run; whether it is looked at again."""
    name = "reconciliation.take_report"
    with db.transaction() as session:
        row = outbox.enqueue(session, name, run_id=run_id)
        work = outbox.open_work(session, row)
    assert work is not None
    background.take_report(work, run_id=run_id)
    with db.transaction() as session:
        return outbox.open_work(session, row) is not None


def test_the_banks_csv_is_read_by_a_mapping_and_shown_first(stripe: Stripe, kept: Path) -> None:
    stripe.controls.wire(75_00, "usd", "REFERENCE 1")
    stripe.controls.advance(2 * DAY)
    content = stripe.controls.statement("csv")
    mapping = ColumnMapping(
        booked_on="Booking date",
        value_on="Value date",
        amount="Amount",
        currency="Currency",
        balance="Balance",
        reference="Bank reference",
        counterparty="Counterparty",
        text=("Reference",),
    )
    with db.transaction() as session:
        source = service.add_source(
            session, SYSTEM, kind=SourceKind.CSV, account="0012345", currency="USD"
        )
    with pytest.raises(StatementRefused, match="Save a mapping first"):
        csv_taken(content, source.id)
    with db.transaction() as session:
        service.save_mapping(session, SYSTEM, source.id, replace(mapping, balance="Saldo"))
    with pytest.raises(StatementRefused, match="no column “Saldo”"):
        csv_taken(content, source.id)
    with db.transaction() as session:
        service.save_mapping(session, SYSTEM, source.id, mapping)

    taken = csv_taken(content, source.id)

    with db.transaction() as session:
        versions = session.scalars(
            text(
                "SELECT version FROM statement_mapping m"
                " JOIN statement_file f ON f.mapping_id = m.id"
            )
        ).all()
    assert (1, [2]) == (taken.entries_new, versions)
    assert [usd(75_00)] == [
        each.amount for each in delimited.preview(content, mapping, "USD").entries
    ]


def csv_taken(content: bytes, source_id: UUID) -> Taken:
    """A CSV file, taken for an account."""
    return background.take_statement(
        SYSTEM, content, kind=SourceKind.CSV, name="bank.csv", source_id=source_id
    )


def test_connected_accounts_are_read_and_compared(stripe: Stripe) -> None:
    person = a_specialist_to_pay(stripe, usd(60_00))
    account = account_of(person)
    stripe.fund(usd(500_00))
    stripe.sdk.v1.transfers.create({"amount": 60_00, "currency": "usd", "destination": account})
    with db.transaction() as session:
        row = outbox.enqueue(session, "reconciliation.pull_connected")
    for _ in range(2):
        with db.transaction() as session:
            work = outbox.open_work(session, row)
        if work is not None:
            background.pull_connected(work)

    with db.transaction() as session:
        stored = session.execute(
            text("SELECT kind, net, account FROM stripe_statement_line WHERE account <> ''")
        ).all()
        pulled = session.execute(text("SELECT account, failed FROM stripe_account_pull")).all()
        found = service.found_differences(session, clock.now())["custody"]
    assert [("payment", 60_00, account)] == [tuple(each) for each in stored]
    assert [(account, 0)] == [tuple(each) for each in pulled]
    # A transfer that the book does not know shows on the other side as well.
    assert [(BreakKind.AMOUNT_MISMATCH, usd(60_00))] == [
        (each.kind, each.difference) for each in found
    ]


def test_what_payouts_met_at_banks_is_a_break_once(stripe: Stripe) -> None:
    person = a_specialist_to_pay(stripe, usd(60_00))
    account, now = account_of(person), clock.now()
    with db.transaction() as session:
        session.add_all(
            [
                ConnectedPayout(
                    id=new_id(),
                    payout_id="po_back",
                    stripe_account_id=account,
                    specialist_id=person,
                    amount_minor=60_00,
                    currency="USD",
                    state=ConnectedState.RETURNED,
                    stripe_status="failed",
                    automatic=True,
                    trouble="The money is back on an account that is no longer used.",
                    made_at=now,
                    since=now,
                    read_at=now,
                ),
                StrayTransfer(
                    transfer_id="tr_lost",
                    stripe_account_id=account,
                    specialist_id=person,
                    line_id="gone",
                    amount_minor=90_00,
                    currency="USD",
                    found_at=now,
                ),
            ]
        )
    with db.transaction() as session:
        first = service.reconcile(session).breaks
        again = service.reconcile(session).outcome
        found = service.found_differences(session, now)["custody"]
        session.get_one(StrayTransfer, "tr_lost").settled_at = now
    with db.transaction() as session:
        left = service.found_differences(session, now)["custody"]

    assert {"orphan_transfer": 1, "returned": 1} == first
    assert (0, 2) == (again["opened"], again["standing"])
    told = [(each.kind, each.key, each.difference) for each in found]
    assert (BreakKind.RETURNED, "po_back", usd(60_00)) in told
    assert (BreakKind.ORPHAN_TRANSFER, "tr_lost", usd(-90_00)) in told
    assert ["po_back"] == [each.key for each in left]


def test_real_shapes_are_read() -> None:
    folder = os.environ.get("SAMPLE_DATA")
    if not folder:
        pytest.skip("SAMPLE_DATA is not set, so Stripe's own examples are not at hand.")
    file = Path(folder) / "stripe" / "fixtures3.json"
    resources = json.loads(file.read_text(encoding="utf-8"))["resources"]

    line = lines._raw(dict(resources["balance_transaction"]))
    payout = payouts._raw(resources["payout"])

    assert (usd(100), "charge") == (line.line.amount, line.line.kind)
    assert (usd(1100), None, True) == (payout.amount, payout.trace_id, payout.reconciled)
