"""The invoice of a month: what a lab used, settled from its balance, with the tax in our fee."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace import clock, settings
from marketplace.actor import SYSTEM, Actor
from marketplace.billing.models import Invoice, TaxRate
from marketplace.billing.queries import consumption
from marketplace.billing.queries.consumption import Used
from marketplace.billing.rules import invoices as rules
from marketplace.billing.rules import tax
from marketplace.billing.rules.invoices import InvoiceKind, Line, LineKind
from marketplace.billing.rules.tax import Rate, Treatment
from marketplace.billing.service.details import buyer_of, seller
from marketplace.billing.service.invoices import issue, lock_name
from marketplace.errors import Fault, Faulty
from marketplace.identity.rules import Permission
from marketplace.ids import JobId, OrganisationId, new_id
from marketplace.jobs.models import Job
from marketplace.money import total

WORDS = {LineKind.REWARDS: "Rewards for accepted work", LineKind.FEE: "Platform fee"}


def issue_month(
    session: Session, lab: OrganisationId, currency: str, month: date
) -> Invoice | None:
    """Issue what a lab used to the end of a month and no invoice has stated; None for nothing.

    month: its first day; it must be over. What sums to less than nothing, since work was taken
    back, becomes a credit note. Raises DetailsMissing without a buyer.
    """
    # Whoever else states what this lab used waits, and then finds it stated.
    lock_months(session, lab, currency)
    until = rules.month_after(month)
    used = consumption.uninvoiced(session, lab, currency, until)
    whole = total((each.amount for each in used), currency)
    if not whole:
        return None
    less = whole.minor < 0
    lines = rules.taxed(
        lines_for(session, lab, used, until - timedelta(days=1), sign=-1 if less else 1)
    )
    key = f"month:{lab}:{currency}:{month:%Y-%m}:{_stated(session, lab, currency, month)}"
    return issue(
        session,
        SYSTEM,
        InvoiceKind.CREDIT_NOTE if less else InvoiceKind.CONSUMPTION,
        lines,
        organisation_id=lab,
        once_key=key,
        month=month,
        credits_of=_last(session, lab, currency) if less else None,
    )


def lock_months(session: Session, lab: OrganisationId, currency: str) -> None:
    """Let nobody else state what a lab used in a currency until the transaction ends."""
    lock_name(session, f"month:{lab}:{currency}")


def _stated(session: Session, lab: OrganisationId, currency: str, month: date) -> int:
    """How many documents there are of a month: the next one is another."""
    same = select(func.count()).where(
        Invoice.organisation_id == lab, Invoice.currency == currency, Invoice.month == month
    )
    return session.scalar(same) or 0


def _last(session: Session, lab: OrganisationId, currency: str) -> Invoice | None:
    rows = select(Invoice).where(
        Invoice.organisation_id == lab,
        Invoice.currency == currency,
        Invoice.kind == InvoiceKind.CONSUMPTION,
    )
    return session.scalars(rows.order_by(Invoice.id.desc()).limit(1)).first()


def lines_for(
    session: Session, lab: OrganisationId, used: Sequence[Used], day: date, *, sign: int = 1
) -> list[Line]:
    """The lines that state what a lab used, with the rate of a day, before their tax is in.

    sign: -1 for a credit note. Raises DetailsMissing without a buyer.
    """
    buyer, us = buyer_of(session, lab), seller()
    how, country = tax.treatment(
        seller=us["country"], buyer=buyer["country"], buyer_tax_id=buyer["tax_id"]
    )
    rate = tax.rate_on(day, country, rates(session)) if country else None
    names = _job_names(session, {each.job_id for each in used if each.job_id})
    passed_on = how if how is Treatment.UNREGISTERED else Treatment.PASSED_ON
    return [
        Line(
            each.kind,
            f"{WORDS[each.kind]}, {names.get(each.job_id, 'bonuses and other work')}",
            each.amount * sign,
            how if each.kind is LineKind.FEE else passed_on,
            rate.basis_points if rate and each.kind is LineKind.FEE else 0,
            each.job_id,
        )
        for each in used
    ]


def _job_names(session: Session, ids: Iterable[object]) -> dict[object, str]:
    rows = session.execute(select(Job.id, Job.reference, Job.title).where(Job.id.in_(list(ids))))
    return {JobId(job_id): f"{reference} {title}" for job_id, reference, title in rows}


def rates(session: Session) -> list[Rate]:
    """All dated rates: those that came with the product, then those that the accountant added."""
    rows = session.scalars(select(TaxRate).order_by(TaxRate.valid_from, TaxRate.id))
    return [*tax.RATES, *(Rate(row.country, row.basis_points, row.valid_from) for row in rows)]


def add_rate(
    session: Session,
    actor: Actor,
    *,
    country: str,
    basis_points: int,
    valid_from: date,
    source: str,
) -> TaxRate:
    """Add a country's standard rate from a day on; source: where it was read, in words.

    A day that has been invoiced keeps what it was invoiced at, so a rate begins after the last
    month that is over.
    """
    actor.require(Permission.PERIODS_CLOSE)
    today = clock.book_day(clock.now(), settings.current().book_timezone)
    faults = []
    if not (len(country) == 2 and country.isascii() and country.isupper()):
        faults.append(Fault("/country", "Write the two letters of the country, such as IE."))
    if not 0 <= basis_points <= 5_000:
        faults.append(Fault("/rate", "Write a rate from 0 to 50 %."))
    if valid_from < today.replace(day=1):
        faults.append(Fault("/valid_from", "A rate begins in this month or later."))
    if not source.strip():
        faults.append(Fault("/source", "Say where the rate is published."))
    known = select(TaxRate).where(TaxRate.country == country, TaxRate.valid_from == valid_from)
    if session.scalars(known).first() is not None:
        faults.append(Fault("/valid_from", "This country has a rate from that day already."))
    if faults:
        raise Faulty("The rate cannot be added.", faults)
    row = TaxRate(
        id=new_id(),
        country=country,
        basis_points=basis_points,
        valid_from=valid_from,
        source=source.strip(),
        added_by=actor.person(),
        added_at=clock.now(),
    )
    session.add(row)
    session.flush()  # The page lists it at once.
    return row
