"""The verbs of reconciliation."""

from marketplace.reconciliation.service.breaks import Recorded as Recorded
from marketplace.reconciliation.service.breaks import record_breaks as record_breaks
from marketplace.reconciliation.service.pulling import OVERLAP as OVERLAP
from marketplace.reconciliation.service.pulling import LineAltered as LineAltered
from marketplace.reconciliation.service.pulling import compare as compare
from marketplace.reconciliation.service.pulling import pull_since as pull_since
from marketplace.reconciliation.service.pulling import record_lines as record_lines
from marketplace.reconciliation.service.pulling import record_statement as record_statement
