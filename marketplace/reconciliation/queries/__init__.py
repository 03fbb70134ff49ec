"""What reconciliation's pages and commands read."""

from marketplace.reconciliation.queries.candidates import candidates_of as candidates_of
from marketplace.reconciliation.queries.comparison import BREAKS_MAX as BREAKS_MAX
from marketplace.reconciliation.queries.comparison import PAGE as PAGE
from marketplace.reconciliation.queries.comparison import PAGE_MAX as PAGE_MAX
from marketplace.reconciliation.queries.comparison import Report as Report
from marketplace.reconciliation.queries.comparison import breaks_page as breaks_page
from marketplace.reconciliation.queries.comparison import latest_report as latest_report
from marketplace.reconciliation.queries.comparison import latest_statement as latest_statement
from marketplace.reconciliation.queries.comparison import statement_lines as statement_lines
from marketplace.reconciliation.queries.comparison import stripe_assertions as stripe_assertions
from marketplace.reconciliation.queries.inner_breaks import connected_accounts as connected_accounts
