"""Routing: who may see which job, in which order, and why not; quote, publish, claim the next.

Owns the tables job_reserve (how far a job's money reaches) and job_exposure (how much of it waits).
Promises: a specialist is offered a job only while every condition of it holds; each condition that
fails has a sentence that says what to do; a job is published only with the most that it may cost
reserved, in one transaction; one round trip leads from a submission to the next claim.
Never: judges work, and never shows a lab who a specialist is.

Decisions
- 2026-11: conditions are columns of the job and of verified credentials; the predicate stands once,
  in SQL (`queries.eligible_people`), and the reasons (`queries.eligibility`) ask its parts.
- 2026-11: a job with a confidence target and room between its overlaps buys another judgement of a
  task in the transaction of the submission that fills it, while the task's posterior is below the
  target and the expected gain is at least a quarter of the doubt that the target lets stand. The
  quote says with figures where the most judgements cannot reach the target.
- 2026-11: seats of the first items are opened inside publishing, the rest in the background in
  chunks; items that come later get their seats the same way.
- 2026-11: the forecast of time to fill has an interval only where the last weeks show activity;
  without any it says so, and gives none. Coming days are drawn from past ones of the same weekday,
  and the share that other jobs take is drawn too, so that the interval is as wide as what is not
  known; `bench.market` holds it against what came.
- 2026-11: the platform's own qualifications are for those whose profession they serve and who do
  not hold what passing grants (but in its last thirty days), and all together cost no more in
  thirty days than `QUALIFICATION_BUDGET_MINOR`; attempts count whole from their start.
- 2026-11: conditions are standing (credential, languages, skill, qualifications, organisation,
  employer) or momentary (a full day, tasks in hand). A quote counts by the standing ones. Declared
  hours refuse nobody. Employers are read from the profile and compared without case, punctuation
  and legal form, so nothing must be kept in step with them.
- 2026-11: a quote tells one to four people as 4 over the API and as `fewer than five` on pages,
  of what each requirement leaves out too, and gives no forecast for so few: by changing a draft's
  requirements a lab could otherwise single out a person and read their working hours.
- 2026-11: the order goes by worth (fit, skill, pay, what waits) and by pressure, the work left over
  the square of the time left, which dominates as a deadline nears. Pay counts for less with those
  who lately got much. Jobs without a deadline age as if they had four weeks.
- 2026-11: the feed reads every open job's own columns, and the seats of eighty at most: the most
  pressing, and those that fit best in an order that changes by the hour, so that none is never
  seen. How much of a job waits is counted each minute, in the background; it orders, and leaves out
  only what had no free seat then.
- 2026-11: authors of items are kept by the lab's pseudonym (`metadata.authors`), and a claim asks
  for one row by its key: constant, whoever joins later. Conflicts between people are asked of the
  few who hold the task; two linked people at the same moment are put in a row by the task's lock.
  Links count from when they are declared; a token of the API carries no device.
- 2026-11: attempts at a qualification begin one after another under the lock of its terms: two
  starts are one attempt, and nobody begins beyond the places that are paid for. An attempt ends
  with its last answer, or in the background when its time is over; where its owner paused or
  closed the job first, it is void and holds nobody back.
"""
