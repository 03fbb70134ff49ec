"""The demonstration: a world to look around in, and a replay of real judgements.

Owns no tables. Promises: everything in it is made by the same services, pages and calls that
people use, so nothing shown could not have happened; building it again goes on where it was
stopped; the same people give the same answers each time. It exists on an embedded stack only.
Never: writes a table, talks to a real account, or runs where people work.

Decisions
- 2026-11: history is written under `clock.shifted`, oldest first, one moment after another, so
  that dates, numbers and ids agree. Stripe's sandbox does not go back in time: what happens there
  happens today.
- 2026-11: a claim, its answer and its acceptance are one transaction here, since a worker that
  lives in the present would end a lease of last week between them.
- 2026-11: registers, lists, documents and accounts are asked in the present, once history is
  written; until then the work that claims ask for is put off, so that no answer of today stands
  before a decision of last week. An attempt at the qualification is one transaction as a turn is.
- 2026-11: the published lists are small and invented, in the files' own form; one name on them is
  that of a doctor here, so that screening has a hit that is nobody's fault.
- 2026-11: approver@demo.test turns on a second factor at the first approval, as a new approver
  does; a colleague approved the run of yesterday. `marketplace demo code` reads codes aloud, so
  that nobody needs a telephone to try an approval.
- 2026-11: every type of task has a job that the demonstration's specialists are offered: nine small
  ones start from the gallery's jobs, with items and answers of our own; films are drawn here.
- 2026-11: one job has a hybrid pipeline: two models believe of lines for parents what holds for
  adults. Its routes follow a seed of chance, as everywhere; its policy is such that any draw
  carries the estimates. It is posted yesterday, and judged once the worker has routed it.
"""
