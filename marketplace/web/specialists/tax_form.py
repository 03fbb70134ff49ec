"""A specialist's tax form: which one, filled in, signed; a number sent is never shown again."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, request, url_for
from marshmallow import fields
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from marketplace.db import transaction
from marketplace.identity.rules import Permission
from marketplace.payouts import queries
from marketplace.payouts.rules.tax import (
    ASKED,
    CERTIFICATIONS,
    CLASSIFICATIONS,
    OPTIONAL,
    SHORT_LABELS,
    STATE_LABELS,
    TAX_FORM_LABELS,
    FormFacts,
    TaxForm,
)
from marketplace.payouts.service import tax, tax_forms
from marketplace.specialists import queries as credentials
from marketplace.web import pay_words
from marketplace.web.forms import Form, form_page, load
from marketplace.web.guards import me, needs
from marketplace.web.specialists import places
from marketplace.web.specialists.blueprint import specialists

FIELD_LABELS = {
    "legal_name": "Your full name, as on your tax return",
    "business_name": "Business name, if it is another",
    "classification": "For tax you are",
    "born_on": "Born on",
    "citizenship": "Citizen of",
    "entity_kind": "Kind of entity, such as limited company",
    "vat_number": "VAT number",
    "address": "Street and number",
    "city": "Town",
    "region": "State or region",
    "postcode": "Postcode",
    "country": "Country of tax residence",
}
DRAWN = {"submitted": "checking", "verified": "verified", "refused": "rejected",
         "replaced": "cancelled"}  # fmt: skip


class TaxFields(Form):
    """All that any of the forms asks; each takes its own."""

    kind = fields.Enum(TaxForm, by_value=True, required=True)
    tin = fields.String(load_default="")
    no_tin = fields.String(load_default="")
    told = fields.String(load_default="")
    certified = fields.String(load_default="")
    signed_name = fields.String(load_default="")
    legal_name = fields.String(load_default="")
    business_name = fields.String(load_default="")
    classification = fields.String(load_default="")
    born_on = fields.String(load_default="")
    citizenship = fields.String(load_default="")
    entity_kind = fields.String(load_default="")
    vat_number = fields.String(load_default="")
    address = fields.String(load_default="")
    city = fields.String(load_default="")
    region = fields.String(load_default="")
    postcode = fields.String(load_default="")
    country = fields.String(load_default="")


def _facts() -> dict[str, Any]:
    asked = request.values.get("kind", "")
    with transaction() as session:
        standings = tax.own_standings(session, me())
        forms = queries.own_forms(session, me())
        profile = credentials.profile_of(session, me(), me().person())
        payee = queries.payee_of(session, me())
    wanted = [form for each in standings for form in each.forms]
    first = wanted[0] if wanted else TaxForm.W9
    kind = TaxForm(asked) if asked in set(TaxForm) else first
    country = payee.country if payee else profile.country if profile else ""
    return {
        "kind": kind,
        "kinds": TAX_FORM_LABELS,
        "short": SHORT_LABELS,
        "states": STATE_LABELS,
        "drawn": DRAWN,
        "taxes": pay_words.tax_words(standings),
        "forms": forms,
        "asked": ASKED[kind],
        "optional": OPTIONAL,
        "field_labels": FIELD_LABELS,
        "statements": CERTIFICATIONS[kind],
        "classifications": [("", "Choose one"), *CLASSIFICATIONS.items()],
        "countries": [("", "Choose a country"), *places.countries()],
        "known": {
            "legal_name": (profile.legal_name if profile else "") or "",
            "country": "US" if kind is TaxForm.W9 else country,
            "born_on": str(profile.born_on or "") if profile else "",
        },
    }


@specialists.get("/earnings/tax")
@needs(Permission.EARNINGS_VIEW)
def tax_form() -> str:
    """What tax law wants, what was signed, and the form."""
    return render_template("specialists/tax_form.html", **_facts())


@specialists.post("/earnings/tax")
@needs(Permission.EARNINGS_VIEW)
@form_page("specialists/tax_form.html", _facts)
def submit_tax_form() -> Response:
    """Sign the form."""
    asked = load(TaxFields)
    kind: TaxForm = asked["kind"]
    form = FormFacts(
        kind=kind,
        facts={name: asked[name] for name in ASKED[kind]},
        tin=asked["tin"],
        signed_name=asked["signed_name"],
        certified=bool(asked["certified"]),
        no_tin=bool(asked["no_tin"]),
        withheld_from=bool(asked["told"]),
    )
    with transaction() as session:
        tax_forms.submit_form(session, me(), form)
    flash("Signed. One of us looks at it; you read here when it counts.", "good")
    return redirect(url_for("specialists.tax_form"), code=303)
