"""What billing asks of Stripe, in our own words; every call is outside a transaction."""

from marketplace.billing.stripe_gateway.cards import SetupWish as SetupWish
from marketplace.billing.stripe_gateway.cards import charge_card as charge_card
from marketplace.billing.stripe_gateway.cards import open_setup as open_setup
from marketplace.billing.stripe_gateway.cards import payment_named as payment_named
from marketplace.billing.stripe_gateway.cards import payment_now as payment_now
from marketplace.billing.stripe_gateway.cards import saved_card as saved_card
from marketplace.billing.stripe_gateway.checkout import checkout_now as checkout_now
from marketplace.billing.stripe_gateway.checkout import open_checkout as open_checkout
from marketplace.billing.stripe_gateway.checkout import session_of_payment as session_of_payment
from marketplace.billing.stripe_gateway.disputes import dispute_now as dispute_now
from marketplace.billing.stripe_gateway.disputes import recent_disputes as recent_disputes
from marketplace.billing.stripe_gateway.disputes import send_evidence as send_evidence
from marketplace.billing.stripe_gateway.funding import FUNDING_KINDS as FUNDING_KINDS
from marketplace.billing.stripe_gateway.funding import funding_instructions as funding_instructions
from marketplace.billing.stripe_gateway.lines import BalanceLine as BalanceLine
from marketplace.billing.stripe_gateway.lines import balance_line as balance_line
from marketplace.billing.stripe_gateway.lines import create_customer as create_customer
from marketplace.billing.stripe_gateway.lines import customer_of_line as customer_of_line
from marketplace.billing.stripe_gateway.lines import lines_of_source as lines_of_source
from marketplace.billing.stripe_gateway.lines import payment_of_line as payment_of_line
from marketplace.billing.stripe_gateway.refunds import RefundWish as RefundWish
from marketplace.billing.stripe_gateway.refunds import create_refund as create_refund
from marketplace.billing.stripe_gateway.refunds import refund_named as refund_named
from marketplace.billing.stripe_gateway.refunds import refund_now as refund_now
