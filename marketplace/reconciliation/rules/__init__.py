"""The rules of reconciliation, pure."""

from marketplace.reconciliation.rules.breaks import BreakKind as BreakKind
from marketplace.reconciliation.rules.breaks import BreakState as BreakState
from marketplace.reconciliation.rules.breaks import Found as Found
from marketplace.reconciliation.rules.breaks import Severity as Severity
from marketplace.reconciliation.rules.comparing import LABELS as LABELS
from marketplace.reconciliation.rules.comparing import LOCALE as LOCALE
from marketplace.reconciliation.rules.comparing import Break as Break
from marketplace.reconciliation.rules.comparing import Line as Line
from marketplace.reconciliation.rules.comparing import Posted as Posted
from marketplace.reconciliation.rules.comparing import Tie as Tie
from marketplace.reconciliation.rules.comparing import breaks_between as breaks_between
from marketplace.reconciliation.rules.comparing import sentences as sentences
from marketplace.reconciliation.rules.comparing import shown as shown
