"""What a bank's line is: matched by exact rules, posted where one explains it, else left alone.

S5: a payout of Stripe that arrived, by its trace id, else by amount, days and Stripe's name where
only one of each fits. Rule 5: our money on its way to Stripe. A posting of ours whose reference
the bank repeats. S6: money from somebody else, which billing applies by exact reference only.
Whatever fits twice fits nothing: it becomes a break.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.billing import service as billing
from marketplace.ids import new_id
from marketplace.ledger import service as ledger
from marketplace.reconciliation.models import Holds, Match, StatementEntry, StatementSource
from marketplace.reconciliation.queries.candidates import (
    SAID,
    Candidate,
    adjusted,
    candidates_of,
    unsettled,
)


@dataclass(frozen=True, slots=True)
class Batch:
    """How many lines were settled, and the last that was looked at; None at the end."""

    posted: int
    last: UUID | None


def settle_entries(
    session: Session,
    *,
    after: UUID | None = None,
    limit: int = 200,
    found: Mapping[UUID, Candidate] | None = None,
) -> Batch:
    """Match and post the next lines of banks that nothing explains yet, in their order.

    found: what `candidates_of` said of all lines as this round began, so that many batches compare
    everything once; None compares now. What was taken meanwhile is left to the next round.
    """
    note_adjusted(session)
    entries = unsettled(session, after=after, limit=limit)
    if not entries:
        return Batch(0, None)
    if found is None:
        found = candidates_of(session, [entry.id for entry in entries])
    else:
        found = _still_free(session, found, entries)
    sources = {each.id: each for each in session.scalars(select(StatementSource))}
    posted = 0
    for entry in entries:
        candidate = found.get(entry.id)
        if candidate is not None:
            _match(session, entry, sources[entry.source_id], candidate)
            posted += 1
        elif _is_income(entry) and sources[entry.source_id].holds is Holds.CLIENT_FUNDS:
            _receive(session, entry)
            posted += 1
    return Batch(posted, entries[-1].id if len(entries) == limit else None)


def _still_free(
    session: Session, found: Mapping[UUID, Candidate], entries: Sequence[StatementEntry]
) -> dict[UUID, Candidate]:
    """The candidates of these lines that no other line has taken since they were found."""
    mine = {entry.id: found[entry.id] for entry in entries if entry.id in found}
    rows = session.execute(
        select(Match.payout_id, Match.stripe_line_id, Match.transaction_id).where(
            or_(
                Match.payout_id.in_([one.payout_id for one in mine.values() if one.payout_id]),
                Match.stripe_line_id.in_(
                    [one.stripe_line_id for one in mine.values() if one.stripe_line_id]
                ),
                Match.transaction_id.in_(
                    [one.transaction_id for one in mine.values() if one.transaction_id]
                ),
            )
        )
    )
    taken = {part for row in rows for part in row if part is not None}
    return {
        entry_id: one
        for entry_id, one in mine.items()
        if not taken & {one.payout_id, one.stripe_line_id, one.transaction_id}
    }


def _is_income(entry: StatementEntry) -> bool:
    """Whether somebody else paid us; what comes back, or from Stripe, is not income.

    Labs pay into the account of client funds; what arrives elsewhere waits for a person.
    """
    return entry.amount_minor > 0 and not (
        entry.reversal or entry.return_reason or "STRIPE" in entry.tokens
    )


def _match(
    session: Session, entry: StatementEntry, source: StatementSource, candidate: Candidate
) -> None:
    transaction_id: UUID | None = candidate.transaction_id
    if candidate.payout_id is not None:
        transaction_id = ledger.record_bank_arrival(
            session,
            payout_id=candidate.payout_id,
            amount=entry.amount,
            source_id=entry.natural_id,
            effective_on=entry.booked_on,
            where=source.holds,
        )
    elif candidate.stripe_line_id is not None:
        transaction_id = ledger.fund_stripe(
            session,
            amount=-entry.amount,
            source_id=entry.natural_id,
            effective_on=entry.booked_on,
            where=source.holds,
        )
    _keep(session, entry, candidate, transaction_id)


def _keep(
    session: Session,
    entry: StatementEntry,
    candidate: Candidate,
    transaction_id: UUID | None,
) -> None:
    session.add(
        Match(
            id=new_id(),
            entry_id=entry.id,
            stage=candidate.stage,
            rule=candidate.rule,
            payout_id=candidate.payout_id,
            stripe_line_id=candidate.stripe_line_id,
            transaction_id=transaction_id,
            evidence=candidate.evidence,
            explanation=SAID[candidate.rule],
            several=False,
            matched_by=None,
            matched_at=clock.now(),
        )
    )
    session.flush()  # The next line must see that this is taken.


def _receive(session: Session, entry: StatementEntry) -> None:
    people = details_of(entry)
    words: Sequence[str] = (entry.end_to_end, entry.payment_id, people.get("text", ""))
    receipt = billing.receive_wire(
        session,
        source_id=entry.natural_id,
        amount=entry.amount,
        remittance=" ".join(word for word in words if word),
        payer=people.get("counterparty", ""),
        on=entry.booked_on,
    )
    evidence = {"line": entry.natural_id, "receipt": str(receipt.id)}
    known = Candidate("S6", "received", evidence)
    _keep(session, entry, known, receipt.ledger_transaction_id)


def note_adjusted(session: Session) -> int:
    """Keep the match of each line that two people explained by an adjustment; how many."""
    rows = adjusted(session)
    for entry, transaction_id in rows:
        known = Candidate("S7", "adjustment", {"line": entry.natural_id})
        _keep(session, entry, known, transaction_id)
    return len(rows)


def details_of(entry: StatementEntry) -> dict[str, Any]:
    """What names people on a line: counterparty, account, text; each may be empty."""
    return dict(json.loads(entry.details)) if entry.details else {}
