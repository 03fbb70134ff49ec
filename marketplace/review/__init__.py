"""Review: verdicts on work, and what they earn.

Owns the tables decision and accrual. Promises: nobody decides on their own work, in Python and in
the database; a decision is one transaction with its ledger postings; every submission that is not
sampled for review is accepted by itself; pay clears on the date that was frozen at acceptance; what
was earned was posted once and in full, and what people in hand were promised is set aside
(`queries.broken_invariants` asks for both).
Never: changes a judgement, deletes a verdict, moves money but through the ledger's verbs.

Decisions
- 2026-11: whether a submission is sampled is a hash of its id against the job's ratio: nobody can
  steer it, and a second look at the same submission answers the same.
- 2026-11: rework goes back to its author with the first refusal, at most twice; a rejection opens
  the seat for somebody else. Both say why, in a sentence that the author reads.
- 2026-11: an author is written to when work comes back, half an hour later since reviewers send
  back several in a row, and again two days before the time is over; one letter a day each.
- 2026-11: surplus answers are sampled, decided and paid like others, by the job's rule for late
  work, from the job's contingency; they have no seat, so there is no rework.
- 2026-11: "cannot complete" earns the job's declared share of the pay at once (of an hourly task,
  of the pay for its expected time), for a person at most five times in 24 hours in one job. A gap
  in the instructions earns nothing and costs nothing.
- 2026-11: who opts out of harmful material is paid for the time worked, as a part of the expected
  time, or for the turns held, out of `turns_min` and one for the judging, whichever is more; at
  most the whole task, and within the same five reports a day, so that it is no way to earn.
"""
