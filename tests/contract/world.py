"""One world for all calls: a lab, a specialist and the desks, with ids that paths can name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import SYSTEM, Actor
from marketplace.identity.rules import ROLES_IN, OrganisationKind, Role
from marketplace.ids import PayoutLineId, PersonId
from marketplace.ledger import service as ledger
from marketplace.payouts.models import PayoutLine
from marketplace.reconciliation import service as reconciliation
from marketplace.reconciliation.queries import breaks
from marketplace.reconciliation.rules.breaks import BreakKind, Found
from tests.contract.more import more as what_takes_longer
from tests.house.test_scoping import world as things_of_two
from tests.make import identity
from tests.make.ledger import cleared_pay, usd
from tests.make.pay import an_old_line

PAY = usd(40_00)
# What no row is named by.
WORDS = {"key": "pairwise", "code": "A:stripe:balance:USD"}


@dataclass(frozen=True, slots=True)
class World:
    """Who calls, by role, with a token each; and the ids of what is there for them."""

    tokens: Mapping[Role, str]
    ids: Mapping[str, Any]

    def named(self, path: str, name: str) -> str | None:
        """The id of a thing that a parameter of a path can mean here."""
        if name == "claim_id" and "/credentials/" in path:
            name = "credential"
        elif name == "job_id" and "qualification" in path:
            name = "test"
        elif name == "run_id" and "judge-runs" in path:
            name = "judge_run"
        found = self.ids.get(name)
        return None if found is None else str(found)


def world(session: Session, *, whole: bool = False) -> World:
    """A lab with a running job, a specialist at work in it, and open matters at the desks; whole:
    with what takes longer to come about."""
    lab, doctor, ids = things_of_two(session)
    actors: dict[Role, Actor] = {Role.OWNER: lab, Role.SPECIALIST: doctor}
    for role in Role:
        if role in ROLES_IN[OrganisationKind.PLATFORM]:
            actors[role] = identity.staff(session, role)
        elif role not in actors:
            actors[role] = identity.member(session, lab, role)
    line = _line(session, PersonId(doctor.person()))
    run = session.scalar(select(PayoutLine.run_id).where(PayoutLine.id == line))
    month = f"{clock.now():%Y-%m}"
    more = {"judge_run": ids.get("run_id"), "run_id": run, "line_id": line, "month": month}
    more |= {"break_id": _break(session), **WORDS}
    if whole:
        more |= what_takes_longer(session, lab, doctor)
    tokens = {role: identity.token(session, actor) for role, actor in actors.items()}
    session.flush()
    return World(tokens, {**ids, **more})


def _line(session: Session, specialist_id: PersonId) -> PayoutLineId:
    """A line in the draft of a payout run, its money set aside."""
    cleared_pay(session, specialist_id, PAY)
    line = an_old_line(session, specialist_id, PAY, sent=False)
    ledger.reserve_payout(session, specialist_id=specialist_id, line_id=line, amount=PAY)
    return line


def _break(session: Session) -> Any:
    """A difference between Stripe and the book, open."""
    seen = Found(
        kind=BreakKind.MISSING_IN_LEDGER,
        key="txn_contract",
        source="stripe",
        difference=usd(12_00),
        since=clock.now(),
        theirs={"line": "txn_contract", "amount_minor": 12_00, "currency": "USD"},
        balance_transaction_id="txn_contract",
    )
    reconciliation.record_breaks(session, [seen], source="stripe")
    (row,) = breaks.breaks(session, SYSTEM, breaks.Wanted(live=False))
    return row.id


def parameters(path: str) -> list[str]:
    """The names of a path's parameters."""
    return re.findall(r"{(\w+)}", path)
