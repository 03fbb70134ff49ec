"""What files, clocks and strangers do to a reconciliation, by the numbers of the specification."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace import clock, db, storage
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Denied
from marketplace.ids import PersonId, new_id
from marketplace.ledger import queries as ledger
from marketplace.reconciliation import background, service
from marketplace.reconciliation.models import StatementFile
from marketplace.reconciliation.queries.invariants import broken_invariants
from marketplace.reconciliation.rules.breaks import BreakKind
from marketplace.reconciliation.rules.statements import SourceKind, StatementRefused
from marketplace.reconciliation.service.statements import Taken
from tests.make.billing import Stripe
from tests.make.history import a_true_history
from tests.make.ledger import usd
from tests.reconciliation.test_pull import pull

IBAN = "DE02120300000000202051"
HEAD = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
Lines = list[tuple[int, str]]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Path]:
    """A store of one's own."""
    former = storage._Here.storage
    storage.use(storage.from_url(str(tmp_path)))
    yield tmp_path
    storage._Here.storage = former


def camt(number: int, begins: date, opening: int, days: list[Lines]) -> bytes:
    """A statement over some days: cents and text of each line."""
    moved = sum(minor for lines in days for minor, _ in lines)
    ends = begins + timedelta(days=len(days) - 1)
    entries = "".join(
        f"<Ntry>{_amount(minor)}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{begins + timedelta(days=at)}</Dt></BookgDt>"
        f"<NtryDtls><TxDtls><RmtInf><Ustrd>{words}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for at, lines in enumerate(days)
        for minor, words in lines
    )
    return (
        f'<Document xmlns="{HEAD}"><BkToCstmrStmt><Stmt><Id>S{number}</Id>'
        f"<ElctrncSeqNb>{number}</ElctrncSeqNb>"
        f"<FrToDt><FrDtTm>{begins}T00:00:00Z</FrDtTm><ToDtTm>{ends}T23:59:59Z</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>USD</Ccy></Acct>"
        f"{_balance('OPBD', opening, begins)}{_balance('CLBD', opening + moved, ends)}"
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _amount(minor: int) -> str:
    way = "CRDT" if minor >= 0 else "DBIT"
    figure = f"{abs(minor) // 100}.{abs(minor) % 100:02}"
    return f'<Amt Ccy="USD">{figure}</Amt><CdtDbtInd>{way}</CdtDbtInd>'


def _balance(code: str, minor: int, on: date) -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}{_amount(minor)}<Dt><Dt>{on}</Dt></Dt></Bal>"


def take(content: bytes) -> Taken:
    return background.take_statement(SYSTEM, content, kind=SourceKind.CAMT053, name="a.xml")


def gaps(session: Session) -> list[str]:
    """What the account's statements are missing, as a comparison finds it."""
    found = service.found_differences(session, clock.now())
    return [
        str(one.theirs["says"])
        for each in found.values()
        for one in each
        if one.kind is BreakKind.FILE_GAP
    ]


def an_account(session: Session) -> None:
    service.add_source(
        session, SYSTEM, kind=SourceKind.CAMT053, account=IBAN, currency="USD", holds="operating"
    )
    session.commit()


def test_scenario_36_a_bank_file_twice_overlapping_with_a_gap_or_edited(
    session: Session, kept: Path
) -> None:
    an_account(session)
    first = date(2026, 5, 1)
    days: list[Lines] = [[(5_00, "STRIPE a"), (5_00, "STRIPE a")], [(-2_00, "rent 1")], []]

    taken = take(camt(1, first, 100_00, days))
    again = take(camt(1, first, 100_00, days))
    # The month's own file states the same days, and two more.
    month = take(camt(90, first, 100_00, [*days, [(7_00, "STRIPE b")], []]))
    later = take(camt(2, first + timedelta(days=5), 115_00, [[(1_00, "STRIPE c")]]))

    assert (3, 0, False) == (taken.entries_new, taken.entries_known, taken.again)
    assert (0, 3, True, taken.file_id) == (
        again.entries_new,
        again.entries_known,
        again.again,
        again.file_id,
    )
    assert (1, 3) == (month.entries_new, month.entries_known)
    assert 1 == later.entries_new
    assert not [each for each in gaps(session) if "opens" in each]
    edited: list[Lines] = [[(5_00, "STRIPE a"), (5_00, "STRIPE b")], [(-2_00, "rent 1")], []]
    with pytest.raises(StatementRefused, match="2026-05-01, and they differ: 2 lines here"):
        take(camt(91, first, 100_00, edited))
    with pytest.raises(StatementRefused, match=r"this file has 99\.00 USD and an earlier"):
        take(camt(92, first, 99_00, days))
    broken = camt(3, first + timedelta(days=6), 116_00, [[(1_00, "STRIPE")]])
    with pytest.raises(StatementRefused, match=r"3\.00 USD is not explained"):
        take(broken.replace(b">1.00<", b">4.00<", 1))
    with pytest.raises(StatementRefused, match="none of ours"):
        take(broken.replace(IBAN.encode(), b"DE89370400440532013000"))

    take(camt(4, first + timedelta(days=7), 150_00, [[(1_00, "STRIPE d")]]))
    assert [True] == ["a statement between them is missing" in each for each in gaps(session)]
    filled = camt(3, first + timedelta(days=6), 116_00, [[(34_00, "STRIPE e")]])
    take(filled)
    assert [] == gaps(session)
    files = session.scalars(text("SELECT count(*) FROM statement_file")).one()
    assert 5 == files
    assert 5 == len(list((kept / "statements").iterdir()))


