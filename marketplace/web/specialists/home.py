"""A specialist's home: the next task, what is in hand, the week's money, credentials."""

from __future__ import annotations

from typing import Any

from flask import render_template
from sqlalchemy.orm import Session

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.ledger import queries as ledger
from marketplace.quality import queries as quality
from marketplace.review import queries as review
from marketplace.routing import queries as routing
from marketplace.specialists.rules.onboarding import STEPS
from marketplace.web.guards import me, needs
from marketplace.web.specialists import advice, credential_words, offers, shown, week
from marketplace.web.specialists.blueprint import specialists
from marketplace.web.specialists.feed import resting
from marketplace.web.specialists.skill import told
from marketplace.web.specialists.standing import WORDS, standing_of
from marketplace.work import queries as work
from marketplace.work.rules import ClaimState

OFFERS_SHOWN = 4
OTHERS_SHOWN = 5
SKILLS_SHOWN = 2


@specialists.get("")
@needs(Permission.WORK_DO)
def home() -> str:
    """The page that a specialist's day begins with."""
    with transaction() as session:
        facts = _facts(session)
    return render_template("specialists/home.html", shown=shown, **facts)


def _facts(session: Session) -> dict[str, Any]:
    standing = standing_of(session)
    rows = credential_words.credential_rows(session, standing.claims)
    balances = ledger.specialist_balances(session, me().person())
    in_hand = work.claims_in_hand(session, me())
    reworked = [each.reworks_submission_id for each, _ in in_hand if each.reworks_submission_id]
    # All of them are counted, a few are shown.
    entries = routing.feed(session, me(), limit=routing.FEED_MAX)
    others = routing.other_jobs(session, me(), limit=routing.FEED_MAX)
    own = standing.profile.professions if standing.profile else ()
    near, far = offers.by_closeness(others, own)
    opened = advice.openings(standing.profile, [entry.job for entry in entries], others)
    return {
        "offers": entries[:OFFERS_SHOWN],
        "fitting": len(entries),
        "live": [row for row in in_hand if row[0].state is ClaimState.LIVE],
        "kept": [row for row in in_hand if row[0].state is not ClaimState.LIVE],
        "decisions": review.decisions_of(session, reworked),
        "others": near[:OTHERS_SHOWN],
        "elsewhere": far[:OTHERS_SHOWN],
        "closed": len(near),
        "checking": standing.checking,
        "balances": balances,
        "skills": [told(each) for each in quality.skill_history(session, me(), limit=SKILLS_SHOWN)],
        "weeks": week.plots_of(session, me(), balances),
        "credentials": [row for row in rows if row.claim.state not in credential_words.PAST],
        "standing": standing,
        "steps": STEPS,
        "words": WORDS,
        "opened": opened,
        "advice": advice.next_best(standing, rows, balances, opened),
        "resting": resting(standing.profile),
    }
