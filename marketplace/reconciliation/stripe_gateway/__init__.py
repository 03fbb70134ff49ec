"""What Stripe tells, in our own words and in ISO's minor units."""

from marketplace.reconciliation.stripe_gateway.lines import PAGE as PAGE
from marketplace.reconciliation.stripe_gateway.lines import LinePage as LinePage
from marketplace.reconciliation.stripe_gateway.lines import RawBalance as RawBalance
from marketplace.reconciliation.stripe_gateway.lines import RawLine as RawLine
from marketplace.reconciliation.stripe_gateway.lines import balance_now as balance_now
from marketplace.reconciliation.stripe_gateway.lines import body_sha256 as body_sha256
from marketplace.reconciliation.stripe_gateway.lines import lines_page as lines_page
from marketplace.reconciliation.stripe_gateway.payouts import PayoutPage as PayoutPage
from marketplace.reconciliation.stripe_gateway.payouts import RawPayout as RawPayout
from marketplace.reconciliation.stripe_gateway.payouts import payout_now as payout_now
from marketplace.reconciliation.stripe_gateway.payouts import payouts_page as payouts_page
from marketplace.reconciliation.stripe_gateway.reports import ReportRun as ReportRun
from marketplace.reconciliation.stripe_gateway.reports import ask_report as ask_report
from marketplace.reconciliation.stripe_gateway.reports import report_content as report_content
from marketplace.reconciliation.stripe_gateway.reports import (
    report_days_until as report_days_until,
)
from marketplace.reconciliation.stripe_gateway.reports import report_now as report_now
from marketplace.stripe_client import iso as iso
