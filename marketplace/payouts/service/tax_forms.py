"""Tax forms: signed by specialists, verified or refused by somebody else, kept as the law asks."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace import audit, clock, mail, outbox, settings
from marketplace.actor import SYSTEM, Actor
from marketplace.errors import Conflict, Denied, Fault, Faulty, Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, new_id
from marketplace.payouts.models import TaxFormRow
from marketplace.payouts.queries.year import last_paid_on
from marketplace.payouts.rules.tax import (
    ASKED,
    CERTIFICATIONS,
    SHORT_LABELS,
    TAX_FORM_NEXT,
    FormFacts,
    TaxForm,
    TaxFormState,
    faults_in,
    kept_until,
    last_four,
    plain_tin,
    valid_until,
)

NOTE_MIN = 10
NOTE_MAX = 2_000


def submit_form(session: Session, actor: Actor, form: FormFacts) -> TaxFormRow:
    """Sign a tax form for oneself; one that nobody has looked at yet is replaced by it.

    Raises Faulty with what is missing or cannot be, by field.
    """
    actor.require(Permission.EARNINGS_VIEW)
    person = actor.person()
    now = clock.now()
    today = clock.book_day(now, settings.current().book_timezone)
    faults = faults_in(form, today)
    if faults:
        raise Faulty("The form cannot be signed like this.", faults)
    for waiting in _of(session, person, form.kind, TaxFormState.SUBMITTED):
        _move(session, actor, waiting, TaxFormState.REPLACED)
    kept = {name: form.facts.get(name, "").strip() for name in ASKED[form.kind]}
    row = TaxFormRow(
        id=new_id(),
        person_id=person,
        kind=form.kind,
        state=TaxFormState.SUBMITTED,
        country=kept["country"],
        facts=json.dumps({**kept, "certified": CERTIFICATIONS[form.kind], "no_tin": form.no_tin}),
        tin=None if form.no_tin else plain_tin(form.tin),
        tin_end=None if form.no_tin else last_four(form.tin),
        told_to_withhold=form.withheld_from and form.kind is TaxForm.W9,
        signed_name=form.signed_name.strip(),
        signed_at=now,
        valid_until=valid_until(form.kind, today),
    )
    session.add(row)
    session.flush()  # Its indexes speak here.
    audit.record(session, actor, "signed a tax form", row.id, kind=form.kind.value)
    outbox.announce(session, "tax_form.submitted", row.id, {"person_id": person})
    return row


def verify_form(session: Session, actor: Actor, form_id: UUID) -> TaxFormRow:
    """Say that a form is whole and fits its person; it takes the place of an earlier one."""
    row = _to_decide(session, actor, form_id)
    if row.state is not TaxFormState.SUBMITTED:
        raise Conflict("This form is not waiting any more.")
    for earlier in _of(session, row.person_id, row.kind, TaxFormState.VERIFIED):
        _move(session, actor, earlier, TaxFormState.REPLACED)
    row.decided_by, row.decided_at = actor.person(), clock.now()
    _move(session, actor, row, TaxFormState.VERIFIED)
    _tell(session, row)
    return row


def refuse_form(session: Session, actor: Actor, form_id: UUID, *, note: str) -> TaxFormRow:
    """Say that a form cannot be used, or, by word of a tax office, no longer; note: why, in words
    for its person."""
    row = _to_decide(session, actor, form_id)
    if TaxFormState.REFUSED not in TAX_FORM_NEXT[row.state]:
        raise Conflict("This form does not count any more.")
    plain = note.strip()
    if not NOTE_MIN <= len(plain) <= NOTE_MAX or "\0" in plain:
        advice = f"Write what its person has to mend, in {NOTE_MIN} to {NOTE_MAX:,} letters."
        raise Faulty("The form cannot be refused like this.", [Fault("/note", advice)])
    row.note, row.decided_by, row.decided_at = plain, actor.person(), clock.now()
    _move(session, actor, row, TaxFormState.REFUSED)
    _tell(session, row)
    return row


def keep_as_the_law_asks(session: Session, person_id: PersonId) -> None:
    """What stays of an erased person's forms: encrypted, until seven years after they were of use.

    Forms of somebody who was never paid go at once.
    """
    paid_on = last_paid_on(session, person_id)
    rows = session.scalars(select(TaxFormRow).where(TaxFormRow.person_id == person_id)).all()
    for row in rows:
        if paid_on is None:
            _purge(row)
        else:
            signed_on = clock.book_day(row.signed_at, settings.current().book_timezone)
            row.kept_until, row.note = kept_until(signed_on, paid_on), None
    if rows:
        audit.record(session, SYSTEM, "kept tax forms of an erased person", person_id)


def purge_forms(session: Session, today: date, *, limit: int = 500) -> int:
    """Empty the forms whose day has come; how many."""
    due = (
        select(TaxFormRow)
        .where(TaxFormRow.kept_until < today, TaxFormRow.purged_at.is_(None))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(due).all()
    for row in rows:
        _purge(row)
        audit.record(session, SYSTEM, "emptied a tax form", row.id)
    return len(rows)


def _purge(row: TaxFormRow) -> None:
    row.facts = row.tin = row.tin_end = row.signed_name = row.note = None
    row.purged_at = clock.now()


def _to_decide(session: Session, actor: Actor, form_id: UUID) -> TaxFormRow:
    actor.require(Permission.TAX_VERIFY)
    row = session.get(TaxFormRow, form_id, with_for_update=True, populate_existing=True)
    if row is None or row.purged_at is not None:
        raise Missing("There is no such tax form.")
    if row.person_id == actor.person():
        raise Denied("Nobody decides about their own tax form. Ask a colleague.")
    return row


def _of(
    session: Session, person_id: PersonId, kind: TaxForm, state: TaxFormState
) -> list[TaxFormRow]:
    rows = select(TaxFormRow).where(
        TaxFormRow.person_id == person_id, TaxFormRow.kind == kind, TaxFormRow.state == state
    )
    return list(session.scalars(rows.with_for_update()))


def _move(session: Session, actor: Actor, row: TaxFormRow, state: TaxFormState) -> None:
    row.state = state
    session.flush()  # The guard of its lifecycle speaks here.
    audit.record(session, actor, f"moved a tax form to {state}", row.id, kind=row.kind.value)
    outbox.announce(session, f"tax_form.{state}", row.id, {"person_id": row.person_id})


def _tell(session: Session, row: TaxFormRow) -> None:
    to = identity.addressees(session, [row.person_id]).get(row.person_id)
    if to is None:
        return
    mail.send(
        session,
        to=to.email,
        template="tax_form_decided",
        name=to.name,
        form=SHORT_LABELS[row.kind],
        verified=row.state is TaxFormState.VERIFIED,
        note=row.note or "",
        path="/work/earnings/tax",
    )
