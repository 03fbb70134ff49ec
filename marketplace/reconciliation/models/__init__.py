"""The tables of reconciliation: what Stripe and banks told, raw; breaks; closes of months."""

from marketplace.reconciliation.models.stripe import StripeStatement as StripeStatement
from marketplace.reconciliation.models.stripe import StripeStatementLine as StripeStatementLine
