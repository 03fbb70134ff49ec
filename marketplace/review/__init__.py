"""Review: verdicts on work, and what they earn.

Owns the tables decision and accrual. Promises: nobody decides on their own work, in Python and in
the database; a decision is one transaction with its ledger postings; every submission that is not
sampled for review is accepted by itself; pay clears on the date that was frozen at acceptance.
Never: changes a judgement, deletes a verdict, moves money but through the ledger's verbs.

Decisions
- 2026-11: whether a submission is sampled is a hash of its id against the job's ratio: nobody can
  steer it, and a second look at the same submission answers the same.
- 2026-11: rework goes back to its author with the first refusal, at most twice; a rejection opens
  the seat for somebody else. Both say why, in a sentence that the author reads.
- 2026-11: answers in a qualification are paid for the effort, whatever gold says of them: they are
  never sampled, and nobody may reject or return one. What the task type refuses as unfinished is
  not taken in the first place.
"""
