"""Payees whose name is not their licence's: held, with a reason, until somebody has compared."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit
from marketplace.actor import Actor
from marketplace.db import transaction
from marketplace.errors import Conflict, Denied, Faulty
from marketplace.identity.rules import Role
from marketplace.ids import PersonId
from marketplace.payouts import background, queries, service
from marketplace.payouts.models import PayeeAccount, PayeeHold
from marketplace.payouts.rules import BelowMinimum, ContentChanged, HoldState, LineState, RunState
from marketplace.payouts.service.names import NAME_DIFFERS, UNDER_REVIEW
from marketplace.specialists import service as specialists
from tests.make import background as work
from tests.make import identity, lists
from tests.make import payouts as make
from tests.make import specialists as credentials
from tests.make.billing import Stripe
from tests.make.billing import work as leased
from tests.make.ledger import usd
from tests.payouts.story import available

NOTE = "Saw the marriage certificate; both names are hers."
LEGAL = "Mirena Some Body"


def a_licence(session: Session, person_id: PersonId, name: str = LEGAL) -> Actor:
    """The person is a doctor whose licence bears this name."""
    doctor = identity.specialist_self(Actor(person_id))
    specialists.save_profile(session, doctor, professions=["medicine"], legal_name=name)
    credentials.verified(session, doctor)
    session.flush()
    return doctor


def holds(person_id: PersonId) -> list[tuple[HoldState, str | None]]:
    """States and names of a person's holds."""
    with transaction() as session:
        rows = select(PayeeHold).where(PayeeHold.person_id == person_id).order_by(PayeeHold.id)
        return [(hold.state, hold.account_name) for hold in session.scalars(rows)]


def name_check(person_id: PersonId) -> str | None:
    """What the last comparison gave."""
    with transaction() as session:
        return session.get_one(PayeeAccount, person_id).name_check


def read_again(stripe: Stripe, person_id: PersonId, holder: str) -> None:
    """The bank account at Stripe is somebody's, and we hear of it."""
    stripe.controls.enable(make.account_of(person_id), holder=holder)
    background.refresh_account(leased("payouts.refresh_account"), person_id=str(person_id))
    with transaction() as session:
        # A new bank account cools down first, which has tests of its own.
        session.get_one(PayeeAccount, person_id).paid_to_changed_at = None


def test_without_a_licence_there_is_nothing_to_compare(session: Session, stripe: Stripe) -> None:
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    read_again(stripe, person_id, "Quite Another")

    assert ("no_licence", []) == (name_check(person_id), holds(person_id))


