"""Money in by the checkout's page, and out by payout runs, as people do it in a browser."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import httpx
import pyotp

from marketplace import clock, outbox, settings
from marketplace.billing import background as billing
from marketplace.billing import queries as top_ups
from marketplace.billing import service as billing_service
from marketplace.billing.rules import TopUpState
from marketplace.db import transaction
from marketplace.demo.cast import (
    LABS,
    SECOND_APPROVER,
    SPECIALISTS,
    TREASURER,
    TREASURER_MINOR,
    Payee,
    Specialist,
)
from marketplace.demo.people import actor_of, person_of
from marketplace.demo.quiet import wait_for
from marketplace.errors import Refused
from marketplace.ids import PersonId, new_id
from marketplace.money import Money
from marketplace.payouts import background as payouts
from marketplace.payouts import queries as runs
from marketplace.payouts import service
from marketplace.payouts.models import PayoutRun
from marketplace.payouts.rules import RunState

PREPARER = "finance@demo.test"
# The first run pays these; the second, a draft, whoever else can be paid.
FIRST_PAID = ("doctor@demo.test", "lawyer@demo.test", "coder@demo.test", "s.lindqvist@demo.test")
CARD = "4000000000000077"  # The sandbox's card whose money is available at once.
SETTLE_SECONDS = 20.0
PREPAYMENT_MINOR = 5_000_00
WORK = "demonstration"


class PageRefused(Refused):
    """A page of the sandbox did not take what was filled in."""

    code = "page_refused"


def fill_in(url: str, **fields: str) -> str:
    """Send a form of the sandbox's pages, over the address by which the product reaches it.

    Returns the address that the page leads back to.
    """
    base, page = urlsplit(settings.current().stripe_api_base), urlsplit(url)
    here = page._replace(scheme=base.scheme, netloc=base.netloc).geturl()
    answer = httpx.post(here, data=fields, trust_env=False, timeout=30)
    if answer.status_code != httpx.codes.SEE_OTHER:
        raise PageRefused(f"The sandbox's page answered {answer.status_code}.")
    return answer.headers["Location"]


def _work() -> outbox.Work:
    """Work without a row, for calling a background function in the moment that we live in."""
    return outbox.Work(id=new_id(), name=WORK, arguments={}, attempt=1)


def top_up(email: str, amount_minor: int) -> None:
    """Pay an organisation's first money in by card, and wait until it is in the balance."""
    with transaction() as session:
        actor = actor_of(session, email)
        known = top_ups.top_ups_of(session, actor, limit=1)
        back = f"{settings.current().public_url.rstrip('/')}/lab/balance"
        asked = known[0] if known else None
        if asked is None:
            amount = Money(amount_minor, "USD")
            asked = billing_service.begin_top_up(
                session, actor, amount, success_url=back, cancel_url=back
            )
    if asked.state in {TopUpState.REQUESTED, TopUpState.CHECKOUT_OPEN}:
        fill_in(billing.open_checkout(asked.id), card=CARD, email=email)
    deadline = time.monotonic() + SETTLE_SECONDS
    while asked.state is not TopUpState.POSTED:
        if time.monotonic() > deadline:
            raise PageRefused("The sandbox has not settled a top-up in time.")
        billing.refresh_top_up(_work(), top_up_id=str(asked.id))
        with transaction() as session:
            asked = top_ups.top_up_of(session, actor, asked.id)


def top_up_all() -> None:
    """Money in for every lab, and for the platform's own qualification."""
    for lab in LABS:
        top_up(lab.owner.email, lab.top_up_minor)
    top_up(TREASURER, TREASURER_MINOR)


def write_details() -> None:
    """The first lab says whom its invoices are made out to, and asks for one to pay by transfer."""
    lab = LABS[0]
    with transaction() as session:
        actor = actor_of(session, lab.owner.email)
        billing_service.set_details(
            session,
            actor,
            legal_name=f"{lab.name} GmbH",
            address="Lindenhof 7\n10115 Berlin",
            country="DE",
            tax_id="DE123456789",
            purchase_order="PO-2026-118",
        )
        billing_service.issue_prepayment(
            session, actor, Money(PREPAYMENT_MINOR, "USD"), once_key=WORK
        )


def onboard_all() -> None:
    """Specialists say where they want to be paid, and fill in what Stripe asks."""
    for one in SPECIALISTS:
        if one.payee is not Payee.NONE:
            onboard(one.email, one.legal_name, outcome=one.payee.value)


def onboard(email: str, name: str, *, outcome: str) -> None:
    """Fill in the sandbox's onboarding page; a specialist who has done so is left alone."""
    with transaction() as session:
        actor = actor_of(session, email)
        payee = runs.payee_of(session, actor)
        if payee is not None and payee.details_submitted:
            return
        service.open_onboarding(session, actor, payee_name=name, country="US", currency="USD")
    back = f"{settings.current().public_url.rstrip('/')}/payouts"
    url = payouts.onboarding_url(actor.person(), refresh_url=back, return_url=back)
    first, _, last = name.rpartition(" ")
    fill_in(
        url,
        first_name=first,
        last_name=last,
        routing_number="110000000",
        account_number="000123456789",
        outcome=outcome,
        terms="yes",
    )
    wait_for(lambda: _account_read(actor.person()))


def _account_read(person_id: PersonId) -> bool:
    """Read the account; a worker that read it meanwhile, in the present, knows better."""
    with transaction() as session:
        payee = service.account_of_person(session, person_id)
    if payee is None or payee.stripe_account_id is None:
        return False
    return payouts.read_account(person_id, payee.stripe_account_id).details_submitted


def _latest() -> list[PayoutRun]:
    """All runs, oldest first."""
    with transaction() as session:
        return list(runs.runs(session, actor_of(session, PREPARER)))[::-1]


def prepare_first() -> None:
    """A run over a few specialists."""
    if not _latest():
        with transaction() as session:
            only = {person_of(session, email).id for email in FIRST_PAID}
            service.prepare_run(session, actor_of(session, PREPARER), minimum=_minimum(), only=only)


def approve_first() -> None:
    """Another person looks at the run and approves its content with a code."""
    (run, *_) = _latest()
    if run.state is RunState.DRAFT:
        with transaction() as session:
            secret = person_of(session, SECOND_APPROVER).totp_secret or ""
            code = pyotp.TOTP(secret).at(clock.now())
            approver = actor_of(session, SECOND_APPROVER)
            service.approve_run(session, approver, run.id, run.content_sha256, code)


def release_first() -> bool:
    """Its preparer releases it; whether it has been sent."""
    (run, *_) = _latest()
    if run.state is RunState.APPROVED:
        with transaction() as session:
            service.release_run(session, actor_of(session, PREPARER), run.id)
    return wait_for(lambda: _latest()[0].state is not RunState.RELEASING)


def prepare_second() -> None:
    """A draft for those who were not in the first run, to try an approval with."""
    if len(_latest()) < 2:
        with transaction() as session:
            rest = {person_of(session, one.email).id for one in SPECIALISTS if _waits(one)}
            preparer = actor_of(session, PREPARER)
            wanted = runs.Filters(only=frozenset(rest))
            if runs.payable(session, preparer, minimum=_minimum(), filters=wanted):
                service.prepare_run(session, preparer, minimum=_minimum(), only=rest)


def _waits(one: Specialist) -> bool:
    return one.email not in FIRST_PAID


def _minimum() -> Money:
    return runs.minimum_of("USD")
