"""Review: verdicts on work, and what they earn.

Owns the tables decision and accrual, review_policy, review_draw and review_watch, second_look,
brake and held_decision, adjudication, appeal and appeal_evidence. Promises: nobody decides on their
own work, nor on that of somebody they share an organisation with, in Python and in the database; a
decision is one transaction with its ledger postings; every submission that is not sampled for
review is accepted by itself, and every other on its date at the latest; pay clears on the date that
was frozen at acceptance; what was earned was posted once and in full, and what people in hand were
promised is set aside (`queries.broken_invariants` asks for both).
Never: changes a judgement, deletes a verdict, moves money but through the ledger's verbs.

Decisions
- 2026-11: whether a submission is sampled is a hash of its id against a chance: nobody can steer
  it, and a second look at the same submission answers the same. The chance is the job's share,
  raised by what there is to fear (`rules/sampling.py`: each reason multiplies the odds), so a job
  that declares no review gets none but by a rule. What the job's own share draws is under review in
  the statement that hands it in; the rest is asked for what else is known before it is accepted by
  itself, so the hot path pays nothing. Chance, reasons and formula stay in `review_draw`; shares of
  a job are estimated with 1 / chance as weights.
- 2026-11: defects are codes and places from the task type's scales and the template, with the
  version of the instructions; `what`, `severity`, `where` alone stay valid.
- 2026-11: a share of rejections, and the first of a job, is looked at by another reviewer of the
  lab. It stands in their queue like any other, state and verdict hidden, and the same call decides
  it. Whoever would accept or send back overturns: in doubt it is the author's. Unlooked at in time
  it stands; the author has the appeal.
- 2026-11: rejections of 24 hours whose lower 95 % bound is above half as much again as the upper
  bound of the job's past are held from the eighth on: kept, told to nobody, posted nowhere. An
  owner and operations confirm, two people by constraint, or either lets them go; after seven days
  they are let go by themselves, and the answers have three days for a reviewer. One whose reviewer
  came to share an organisation with its author meanwhile is let go, and stops no other.
- 2026-11: what nobody decides within the job's days (7 unless it says 1 to 30) is accepted with its
  pay, by the date frozen on its lot; held ones wait for their hold. Labs are written to two days
  before, once a day.
- 2026-11: adjudication is a row beside the judgements, which all stay and stay paid. A third person
  of the lab settles: not who asked, not an author, nobody of an author's organisation. Its word
  comes first in exports; `agreements` keeps how far each judgement agrees.
- 2026-11: reviewers are members of the lab; specialists as paid reviewers (posting rule 27) are not
  offered yet.
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
- 2026-11: a verdict is overturned by another decision that names it (`service.overturning`); the
  last of such a line stands, by somebody else each time. Accepted after all, work takes its seat
  again where that is free and is paid from the reserve; else it is kept beside the task and paid
  like surplus work, in full, job closed or not. Its pay clears as if it had been accepted at
  first. Rejected after all, reward and fee go back to whoever paid them, and of a closed job to
  its lab: from what is pending, or once it has cleared from what is available; the rest is owed.
  Payouts on their way are left alone. Clearing and taking back lock the accrual, so that each
  finds what the other did. The same evidence of skill is said anew, and the task scored again.
- 2026-11: gold that is corrected or withdrawn overturns, in the system's name, the rejections of
  answers that it had called wrong and does not any more; acceptances stand. Firings of rules that
  only the former gold explains are lifted in the same transaction (`service.quality_control`).
- 2026-11: an appeal is filed within 14 days, by the author of a rejection or of work that was sent
  back and not done again; what there is to see is frozen in a row of its own. The lab may speak
  within three days, before which nobody decides. Operations decide within seven, whoever has to do
  with neither side (triggers hold that), and see neither who reviewed nor who wrote. What they
  decide is the last word; each verdict is appealed once.
- 2026-11: an appeal that nobody decided in time ends in its author's favour, since the wait is our
  fault: we pay in full out of goodwill, and the lab neither pays for it nor gets it among its
  judgements; skill forgets the verdict, and reviewers' overturn rates leave it out.
- 2026-11: an appeal of work that was sent back ends once its author has done the work again: the
  verdict on the later round is the one that counts.
- 2026-11: who has ten appeals open or lost in 30 days waits before the next; each upheld in 90 days
  makes room for three more. Appeals in vain cost nothing else. At erasure the words and the
  evidence go, and that there was an appeal, with its end, stays.
"""
