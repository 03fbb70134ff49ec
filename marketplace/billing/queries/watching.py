"""How a lab's balance fills itself, and when it is warned."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.actor import Actor
from marketplace.billing.models import AutomaticTopUp, BalanceWatch
from marketplace.identity.rules import Permission


def automatic_of(session: Session, viewer: Actor, currency: str) -> AutomaticTopUp | None:
    """What fills the acting lab's balance in a currency by itself."""
    viewer.require(Permission.BALANCE_VIEW)
    return session.get(AutomaticTopUp, (viewer.organisation(), currency))


def watch_of(session: Session, viewer: Actor, currency: str) -> BalanceWatch | None:
    """When the acting lab is warned, and whether its jobs resume by themselves."""
    viewer.require(Permission.BALANCE_VIEW)
    return session.get(BalanceWatch, (viewer.organisation(), currency))
