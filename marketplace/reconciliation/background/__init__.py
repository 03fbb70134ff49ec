"""What reconciliation does by itself."""

from marketplace.reconciliation.background.closing import audited as audited
from marketplace.reconciliation.background.closing import make_pack as make_pack
from marketplace.reconciliation.background.closing import pack_again as pack_again
from marketplace.reconciliation.background.comparing import RUN_EVERY_SECONDS as RUN_EVERY_SECONDS
from marketplace.reconciliation.background.comparing import altered_files as altered_files
from marketplace.reconciliation.background.comparing import compare_all as compare_all
from marketplace.reconciliation.background.comparing import reconcile as reconcile
from marketplace.reconciliation.background.pulling import post_line as post_line
from marketplace.reconciliation.background.pulling import pull as pull
from marketplace.reconciliation.background.pulling import pull_connected as pull_connected
from marketplace.reconciliation.background.pulling import refresh_payout as refresh_payout
from marketplace.reconciliation.background.reporting import ask_report as ask_report
from marketplace.reconciliation.background.reporting import take_report as take_report
from marketplace.reconciliation.background.statements import content_of as content_of
from marketplace.reconciliation.background.statements import settle as settle
from marketplace.reconciliation.background.statements import settle_entries as settle_entries
from marketplace.reconciliation.background.statements import take_statement as take_statement
