"""Accounts that Stripe keeps for a lab's transfers, where we have none of our own."""

from __future__ import annotations

from sqlalchemy.orm import Session

from marketplace.billing import background
from marketplace.ids import OrganisationId
from tests.make import billing as make
from tests.make.billing import Stripe


def test_a_lab_gets_one_account_for_each_currency(session: Session, stripe: Stripe) -> None:
    lab, other = (OrganisationId(make.a_lab(session).organisation()) for _ in range(2))
    session.flush()

    euros = background.funding_accounts(lab, "EUR")
    again = background.funding_accounts(lab, "EUR")
    dollars = background.funding_accounts(lab, "USD")

    assert euros == again
    assert "IBAN" in dict(euros[0])
    assert {"Account number", "Routing number"} <= set(dict(dollars[0]))
    assert euros != background.funding_accounts(other, "EUR")
