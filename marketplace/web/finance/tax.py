"""Tax: forms to look at, what is withheld and remitted, everybody's yearly totals for reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import flash, render_template, request, url_for
from marshmallow import fields
from sqlalchemy.orm import Session
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace import audit, clock
from marketplace.db import transaction
from marketplace.errors import Missing
from marketplace.identity import queries as identity
from marketplace.identity.rules import Permission
from marketplace.ids import PersonId, parse_id
from marketplace.money import zero
from marketplace.payouts import queries
from marketplace.payouts.models import TaxFormRow
from marketplace.payouts.queries import YearTotal
from marketplace.payouts.queries.year import forms_by_person
from marketplace.payouts.rules.tax import SHORT_LABELS, STATE_LABELS, TAX_FORM_LABELS
from marketplace.payouts.rules.withholding import REMITTANCE_LABELS
from marketplace.payouts.service import tax_forms, withholding
from marketplace.web.downloads import Cell, amount, csv_text, download
from marketplace.web.finance.blueprint import finance
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs

PAGE = 50
EXPORT_PAGE = 500
YEARS = range(2020, 2101)
HEAD = (
    "person", "name", "country", "form", "legal_name", "tax_number", "born_on", "address", "city",
    "region", "postcode", "year", "payer", "currency", "paid", "withheld", "counts_as_paid",
)  # fmt: skip
ADDRESS = ("born_on", "address", "city", "region", "postcode")


class RefuseForm(Form):
    """What its person has to mend."""

    note = fields.String(load_default="")


class RemittanceForm(Form):
    """A payment to a tax office."""

    currency = fields.String(required=True)
    paid_on = fields.Date(required=True, error_messages={"invalid": "Write the day."})
    reference = fields.String(load_default="")


def _facts() -> dict[str, Any]:
    year = _year(request.args.get("year", ""))
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        may_verify = me().may(Permission.TAX_VERIFY)
        forms = queries.waiting_forms(session, me()) if may_verify else []
        withheld = queries.withheld_now(session, me())
        remitted = queries.remittances(session, me())
        totals, last = queries.yearly_totals(session, me(), year, after=after, limit=PAGE)
        people = {form.person_id for form in forms} | {person for person, _ in withheld}
        people |= {total.person_id for total in totals}
        people |= {row.proposed_by for row in remitted}
        people |= {row.decided_by for row in remitted if row.decided_by}
        names = identity.people_by_ids(session, people)
    sums = {one.currency: zero(one.currency) for _, one in withheld}
    for _, one in withheld:
        sums[one.currency] = sums[one.currency] + one
    return {
        "year": year,
        "years": [clock.now().year - back for back in range(4)],
        "forms": forms,
        "withheld": withheld,
        "sums": sums,
        "currencies": [(code, code) for code in sums],
        "remittances": remitted,
        "totals": totals,
        "after": after,
        "last": last,
        "names": names,
        "short": SHORT_LABELS,
        "remittance_labels": REMITTANCE_LABELS,
        "me_id": me().person_id,
    }


def _year(text: str) -> int:
    known = text.isascii() and text.isdigit() and len(text) == 4 and int(text) in YEARS
    return int(text) if known else clock.now().year


@finance.get("/tax")
@needs(Permission.FINANCE_VIEW)
def tax() -> str:
    """Forms that wait, what is withheld, yearly totals."""
    return render_template("finance/tax.html", **_facts())


def _form_facts() -> dict[str, Any]:
    form_id = (request.view_args or {})["form_id"]
    with transaction() as session:
        form = queries.form_of(session, me(), form_id)
        name = identity.people_by_ids(session, [form.person_id]).get(form.person_id, "Unknown")
        payee = queries.payee_country(session, me(), form.person_id)
        audit.record(session, me(), "looked at a tax form", form.id)
    return {
        "form": form,
        "name": name,
        "payee_country": payee,
        "facts": json.loads(form.facts or "{}"),
        "title": TAX_FORM_LABELS[form.kind],
        "states": STATE_LABELS,
    }


@finance.get("/tax/forms/<uuid:form_id>")
@needs(Permission.TAX_VERIFY)
def tax_form(form_id: UUID) -> str:
    """One form, with the end of its number."""
    del form_id  # Read from the address, as the form's page does.
    return render_template("finance/tax_form.html", **_form_facts())


@finance.post("/tax/forms/<uuid:form_id>/verify")
@needs(Permission.TAX_VERIFY)
def verify_tax_form(form_id: UUID) -> Response:
    """It is whole and fits its person."""
    with transaction() as session:
        tax_forms.verify_form(session, me(), form_id)
    flash("Verified: it counts from now on, and its person is told.", "good")
    return _back()


@finance.post("/tax/forms/<uuid:form_id>/refuse")
@needs(Permission.TAX_VERIFY)
@form_page("finance/tax_form.html", _form_facts)
def refuse_tax_form(form_id: UUID) -> Response:
    """It cannot be used; its person reads why."""
    asked = load(RefuseForm)
    with transaction() as session:
        tax_forms.refuse_form(session, me(), form_id, note=asked["note"])
    flash("Not accepted; its person reads what to mend.", "good")
    return _back()


def _back() -> Response:
    finance_too = me().may(Permission.FINANCE_VIEW)
    return redirect(url_for("finance.tax" if finance_too else "finance.tax_queue"), code=303)


@finance.get("/tax/forms")
@needs(Permission.TAX_VERIFY)
def tax_queue() -> str:
    """Forms that wait for a look, for those who see no other page of finance."""
    after = parse_id(request.args.get("after", ""))
    with transaction() as session:
        found = queries.waiting_forms(session, me(), after=after, limit=PAGE + 1)
        rows = found[:PAGE]
        names = identity.people_by_ids(session, {row.person_id for row in rows})
    last = rows[-1].id if len(found) > PAGE else None
    return render_template(
        "finance/tax_queue.html", forms=rows, names=names, after=after, last=last,
        short=SHORT_LABELS,
    )  # fmt: skip


@finance.post("/tax/remittances")
@needs(Permission.PAYOUTS_PREPARE)
@form_page("finance/tax.html", _facts)
def propose_remittance() -> Response:
    """Write down that what is withheld was paid to the tax office."""
    asked = load(RemittanceForm)
    with transaction() as session:
        withholding.propose_remittance(session, me(), **asked)
    flash("Written down. Somebody else confirms it, and then it is posted.", "good")
    return redirect(url_for("finance.tax"), code=303)


@finance.post("/tax/remittances/<uuid:remittance_id>/confirm")
@needs(Permission.PAYOUTS_APPROVE)
def confirm_remittance(remittance_id: UUID) -> Response:
    """The second person: it was paid."""
    with transaction() as session:
        withholding.confirm_remittance(session, me(), remittance_id)
    flash("Confirmed and posted.", "good")
    return redirect(url_for("finance.tax"), code=303)


@finance.post("/tax/remittances/<uuid:remittance_id>/withdraw")
@needs(Permission.PAYOUTS_PREPARE)
def withdraw_remittance(remittance_id: UUID) -> Response:
    """Take back what was written down by mistake."""
    with transaction() as session:
        withholding.withdraw_remittance(session, me(), remittance_id)
    flash("Withdrawn; nothing was posted.", "good")
    return redirect(url_for("finance.tax"), code=303)


@finance.get("/tax/<int:year>/totals.csv")
@needs(Permission.TAX_VERIFY)
def export_totals(year: int) -> Response:
    """Everybody's totals of a year with their tax numbers, for 1099 and DAC7 reports; audited."""
    if year not in YEARS or not me().may(Permission.FINANCE_VIEW):
        raise Missing("There are no totals of this year for you.")
    with transaction() as session:
        audit.record(session, me(), "exported tax totals", me().person(), year=year)
        rows = _export_rows(session, year)
        return download(csv_text(HEAD, rows), f"tax-totals-{year}.csv", "text/csv")


def _export_rows(session: Session, year: int) -> Iterator[list[Cell]]:
    after: UUID | None = None
    while True:
        totals, after = queries.yearly_totals(session, me(), year, after=after, limit=EXPORT_PAGE)
        people = {total.person_id for total in totals}
        names = identity.people_by_ids(session, people)
        forms = forms_by_person(session, people)
        for total in totals:
            standing = forms.get(PersonId(total.person_id), [])
            verified = [form for form in standing if form.state == "verified"]
            yield _export_row(total, names.get(total.person_id, ""), next(iter(verified), None))
        if after is None:
            return


def _export_row(total: YearTotal, name: str, form: TaxFormRow | None) -> list[Cell]:
    known = json.loads(form.facts or "{}") if form else {}
    return [
        str(total.person_id),
        name,
        form.country if form else "",
        SHORT_LABELS[form.kind] if form else "",
        known.get("legal_name", ""),
        (form.tin or "") if form else "",
        *(known.get(key, "") for key in ADDRESS),
        total.year,
        total.payer,
        total.currency,
        amount(total.paid),
        amount(total.withheld),
        amount(total.gross),
    ]
