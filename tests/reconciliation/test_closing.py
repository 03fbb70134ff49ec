"""Closing a month: the checklist, the lock, the pack, and opening it again by two."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, date, datetime

import pytest
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock, storage
from marketplace.actor import SYSTEM, Actor
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty, Refused
from marketplace.identity.rules import Role
from marketplace.ledger import queries as ledger
from marketplace.ledger import service as book
from marketplace.ledger.service import PeriodClosed
from marketplace.money import Money
from marketplace.reconciliation import background, service
from marketplace.reconciliation.models import MonthClose
from marketplace.reconciliation.queries import closing as queries
from marketplace.reconciliation.queries import statement_lines
from marketplace.reconciliation.queries.breaks import high_undecided
from marketplace.reconciliation.rules import Line
from marketplace.reconciliation.rules.adjusting import suggested_legs
from marketplace.reconciliation.rules.auditing import complaints
from marketplace.reconciliation.rules.breaks import Action, BreakKind, Found, ReasonCode
from marketplace.reconciliation.rules.closing import CheckCode, NotReady, OwnReopening
from marketplace.reconciliation.service import Proposed, StoredEvidence
from marketplace.reconciliation.stripe_gateway import RawBalance, RawLine
from tests.make import identity as make
from tests.make import ledger as make_ledger
from tests.make.billing import work
from tests.make.breaks import approve
from tests.make.ledger import usd

MAY = date(2026, 5, 1)
BEFORE, IN_MAY, AFTER = date(2026, 4, 30), date(2026, 5, 3), date(2026, 6, 2)
STRIPE = "A:stripe:balance:USD"
ALONE = "UPDATE month_reopening SET approved_by = asked_by, approved_at = now()"
FILE = StoredEvidence("break-evidence/x", "letter.pdf", "application/pdf", 10, b"\7" * 32)


def a_book(session: Session) -> None:
    """Two top-ups before, in and after May each, all numbered, as Stripe says."""
    for on in (BEFORE, IN_MAY, AFTER):
        for fee in (0, 30):
            top_up(session, f"txn_{on:%m%d}_{fee}", usd(100_00), usd(fee), on)
    number(session)


def top_up(session: Session, bt: str, gross: Money, fee: Money, on: date) -> None:
    """A top-up, posted, of which Stripe has the line; its balance is taken anew."""
    make_ledger.topped_up(session, gross, fee=fee, effective_on=on, balance_transaction_id=bt)
    at = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    line = RawLine(Line(bt, "charge", gross, fee, at), None, at, {"id": bt})
    service.record_lines(session, [line])
    session.flush()
    lines = statement_lines(session, SYSTEM)
    have = {"USD": {"available": sum(one.net for one in lines), "pending": 0}}
    service.record_statement(session, RawBalance(have, {"lines": len(lines)}))
    session.flush()


def number(session: Session) -> None:
    session.flush()
    while book.number_transactions(session):
        pass


def missing(kind: BreakKind = BreakKind.MISSING_IN_LEDGER, minor: int = 2_000_00) -> Found:
    since = clock.now().replace(year=2026, month=5, day=9)
    return Found(kind, "txn_lost", "stripe", usd(minor), since)


@pytest.fixture
def reconciler(session: Session) -> Actor:
    return make.staff(session, Role.RECONCILER)


@pytest.fixture
def approver(session: Session) -> Actor:
    return make.staff(session, Role.APPROVER)


def in_the_way(
    session: Session, month: date = MAY, found: list[str] | None = None
) -> list[CheckCode]:
    checks = service.checklist(session, SYSTEM, month, found)
    return [check.code for check in checks if not check.ok]


def packed(close: MonthClose) -> bytes:
    """The pack that the background made, as it is stored."""
    with transaction() as session:
        row = session.get_one(MonthClose, close.id)
    assert row.pack_reference is not None
    with storage.current().open(row.pack_reference) as stream:
        return stream.read()


def closed(session: Session, actor: Actor, month: date = MAY) -> MonthClose:
    close = service.close_month(session, actor, month, background.audited(month))
    session.flush()
    background.make_pack(work("reconciliation.make_pack"), close_id=str(close.id))
    session.refresh(close)
    return close


def rows_of(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def test_a_month_is_closed_only_when_the_whole_list_holds(
    session: Session, reconciler: Actor, approver: Actor
) -> None:
    a_book(session)
    top_up(session, "txn_new", usd(1_00), usd(0), IN_MAY)
    service.record_breaks(session, [missing()], source="stripe")
    expected = [CheckCode.BREAKS, CheckCode.NUMBERED]
    assert expected == in_the_way(session)
    assert [*expected, CheckCode.BEANCOUNT] == in_the_way(session, found=["It does not add up."])
    with pytest.raises(NotReady, match=r"BR-\d+-0001 over 2000.00 USD is high and open"):
        service.close_month(session, reconciler, MAY, [])
    session.rollback()


def test_an_approved_wait_and_carried_suspense_let_a_month_close(
    session: Session, reconciler: Actor, approver: Actor
) -> None:
    a_book(session)
    service.record_breaks(session, [missing()], source="stripe")
    (row,) = session.scalars(high_undecided(clock.now())).all()
    legs = tuple(suggested_legs(Action.ADJUST, row.kind, row.source, row.difference))
    proposal = service.propose_for_break(
        session,
        reconciler,
        row.id,
        Proposed(Action.ADJUST, ReasonCode.UNEXPLAINED, "Nobody knows.", legs, IN_MAY),
        FILE,
    )
    approve(session, approver, row.id, proposal.content_sha256)
    number(session)

    assert [] == in_the_way(session)
    (suspense,) = [
        check
        for check in service.checklist(session, SYSTEM, MAY)
        if check.code is CheckCode.SUSPENSE
    ]
    assert "2000.00 USD in L:suspense:stripe:USD" in suspense.said


def test_the_pack_holds_the_month_and_is_the_same_whenever_it_is_made(
    session: Session, reconciler: Actor
) -> None:
    a_book(session)
    close = closed(session, reconciler)
    pack = packed(close)
    # What comes later changes nothing: a late event of May, and a new month.
    top_up(session, "txn_late", usd(7_00), usd(0), IN_MAY)
    number(session)
    again = io.BytesIO()
    sha256 = background.pack_again(close.id, again)

    assert (close.pack_sha256, len(pack)) == (hashlib.sha256(pack).digest(), close.pack_bytes)
    assert (close.pack_sha256, pack) == (sha256, again.getvalue())
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        names = archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        trial = {row["account"]: row for row in rows_of(archive, "trial-balance.csv")}
        rolled = {row["account"]: row for row in rows_of(archive, "roll-forwards.csv")}
        entries = rows_of(archive, "entries.csv")
        beancount = archive.read("ledger.beancount").decode()
        pages = PdfReader(io.BytesIO(archive.read("close-pack.pdf"))).pages
        printed = "\n".join(page.extract_text() for page in pages)
        hashes = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}
    assert hashes == {name: one["sha256"] for name, one in manifest["files"].items()} | {
        "manifest.json": hashes["manifest.json"]
    }
    assert ("399.40", "") == tuple(
        trial["A:stripe:balance:USD"][side] for side in ("debit", "credit")
    )
    balance = rolled[STRIPE]
    figures = ("opening", "debits", "credits", "closing")
    assert ("199.70", "200.00", "0.30", "399.40") == tuple(balance[name] for name in figures)
    assert "-400.00" == rolled["L:lab:available:USD"]["closing"]
    assert {IN_MAY.isoformat()} == {row["effective_on"] for row in entries}
    assert [] == complaints(beancount.splitlines())
    assert "txn_0602" not in beancount
    assert manifest["hash_chain_head"]["hash"] in printed.replace("\n", "")
    assert "Trial balance in USD" in printed


def test_late_items_take_effect_later_and_are_shown_on_both_months(
    session: Session, reconciler: Actor
) -> None:
    a_book(session)
    closed(session, reconciler)
    top_up(session, "txn_late", usd(7_00), usd(0), IN_MAY)
    today = book.book_today()

    (seen,) = queries.late_items(session, SYSTEM, MAY)
    (there,) = queries.late_items(session, SYSTEM, today.replace(day=1))

    assert seen == there
    assert (IN_MAY, today, usd(7_00)) == (seen.happened_on, seen.effective_on, seen.amount)
    with pytest.raises(PeriodClosed):
        service.close_month(session, reconciler, MAY, [])


def test_opening_again_takes_two_and_leaves_its_mark(
    session: Session, reconciler: Actor, approver: Actor
) -> None:
    a_book(session)
    first = closed(session, reconciler)
    with pytest.raises(Faulty):
        service.ask_reopening(session, reconciler, MAY, "  ")
    asked = service.ask_reopening(session, reconciler, MAY, "An invoice was missing.")
    session.flush()
    with pytest.raises(Conflict):
        service.ask_reopening(session, approver, MAY, "Me too.")
    with pytest.raises(OwnReopening):
        service.approve_reopening(session, reconciler, MAY)
    with pytest.raises(DBAPIError, match="two_people"), session.begin_nested():
        session.execute(
            text("UPDATE month_reopening SET approved_by = asked_by, approved_at = now()")
        )
    service.approve_reopening(session, approver, MAY)
    with pytest.raises(Conflict):
        service.approve_reopening(session, approver, MAY)
    session.expire(first)
    top_up(session, "txn_late", usd(7_00), usd(0), IN_MAY)
    number(session)
    second = closed(session, reconciler)

    assert (1, 2) == (first.round, second.round)
    assert first.reopened_at is not None
    assert first.pack_sha256 != second.pack_sha256
    assert asked.reason == second.facts["reopenings"][0]["reason"]
    (month,) = [one for one in queries.months(session, SYSTEM) if one.first == MAY]
    assert ("closed", 1) == (month.state, month.reopened)
    # The pack of the first close stays what it was, and what it is made from as well.
    again = io.BytesIO()
    background.pack_again(first.id, again)
    stored = packed(first)
    assert hashlib.sha256(stored).digest() == first.pack_sha256
    with zipfile.ZipFile(io.BytesIO(stored)) as one, zipfile.ZipFile(again) as other:
        assert one.read("manifest.json") == other.read("manifest.json")


def test_who_may_not_close_does_not(session: Session) -> None:
    auditor, preparer = make.staff(session, Role.AUDITOR), make.staff(session, Role.PREPARER)
    a_book(session)
    for actor in (auditor, preparer):
        with pytest.raises(Denied):
            service.close_month(session, actor, MAY, [])
        with pytest.raises(Denied):
            service.ask_reopening(session, actor, MAY, "Because.")
        with pytest.raises(Denied):
            service.approve_reopening(session, actor, MAY)
    assert 8 == len(service.checklist(session, auditor, MAY, []))
    this_month = book.book_today().replace(day=1)
    with pytest.raises(Refused, match="once it is over"):
        service.close_month(session, make.staff(session, Role.RECONCILER), this_month, [])
    assert usd(0) == ledger.balance(session, "L:suspense:stripe:USD")
