"""Issuing invoices and taking them back: the number comes with the document, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from marketplace import audit, clock, outbox, settings
from marketplace.actor import SYSTEM, Actor
from marketplace.billing.models import (
    CashApplication,
    Invoice,
    InvoiceLine,
    InvoiceSeries,
    PaymentReference,
)
from marketplace.billing.rules import invoices as rules
from marketplace.billing.rules import references
from marketplace.billing.rules.invoices import InvoiceKind, InvoiceState, Line, LineKind
from marketplace.billing.rules.tax import NOTES, Treatment
from marketplace.billing.service.details import buyer_of, seller
from marketplace.errors import Conflict, Fault, Faulty, Missing
from marketplace.identity.rules import Permission
from marketplace.ids import OrganisationId, new_id
from marketplace.money import Money, total, zero

MOST_MINOR = 10**11


def issue_prepayment(
    session: Session, actor: Actor, amount: Money, *, once_key: str = ""
) -> Invoice:
    """A request for money into the acting lab's balance; it posts nothing and states no tax.

    once_key: the same key leads to the same invoice. Raises DetailsMissing without a buyer,
    Faulty for an amount that is not above zero.
    """
    actor.require(Permission.BALANCE_TOP_UP)
    if not 0 < amount.minor <= MOST_MINOR:
        most = Money(MOST_MINOR, amount.currency)
        raise Faulty(
            "An invoice is for an amount above zero.",
            [Fault("/amount", f"Write an amount up to {most}.")],
        )
    words = "Prepayment into the balance for expert judgements"
    line = Line(LineKind.PREPAYMENT, words, amount, Treatment.PREPAYMENT)
    here = settings.current()
    today = clock.book_day(clock.now(), here.book_timezone)
    return issue(
        session,
        actor,
        InvoiceKind.PREPAYMENT,
        [line],
        organisation_id=actor.organisation(),
        once_key=f"prepayment:{actor.organisation()}:{once_key or new_id()}",
        due_on=today + timedelta(days=here.invoice_due_days),
    )


def issue(
    session: Session,
    actor: Actor,
    kind: InvoiceKind,
    lines: Sequence[Line],
    *,
    organisation_id: OrganisationId,
    once_key: str,
    due_on: date | None = None,
    month: date | None = None,
    credits_of: Invoice | None = None,
) -> Invoice:
    """Write an invoice of these lines with the next number of its series, once for each key.

    The series' lock is held to the end of the transaction, so a number is never left out: it
    goes with the invoice or comes back with it. lines: with their tax (`rules.taxed`).
    """
    known = session.scalars(select(Invoice).where(Invoice.once_key == once_key)).first()
    if known is not None:
        return known
    invoice = _written(
        session, actor, kind, lines, credits_of=credits_of, organisation_id=organisation_id
    )
    invoice.once_key, invoice.due_on, invoice.month = once_key, due_on, month
    session.add(invoice)
    session.flush()  # Lines and the reference point at it.
    _add_lines(session, invoice, lines)
    if kind is InvoiceKind.PREPAYMENT:
        _add_reference(session, invoice)
    _tell(session, actor, invoice, "issued")
    return invoice


def _written(
    session: Session,
    actor: Actor,
    kind: InvoiceKind,
    lines: Sequence[Line],
    *,
    credits_of: Invoice | None,
    organisation_id: OrganisationId,
) -> Invoice:
    """The document with the next number of its series and the sums of its lines."""
    now, here = clock.now(), settings.current()
    today = clock.book_day(now, here.book_timezone)
    currency = lines[0].gross.currency
    gross = total((line.gross for line in lines), currency)
    tax = total((line.tax for line in lines), currency)
    number = _next_number(session, here.invoice_prefix, kind, today.year)
    return Invoice(
        id=new_id(),
        organisation_id=organisation_id,
        kind=kind,
        state=InvoiceState.OPEN if kind is InvoiceKind.PREPAYMENT else InvoiceState.PAID,
        entity=here.invoice_prefix,
        year=today.year,
        number=number,
        reference=rules.number_text(here.invoice_prefix, kind, today.year, number),
        currency=currency,
        net_minor=(gross - tax).minor,
        tax_minor=tax.minor,
        gross_minor=gross.minor,
        credits_id=credits_of.id if credits_of else None,
        # A credit note says the same about buyer and seller as what it takes back.
        buyer=credits_of.buyer if credits_of else buyer_of(session, organisation_id),
        seller=credits_of.seller if credits_of else seller(),
        note=_note(lines),
        issued_on=today,
        issued_at=now,
        issued_by=actor.person_id,
    )


def lock_name(session: Session, name: str) -> None:
    """Wait until nobody else holds this name, and hold it to the end of the transaction."""
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
    )


def _next_number(session: Session, entity: str, kind: InvoiceKind, year: int) -> int:
    """The next number; whoever else issues in this series waits until this transaction ends."""
    # The row may not be there before the first invoice of a year, so a name is locked.
    name = f"invoice:{entity}:{kind}:{year}"
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
    )
    last = session.scalar(
        select(InvoiceSeries.last_number).where(
            InvoiceSeries.entity == entity,
            InvoiceSeries.kind == kind,
            InvoiceSeries.year == year,
        )
    )
    return (last or 0) + 1


def _add_lines(session: Session, invoice: Invoice, lines: Sequence[Line]) -> None:
    session.add_all(
        InvoiceLine(
            invoice_id=invoice.id,
            position=position,
            kind=line.kind,
            job_id=line.job_id,
            words=line.words,
            net_minor=line.net.minor,
            tax_minor=line.tax_minor,
            treatment=line.treatment,
            rate_basis_points=line.rate_basis_points,
        )
        for position, line in enumerate(lines, 1)
    )
    session.flush()  # What is read next adds them up.


def _add_reference(session: Session, invoice: Invoice) -> None:
    session.add(
        PaymentReference(
            reference=references.new_reference(),
            organisation_id=invoice.organisation_id,
            invoice_id=invoice.id,
            made_at=invoice.issued_at,
        )
    )
    session.flush()  # A page shows it at once.


def _note(lines: Sequence[Line]) -> str:
    notes = dict.fromkeys(NOTES[line.treatment] for line in lines)
    return "\n".join(note for note in notes if note)


def locked_invoice(session: Session, invoice_id: UUID) -> Invoice:
    """The invoice, locked until the transaction ends; Missing when there is none."""
    wanted = select(Invoice).where(Invoice.id == invoice_id).with_for_update()
    invoice = session.scalars(wanted, execution_options={"populate_existing": True}).first()
    if invoice is None:
        raise Missing("There is no such invoice.")
    return invoice


def paid_of(session: Session, invoice: Invoice) -> Money:
    """What came in for a prepayment invoice so far."""
    paid = select(func.coalesce(func.sum(CashApplication.amount_minor), 0)).where(
        CashApplication.invoice_id == invoice.id
    )
    return Money(int(session.scalar(paid) or 0), invoice.currency)


def open_amount(session: Session, invoice: Invoice) -> Money:
    """What an invoice still asks for; nothing once it is paid or taken back."""
    if invoice.state not in {InvoiceState.OPEN, InvoiceState.PARTLY_PAID}:
        return zero(invoice.currency)
    return invoice.gross - paid_of(session, invoice)


def credit_invoice(session: Session, actor: Actor, invoice_id: UUID) -> Invoice:
    """Take back by a credit note what nobody has paid of a prepayment invoice, as its lab.

    Conflict when nothing is left to take back, and for other kinds: the invoice of a month is
    corrected by two people of finance (`propose_correction`).
    """
    actor.require(Permission.BALANCE_TOP_UP)
    invoice = locked_invoice(session, invoice_id)
    if invoice.organisation_id != actor.organisation():
        raise Missing("There is no such invoice.")
    if invoice.kind is not InvoiceKind.PREPAYMENT:
        raise Conflict("Only a request for prepayment can be cancelled. Write to us about others.")
    left = open_amount(session, invoice)
    if not left:
        raise Conflict("There is nothing left to take back of this invoice.")
    words = f"Taken back of {invoice.reference}"
    line = Line(LineKind.PREPAYMENT, words, left, Treatment.PREPAYMENT)
    note = _credit(session, actor, invoice, [line])
    whole = left == invoice.gross
    _move(session, actor, invoice, InvoiceState.VOID if whole else InvoiceState.PAID)
    return note


def take_back_whole(session: Session, actor: Actor, invoice: Invoice) -> Invoice:
    """The credit note over all lines of a locked invoice, which is void from then on."""
    note = _credit(session, actor, invoice, lines_of(session, invoice))
    _move(session, actor, invoice, InvoiceState.VOID)
    return note


def _credit(session: Session, actor: Actor, invoice: Invoice, lines: Sequence[Line]) -> Invoice:
    return issue(
        session,
        actor,
        InvoiceKind.CREDIT_NOTE,
        lines,
        organisation_id=invoice.organisation_id,
        once_key=f"credit:{invoice.id}",
        month=invoice.month,
        credits_of=invoice,
    )


def lines_of(session: Session, invoice: Invoice) -> list[Line]:
    """An invoice's lines as they were issued."""
    rows = select(InvoiceLine).where(InvoiceLine.invoice_id == invoice.id)
    return [
        Line(
            row.kind,
            row.words,
            Money(row.net_minor + row.tax_minor, invoice.currency),
            row.treatment,
            row.rate_basis_points,
            row.job_id,
            row.tax_minor,
        )
        for row in session.scalars(rows.order_by(InvoiceLine.position))
    ]


def note_payment(session: Session, invoice: Invoice) -> None:
    """Let the state of a prepayment invoice follow what has come in for it."""
    paid = paid_of(session, invoice)
    _move(
        session, SYSTEM, invoice, rules.state_after(invoice.state, gross=invoice.gross, paid=paid)
    )


def _move(session: Session, actor: Actor, invoice: Invoice, following: InvoiceState) -> None:
    if following is invoice.state:
        return
    if following not in rules.NEXT_INVOICE[invoice.state]:
        raise Conflict(f"An invoice that is {invoice.state} does not become {following}.")
    invoice.state = following
    session.flush()  # The database checks the step by itself.
    _tell(session, actor, invoice, following.value)


def _tell(session: Session, actor: Actor, invoice: Invoice, what: str) -> None:
    facts = {"reference": invoice.reference, "gross_minor": invoice.gross_minor}
    facts |= {"currency": invoice.currency, "kind": invoice.kind.value}
    audit.record(session, actor, f"invoice {what}", invoice.id, **facts)
    outbox.announce(
        session,
        f"invoice.{what}",
        invoice.id,
        facts,
        organisation_id=invoice.organisation_id,
    )
