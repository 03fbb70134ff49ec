"""What finance, operations and specialists may see of payouts."""

from marketplace.payouts.queries.holds import HeldPayee as HeldPayee
from marketplace.payouts.queries.holds import held_of as held_of
from marketplace.payouts.queries.holds import open_holds as open_holds
from marketplace.payouts.queries.holds import own_hold as own_hold
from marketplace.payouts.queries.payable import Group as Group
from marketplace.payouts.queries.payable import Payable as Payable
from marketplace.payouts.queries.payable import Unpayable as Unpayable
from marketplace.payouts.queries.payable import groups as groups
from marketplace.payouts.queries.payable import payable as payable
from marketplace.payouts.queries.payable import unpayable as unpayable
from marketplace.payouts.queries.runs import PAGE as PAGE
from marketplace.payouts.queries.runs import attempts_by_line as attempts_by_line
from marketplace.payouts.queries.runs import attempts_of as attempts_of
from marketplace.payouts.queries.runs import broken_invariants as broken_invariants
from marketplace.payouts.queries.runs import changed_payees as changed_payees
from marketplace.payouts.queries.runs import line_of as line_of
from marketplace.payouts.queries.runs import lines_of as lines_of
from marketplace.payouts.queries.runs import payee_of as payee_of
from marketplace.payouts.queries.runs import payouts_of as payouts_of
from marketplace.payouts.queries.runs import run_of as run_of
from marketplace.payouts.queries.runs import runs as runs
from marketplace.payouts.queries.runs import sent_totals as sent_totals
from marketplace.payouts.queries.runs import tally as tally
from marketplace.payouts.queries.runs import unknown_lines as unknown_lines
from marketplace.payouts.queries.runs import unresolved as unresolved
