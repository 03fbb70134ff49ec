"""The tables of billing."""

from marketplace.billing.models.cash import CashApplication as CashApplication
from marketplace.billing.models.cash import CashProposal as CashProposal
from marketplace.billing.models.cash import CashReceipt as CashReceipt
from marketplace.billing.models.cash import StripeCustomer as StripeCustomer
from marketplace.billing.models.invoices import BillingDetails as BillingDetails
from marketplace.billing.models.invoices import Invoice as Invoice
from marketplace.billing.models.invoices import InvoiceLine as InvoiceLine
from marketplace.billing.models.invoices import InvoiceSeries as InvoiceSeries
from marketplace.billing.models.invoices import PaymentReference as PaymentReference
from marketplace.billing.models.invoices import TaxRate as TaxRate
from marketplace.billing.models.top_ups import TopUp as TopUp