def test_the_same_name_otherwise_written_is_paid(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    a_licence(session, person_id)
    read_again(stripe, person_id, "BODY, SOME M.")
    stripe.fund(usd(5_000_00))
    (line,) = make.lines_of(finance.released())
    make.send(line)

    assert ("same", []) == (name_check(person_id), holds(person_id))
    assert LineState.TRANSFERRED is make.line_now(line).state


def test_another_name_found_just_before_the_transfer_stops_it(
    session: Session, stripe: Stripe
) -> None:
    """The bank account changed hands after the release: nothing is sent, the money comes back."""
    finance = make.finance(session)
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    doctor = a_licence(session, person_id)
    stripe.fund(usd(5_000_00))
    run = finance.released()
    (line,) = make.lines_of(run)
    with transaction() as tx:
        # The holder of the bank account, and nothing that would count as another payee.
        tx.get_one(PayeeAccount, person_id).payee_name = "Quite Another"
    make.send(line)
    now = make.line_now(line)

    assert (LineState.REJECTED, NAME_DIFFERS) == (now.state, now.reason_code)
    assert "not the name on your licence" in (now.reason or "")
    assert [] == stripe.transfers()
    assert usd(90_00) == available(line)
    assert [(HoldState.OPEN, "Quite Another")] == holds(person_id)
    assert RunState.PARTIALLY_SENT is make.run_now(run).state
    assert "not the name on your licence" in (queries.own_hold(session, doctor) or "")


def test_a_held_payee_is_left_out_with_a_reason(session: Session, stripe: Stripe) -> None:
    finance = make.finance(session)
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    a_licence(session, person_id)
    read_again(stripe, person_id, "Quite Another")

    assert ("differs", [(HoldState.OPEN, "Quite Another")]) == (
        name_check(person_id),
        holds(person_id),
    )
    with pytest.raises(BelowMinimum):
        finance.prepared()
    viewer = finance.preparer.actor
    (left_out,) = queries.unpayable(session, viewer, minimum=usd(10_00))
    (group,) = queries.groups(session, viewer, minimum=usd(10_00))
    assert left_out.reason == group.reason == "is held: the account's name is not the licence's"
    assert (1, usd(90_00)) == (group.count, group.total)


def test_cleared_it_is_paid_and_not_held_again_for_these_names(
    session: Session, stripe: Stripe
) -> None:
    """A clearance covers the names that were compared, and no third one."""
    finance = make.finance(session)
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    doctor = a_licence(session, person_id)
    staff = identity.staff(session, Role.OPERATIONS)
    read_again(stripe, person_id, "Quite Another")
    (held,) = queries.open_holds(session, staff)
    assert ("Quite Another", [LEGAL], "Some Body") == (
        held.hold.account_name,
        held.licence_names,
        held.stated_name,
    )

    service.clear_hold(session, staff, held.hold.id, note=NOTE)
    session.flush()
    read_again(stripe, person_id, "Another, QUITE")
    stripe.fund(usd(5_000_00))
    (line,) = make.lines_of(finance.released())
    make.send(line)

    assert LineState.TRANSFERRED is make.line_now(line).state
    assert [(HoldState.CLEARED, None)] == holds(person_id)
    told = select(audit.AuditRow.person_id).where(
        audit.AuditRow.verb == "moved a hold on a payee to cleared"
    )
    assert staff.person() == session.scalar(told)
    assert queries.own_hold(session, doctor) is None

    read_again(stripe, person_id, "Somebody Third")
    assert [(HoldState.CLEARED, None), (HoldState.OPEN, "Somebody Third")] == holds(person_id)


def test_a_mended_name_ends_the_hold(session: Session, stripe: Stripe) -> None:
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    a_licence(session, person_id)
    read_again(stripe, person_id, "Quite Another")
    read_again(stripe, person_id, "Some Body")

    assert ("same", [(HoldState.ENDED, None)]) == (name_check(person_id), holds(person_id))


def test_a_licence_that_comes_later_is_compared_by_itself(session: Session, stripe: Stripe) -> None:
    """The desk shows it before anybody prepares a run; an approval of an older run is refused."""
    finance = make.finance(session)
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    run = finance.prepared()
    a_licence(session, person_id, "Korena Zolvik")
    work.run("payouts.compare_names")

    assert [(HoldState.OPEN, "Some Body")] == holds(person_id)
    with pytest.raises(ContentChanged, match="1 of the payees are held"), transaction() as tx:
        service.approve_run(
            tx, finance.approver.actor, run.id, run.content_sha256, finance.approver.code()
        )


def test_nobody_clears_their_own_hold_nor_without_a_note(session: Session, stripe: Stripe) -> None:
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    a_licence(session, person_id)
    read_again(stripe, person_id, "Quite Another")
    staff = identity.staff(session, Role.OPERATIONS)
    (held,) = queries.open_holds(session, staff)
    oneself = Actor(person_id, permissions=staff.permissions, roles=staff.roles)

    assert [] == queries.open_holds(session, oneself)
    with pytest.raises(Denied):
        service.clear_hold(session, oneself, held.hold.id, note=NOTE)
    with pytest.raises(Faulty):
        service.clear_hold(session, staff, held.hold.id, note="fine")
    service.clear_hold(session, staff, held.hold.id, note=NOTE)
    with pytest.raises(Conflict):
        service.clear_hold(session, staff, held.hold.id, note=NOTE)


def test_a_hit_of_ofac_stops_the_transfer(session: Session, stripe: Stripe) -> None:
    """An entry that may be the person came out after the release."""
    finance = make.finance(session)
    person_id = make.a_specialist_to_pay(stripe, usd(90_00))
    doctor = a_licence(session, person_id, "Mirena Talvik")
    specialists.save_profile(session, doctor, legal_name="Some Body", born_on="1961-02-07")
    stripe.fund(usd(5_000_00))
    (line,) = make.lines_of(finance.released())
    listed = lists.ofac(lists.Designated(9, "BODY, Some", born="07 Feb 1961"))
    work.run("specialists.screen_edition", snapshot_id=str(listed.id))
    make.send(line)

    assert (LineState.REJECTED, UNDER_REVIEW) == (
        make.line_now(line).state,
        make.line_now(line).reason_code,
    )
    assert [] == stripe.transfers()
    (left_out,) = queries.unpayable(session, finance.preparer.actor, minimum=usd(10_00))
    assert "compares them with an entry of a published list" in left_out.reason
