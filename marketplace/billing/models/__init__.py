"""The tables of billing."""

from marketplace.billing.models.cash import CashApplication as CashApplication
from marketplace.billing.models.cash import CashProposal as CashProposal
from marketplace.billing.models.cash import CashReceipt as CashReceipt
from marketplace.billing.models.cash import StripeCustomer as StripeCustomer
from marketplace.billing.models.corrections import InvoiceCorrection as InvoiceCorrection
from marketplace.billing.models.disputes import Dispute as Dispute
from marketplace.billing.models.disputes import WriteOff as WriteOff
from marketplace.billing.models.invoices import BillingDetails as BillingDetails
from marketplace.billing.models.invoices import Invoice as Invoice
from marketplace.billing.models.invoices import InvoiceLine as InvoiceLine
from marketplace.billing.models.invoices import InvoiceSeries as InvoiceSeries
from marketplace.billing.models.invoices import PaymentReference as PaymentReference
from marketplace.billing.models.invoices import TaxRate as TaxRate
from marketplace.billing.models.refunds import Refund as Refund
from marketplace.billing.models.spending import AutomaticTopUp as AutomaticTopUp
from marketplace.billing.models.spending import BalanceWatch as BalanceWatch
from marketplace.billing.models.top_ups import TopUp as TopUp
