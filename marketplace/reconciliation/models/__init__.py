"""The tables of reconciliation: what Stripe and banks told, raw; breaks; closes of months."""

from marketplace.reconciliation.models.breaks import Break as Break
from marketplace.reconciliation.models.breaks import BreakEvent as BreakEvent
from marketplace.reconciliation.models.breaks import BreakProposal as BreakProposal
from marketplace.reconciliation.models.closing import MonthClose as MonthClose
from marketplace.reconciliation.models.closing import MonthReopening as MonthReopening
from marketplace.reconciliation.models.matches import Match as Match
from marketplace.reconciliation.models.matches import Reconciliation as Reconciliation
from marketplace.reconciliation.models.statements import BankStatement as BankStatement
from marketplace.reconciliation.models.statements import Holds as Holds
from marketplace.reconciliation.models.statements import StatementEntry as StatementEntry
from marketplace.reconciliation.models.statements import StatementFile as StatementFile
from marketplace.reconciliation.models.statements import StatementMapping as StatementMapping
from marketplace.reconciliation.models.statements import StatementSource as StatementSource
from marketplace.reconciliation.models.stripe import StripeAccountPull as StripeAccountPull
from marketplace.reconciliation.models.stripe import StripeLineAltered as StripeLineAltered
from marketplace.reconciliation.models.stripe import StripePayoutSeen as StripePayoutSeen
from marketplace.reconciliation.models.stripe import StripeReportDay as StripeReportDay
from marketplace.reconciliation.models.stripe import StripeStatement as StripeStatement
from marketplace.reconciliation.models.stripe import StripeStatementLine as StripeStatementLine
