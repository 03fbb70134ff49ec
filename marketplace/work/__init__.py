"""Work: seats, claims, drafts, time, submissions, and endings that are no answers.

Owns the tables task, seat, claim, draft, conversation_entry, time_interval, outcome, submission,
addendum and work_progress.
Promises: a seat is held by one live claim at most; nobody holds two seats of one task; no more
judgements count for a task than it wants; every claim has one end; what a specialist saved or
sent is never thrown away, whether the lease ran out, the job paused or closed, or the session
ended; the pay stated at claim is the pay. `queries.broken_invariants` asks the database for all of
it, and the self-check asks that.
Never: decides who may see a job (`routing`), judges work (`review`), moves money (`ledger`).

The order of locks, the same for every verb, so that two of them never wait for each other:
claim or submission; then its job, by a key-share lock, where a seat is leased or opened again
(a report takes the stronger one, so that reports are counted one after the other); then seats, of
one task in the order of their ids; then the task; then the person's progress; then what `quality`
believes of the task, its author's row there and the person's skill; then the ledger's accounts.
Who changes several answers of one task at once locks them all first, in this order (`hold_task`).
Two verbs take rows that others hold only by passing them over: leasing a seat, and ending leases.
`routing.settle_closed` locks the job's whole row, or leaves it for later: with it in hand nobody
has read the job as open and not said yet what they took.

Decisions
- 2026-11: a seat's `rank` comes from a sequence and is taken anew whenever the seat opens again.
  A specialist therefore moves through a job in one direction, from the rank of the last claim on,
  and meets neither old tasks nor a sort: the cost of the next claim knows no history.
- 2026-11: `work_progress` keeps that place (`front`), and how many tasks one person has in hand
  and has handed in, in the statement that changes a claim: the limits of a job for one person cost
  a look at one row. The statement of a claim counts only where the place is still the one it saw,
  so of two windows at once one looks again. A look for a seat reads at most 256 open ones, and
  eight such windows; who found none goes on behind them the next time, round the queue, so that
  none starves, and whoever is new begins at the oldest, which serves deadlines.
- 2026-11: leasing and handing in are plain SQL, two statements each, with states written out, so
  that the server keeps one plan that may use partial indexes; `tests/work/test_plans.py` holds
  them to it. The rest of the slice goes through the session.
- 2026-11: the hot path runs straight on the driver (`marketplace.statements`): the job and its
  version are kept by the process and taken again only while the statement that locks the claim
  sees the same version of their rows; whether a person may work is decided in the statement that
  finds the seat. What an answer copies from its claim, and a claim from its seat, has no foreign
  key of its own: the key to the row that it is copied from says it, and the self-check compares.
- 2026-11: every lease is a claim row of its own with a fence from a sequence; (claim, fence) is
  the natural idempotency key of a submission.
- 2026-11: a submission after the lease counts while the seat is still free and the job runs, else
  it is kept as surplus, in states of its own: whatever asks for accepted work finds work that
  counts. Its price is the job's rule for late work, frozen when it comes in. Drafts are accepted
  for as long as the claim is its author's, leased or not.
- 2026-11: a report ends its claim as `reported`, and its author is not offered the task again,
  unless it was a gap in the instructions that the lab has closed since.
- 2026-11: who opts out of material that may harm (`TaskType.may_opt_out`) gives no reason; the
  seat is free again, its holder is not offered the task any more, and the lab sees a number. What
  they write to us, if anything, is in no page and no answer for the lab.
- 2026-11: a task that two different people could not complete is dropped: its free seats close,
  `wanted` becomes what is counted or in hand, and it is final once that is decided.
- 2026-11: where a page reported no time at all, since it ran without script, the time that the
  task was in hand counts as reading, up to the time it is expected to take: nobody is paid nothing
  for an hourly task, and nobody more than the lab expects. An hourly seat pays for all its rounds.
- 2026-11: what models said of an item (`queries.prelabels`) is read for a claim only where its task
  type shows it to specialists, and for a receipt only where the type tells it afterwards; so the
  verdict of a judge under calibration is in no answer of ours before its author's own is in.
- 2026-11: what an author adds once a judgement is in is a row of `addendum`, which only ever grows
  and holds codes, never words; the judgement stays as it is. Exports read what was there at their
  moment.
- 2026-11: a job may ask people some of their own pairs and rankings once more (`repeat_ratio`,
  `service/repeats.py`). A repeat is a claim beside the seats: it names the first answer's seat and
  neither holds nor fills it; its answer lives in the surplus states, so it never counts, and is
  paid from what is set aside beyond the quote. Its author is not told (`state_for_author`). It
  comes by a draw that asking again does not change, never above the share, from ten tasks on.
- 2026-11: the envelope (`rules/envelope.py`) keeps the rationale as claims with evidence,
  references by type, flags, and the time in joined stretches with notes on the submission itself,
  so that an export reads one row. Guidelines are those of its template version.
- 2026-11: restoring a draft saves the old revision once more on top; keys that a person moved are
  kept by default key, and two that would share one are refused (`rules/keys.py`).
- 2026-11: a conversation with models is a journal of its claim (`rules/conversation.py`): said,
  asked, replied, failed, chosen, each row committed before what it says is shown; what a judgement
  says of turns is taken from it, never from the form. Asking has an end in its row: while it lasts
  nobody asks twice, and after it the reply counts as lost, so a process killed between asking and
  storing costs one unshown reply. The order of candidates follows the seat, the turn and the
  attempt. Rework goes on in the journal of the round before. Which model spoke is told to the lab.
- 2026-11: what was decided can be overturned: accepted after all, a submission takes its own seat
  again where that is free and the job runs, and is surplus else; rework that is accepted after all
  ends the claim under which it was to be done again. Rejected after all, its seat opens again, at
  the price that its answer was promised, since a later rise was not reserved for what was accepted.
- 2026-11: rework is its author's for seven days, since it may come when they are away.
- 2026-11: `open_seat` opens one more seat of a task, never more than the `overlap_max` that money
  was reserved for; it locks the job's key, then the task, and its fact says why.
- 2026-11: leases are ended by the scheduler through the index on live claims' ends, 4,000 a round.
- 2026-11: claims in hand keep their version for good. A task is begun by its first claim that was
  not given back; where the job's versions say so it keeps that claim's version, looked up only in
  jobs that ever chose it. Asking judged tasks again sets their seats aside and opens as many anew,
  at the price that was stated; what is set aside is decided and paid as ever, counts in no export
  but `raw`, and its seat closes instead of opening again. Of two claims at the very moment of the
  change, each keeps the version that it read.
- 2026-11: a task may want nobody (`open_seats(…, wanted=…)`): models alone judge it, and it is
  final at once. Where an audit finds errors later, `seat_tasks` opens its seats.
- 2026-11: the event of a hand-in commits to all that was handed in (`rules.sealed_content`) by a
  hash under the submission's `salt`, in the one statement that writes both; `forget_person`
  destroys the salts of whoever is erased.
"""
