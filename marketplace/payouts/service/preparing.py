"""Preparing a run: whom its filters leave in, what each is paid, what tax law keeps of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.actor import Actor
from marketplace.identity.rules import Permission
from marketplace.ids import PayoutLineId, PersonId, new_id, reference
from marketplace.ledger import service as ledger
from marketplace.money import Money, total
from marketplace.payouts import queries, rules
from marketplace.payouts.models import PayoutLine, PayoutRun
from marketplace.payouts.queries import Filters, Payable
from marketplace.payouts.rules import LineState, RunState
from marketplace.payouts.service.approving import approvals_needed
from marketplace.payouts.service.names import hold_differing
from marketplace.payouts.service.run_steps import hashed, tell
from marketplace.payouts.service.tax import PayGate, gates

NUMBER_LOCK = 7_311  # The advisory lock that makes run numbers follow each other.
LINES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Part:
    """What one specialist gets, after what is withheld of it."""

    row: Payable
    amount: Money
    withheld: Money


@dataclass(frozen=True, slots=True)
class Preview:
    """What a run would be if it were prepared now; largest payments first.

    refused: specialists whom tax law keeps out, with the reason in words for them.
    """

    parts: list[Part]
    refused: list[tuple[Payable, str]]
    total: Money
    withheld: Money
    approvals_needed: int


def preview_run(session: Session, actor: Actor, *, minimum: Money, filters: Filters) -> Preview:
    """Who would be in a run, with how much, and how many must approve it; writes nothing."""
    actor.require(Permission.PAYOUTS_PREPARE)
    found = queries.payable(session, actor, minimum=minimum, filters=filters, limit=LINES_MAX)
    answers = _gates(session, found)
    parts = [part for row in found if (part := _part(row, answers[row.specialist_id]))]
    kept = {part.row.specialist_id: part.amount for part in parts}
    out = [
        (row, answers[row.specialist_id].words) for row in found if row.specialist_id not in kept
    ]
    return Preview(
        parts=parts,
        refused=out,
        total=total(kept.values(), minimum.currency),
        withheld=total((part.withheld for part in parts), minimum.currency),
        approvals_needed=approvals_needed(session, minimum.currency, kept),
    )


def _gates(session: Session, found: Sequence[Payable]) -> dict[PersonId, PayGate]:
    on = clock.book_day(clock.now(), settings.current().book_timezone)
    return gates(session, {row.specialist_id: row.available for row in found}, on)


def prepare_run(
    session: Session,
    actor: Actor,
    *,
    minimum: Money,
    only: Collection[UUID] | None = None,
    filters: Filters | None = None,
    schedule_id: UUID | None = None,
) -> PayoutRun:
    """A draft with one line for each specialist whose available balance is worth a payout.

    minimum: the smallest payout; its currency is the run's. only: no other specialists than
    these; filters: further limits of who is in it. Each line's money is set aside in the ledger
    in this transaction, and what tax law withholds of it is posted. At most 20,000 lines, the
    largest balances first. Raises BelowMinimum when nobody can be paid.
    """
    actor.require(Permission.PAYOUTS_PREPARE)
    wanted = filters or Filters(only=frozenset(only) if only is not None else None)
    parts = _parts(session, actor, minimum, wanted)
    if not parts:
        raise rules.BelowMinimum(f"Nobody has {minimum} or more to pay out and a payee account.")
    run = _numbered(session, actor, minimum)
    run.asked, run.schedule_id = wanted.plain(), schedule_id
    lines = [_line(run, part) for part in parts]
    run.line_count = len(lines)
    run.total_minor = total((line.amount for line in lines), run.currency).minor
    run.content_sha256 = hashed(run, lines)
    run.approvals_needed = approvals_needed(
        session, run.currency, {line.specialist_id: line.amount for line in lines}
    )
    session.add(run)
    session.flush()  # The lines refer to the run.
    session.add_all(lines)
    session.flush()  # The ledger refers to the lines.
    _set_aside(session, lines)
    tell(session, actor, "prepared a payout run", run)
    return run


def _parts(session: Session, actor: Actor, minimum: Money, filters: Filters) -> list[Part]:
    found = queries.payable(session, actor, minimum=minimum, filters=filters, limit=LINES_MAX)
    hold_differing(session, [row.specialist_id for row in found])
    session.flush()  # Whoever is held from now on is left out.
    found = queries.payable(session, actor, minimum=minimum, filters=filters, limit=LINES_MAX)
    answers = _gates(session, found)
    parts = [_part(row, answers[row.specialist_id]) for row in found]
    # Money is locked person by person, in one order for everybody.
    kept = [part for part in parts if part is not None]
    return sorted(kept, key=lambda part: part.row.specialist_id)


def _part(row: Payable, gate: PayGate) -> Part | None:
    if not gate.ok or gate.withhold >= row.available:
        return None
    return Part(row, row.available - gate.withhold, gate.withhold)


def _set_aside(session: Session, lines: Sequence[PayoutLine]) -> None:
    for line in lines:
        line_id = cast(PayoutLineId, line.id)
        person_id = PersonId(line.specialist_id)
        if line.withheld_minor:
            kept = Money(line.withheld_minor, line.currency)
            ledger.withhold_tax(session, specialist_id=person_id, amount=kept, line_id=line_id)
        ledger.reserve_payout(session, specialist_id=person_id, line_id=line_id, amount=line.amount)


def _numbered(session: Session, actor: Actor, minimum: Money) -> PayoutRun:
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": NUMBER_LOCK})
    now = clock.now()
    last = select(func.max(PayoutRun.number)).where(PayoutRun.year == now.year)
    number = (session.scalars(last).one() or 0) + 1
    return PayoutRun(
        id=new_id(),
        year=now.year,
        number=number,
        reference=reference("PO", now.year, number),
        currency=minimum.currency,
        minimum_minor=minimum.minor,
        state=RunState.DRAFT,
        prepared_by=actor.person(),
        prepared_at=now,
        version=1,
    )


def _line(run: PayoutRun, part: Part) -> PayoutLine:
    return PayoutLine(
        id=new_id(),
        run_id=run.id,
        specialist_id=part.row.specialist_id,
        stripe_account_id=part.row.stripe_account_id,
        payee_version=part.row.payee_version,
        payee_currency=part.row.payee_currency,
        amount_minor=part.amount.minor,
        withheld_minor=part.withheld.minor,
        currency=part.amount.currency,
        state=LineState.DRAFT,
        since=run.prepared_at,
        next_look_at=run.prepared_at,
    )
