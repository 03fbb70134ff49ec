"""What waits between pay and its owners: a tax form of each state, and a hold with its reason."""

from __future__ import annotations

from marketplace.db import transaction
from marketplace.demo.people import actor_of
from marketplace.ledger import queries as ledger
from marketplace.ledger.rules import HoldReason
from marketplace.money import Money
from marketplace.payouts import queries
from marketplace.payouts.rules.tax import FormFacts, TaxForm
from marketplace.payouts.service import pay_holds, tax_forms

OPERATIONS = "operations@demo.test"
SIGNED = {"doctor@demo.test": "412-53-7788", "lawyer@demo.test": "38-4471902"}
VERIFIED = "lawyer@demo.test"
HELD = "doctor@demo.test"
AMOUNT = Money(4_00, "USD")
NOTE = (
    "The bank of a lab disputes one of its payments, and an answer of yours was paid from it. Your "
    "work is not in question."
)


def sign_forms() -> None:
    """One form that was verified, and one that waits for a look."""
    for email, number in SIGNED.items():
        with transaction() as session:
            actor = actor_of(session, email)
            payee = queries.payee_of(session, actor)
            if payee is None or queries.own_forms(session, actor):
                continue
            facts = {
                "legal_name": payee.payee_name,
                "classification": "individual",
                "address": "12 Orchard Street",
                "city": "Cambridge",
                "region": "MA",
                "postcode": "02139",
                "country": "US",
            }
            form = tax_forms.submit_form(
                session,
                actor,
                FormFacts(TaxForm.W9, facts, number, payee.payee_name, certified=True),
            )
            if email == VERIFIED:
                tax_forms.verify_form(session, actor_of(session, OPERATIONS), form.id)


def hold_some() -> None:
    """A little of the doctor's available pay, where there is any."""
    with transaction() as session:
        doctor = actor_of(session, HELD)
        has = ledger.specialist_balances(session, doctor.person()).get("USD")
        if has is None or has.available < AMOUNT or queries.own_pay_holds(session, doctor):
            return
        pay_holds.place_hold(
            session,
            actor_of(session, OPERATIONS),
            doctor.person(),
            amount=AMOUNT,
            reason=HoldReason.DISPUTE,
            note=NOTE,
        )
