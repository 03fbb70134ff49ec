"""The tables of payouts; migration 0011 holds the triggers of the first lifecycles."""

from marketplace.payouts.models.approvals import PayoutApproval as PayoutApproval
from marketplace.payouts.models.approvals import PayoutSchedule as PayoutSchedule
from marketplace.payouts.models.bank import ConnectedPayout as ConnectedPayout
from marketplace.payouts.models.bank import ConnectedPayoutPart as ConnectedPayoutPart
from marketplace.payouts.models.gate import PayoutGate as PayoutGate
from marketplace.payouts.models.gate import StrayTransfer as StrayTransfer
from marketplace.payouts.models.payees import PayeeAccount as PayeeAccount
from marketplace.payouts.models.payees import PayeeHold as PayeeHold
from marketplace.payouts.models.reversals import PayoutReversal as PayoutReversal
from marketplace.payouts.models.runs import PayoutAttempt as PayoutAttempt
from marketplace.payouts.models.runs import PayoutLine as PayoutLine
from marketplace.payouts.models.runs import PayoutRun as PayoutRun
from marketplace.payouts.models.tax import PayHold as PayHold
from marketplace.payouts.models.tax import PayHoldEvent as PayHoldEvent
from marketplace.payouts.models.tax import TaxFormRow as TaxFormRow
from marketplace.payouts.models.tax import TaxRemittance as TaxRemittance
from marketplace.payouts.models.tax import TaxRemittanceLine as TaxRemittanceLine
