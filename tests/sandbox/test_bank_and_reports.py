"""The platform's bank and Stripe's reports: files that prove themselves."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as Xml

import httpx
import mt940
import stripe

from marketplace.sandbox.bank import account_number
from marketplace.sandbox.bank.camt053 import NAMESPACE
from marketplace.sandbox.control_client import ControlClient
from tests.sandbox.conftest import KEY, until

DAY = 86_400
IN = f"{{{NAMESPACE}}}"


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def busy_bank(sdk: stripe.StripeClient, controls: ControlClient) -> None:
    """Two days of wires, a payout that arrives, a top-up that leaves, and a fee."""
    controls.wire(500_000, "usd", "LAB-7K2Q INV-2026-0001", payer="A LAB", charges=1_500)
    controls.wire(10_000, "usd", "wrong reference", payer="SOMEBODY")
    sdk.v1.topups.create({"amount": 300_000, "currency": "usd"})
    controls.advance(DAY)
    sdk.v1.payouts.create({"amount": 50_000, "currency": "usd"})
    controls.bank_debit(2_500, "usd", "ACCOUNT FEES", kind="fee")
    controls.advance(DAY)


def test_camt_and_csv_tell_the_same_and_each_day_proves_itself(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    busy_bank(sdk, controls)

    document = Xml.fromstring(controls.statement("camt053"))  # noqa: S314 - we wrote it.
    lines = rows(controls.statement("csv").decode())

    amounts, closings, numbers, before = [], [], [], 0
    for statement in document.iter(f"{IN}Stmt"):
        opening, closing = (_signed(each) for each in statement.findall(f"{IN}Bal"))
        inside = [_signed(entry) for entry in statement.findall(f"{IN}Ntry")]
        assert before == opening
        assert opening + sum(inside) == closing
        before = closing
        amounts += inside
        closings.append(closing)
        numbers.append(statement.findtext(f"{IN}LglSeqNb"))
    assert [498_500, 10_000, -300_000, -2_500, 50_000] == amounts
    assert amounts == [round(float(line["Amount"]) * 100) for line in lines]
    assert [str(at + 1) for at in range(len(closings))] == numbers
    assert "15.00" == document.findtext(f".//{IN}Chrgs/{IN}Rcrd/{IN}Amt")
    assert lines[-1]["Reference"].startswith("STRIPE PAYOUT SBX")


def _signed(element: Xml.Element) -> int:
    amount = round(float(element.findtext(f"{IN}Amt") or "") * 100)
    return -amount if element.findtext(f"{IN}CdtDbtInd") == "DBIT" else amount


def test_mt940_is_read_by_a_library_with_the_same_figures(
    sdk: stripe.StripeClient, controls: ControlClient
) -> None:
    busy_bank(sdk, controls)
    today = datetime.fromtimestamp(controls.now() - 2 * DAY, UTC).date()

    text = controls.statement("mt940", until=today).decode()
    read: Any = mt940.parse(text)

    assert [498_500, 10_000, -300_000] == [
        int(each.data["amount"].amount * 100) for each in read.transactions
    ]
    assert text.startswith(f":20:SBX{today:%y%m%d}\r\n:25:{account_number('client_funds', 'usd')}")
    assert ":62F:C" in text
    assert "2085,00" in text


def test_an_iban_of_the_bank_has_right_check_digits() -> None:
    number = account_number("client_funds", "eur")

    turned = "".join(str(int(letter, 36)) for letter in number[4:] + number[:4])

    assert int(turned) % 97 == 1


def test_reports_hold_what_the_balance_did(
    sdk: stripe.StripeClient, controls: ControlClient, fund: Callable[..., Any]
) -> None:
    fund(10_000)
    controls.post_line("stripe_fee", -250, "usd")
    controls.advance(DAY)
    window = {"interval_start": controls.now() - 2 * DAY, "interval_end": controls.now()}

    def report(kind: str, **more: Any) -> list[dict[str, str]]:
        asked: Any = {"report_type": kind, "parameters": {**window, **more}}
        run = sdk.v1.reporting.report_runs.create(asked)
        assert run.status == "pending"
        until(lambda: sdk.v1.reporting.report_runs.retrieve(run.id).status == "succeeded")
        done = sdk.v1.reporting.report_runs.retrieve(run.id)
        assert done.result is not None
        answer = httpx.get(str(done.result.url), headers={"Authorization": f"Bearer {KEY}"})
        return rows(answer.text)

    lines = report("balance_change_from_activity.itemized.3")
    few = report("balance_change_from_activity.itemized.3", columns=["net", "currency"])
    summary = report("balance.summary.1")

    assert [("100.00", "3.20", "96.80"), ("-2.50", "0.00", "-2.50")] == [
        (line["gross"], line["fee"], line["net"]) for line in lines
    ]
    assert [{"net": "96.80", "currency": "usd"}, {"net": "-2.50", "currency": "usd"}] == few
    assert ["0.00", "94.30", "0.00", "94.30"] == [line["net_amount"] for line in summary]


def test_the_report_of_a_payout_holds_what_it_paid_out(
    sdk: stripe.StripeClient, controls: ControlClient, fund: Callable[..., Any]
) -> None:
    fund(10_000)
    fund(20_000)
    sdk.v1.balance_settings.update({"payments": {"payouts": {"schedule": {"interval": "daily"}}}})
    controls.advance(2 * DAY)
    (payout,) = sdk.v1.payouts.list().data
    asked: Any = {
        "report_type": "payout_reconciliation.itemized.5",
        "parameters": {"payout": payout.id},
    }

    run = sdk.v1.reporting.report_runs.create(asked)
    until(lambda: sdk.v1.reporting.report_runs.retrieve(run.id).status == "succeeded")
    done = sdk.v1.reporting.report_runs.retrieve(run.id)
    file = str(done.result.url if done.result else "")
    lines = rows(httpx.get(file, headers={"Authorization": f"Bearer {KEY}"}).text)

    paid_out = [line for line in lines if line["reporting_category"] == "charge"]
    assert payout.amount == sum(round(float(line["net"]) * 100) for line in paid_out)
    assert {payout.id} == {line["automatic_payout_id"] for line in lines}
