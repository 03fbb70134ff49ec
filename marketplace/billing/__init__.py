"""Billing: how a lab's money comes in.

Owns: top-ups, from the wish to pay to the posting in the ledger.

Promises: a payment is posted once, by the id of Stripe's balance transaction, whatever order its
webhooks come in, however often, or not at all; what Stripe says is fetched, never taken from a
webhook's body; money that arrived is never dropped, whatever state our row was in.

Never does: call Stripe inside a transaction, post a gross amount that Stripe did not state, or
touch what a lab has reserved for a job.

Decisions: 2026-11, a top-up waits in `settling` until Stripe names the balance transaction, since
only that has the fee. 2026-11, top-ups in ISK and UGX are refused: Stripe counts them unlike ISO.
"""
