"""The ledger: accounts, transactions and entries; every amount that anybody owns or owes.

Owns the book. It promises that each transaction sums to zero in each currency, that nothing
posted is ever changed or removed, that no account of a lab, a job or a specialist goes below
zero, that a source posts once, and that nothing enters a closed month. The database refuses the
contrary, whoever asks; Python checks the same first, for the sake of a good sentence. `post` in
`service` is the only way in. The book holds ids and amounts, never names or content, so erasing
a person changes nothing here. It never talks to a bank or to Stripe, and never decides that money
is due: the slices above do that, and say so with one verb.

Decisions
- 2026-11: debits are positive and credits negative in entries; balances are shown on each
  account's own side, so that money somebody has is positive everywhere.
- 2026-11: owner accounts carry a cached balance that a trigger keeps and a CHECK holds at zero or
  more. The platform's accounts carry none, since every posting would queue for their row: theirs
  is the sum of daily turnovers, kept by the sequencer, and of what is not numbered yet.
- 2026-11: the day in the book (`effective_on`) is the day it happened (`happened_on`), unless that
  month is closed; then it is the day of posting, and both are kept.
- 2026-11: a payout line ends once, in a cancellation or in a transfer; an index holds that.
- 2026-11: what a job sets aside beyond the judgements it asked for lies in an account of its own,
  `L:job:{id}:contingency`, so that pay for surplus work (rule 24) and for tasks that cannot be done
  (rule 25) never takes what counted work was promised. Such pay is never refused: after the
  contingency comes the lab's balance, then our goodwill, which carries no fee.
- 2026-11: acceptance is taken back (rule 11) once for each accrual, out of where the pay lies, to
  whoever paid; what had gone out already is `A:receivable:spec`. Whatever makes money available
  nets it in the same transaction (rule 12), so that nobody has money available and owes some. Only
  who holds the lock of a specialist's `available` touches what they owe, so nobody waits for it.
"""
