"""Approving a run: exactly what was seen, by other people than its preparer, within limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.actor import Actor
from marketplace.errors import Conflict
from marketplace.identity import service as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, new_id
from marketplace.money import Money, total
from marketplace.payouts import queries, rules
from marketplace.payouts.models import PayeeAccount, PayoutApproval, PayoutLine, PayoutRun
from marketplace.payouts.rules import LineState, RunState, Thresholds
from marketplace.payouts.service.run_steps import (
    expect,
    hashed,
    lines_kept,
    move_lines,
    run_named,
    step,
    tell,
)
from marketplace.payouts.service.tax import gates_of_lines

log = structlog.get_logger(__name__)


def thresholds() -> Thresholds:
    """From which amounts two people approve, and what one may in a day; of the settings."""
    here = settings.current()
    return Thresholds(
        two_from=dict(here.payout_two_approvers_from),
        new_payee_from=dict(here.payout_new_payee_two_from),
        day_limit=dict(here.payout_approver_day_limits),
    )


def approvals_needed(session: Session, currency: str, paid: Mapping[PersonId, Money]) -> int:
    """How many people must approve a run that pays these specialists: 1 or 2."""
    known = set(
        session.scalars(
            select(PayoutLine.specialist_id)
            .where(PayoutLine.specialist_id.in_(paid), PayoutLine.state == LineState.TRANSFERRED)
            .distinct()
        )
    )
    first = [amount for person, amount in paid.items() if person not in known]
    largest = max(first, key=lambda amount: amount.minor) if first else None
    return thresholds().approvals(total(paid.values(), currency), largest)


def approve_run(
    session: Session, actor: Actor, run_id: UUID, content_sha256: str, totp_code: str
) -> PayoutRun:
    """Approve exactly the content that was looked at, by its hash, with a fresh TOTP code.

    A run that needs two approvals stays a draft after the first. Raises OwnRun for the preparer,
    ContentChanged when the run is not what was seen (any more), OverLimit beyond what the actor
    may approve in 24 hours, Conflict when it is no draft or they have approved it already, and
    what identity raises for a wrong or reused code.
    """
    actor.require(Permission.PAYOUTS_APPROVE)
    run = run_named(session, run_id)
    if run.prepared_by == actor.person():
        log.warning("own_run_refused", run_id=str(run_id), person_id=str(actor.person_id))
        raise rules.OwnRun("You prepared this run, so somebody else must approve it.")
    expect(run, RunState.DRAFT)
    identity.check_totp(session, actor.person(), totp_code)
    lines = lines_kept(session, run)
    if not content_sha256 == run.content_sha256 == hashed(run, lines):
        raise rules.ContentChanged("The run has changed since you looked at it. Look again.")
    _refuse_unfit(session, actor, run, lines)
    signed = _sign(session, actor, run)
    if signed < run.approvals_needed:
        # The step makes two first signatures at once follow each other.
        step(session, run, RunState.DRAFT, {})
        tell(session, actor, "approved a payout run as the first of two", run)
        return run
    _approve(session, actor, run)
    return run


def _approve(session: Session, actor: Actor, run: PayoutRun) -> None:
    approved = {
        "state": RunState.APPROVED,
        "approved_by": actor.person(),
        "approved_at": clock.now(),
        "approved_sha256": run.content_sha256,
    }
    step(session, run, RunState.DRAFT, approved)
    move_lines(session, run, LineState.DRAFT, LineState.APPROVED)
    tell(session, actor, "approved a payout run", run)


def _sign(session: Session, actor: Actor, run: PayoutRun) -> int:
    """Keep the signature with what it was judged by; how many there are under this content."""
    person_id = actor.person()
    # Two approvals by one person at once would each leave the other out of the day's sum.
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
    session.execute(lock, {"key": f"payout-approver:{person_id}"})
    if person_id in approvers_of(session, run):
        raise Conflict("You have approved this run already; somebody else must be the second.")
    used = used_in_a_day(session, person_id, run.currency)
    limit = thresholds().limit(run.currency)
    rules.check_limit(run.total, used_minor=used, limit_minor=limit)
    session.add(
        PayoutApproval(
            id=new_id(),
            run_id=run.id,
            person_id=person_id,
            content_sha256=run.content_sha256,
            at=clock.now(),
            total_minor=run.total_minor,
            day_used_minor=used,
            day_limit_minor=limit,
        )
    )
    session.flush()  # The database refuses the preparer, and counts signatures.
    return len(approvers_of(session, run))


def approvers_of(session: Session, run: PayoutRun) -> list[PersonId]:
    """Who has approved the run as it is now, first to last."""
    rows = select(PayoutApproval.person_id).where(
        PayoutApproval.run_id == run.id, PayoutApproval.content_sha256 == run.content_sha256
    )
    return list(session.scalars(rows.order_by(PayoutApproval.at)))


def used_in_a_day(session: Session, person_id: PersonId, currency: str) -> int:
    """What a person has approved in the last 24 hours in a currency, in minor units.

    Each run counts once, with the most that they approved of it.
    """
    each = (
        select(func.max(PayoutApproval.total_minor).label("minor"))
        .join(PayoutRun, PayoutRun.id == PayoutApproval.run_id)
        .where(PayoutApproval.person_id == person_id, PayoutRun.currency == currency)
        .where(PayoutApproval.at > clock.now() - rules.WINDOW)
        .group_by(PayoutApproval.run_id)
        .subquery()
    )
    return int(session.scalar(select(func.coalesce(func.sum(each.c.minor), 0))) or 0)


def _refuse_unfit(
    session: Session, actor: Actor, run: PayoutRun, lines: Sequence[PayoutLine]
) -> None:
    """Eligibility again, as it is now: payees unchanged, nobody held, tax forms in order."""
    changed = queries.changed_payees(session, actor, run.id)
    if changed:
        raise rules.ContentChanged(
            f"{len(changed)} of the payees have changed since the run was prepared. Cancel their "
            "lines; the next run will have them."
        )
    held = queries.held_of(session, actor, [line.specialist_id for line in lines])
    if held:
        raise rules.ContentChanged(
            f"{len(held)} of the payees are held since the run was prepared. Cancel their lines; "
            "the next run after operations has cleared them will have them."
        )
    restricted = _restricted(session, run)
    if restricted:
        raise rules.ContentChanged(
            f"Stripe holds back {restricted} of the accounts since the run was prepared. Cancel "
            "their lines; the next run after that is settled will have them."
        )
    on = clock.book_day(clock.now(), settings.current().book_timezone)
    taxed = [gate for gate in gates_of_lines(session, lines, on).values() if not gate.ok]
    if taxed:
        raise rules.ContentChanged(
            f"For {len(taxed)} of the payees tax law asks for something else by now. Cancel their "
            "lines; the next run will have them as they are then."
        )


def _restricted(session: Session, run: PayoutRun) -> int:
    open_for_pay = PayeeAccount.transfers_active & PayeeAccount.disabled_reason.is_(None)
    rows = (
        select(func.count())
        .select_from(PayoutLine)
        .join(PayeeAccount, PayeeAccount.person_id == PayoutLine.specialist_id)
        .where(PayoutLine.run_id == run.id, PayoutLine.state == LineState.DRAFT, ~open_for_pay)
    )
    return session.scalar(rows) or 0
