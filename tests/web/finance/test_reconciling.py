"""Statements, breaks and months on pages: uploaded, explained, approved, closed."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM
from marketplace.identity.rules import Role
from marketplace.ledger.service import book_today
from marketplace.reconciliation import background, service
from marketplace.reconciliation.models import Break
from marketplace.reconciliation.queries import breaks as queries
from marketplace.reconciliation.queries.closing import close_of
from marketplace.reconciliation.rules.breaks import BreakKind, BreakState, Found
from marketplace.reconciliation.rules.closing import month_of
from marketplace.reconciliation.stripe_gateway import RawBalance
from tests.make.billing import work
from tests.make.ledger import usd
from tests.web.finance.conftest import Desk, Hire
from tests.web.pages import checked, text_of

CSV = """\
Date,Details,Paid in,Paid out,Balance
2026-10-01,Opening fee,,12.50,987.50
2026-10-02,Wire INV1,40.00,,1027.50
"""
MONTH = "2026-10"


@pytest.fixture
def reconciler(hire: Hire) -> Desk:
    return hire(Role.RECONCILER, name="Rosa Reconciler", factor=False)


def a_break(session: Session) -> Break:
    found = Found(
        kind=BreakKind.MISSING_IN_LEDGER,
        key="txn_lost",
        source="stripe",
        difference=usd(12_00),
        since=clock.now() - timedelta(days=3),
        theirs={"line": "txn_lost", "type": "adjustment", "amount_minor": 12_00, "currency": "USD"},
        balance_transaction_id="txn_lost",
    )
    service.record_breaks(session, [found], source="stripe")
    (row,) = queries.breaks(session, SYSTEM, queries.Wanted())
    session.flush()
    return row


def proposal(row: Break, **other: object) -> dict[str, object]:
    """The form as the page fills it, with a file."""
    said: dict[str, object] = {
        "version": str(row.version),
        "action": "adjust",
        "reason": "our_error",
        "note": "The line <b>was</b> missed.",
        "account_1": "A:stripe:balance:USD",
        "debit_1": "12.00",
        "account_2": "L:suspense:stripe:USD",
        "credit_2": "12.00",
        "effective_on": book_today().isoformat(),
        "file": (io.BytesIO(b"Seen at Stripe."), "seen.txt"),
    }
    return said | other


def test_a_break_goes_from_one_person_to_another(
    session: Session, reconciler: Desk, approver: Desk, auditor: Desk
) -> None:
    row = a_break(session)
    path = f"/finance/breaks/{row.id}"
    listed = text_of(checked(reconciler.browser.get("/finance/breaks")))
    form = checked(reconciler.browser.get(path))
    faulty = reconciler.browser.post(f"{path}/propose", proposal(row, credit_2="11.00"))
    without = reconciler.browser.post(f"{path}/propose", proposal(row, file=""))
    sent = reconciler.browser.post(f"{path}/propose", proposal(row))
    stale = reconciler.browser.post(f"{path}/investigate", {"version": "1"})
    seen = checked(approver.browser.get(path))
    session.refresh(row)
    (made,) = queries.break_view(session, SYSTEM, row.id).proposals
    signed = {"content_sha256": made.content_sha256, "code": "000000"}
    own = reconciler.browser.post(f"{path}/approve", signed)
    wrong = approver.browser.post(f"{path}/approve", signed)
    done = approver.browser.post(f"{path}/approve", signed | {"code": approver.code()})
    twice = approver.browser.post(f"{path}/approve", signed)
    assert "Wait for the next code in your app" in text_of(checked(wrong, 422))
    evidence = auditor.browser.get(f"{path}/evidence/{made.id}")
    after = text_of(checked(auditor.browser.get(path)))
    session.refresh(row)

    assert "Not posted by us" in listed
    assert "+$12.00" in listed
    assert 'value="L:suspense:stripe:USD"' in form
    assert "1.00 USD more than the other side" in checked(faulty, 422)
    assert "Add the file that shows why." in checked(without, 422)
    assert 303 == sent.status_code
    assert "Somebody was faster" in checked(stale, 409)
    assert "The line &lt;b&gt;was&lt;/b&gt; missed." in seen
    assert [403, 303] == [own.status_code, done.status_code]
    assert "no longer what you looked at" in checked(twice, 409)
    assert (b"Seen at Stripe.", "attachment; filename=seen.txt") == (
        evidence.data,
        evidence.headers["Content-Disposition"],
    )
    assert BreakState.RESOLVED is row.state
    assert "Resolved by an adjustment" in after
    assert "Propose what to do" not in after


def test_an_auditor_only_looks(session: Session, auditor: Desk) -> None:
    row = a_break(session)
    deeds = ("assign", "investigate", "comment", "propose", "approve", "decline")
    answers = [
        auditor.browser.post(f"/finance/breaks/{row.id}/{deed}", {"note": "x"}).status_code
        for deed in deeds
    ]
    answers += [
        auditor.browser.post(f"/finance/{deed}").status_code
        for deed in ("statements", f"periods/{MONTH}/close", f"periods/{MONTH}/reopening")
    ]
    assert {403} == set(answers)
    for page in ("breaks", "periods", f"periods/{MONTH}", "statements", "reconciliation"):
        checked(auditor.browser.get(f"/finance/{page}"))
    assert 404 == auditor.browser.get("/finance/periods/2026-13").status_code
    file = auditor.browser.get("/finance/breaks.csv")
    assert "txn_lost" in file.text
    file.close()


def test_a_statement_is_mapped_proven_and_refused_when_it_does_not_add_up(
    session: Session, reconciler: Desk
) -> None:
    browser = reconciler.browser
    source = {"name": "First Bank", "account": "GB29 NWBK 6016 1331 9268 19", "kind": "csv"}
    source |= {"currency": "USD", "holds": "client_funds"}
    added = browser.post("/finance/statement-sources", {**source})
    path = added.location
    sample = checked(browser.post(f"{path}/sample", {"file": (io.BytesIO(CSV.encode()), "a.csv")}))
    columns: dict[str, object] = {
        "sample": sample.partition('name="sample" value="')[2].partition('"')[0],
        "booked_on": "Date",
        "credit": "Paid in",
        "debit": "Paid out",
        "balance": "Balance",
        "text": "Details",
    }
    shown = text_of(checked(browser.post(path, columns | {"preview": "1"})))
    wrong = browser.post(path, columns | {"booked_on": "Day", "save": "1"})
    saved = browser.post(path, columns | {"save": "1"})
    upload = {"kind": "csv", "source_id": path.split("/")[-2]}

    def sent(text: str) -> dict[str, object]:
        return {**upload, "file": (io.BytesIO(text.encode()), "october.csv")}

    broken = browser.post("/finance/statements", sent(CSV.replace("1027.50", "1027.51")))
    taken = browser.post("/finance/statements", sent(CSV))
    statement = text_of(checked(browser.get(taken.location)))
    again = browser.post("/finance/statements", sent(CSV))
    listed = text_of(checked(browser.get("/finance/statements")))

    assert "12.50" in shown
    assert [422, 303] == [wrong.status_code, saved.status_code]
    assert 422 == broken.status_code
    assert "1027.51" in text_of(checked(broken, 422))
    assert 303 == taken.status_code
    assert "make $1,027.50: proven" in statement
    assert 303 == again.status_code
    assert "This very file was taken before." in listed


def test_a_month_is_closed_downloaded_and_opened_again_by_two(
    session: Session, reconciler: Desk, approver: Desk
) -> None:
    path = f"/finance/periods/{MONTH}"
    early = reconciler.browser.post(f"{path}/close")
    service.record_statement(session, RawBalance({}, {}))
    session.flush()
    whole = text_of(checked(reconciler.browser.get(f"{path}?all=1")))
    closed = reconciler.browser.post(f"{path}/close")
    waiting = reconciler.browser.get(f"{path}/pack")
    close = str(close_of(session, SYSTEM, month_of(MONTH)).id)
    background.make_pack(work("reconciliation.make_pack"), close_id=close)
    pack = reconciler.browser.get(f"{path}/pack")
    asked = reconciler.browser.post(f"{path}/reopening", {"reason": "A fee came late."})
    own = reconciler.browser.post(f"{path}/reopening/approve")
    opened = approver.browser.post(f"{path}/reopening/approve")
    marked = text_of(checked(approver.browser.get(path)))
    months = text_of(checked(approver.browser.get("/finance/periods")))

    assert "balance was not taken since 31 October ended" in checked(early, 409)
    assert "8 of 8 lines of the checklist hold" in whole
    assert [303, 409] == [closed.status_code, waiting.status_code]
    assert (200, "application/zip", b"PK") == (pack.status_code, pack.mimetype, pack.data[:2])
    assert [303, 403, 303] == [asked.status_code, own.status_code, opened.status_code]
    assert "A fee came late." in marked
    assert "Opened again once" in months
