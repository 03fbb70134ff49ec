"""Payouts: how specialists' pay leaves.

Owns: payee accounts at Stripe, payout runs, their lines, and each attempt to send a line.

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
"""
