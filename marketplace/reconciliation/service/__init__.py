"""The verbs of reconciliation."""

from marketplace.reconciliation.service.comparing import OVERLAP as OVERLAP
from marketplace.reconciliation.service.comparing import LineAltered as LineAltered
from marketplace.reconciliation.service.comparing import compare as compare
from marketplace.reconciliation.service.comparing import pull_since as pull_since
from marketplace.reconciliation.service.comparing import record_lines as record_lines
from marketplace.reconciliation.service.comparing import record_statement as record_statement
