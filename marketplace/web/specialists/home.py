"""A specialist's home: the next task, what is in hand, the week's money, credentials."""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ledger import queries as ledger
from marketplace.payouts import queries as payouts
from marketplace.review import queries as review
from marketplace.routing import queries as routing
from marketplace.specialists import queries as credentials
from marketplace.specialists.models import CredentialClaim
from marketplace.specialists.rules import HOLDING
from marketplace.web.guards import me, needs
from marketplace.web.specialists import shown, week
from marketplace.web.specialists.blueprint import specialists
from marketplace.work import queries as work
from marketplace.work.rules import ClaimState

OTHERS_SHOWN = 5


@specialists.get("")
@needs(Permission.WORK_DO)
def home() -> str:
    """The page that a specialist's day begins with."""
    with transaction() as session:
        facts = _facts(session)
    return render_template("specialists/home.html", shown=shown, **facts)


def _facts(session: Session) -> dict[str, Any]:
    claims = credentials.credentials_of(session, me(), me().person())
    balances = ledger.specialist_balances(session, me().person())
    in_hand = work.claims_in_hand(session, me())
    reworked = [each.reworks_submission_id for each, _ in in_hand if each.reworks_submission_id]
    return {
        "offers": routing.feed(session, me(), limit=4),
        "live": [row for row in in_hand if row[0].state is ClaimState.LIVE],
        "kept": [row for row in in_hand if row[0].state is not ClaimState.LIVE],
        "decisions": review.decisions_of(session, reworked),
        "others": routing.other_jobs(session, me(), limit=OTHERS_SHOWN),
        "balances": balances,
        "weeks": week.plots_of(session, me(), balances),
        "credentials": [shown.credential_row(claim) for claim in claims],
        "steps": _steps(session, claims),
    }


def _steps(session: Session, claims: Any) -> list[tuple[str, str, str, bool]]:
    """What is to be done once before work and money flow: (words, why, where, done)."""
    profile = credentials.profile_of(session, me(), me().person())
    payee = payouts.payee_of(session, me())
    return [
        (
            "Fill in your profile",
            "Your languages and professions decide which jobs you are offered.",
            "specialists.profile",
            profile is not None,
        ),
        (
            "Claim a credential",
            "A licence or a register's number; most jobs ask for one.",
            "specialists.new_credential",
            bool(claims),
        ),
        (
            "Wait until it is verified",
            "Somebody looks it up in the register. You need do nothing.",
            "specialists.credentials",
            any(_holds(claim) for claim in claims),
        ),
        (
            "Say where to be paid",
            "Stripe asks for your bank account; it can wait until you have earned something.",
            "specialists.earnings",
            payee is not None and payee.transfers_active,
        ),
    ]


def _holds(claim: CredentialClaim) -> bool:
    return claim.state in HOLDING
