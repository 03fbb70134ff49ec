"""How far a specialist came: what is done, what was put off, and what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from marketplace.payouts import queries as payouts
from marketplace.payouts.models import PayeeAccount
from marketplace.specialists import queries
from marketplace.specialists.models import CredentialClaim, SpecialistProfile
from marketplace.specialists.queries.qualifications import own_attempts
from marketplace.specialists.rules import HOLDING
from marketplace.specialists.rules.lifecycle import UNDECIDED
from marketplace.specialists.rules.onboarding import STEPS, Step, first_open
from marketplace.web.guards import me


@dataclass(frozen=True, slots=True)
class Words:
    """A step in words. title: its page's heading; task: what remains to be done; why: in short."""

    title: str
    task: str
    why: str


WORDS: Mapping[Step, Words] = {
    Step.YOU: Words(
        "Your name and your time zone",
        "Say who you are and where",
        "Times and deadlines are shown in your zone.",
    ),
    Step.PROFESSION: Words(
        "What you do",
        "Name your profession",
        "Jobs are offered by profession and specialty.",
    ),
    Step.HOURS: Words(
        "Languages and hours",
        "Say your languages and hours",
        "Your languages decide which jobs you are offered; outside your hours nothing presses.",
    ),
    Step.PAPERS: Words(
        "Your name as on your papers",
        "Give your name as on your papers",
        "It is compared with the register and your identity document.",
    ),
    Step.CREDENTIAL: Words(
        "Your first credential",
        "Claim a credential",
        "A licence or a register's number; most jobs ask for one.",
    ),
    Step.IDENTITY: Words(
        "Show that it is you",
        "Verify your identity",
        "It lifts your credentials to level 3, which many jobs ask for.",
    ),
    Step.QUALIFICATION: Words(
        "Your first qualification",
        "Pass a qualification",
        "A short paid piece of work that opens the jobs that ask for it.",
    ),
    Step.PAID: Words(
        "Where you are paid",
        "Say where to be paid",
        "Stripe asks for your bank account; it can wait until you have earned something.",
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """One specialist's own standing."""

    profile: SpecialistProfile | None
    claims: Sequence[CredentialClaim]
    payee: PayeeAccount | None
    done: frozenset[Step]
    skipped: frozenset[Step]

    @property
    def open_step(self) -> Step | None:
        """Where to go on; None when every step is done or put off."""
        return first_open(self.done, self.skipped)

    @property
    def checking(self) -> frozenset[str]:
        """The professions in which a credential of theirs is not decided yet."""
        return frozenset(claim.profession for claim in self.claims if claim.state in UNDECIDED)

    @property
    def remaining(self) -> list[Step]:
        """What is not done yet, put off or not."""
        return [step for step in STEPS if step not in self.done]


def standing_of(session: Session) -> Standing:
    """The viewer's own standing."""
    profile = queries.profile_of(session, me(), me().person())
    claims = queries.credentials_of(session, me(), me().person())
    payee = payouts.payee_of(session, me())
    passed = queries.steps_passed(session, me())
    done = set(passed.saved)
    shown = {
        Step.PAPERS: profile is not None and bool(profile.legal_name and profile.born_on),
        Step.CREDENTIAL: bool(claims),
        Step.IDENTITY: any(claim.level >= 3 and claim.state in HOLDING for claim in claims),
        Step.PAID: payee is not None and payee.details_submitted,
    }
    for step, is_shown in shown.items():
        # What can be looked up counts, whatever was pressed.
        (done.add if is_shown else done.discard)(step)
    if any(attempt.passed for attempt in own_attempts(session, me())):
        done.add(Step.QUALIFICATION)
    return Standing(profile, claims, payee, frozenset(done), passed.skipped - done)
