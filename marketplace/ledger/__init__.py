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
- 2026-11: every rule of the chart is a verb, and every account a function of `rules.accounts`;
  `rules.chart.account_named` reads a code back. The database holds the kind and the floor of each
  account, two people for adjustments, write-offs and remittances, evidence for adjustments, and
  one end for each refund, dispute, payout and line.
- 2026-11: a split (pending, then available, then owed) is decided under the locks of all accounts
  it may touch; a lab's `available` is locked first. A replay of a split is told by its facts.
- 2026-11: what a lab owes is netted, as with specialists, wherever money becomes available to it.
- 2026-11: of two currencies in one transaction each sums to zero through `X:trading`; what a
  conversion there and back leaves is a position that an adjustment turns into a gain or a loss.
- 2026-11: a month is open, closing, closed or reopened; each step leaves a mark with who took it,
  a reopening two people and a reason. While closing it takes adjustments, write-offs and classes
  of fees. A month before a closed one takes nothing, unless it was reopened: late events take
  effect today. An adjustment for a closed month is refused instead of moved.
- 2026-11: turnovers are kept by the day of posting (UTC) and by the book's day, each row with what
  the account had as the day ended; so a balance of any day is one look-up for each account. A
  posting into the past moves the rows after it, in the sequencer, never in the posting.
- 2026-11: the sequencer seals the head of each UTC day that ended (`ledger_day`), as soon as
  nothing waits for its number: the first head after midnight is where the chain stood then.
- 2026-11: coverage (I13) is an alarm and no fault of the book: Stripe's fees are missing from the
  day of a top-up until we fund them. It is asked by `queries.coverage`, not by self-check.
"""
