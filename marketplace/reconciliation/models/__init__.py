"""The tables of reconciliation: what Stripe and banks told, raw; breaks; closes of months."""

from marketplace.reconciliation.models.breaks import Break as Break
from marketplace.reconciliation.models.breaks import BreakEvent as BreakEvent
from marketplace.reconciliation.models.breaks import BreakProposal as BreakProposal
from marketplace.reconciliation.models.closing import MonthClose as MonthClose
from marketplace.reconciliation.models.closing import MonthReopening as MonthReopening
from marketplace.reconciliation.models.stripe import StripeStatement as StripeStatement
from marketplace.reconciliation.models.stripe import StripeStatementLine as StripeStatementLine
