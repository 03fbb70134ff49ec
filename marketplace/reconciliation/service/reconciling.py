"""One comparison of everything: stages S0 to S7, recorded as matches and breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace import audit, clock
from marketplace.actor import SYSTEM, Actor
from marketplace.identity.rules import Permission
from marketplace.ids import new_id
from marketplace.reconciliation.models import (
    BankStatement,
    Match,
    Reconciliation,
    StatementFile,
)
from marketplace.reconciliation.queries import bank_breaks as bank
from marketplace.reconciliation.queries import inner_breaks as inner
from marketplace.reconciliation.queries.completeness import STRIPE, newest_statement
from marketplace.reconciliation.queries.stripe_breaks import stripe_breaks
from marketplace.reconciliation.rules.breaks import BreakKind, Found
from marketplace.reconciliation.service.breaks import record_breaks

FILES = "files"
_PAIRED = text(
    """
    SELECT count(*) FROM stripe_statement_line line JOIN ledger_transaction t
      ON t.balance_transaction_id = line.id WHERE line.account = ''"""
)


def found_differences(
    session: Session, as_of: datetime, altered: Collection[UUID] | None = None
) -> dict[str, list[Found]]:
    """Everything that differs, by what was compared; empty lists where all agrees.

    altered: files that are not what was uploaded, or None when nobody has looked at them. What
    was not compared, such as Stripe before its first balance, is not in the answer.
    """
    found: dict[str, list[Found]] = {}
    statement = newest_statement(session, "")
    if statement is not None:
        found[STRIPE] = stripe_breaks(session, statement, as_of)
    found[bank.BANK] = bank.payout_breaks(session, as_of)
    for source in bank.sources(session):
        found[source.break_source] = bank.bank_breaks(session, source)
    found[inner.CUSTODY] = inner.custody_breaks(session, as_of)
    found[inner.BOOK] = inner.book_breaks(session, as_of)
    if altered is not None:
        found[FILES] = bank.altered_breaks(session, altered)
    return found


def reconcile(
    session: Session,
    as_of: datetime | None = None,
    *,
    actor: Actor = SYSTEM,
    altered: Collection[UUID] | None = None,
) -> Reconciliation:
    """Compare everything as it is now, refresh the breaks, and keep what came out.

    as_of: the moment that ages are counted to, now without one.
    """
    actor.require(Permission.RECONCILIATION_WORK)
    moment = as_of or clock.now()
    outcome: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for source, found in found_differences(session, moment, altered).items():
        recorded = record_breaks(session, found, source=source)
        outcome["opened"] += recorded.opened
        outcome["resolved"] += recorded.resolved
        outcome["standing"] += recorded.standing
        outcome["settled"] += recorded.settled
        kinds.update(each.kind.value for each in found)
    row = Reconciliation(
        id=new_id(),
        as_of=moment,
        made_at=clock.now(),
        made_by=actor.person_id,
        through_on=session.scalar(select(func.max(BankStatement.to_on))),
        counts=_counts(session),
        breaks={kind.value: kinds[kind.value] for kind in BreakKind if kinds[kind.value]},
        outcome=dict(outcome),
    )
    session.add(row)
    session.flush()  # The audit line names it.
    if not actor.is_system:
        audit.record(session, actor, "compared the book with all statements", row.id)
    return row


def _counts(session: Session) -> dict[str, int]:
    """How many lines each rule has matched so far."""
    counts = {"S1 line_id": int(session.scalar(_PAIRED) or 0)}
    rules = select(Match.stage, Match.rule, func.count()).group_by(Match.stage, Match.rule)
    counts |= {f"{stage} {rule}": number for stage, rule, number in session.execute(rules)}
    return counts


def files_after(session: Session, after: UUID | None, limit: int) -> list[StatementFile]:
    """Kept files, in the order in which they came, after the one with the id `after`."""
    page = select(StatementFile).order_by(StatementFile.id).limit(limit)
    if after is not None:
        page = page.where(StatementFile.id > after)
    return list(session.scalars(page))
