"""Talking to Stripe about payees and payouts: claim and commit, call, record and commit."""

from marketplace.payouts.background.bank import poll_banks as poll_banks
from marketplace.payouts.background.bank import read_bank_payout as read_bank_payout
from marketplace.payouts.background.bank import read_bank_payouts as read_bank_payouts
from marketplace.payouts.background.bank import take_bank_payout as take_bank_payout
from marketplace.payouts.background.gate import check_gate as check_gate
from marketplace.payouts.background.payees import compare_names as compare_names
from marketplace.payouts.background.payees import onboarding_url as onboarding_url
from marketplace.payouts.background.payees import read_account as read_account
from marketplace.payouts.background.payees import refresh_account as refresh_account
from marketplace.payouts.background.reversals import find_reversals as find_reversals
from marketplace.payouts.background.reversals import post_line as post_line
from marketplace.payouts.background.reversals import take_back as take_back
from marketplace.payouts.background.schedules import draft_scheduled as draft_scheduled
from marketplace.payouts.background.schedules import funds_at_stripe as funds_at_stripe
from marketplace.payouts.background.sending import call_stripe as call_stripe
from marketplace.payouts.background.sending import resolve_transfer as resolve_transfer
from marketplace.payouts.background.sending import resolve_unknown as resolve_unknown
from marketplace.payouts.background.sending import send_batch as send_batch
from marketplace.payouts.background.sending import send_line as send_line
from marketplace.payouts.background.tax import purge_tax_forms as purge_tax_forms
from marketplace.payouts.background.waiting import LOOKS_MAX as LOOKS_MAX
