"""Reading the book: balances, the trial balance, entries, the auditor's file, its invariants."""

from marketplace.ledger.queries.balances import (
    JobMoney,
    LabBalance,
    SpecialistBalance,
    balance,
    job_balance,
    job_money,
    lab_balance,
    owes,
    owing,
    specialist_balances,
)
from marketplace.ledger.queries.beancount import BalanceAssertion, account_name, beancount
from marketplace.ledger.queries.chain import broken_days, broken_links, heads
from marketplace.ledger.queries.desk import (
    AccountRow,
    accounts,
    every_entry,
    postings_of,
)
from marketplace.ledger.queries.finding import Found, find
from marketplace.ledger.queries.instants import balance_at
from marketplace.ledger.queries.invariants import broken_by_number, broken_invariants
from marketplace.ledger.queries.months import (
    LatePosting,
    Period,
    RollForward,
    late_postings,
    period_states,
    roll_forward,
)
from marketplace.ledger.queries.position import (
    Coverage,
    Custody,
    MoneyByState,
    coverage,
    custody,
    money_by_state,
)
from marketplace.ledger.queries.statements import (
    EntryLine,
    TransactionView,
    TrialRow,
    TrialTotal,
    entries_of,
    transaction_view,
    trial_balance,
    trial_totals,
)

__all__ = [
    "AccountRow",
    "BalanceAssertion",
    "Coverage",
    "Custody",
    "EntryLine",
    "Found",
    "JobMoney",
    "LabBalance",
    "LatePosting",
    "MoneyByState",
    "Period",
    "RollForward",
    "SpecialistBalance",
    "TransactionView",
    "TrialRow",
    "TrialTotal",
    "account_name",
    "accounts",
    "balance",
    "balance_at",
    "beancount",
    "broken_by_number",
    "broken_days",
    "broken_invariants",
    "broken_links",
    "coverage",
    "custody",
    "entries_of",
    "every_entry",
    "find",
    "heads",
    "job_balance",
    "job_money",
    "lab_balance",
    "late_postings",
    "money_by_state",
    "owes",
    "owing",
    "period_states",
    "postings_of",
    "roll_forward",
    "specialist_balances",
    "transaction_view",
    "trial_balance",
    "trial_totals",
]
