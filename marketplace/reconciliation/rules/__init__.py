"""The rules of reconciliation, pure."""

from marketplace.reconciliation.rules.lines import LABELS as LABELS
from marketplace.reconciliation.rules.lines import LOCALE as LOCALE
from marketplace.reconciliation.rules.lines import Break as Break
from marketplace.reconciliation.rules.lines import BreakKind as BreakKind
from marketplace.reconciliation.rules.lines import Line as Line
from marketplace.reconciliation.rules.lines import Posted as Posted
from marketplace.reconciliation.rules.lines import Tie as Tie
from marketplace.reconciliation.rules.lines import breaks_between as breaks_between
from marketplace.reconciliation.rules.lines import sentences as sentences
from marketplace.reconciliation.rules.lines import shown as shown
