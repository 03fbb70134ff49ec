"""Payouts: how specialists' pay leaves.

Owns: payee accounts at Stripe, payout runs, their lines, each attempt to send a line, approvals
with the limits they were judged by, schedules, Stripe's payouts to specialists' banks, transfers
that are taken back, and the gate before every first call.

Promises: what is sent is what two people saw, by the hash of the run's content; a line is paid at
most once, whatever crashes between our commit, Stripe's and our next; what is uncertain is called
`unknown` and settled by evidence only, never by a timer or a guess; one bad line stops no other.

Never does: call Stripe inside a transaction; send without a reservation in the ledger; try a
second time under a new idempotency key before it is proven that the first time left nothing.

Decisions: 2026-11, accounts use Stripe's v1 controller properties with the Express dashboard.
2026-11, a rejected line ends and its money turns available; the next run makes a new line, and so
a new key. 2026-11, `frozen_at` on a line stops every call for it until a person has looked.
2026-11, a payee whose name at Stripe, or as stated, is not their licence's (a score below 0.85) is
held until operations has compared; kept are the result, its moment and, only while it is open, the
differing name, encrypted. A clearance holds for these names, by keyed hashes. Where Stripe collects
a person's facts itself it hides their name, so the bank account's holder is what is compared.
2026-11, a specialist is erased here, since it must know of money on its way: refused with every
reason while anything is owed, in hand, waits for a verdict or is open, else in one transaction;
operations write down that it was asked, an administrator carries it out, or whoever runs the
installation does by a command.
2026-11, a strong hit on OFAC's list holds a person's payouts, a weak one does not.
2026-11, a bank account that has changed is not paid for PAYEE_COOLDOWN_DAYS, and its owner is told;
the first one of an account, and another name, cool nothing down.
2026-11, tax law is data: `rules/thresholds.toml` has dated rules by payer and payee, TAX_RULES_FILE
names an accountant's own. The payment that reaches a threshold is past it, whole; a currency
without a rate is past it from the first cent; a form that waits for our look makes pay wait and
withholds nothing. Whoever shows no form and lives elsewhere waits, since a form costs less than tax
asked back. What was drafted with one withholding is not sent with another.
2026-11, paid is what left to somebody, on the day it did, less what a bank sent back, on the day it
did that, plus what was withheld: read from the ledger's entries, never kept beside them. Money that
came back is paid again when Stripe's next payout takes it. In another currency it counts at the
rate of all that was sent before.
2026-11, a task's pay is found in a run by age: available money is one pot, the oldest cleared pay
leaves it first. Statements sum to the ledger, by the book's days.
2026-11, tax forms of an erased person who was paid stay sealed for seven years, then are emptied;
the number is shown to nobody but in the yearly export, which leaves an audit line.
2026-11, a transfer is final; what the bank does is `bank_state` beside it, by balance transactions
of the account that Stripe lists for an automatic payout, never by amounts. A returned payout is
not sent again by us: Stripe pays it out with the account's next one.
2026-11, one person approves a run below PAYOUT_TWO_APPROVERS_FROM, two from there on, in other
currencies always; each signature keeps the day's sum and limit it was judged by. A schedule's
owner is the preparer of its runs.
2026-11, tax is withheld when a line is drafted, given back when it is not sent, and asked again at
approval and before the call.
2026-11, nothing is sent before Stripe's transfers were compared with our attempts, by each process
and every ten minutes. One that we never made means a restored database: the gate closes, its line
is adopted or its specialist held, and it opens when reconciliation has imported everything
(`note_resync`) and a person has settled each stray.
2026-11, a reversal that Stripe refuses since the money has gone posts nothing; a debt from an
acceptance that was taken back stays open and is netted.
"""
