"""The steps of a run: looked up, changed only as it was seen, its lines counted and hashed."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox
from marketplace.actor import Actor
from marketplace.errors import Conflict, Missing
from marketplace.payouts import rules
from marketplace.payouts.models import PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState, RunState


def run_named(session: Session, run_id: UUID) -> PayoutRun:
    """A run as it is in the database now; Missing when there is none."""
    run = session.get(PayoutRun, run_id, populate_existing=True)
    if run is None:
        raise Missing("There is no such payout run.")
    return run


def lines_kept(session: Session, run: PayoutRun) -> list[PayoutLine]:
    """The lines that are to be sent, or were; in the order of their ids."""
    kept = PayoutLine.state != LineState.CANCELLED
    rows = select(PayoutLine).where(PayoutLine.run_id == run.id, kept).order_by(PayoutLine.id)
    return list(session.scalars(rows.execution_options(populate_existing=True)))


def hashed(run: PayoutRun, lines: list[PayoutLine]) -> str:
    """The hash of what the run is now."""
    return rules.content_sha256(run.reference, run.currency, [line.content for line in lines])


def expect(run: PayoutRun, state: RunState) -> None:
    """Refuse what cannot be done in the run's present state; Conflict says which can."""
    if run.state is not state:
        now, wanted = rules.RUN_LABELS[run.state].lower(), rules.RUN_LABELS[state].lower()
        raise Conflict(f"This run is {now}; this can be done while it is {wanted}.")


def step(
    session: Session, run: PayoutRun, expected: RunState, values: Mapping[str, object]
) -> None:
    """Change a run only if it is still what the caller looked at; Conflict otherwise."""
    changed = session.execute(
        update(PayoutRun)
        .where(PayoutRun.id == run.id, PayoutRun.state == expected)
        .where(PayoutRun.version == run.version)
        .values(**values, version=run.version + 1)
        .returning(PayoutRun.id),
        execution_options={"synchronize_session": False},
    ).first()
    session.refresh(run)
    if changed is None:
        raise Conflict(f"Somebody was faster: this run is {rules.RUN_LABELS[run.state].lower()}.")


def move_lines(session: Session, run: PayoutRun, state: LineState, following: LineState) -> None:
    """Move a run's lines of one state to the following."""
    session.execute(
        update(PayoutLine)
        .where(PayoutLine.run_id == run.id, PayoutLine.state == state)
        .values(state=following, since=clock.now())
    )


def tell(session: Session, actor: Actor, verb: str, run: PayoutRun, **facts: int) -> None:
    """Leave a line in the run's history and announce the state that it is in."""
    more = {"total_minor": run.total_minor, "currency": run.currency, "lines": run.line_count}
    audit.record(session, actor, verb, run.id, sha256=run.content_sha256, **more, **facts)
    outbox.announce(session, f"payout_run.{run.state}", run.id, {**more, **facts})
