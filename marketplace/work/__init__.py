"""Work: seats, claims, drafts, time and submissions.

Owns the tables task, seat, claim, draft, time_interval, outcome and submission.
Promises: a seat is held by one live claim at most; nobody holds two seats of one task; no more
judgements count for a task than it wants; what a specialist saved or sent is never thrown away,
whether the lease ran out, the job paused or the session ended; the pay stated at claim is the pay.
Never: decides who may see a job (`routing`), judges work (`review`), moves money (`ledger`).

Decisions
- 2026-11: a seat's `rank` comes from a sequence and is taken anew whenever the seat opens again.
  A specialist therefore moves through a job in one direction, from the rank of the last claim on,
  and meets neither old tasks nor a sort: the cost of the next claim knows no history.
- 2026-11: every lease is a claim row of its own with a fence from a sequence; (claim, fence) is
  the natural idempotency key of a submission.
- 2026-11: a submission after the lease counts while the seat is still free, else it is kept as
  surplus. Drafts are accepted for as long as the claim is its author's, leased or not.
- 2026-11: the seats of a qualification are opened for one candidate at a time (`reserved_for`) and
  pass through claims, drafts and submissions like all others; when an attempt ends, those that
  were not used close and their tasks want one judgement less.
"""