def test_scenario_37_a_wire_with_a_wrong_reference_or_short_is_never_guessed(
    session: Session,
) -> None:
    history = a_true_history(session)
    wrong, short = history.bank_day((100_00, "RF00 0000 wrong", ""), (85_00, "less a fee", ""))
    history.settle()

    rows = session.execute(
        text("SELECT source_id, left_minor, state FROM cash_receipt ORDER BY amount_minor DESC")
    ).all()
    waiting = {row.source_id: (row.left_minor, row.state) for row in rows}
    assert (100_00, "unapplied") == waiting[wrong]
    assert (85_00, "unapplied") == waiting[short]
    rules = session.execute(text("SELECT stage, rule, explanation FROM statement_match")).all()
    assert {("S5", "trace_id"), ("S5", "amount_and_days"), ("S5", "funding_of_stripe")} <= {
        (row.stage, row.rule) for row in rules
    }
    assert all(row.explanation for row in rules)


def test_scenario_21_a_reserve_is_posted_and_a_negative_account_is_a_break(
    session: Session,
) -> None:
    history = a_true_history(session)
    line = history.line("reserve_transaction", usd(-40_00))
    assert service.post_line(session, line)
    assert not service.post_line(session, line)
    history.told()

    assert set() == history.found()
    assert usd(45_00) == ledger.balance(session, "A:stripe:reserved:USD")


def test_scenario_23_an_unknown_type_is_posted_a_break_asks_and_the_import_goes_on(
    session: Session,
) -> None:
    history = a_true_history(session)
    unknown = history.line("fee_of_tomorrow", usd(-1_50))
    known = history.line("stripe_fee", usd(-1_00))
    assert service.post_line(session, unknown)
    assert service.post_line(session, known)
    history.told()

    made = service.reconcile(session)

    assert {"unknown_category": 1} == made.breaks
    assert {("stripe", BreakKind.UNKNOWN_CATEGORY, unknown)} == history.found()
    assert [] == broken_invariants(session)
    again = service.reconcile(session)
    assert (0, 1) == (again.outcome["opened"], again.outcome["standing"])


def test_ambiguous_lines_match_nothing(session: Session) -> None:
    history = a_true_history(session)
    payouts = [history.payout(usd(33_00), arrived_days_ago=6) for _ in range(2)]
    (entry,) = history.bank_day((33_00, "Stripe Payments", ""))
    history.settle()
    history.told()

    found = history.found()

    assert (history.source.break_source, BreakKind.MISSING_IN_LEDGER, entry) in found
    assert not session.scalars(
        text("SELECT payout_id FROM statement_match WHERE payout_id = ANY(:ids)"),
        {"ids": [each.id for each in payouts]},
    ).all()


def test_a_kept_file_that_was_altered_is_a_break(session: Session, kept: Path) -> None:
    an_account(session)
    taken = take(camt(1, date(2026, 5, 1), 0, [[(1_00, "STRIPE")]]))
    assert [] == background.altered_files()
    (file,) = (kept / "statements").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"x")

    made = background.compare_all(SYSTEM)

    assert 1 == made.breaks["file_tamper"]
    row = session.get_one(StatementFile, taken.file_id)
    assert [row.id] == background.altered_files()
    with pytest.raises(Denied):
        background.compare_all(Actor(PersonId(new_id())))


def test_scenario_12_after_days_without_webhooks_the_pull_posts_the_same(stripe: Stripe) -> None:
    for minor in (100_00, 50_00):
        stripe.fund(usd(minor))
    stripe.sdk.v1.payouts.create({"amount": 20_00, "currency": "usd"})
    stripe.controls.advance(4 * 86_400)

    with clock.shifted(timedelta(days=4)):
        pull()
        with db.transaction() as session:
            woken = session.execute(
                text("SELECT name, arguments ->> 'bt' AS bt FROM outbox WHERE arguments ? 'bt'")
            ).all()
            for row in woken:
                if row.name == "reconciliation.post_line":
                    assert service.post_line(session, row.bt)
            rest = [row.name for row in woken if row.name != "reconciliation.post_line"]
        assert ["billing.post_line"] * 2 == rest
        with db.transaction() as session:
            seen = session.execute(text("SELECT status, trace_id FROM stripe_payout_seen")).one()
            in_transit = ledger.balance(session, "A:stripe:to_bank:USD")
        pull()
    assert ("paid", usd(20_00)) == (seen.status, in_transit)
    assert seen.trace_id
