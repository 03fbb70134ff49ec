"""Accounts, onboarding and transfers at Stripe, in our own words."""

from marketplace.payouts.stripe_gateway.accounts import account_now as account_now
from marketplace.payouts.stripe_gateway.accounts import create_account as create_account
from marketplace.payouts.stripe_gateway.accounts import onboarding_link as onboarding_link
from marketplace.payouts.stripe_gateway.bank import bank_payout_now as bank_payout_now
from marketplace.payouts.stripe_gateway.bank import bank_payouts_since as bank_payouts_since
from marketplace.payouts.stripe_gateway.bank import parts_of as parts_of
from marketplace.payouts.stripe_gateway.bank import transfer_of_payment as transfer_of_payment
from marketplace.payouts.stripe_gateway.reversals import Mover as Mover
from marketplace.payouts.stripe_gateway.reversals import mover_of as mover_of
from marketplace.payouts.stripe_gateway.reversals import take_back as take_back
from marketplace.payouts.stripe_gateway.reversals import takebacks_of as takebacks_of
from marketplace.payouts.stripe_gateway.transfers import available_balance as available_balance
from marketplace.payouts.stripe_gateway.transfers import send as send
from marketplace.payouts.stripe_gateway.transfers import transfer_now as transfer_now
from marketplace.payouts.stripe_gateway.transfers import transfers_of_line as transfers_of_line
from marketplace.payouts.stripe_gateway.transfers import transfers_since as transfers_since
