"""Routing: who may see which job, in which order, and why not; quote, publish, claim the next.

Owns no tables of its own yet. Promises: a specialist is offered a job only while every condition
of it holds; each condition that fails has a sentence; a job is published only with the most that
it may cost reserved, in one transaction; one round trip leads from a submission to the next claim.
Never: judges work, and never shows a lab who a specialist is.

Decisions
- 2026-11: conditions are columns of the job and of verified credentials; the predicate stands once,
  in SQL (`queries.eligible_people`), and the reasons (`queries.eligibility`) ask its parts.
- 2026-11: seats of the first items are opened inside publishing, the rest in the background in
  chunks; items that come later get their seats the same way.
- 2026-11: the forecast of time to fill has an interval only where the last weeks show activity;
  without any it says so, and gives none.
- 2026-11: attempts at a qualification begin one after another under the lock of its terms: two
  starts are one attempt, and nobody begins beyond the places that are paid for. An attempt ends
  with its last answer, or in the background when its time is over; where its owner paused or
  closed the job first, it is void and holds nobody back.
"""
