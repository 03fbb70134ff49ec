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
from marketplace.ledger.queries.desk import (
    AccountRow,
    MoneyByState,
    accounts,
    every_entry,
    money_by_state,
    postings_of,
)
from marketplace.ledger.queries.invariants import broken_invariants, broken_links
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
    "EntryLine",
    "JobMoney",
    "LabBalance",
    "MoneyByState",
    "SpecialistBalance",
    "TransactionView",
    "TrialRow",
    "TrialTotal",
    "account_name",
    "accounts",
    "balance",
    "beancount",
    "broken_invariants",
    "broken_links",
    "entries_of",
    "every_entry",
    "job_balance",
    "job_money",
    "lab_balance",
    "money_by_state",
    "owes",
    "owing",
    "postings_of",
    "specialist_balances",
    "transaction_view",
    "trial_balance",
    "trial_totals",
]
