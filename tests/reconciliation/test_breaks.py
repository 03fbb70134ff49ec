"""Breaks from being found to being resolved: by evidence, or by two people."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace import clock, db
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.identity.service.second_factor import TotpNeeded, WrongCode
from marketplace.ids import TransactionId
from marketplace.ledger import queries as ledger
from marketplace.ledger.service import book_today
from marketplace.money import Money
from marketplace.reconciliation import service
from marketplace.reconciliation.models import Break
from marketplace.reconciliation.queries import breaks as queries
from marketplace.reconciliation.rules.adjusting import suggested_legs
from marketplace.reconciliation.rules.breaks import (
    Action,
    BreakKind,
    BreakMoved,
    BreakState,
    Bucket,
    Decision,
    Found,
    OwnProposal,
    ReasonCode,
    Resolution,
    Severity,
)
from marketplace.reconciliation.service import Proposed, Recorded, StoredEvidence
from tests.make import identity as make
from tests.make.breaks import approve, code_of
from tests.make.ledger import usd

CASH, SUSPENSE = "A:stripe:balance:USD", "L:suspense:stripe:USD"
FILE = StoredEvidence("break-evidence/x", "letter.pdf", "application/pdf", 10, b"\7" * 32)


def found(
    key: str = "txn_1",
    difference: Money | None = None,
    *,
    kind: BreakKind = BreakKind.MISSING_IN_LEDGER,
    days: int = 0,
    source: str = "stripe",
) -> Found:
    """What a comparison found."""
    return Found(
        kind=kind,
        key=key,
        source=source,
        difference=usd(12_00) if difference is None else difference,
        since=clock.now() - timedelta(days=days),
        theirs={"line": key, "amount_minor": 12_00, "currency": "USD"},
        balance_transaction_id=key,
    )


def record(session: Session, *those: Found, **options: Any) -> Recorded:
    return service.record_breaks(session, those, source="stripe", **options)


def live(session: Session) -> list[Break]:
    return queries.breaks(session, SYSTEM, queries.Wanted())


def only(session: Session) -> Break:
    (row,) = queries.breaks(session, SYSTEM, queries.Wanted(live=False))
    return row


@pytest.fixture
def reconciler(session: Session) -> Actor:
    return make.staff(session, Role.RECONCILER, name="Rosa Reconciler")


@pytest.fixture
def approver(session: Session) -> Actor:
    return make.staff(session, Role.APPROVER, name="Abe Approver")


def adjustment(row: Break, **other: Any) -> Proposed:
    legs = suggested_legs(Action.ADJUST, row.kind, row.source, row.difference)
    said: dict[str, Any] = {
        "action": Action.ADJUST,
        "reason": ReasonCode.OUR_ERROR,
        "note": "The webhook was lost.",
        "legs": tuple(legs),
        "effective_on": book_today(),
    }
    return Proposed(**(said | other))


def waiting(**other: Any) -> Proposed:
    said: dict[str, Any] = {
        "action": Action.WAIT,
        "reason": ReasonCode.TIMING,
        "note": "It arrives on Monday.",
        "wait_until": book_today() + timedelta(days=3),
    }
    return Proposed(**(said | other))


def test_a_break_is_found_once_refreshed_and_resolved_by_evidence(session: Session) -> None:
    first = record(session, found("txn_1", days=2), found("txn_2", usd(1_00)))
    again = record(session, found("txn_1", usd(13_00), days=2), found("txn_2", usd(1_00)))
    row = next(
        one for one in queries.breaks(session, SYSTEM, queries.Wanted()) if one.key == "txn_1"
    )
    number = row.reference
    gone = record(session, found("txn_2", usd(1_00)))
    back = record(session, found("txn_1"), found("txn_2", usd(1_00)))

    assert [(2, 0, 0), (0, 0, 2), (0, 1, 1), (1, 0, 1)] == [
        (one.opened, one.resolved, one.standing) for one in (first, again, gone, back)
    ]
    view = queries.break_view(session, SYSTEM, row.id)
    assert (BreakState.RESOLVED, Resolution.EVIDENCE) == (row.state, row.resolution)
    assert ["found", "found with another difference", "resolved by evidence"] == [
        event.verb for event in view.history
    ]
    numbers = [one.reference for one in live(session)]
    assert number not in numbers
    assert 3 == len({number, *numbers})


def test_a_comparison_resolves_only_what_it_looked_at(session: Session) -> None:
    record(session, found("txn_1"), found("txn_2", kind=BreakKind.FEE_MISMATCH))
    other = found("b1", source="bank:client_funds", kind=BreakKind.MISSING_AT_BANK)
    service.record_breaks(session, [other], source="bank:client_funds")

    looked = record(session, kinds=[BreakKind.FEE_MISMATCH])

    left = {one.key for one in live(session)}
    assert (1, {"txn_1", "b1"}) == (looked.resolved, left)
    with pytest.raises(ValueError, match="not all breaks of stripe"):
        record(session, other)


def test_an_adjustment_needs_two_people_and_posts_once(
    session: Session, reconciler: Actor, approver: Actor
) -> None:
    record(session, found())
    row = only(session)
    service.assign_break(session, reconciler, row.id, reconciler.person())
    service.investigate_break(session, reconciler, row.id)
    proposal = service.propose_for_break(session, reconciler, row.id, adjustment(row), FILE)
    both = Actor(reconciler.person_id, None, reconciler.permissions | approver.permissions)

    with pytest.raises(OwnProposal):
        service.approve_proposal(session, both, row.id, proposal.content_sha256, "000000")
    with pytest.raises(BreakMoved, match="has changed since"):
        service.approve_proposal(session, approver, row.id, "0" * 64, "000000")
    with pytest.raises(TotpNeeded):
        service.approve_proposal(session, approver, row.id, proposal.content_sha256, "000000")
    code = code_of(session, approver)
    with pytest.raises(WrongCode):
        service.approve_proposal(session, approver, row.id, proposal.content_sha256, "000000")
    service.approve_proposal(session, approver, row.id, proposal.content_sha256, code)
    with pytest.raises(BreakMoved):
        approve(session, approver, row.id, proposal.content_sha256)

    assert (BreakState.RESOLVED, Resolution.ADJUSTED) == (row.state, row.resolution)
    assert (usd(12_00), usd(12_00)) == (
        ledger.balance(session, CASH),
        ledger.balance(session, SUSPENSE),
    )
    assert proposal.transaction_id is not None
    header = ledger.transaction_view(session, SYSTEM, TransactionId(proposal.transaction_id)).header
    assert "txn_1" == header.balance_transaction_id
    assert "our_error" == header.facts["reason"]
    history = [event.verb for event in queries.break_view(session, SYSTEM, row.id).history]
    deeds = ["found", "assigned", "began to investigate", "proposed", "approved", "resolved"]
    assert deeds == history
    # The same difference stays settled; another one is a break of its own.
    settled, other = record(session, found()), record(session, found(difference=usd(13_00)))
    assert ((0, 1), (1, 0)) == ((settled.opened, settled.settled), (other.opened, other.settled))


def test_the_database_refuses_one_person_for_both(session: Session, reconciler: Actor) -> None:
    record(session, found())
    row = only(session)
    proposal = service.propose_for_break(session, reconciler, row.id, waiting())
    session.flush()
    decide = text(
        "UPDATE break_proposal SET decision = 'approved', decided_by = proposed_by,"
        " decided_at = now() WHERE id = :id"
    )
    with pytest.raises(DBAPIError, match="two_people"), session.begin_nested():
        session.execute(decide, {"id": proposal.id})
    with pytest.raises(DBAPIError, match=r"append-only|permission denied"), session.begin_nested():
        session.execute(text("UPDATE break_event SET verb = 'nothing'"))
    with pytest.raises(DBAPIError, match="cannot go from"), session.begin_nested():
        session.execute(text("UPDATE reconciliation_break SET state = 'open'"))


def test_a_wait_holds_until_its_day_and_then_opens_again(
    session: Session, reconciler: Actor, approver: Actor
) -> None:
    record(session, found())
    row = only(session)
    proposal = service.propose_for_break(session, reconciler, row.id, waiting())
    approve(session, approver, row.id, proposal.content_sha256)
    held = row.state
    with clock.shifted(timedelta(days=3)):
        record(session, found())
        on_the_day = row.state
    with clock.shifted(timedelta(days=4)):
        record(session, found())

    waits = [BreakState.APPROVED, BreakState.APPROVED, BreakState.OPEN]
    assert waits == [held, on_the_day, row.state]
    assert usd(0) == ledger.balance(session, SUSPENSE)


def test_a_difference_that_moves_voids_what_was_proposed(
    session: Session, reconciler: Actor, approver: Actor
) -> None:
    record(session, found())
    row = only(session)
    proposal = service.propose_for_break(session, reconciler, row.id, adjustment(row), FILE)
    record(session, found(difference=usd(99_00)))

    with pytest.raises(BreakMoved):
        approve(session, approver, row.id, proposal.content_sha256)
    session.refresh(proposal)
    assert (BreakState.INVESTIGATING, Decision.WITHDRAWN) == (row.state, proposal.decision)


def test_an_approved_explanation_of_missing_cover_holds_while_fees_move_it(
    session: Session, reconciler: Actor, approver: Actor
) -> None:
    def short(minor: int) -> Found:
        kind = BreakKind.COVERAGE_SHORTFALL
        return found("USD", usd(-minor), kind=kind, source="stripe")

    record(session, short(1_000_00))
    row = only(session)
    since, fees = row.since, waiting(wait_until=book_today() + timedelta(days=20))
    before = list(session.scalars(queries.high_undecided(clock.now() + timedelta(days=9))))
    proposal = service.propose_for_break(session, reconciler, row.id, fees)
    record(session, short(1_200_00))  # A payment between the proposal and its approval.
    approve(session, approver, row.id, proposal.content_sha256)
    with clock.shifted(timedelta(days=9)):
        record(session, short(2_000_00))
        closes = list(session.scalars(queries.high_undecided(clock.now())))
    held = row.state, row.since
    with clock.shifted(timedelta(days=10)):
        record(session, short(2_000_01))

    assert ([row], []) == (before, closes)
    assert (BreakState.APPROVED, since) == held
    assert (BreakState.OPEN, usd(-2_000_01)) == (row.state, row.difference)


def test_a_proposal_is_declined_by_another_and_withdrawn_by_its_own(
    session: Session, reconciler: Actor, approver: Actor
) -> None:
    record(session, found())
    row = only(session)
    decisions = []
    for decider in (approver, reconciler):
        proposal = service.propose_for_break(session, reconciler, row.id, waiting())
        service.decline_proposal(session, decider, row.id, "Look at the bank first.")
        decisions.append(proposal.decision)

    assert [Decision.DECLINED, Decision.WITHDRAWN] == decisions
    assert BreakState.INVESTIGATING is row.state


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"note": " "}, "/note"),
        ({"legs": ()}, "/legs"),
        ({"effective_on": None, "_file": None}, "/file"),
        ({"effective_on": "tomorrow"}, "/effective_on"),
        ({"action": Action.WAIT, "wait_until": None}, "/wait_until"),
        ({"action": Action.EXTERNAL_FIX, "wait_until": "far"}, "/wait_until"),
    ],
)
def test_what_a_proposal_lacks_is_said(
    session: Session, reconciler: Actor, changed: dict[str, Any], pointer: str
) -> None:
    record(session, found())
    row = only(session)
    days = {"tomorrow": timedelta(days=1), "far": timedelta(days=93)}
    values = {
        name: book_today() + days[value] if value in days else value
        for name, value in changed.items()
        if name != "_file"
    }
    file = None if "_file" in changed else FILE
    with pytest.raises(Faulty) as refused:
        service.propose_for_break(session, reconciler, row.id, adjustment(row, **values), file)
    assert [pointer] == [fault.pointer for fault in refused.value.faults]


def test_an_auditor_sees_all_and_changes_nothing(session: Session, reconciler: Actor) -> None:
    auditor = make.staff(session, Role.AUDITOR)
    record(session, found())
    row = only(session)
    assert [row] == queries.breaks(session, auditor, queries.Wanted())
    deeds: list[Callable[[], object]] = [
        lambda: service.assign_break(session, auditor, row.id, reconciler.person()),
        lambda: service.investigate_break(session, auditor, row.id),
        lambda: service.comment_break(session, auditor, row.id, "Hm."),
        lambda: service.propose_for_break(session, auditor, row.id, waiting()),
        lambda: service.approve_proposal(session, auditor, row.id, "0" * 64, "000000"),
        lambda: service.decline_proposal(session, auditor, row.id, "No."),
    ]
    for deed in deeds:
        with pytest.raises(Denied):
            deed()
    with pytest.raises(Faulty):
        service.assign_break(session, reconciler, row.id, auditor.person())
    with pytest.raises(BreakMoved):
        service.investigate_break(session, reconciler, row.id, version=row.version + 1)


def test_ages_and_filters_tell_the_same(session: Session) -> None:
    ages = (0, 3, 8, 40)
    record(session, *(found(f"txn_{days}", usd(10_00), days=days) for days in ages))

    report = queries.ageing(session, SYSTEM)
    by_bucket = {
        bucket: [one.key for one in queries.breaks(session, SYSTEM, queries.Wanted(bucket=bucket))]
        for bucket in Bucket
    }
    high = queries.breaks(session, SYSTEM, queries.Wanted(severity=Severity.HIGH))

    assert [(bucket, 1, usd(10_00)) for bucket in Bucket] == [
        (one.bucket, one.count, one.amount) for one in report
    ]
    assert [["txn_0"], ["txn_3"], ["txn_8"], ["txn_40"]] == list(by_bucket.values())
    assert ["txn_40"] == [one.key for one in high]
    page = queries.breaks(session, SYSTEM, queries.Wanted(), limit=3)
    rest = queries.breaks(session, SYSTEM, queries.Wanted(), after=page[-1].id)
    assert ["txn_40", "txn_8", "txn_3", "txn_0"] == [one.key for one in page + rest]


def test_two_approvers_at_once_approve_once(committed: Engine) -> None:
    with db.transaction() as session:
        make.staff(session, Role.ADMINISTRATOR)
        reconciler = make.staff(session, Role.RECONCILER)
        approvers = [make.staff(session, Role.APPROVER) for _ in range(4)]
        codes = {actor.person_id: code_of(session, actor) for actor in approvers}
        record(session, found())
        row = only(session)
        proposal = service.propose_for_break(session, reconciler, row.id, adjustment(row), FILE)
    outcomes: list[str] = []
    start = threading.Barrier(len(approvers))

    def approve(actor: Actor) -> None:
        start.wait()
        try:
            with db.transaction() as session:
                sha256 = proposal.content_sha256
                service.approve_proposal(session, actor, row.id, sha256, codes[actor.person_id])
            outcomes.append("approved")
        except BreakMoved:
            outcomes.append("moved")

    threads = [threading.Thread(target=approve, args=(actor,)) for actor in approvers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ["approved", "moved", "moved", "moved"] == sorted(outcomes)
    with db.transaction() as session:
        assert usd(12_00) == ledger.balance(session, CASH)


def test_a_thousand_breaks_are_recorded_in_few_statements(session: Session) -> None:
    many = [found(f"txn_{number:04d}") for number in range(1_000)]
    assert (1_000, 0) == ((one := record(session, *many)).opened, one.resolved)
    assert (1_000, 0) == ((two := record(session, *many)).standing, two.opened)
    assert 1_000 == record(session).resolved
