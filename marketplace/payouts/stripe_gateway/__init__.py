"""Accounts, onboarding and transfers at Stripe, in our own words."""

from marketplace.payouts.stripe_gateway.accounts import account_now as account_now
from marketplace.payouts.stripe_gateway.accounts import create_account as create_account
from marketplace.payouts.stripe_gateway.accounts import onboarding_link as onboarding_link
from marketplace.payouts.stripe_gateway.transfers import available_balance as available_balance
from marketplace.payouts.stripe_gateway.transfers import send as send
from marketplace.payouts.stripe_gateway.transfers import transfer_now as transfer_now
from marketplace.payouts.stripe_gateway.transfers import transfers_of_line as transfers_of_line
from marketplace.payouts.stripe_gateway.transfers import transfers_since as transfers_since
