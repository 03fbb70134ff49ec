"""What billing does in the background; importing this binds its outbox names."""

from marketplace.billing.background.automatic import charge_card as charge_card
from marketplace.billing.background.automatic import fill_balances as fill_balances
from marketplace.billing.background.automatic import look_at_setup as look_at_setup
from marketplace.billing.background.automatic import open_setup as open_setup
from marketplace.billing.background.automatic import refresh_card as refresh_card
from marketplace.billing.background.customers import funding_accounts as funding_accounts
from marketplace.billing.background.customers import stripe_customer as stripe_customer
from marketplace.billing.background.disputes import poll_disputes as poll_disputes
from marketplace.billing.background.disputes import refresh_dispute as refresh_dispute
from marketplace.billing.background.disputes import submit_evidence as submit_evidence
from marketplace.billing.background.lines import HANDLERS as HANDLERS
from marketplace.billing.background.lines import post_line as post_line
from marketplace.billing.background.lines import receive_stripe_cash as receive_stripe_cash
from marketplace.billing.background.months import clear_top_ups as clear_top_ups
from marketplace.billing.background.months import issue_lab as issue_lab
from marketplace.billing.background.months import issue_months as issue_months
from marketplace.billing.background.refunds import refresh_refund as refresh_refund
from marketplace.billing.background.refunds import send_refund as send_refund
from marketplace.billing.background.refunds import sweep_refunds as sweep_refunds
from marketplace.billing.background.top_ups import LOOKS_MAX as LOOKS_MAX
from marketplace.billing.background.top_ups import CheckoutClosed as CheckoutClosed
from marketplace.billing.background.top_ups import open_checkout as open_checkout
from marketplace.billing.background.top_ups import refresh_top_up as refresh_top_up
from marketplace.billing.background.top_ups import sweep_top_ups as sweep_top_ups
from marketplace.billing.background.watching import tell_paused as tell_paused
from marketplace.billing.background.watching import watch_money as watch_money
