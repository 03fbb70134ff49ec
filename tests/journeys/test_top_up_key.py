"""A top-up over the API with an Idempotency-Key is one payment page, however often it is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from marketplace import clock
from marketplace.actor import Actor
from tests.journeys.conftest import Program
from tests.journeys.test_loop_api import pay_at_the_sandbox
from tests.make import background, identity
from tests.make.billing import Stripe

KEY = {"Idempotency-Key": "one"}


def ask(lab: Program, expected: int = 201, minor: int = 50_00) -> Any:
    """Ask for a top-up under the key."""
    amount = {"amount_minor": minor, "currency": "USD"}
    return lab.post("/top-ups", expected, json={"amount": amount}, headers=KEY)


def test_one_key_is_one_top_up_before_and_after_it_is_paid(
    session: Session, program: Callable[[Actor], Program], stripe: Stripe
) -> None:
    lab = program(identity.lab_owner(session))

    first, again = ask(lab), ask(lab)
    pay_at_the_sandbox(first["checkout_url"])
    stripe.controls.advance(5)
    with clock.shifted(timedelta(minutes=10)):
        background.run("billing.sweep_top_ups")
        background.run_all()
    late = ask(lab)

    assert first == again
    assert (first["id"], "posted") == (late["id"], late["state"])
    assert [first["id"]] == [row["id"] for row in lab.get("/top-ups")["items"]]
    assert "idempotency_key_reused" == ask(lab, 409, minor=60_00)["code"]
