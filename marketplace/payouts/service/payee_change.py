"""A bank account that has changed: told to its owner, and paid only after a while.

Whoever gets into an account changes first where the money goes; the days give its owner time to
read our letter and to speak up.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy.orm import Session

from marketplace import clock, mail
from marketplace.identity import queries as identity
from marketplace.payouts.models import PayeeAccount
from marketplace.payouts.queries.cooling import cooldown
from marketplace.payouts.queries.cooling import cooling_until as cooling_until

PAYEE_COOLING = "payee_cooling"


def bank_changed(session: Session, account: PayeeAccount) -> None:
    """Begin the cool-down of an account whose bank account is another, and write to its owner."""
    account.paid_to_changed_at = clock.now()
    to = identity.addressees(session, [account.person_id]).get(account.person_id)
    if to is None:
        return
    until = account.paid_to_changed_at + cooldown()
    mail.send(
        session,
        to=to.email,
        template="payee_changed",
        name=to.name,
        until=format_datetime(
            until.astimezone(ZoneInfo(to.timezone)), "EEEE d MMMM y, HH:mm", locale="en_GB"
        ),
        path="/work/earnings",
    )
