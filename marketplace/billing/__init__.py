"""Billing: how a lab's money comes in, and the documents about it.

Owns: top-ups, from the wish to pay to the posting; cash that came by transfer; payment references;
invoices, credit notes and their series; billing details; dated rates of tax; labs as Stripe's
customers.

Promises: a payment is posted once, by the id of Stripe's balance transaction or of the bank's line,
whatever order its news comes in, however often, or not at all; what Stripe says is fetched, never
taken from a webhook's body; money that arrived is never dropped, whatever state our row was in. A
transfer is a lab's only by its exact reference, or by two people with evidence; never by amount. A
number of an invoice is never left out, and an invoice never changed: the database refuses both.
Statements are sums over the book's own entries, so they tie to it to the last unit.

Never does: call Stripe inside a transaction, post a gross amount that Stripe did not state, or
touch what a lab has reserved for a job.

Decisions
- 2026-11: a top-up waits in `settling` until Stripe names the balance transaction, since only that
  has the fee. Top-ups in ISK and UGX are refused: Stripe counts them unlike ISO.
- 2026-11: cards are available at once; debits are pending for TOP_UP_CLEARING_DAYS (rule 2), since
  the payer's bank may take them back (rule 3).
- 2026-11: a top-up is a deposit, not a supply: nobody knows yet what it will buy, so no tax is due.
  The tax document is the invoice of a month's use, issued once the month is over. It is settled
  from the balance as the work was accepted, so nothing is due on it.
- 2026-11: rewards are passed on in the lab's name and are no part of our taxable amount; our fee
  is. The price that a quote froze is all that a lab pays, so the tax is inside the fee. The
  accountant books it out of the fee by an adjustment, from the tax that invoices state.
- 2026-11: a month's invoice states everything used to its end less what invoices stated before, so
  that what is late, or taken back, comes by itself with the next one. A sum below zero becomes a
  credit note. A lab without billing details gets none yet, and loses nothing.
- 2026-11: an invoice of a month is corrected by two people, never by one: a credit note over all
  of it and, in the same transaction, the same gross amounts with today's buyer and tax, since the
  book was charged them and only who and which tax can be wrong. The lab itself cancels requests
  for prepayment only.
- 2026-11: a payment's book day is never after the day on which it is posted, whatever Stripe's
  clock says, so nobody's balance shows work before the money that paid for it.
- 2026-11: within the EU a business with a tax id accounts for the tax itself; one without pays its
  own country's rate; outside, none is stated. Ids are checked for how they are written only.
- 2026-11: a prepayment invoice has a series and a payment reference of its own, states no tax and
  posts nothing. What comes beyond it stays unapplied; what is missing keeps it open.
- 2026-11: references are ISO 11649 with digits only, since mod 97 finds every single wrong digit
  and every swap of neighbours only then.
- 2026-11: invoices keep names and addresses of buyer and seller, since the law asks for them; the
  book and the audit trail hold ids and amounts as before.

2026-11, spending: a refund goes to cards only, newest payment first, with a key of its own row;
unanswered it is unknown, asked again under its key for 23 hours, then looked for in Stripe's list,
and only a whole list without it allows a new attempt. 2026-11, a dispute holds what is available;
what is spent is owed once it is lost, the next top-up settles it, and until then nothing new is
reserved. 2026-11, automatic top-ups are top-ups whose payment has no checkout; an index lets one of
a lab and currency be on its way, and a month's sum is counted under the wish's lock. 2026-11, spend
limits and budgets live in `routing`, which reserves: they count what was ever reserved, so that
what a job returns when it closes raises no limit of the month.
"""
