"""Faults of ours, planted one at a time, each at one seam; the machine has to notice every one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from marketplace.ids import new_id
from marketplace.ledger.rules import Posting, SourceKind
from marketplace.ledger.service import posting as ledger_posting
from marketplace.money import Money
from marketplace.payouts import rules as payout_rules
from marketplace.payouts import service as payout_service
from marketplace.payouts.rules import ConnectedState

Plant = Callable[[pytest.MonkeyPatch], None]


def blind_release_of_unknown(patch: pytest.MonkeyPatch) -> None:
    """Silence is taken for a no: the money of an unknown line is given back."""

    def believe_silence(session: Session, line_id: UUID, *, code: str | None) -> None:
        payout_service.record_rejection(
            session, line_id, code=code or "silence", reason="Stripe did not answer."
        )

    patch.setattr(payout_service, "record_doubt", believe_silence)


def blind_resend_after_key_expiry(patch: pytest.MonkeyPatch) -> None:
    """A line whose key Stripe has forgotten is sent again under it, instead of looked for."""

    def always(started_at: datetime, at: datetime) -> bool:
        del started_at, at
        return True

    patch.setattr(payout_rules, "key_usable", always)


def no_dedupe(patch: pytest.MonkeyPatch) -> None:
    """An acceptance that is posted again is another acceptance."""
    plain = ledger_posting._row

    def another(session: Session, posting: Posting, *facts: Any) -> Any:
        if posting.kind in {SourceKind.ACCEPT, SourceKind.CLEAR}:
            posting = replace(posting, source_id=f"{posting.source_id}:{new_id().hex}")
        return plain(session, posting, *facts)

    patch.setattr(ledger_posting, "_row", another)


def independent_rounding(patch: pytest.MonkeyPatch) -> None:
    """Each part of an amount is rounded by itself."""

    def rounded(whole: Money, weights: Sequence[int]) -> list[Money]:
        total = sum(weights)
        return [
            Money((whole.minor * weight * 2 + total) // (2 * total), whole.currency)
            for weight in weights
        ]

    patch.setattr(Money, "share", rounded)


def paid_before_failed_ignored(patch: pytest.MonkeyPatch) -> None:
    """What a bank has paid stays paid, whatever it says later."""
    plain = payout_rules.steps_to

    def final(known: ConnectedState | None, status: str, *, reversed_: bool) -> Any:
        if known is ConnectedState.PAID and status == "failed":
            return []
        return plain(known, status, reversed_=reversed_)

    patch.setattr(payout_rules, "steps_to", final)


MUTATIONS: Mapping[str, Plant] = {
    plant.__name__: plant
    for plant in (
        blind_release_of_unknown,
        blind_resend_after_key_expiry,
        no_dedupe,
        independent_rounding,
        paid_before_failed_ignored,
    )
}
