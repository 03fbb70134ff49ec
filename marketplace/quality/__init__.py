"""Quality: how far the judgements of a job can be trusted.

Owns the tables skill, skill_evidence, skill_point, posterior, label_author, question_fit, agreement
and job_fit; the statistics in `rules` are pure. Promises: every figure comes with the number of
items it stands on; a figure that the data cannot give is None, never a guess; what is believed of a
task is right as soon as the submission that changed it is in.
It owns gold in ordinary work (gold_*) and rules of quality control (control_*, quality_cursor) too:
no rule can reject work or end an account, none is on before its very version was replayed, and
nobody is stopped in a job before a person said so, which the database asks for.
Never: decides about anybody's pay or standing.

Decisions
- 2026-11: skill is a Beta posterior of a person in a domain and a task type, from a flat prior;
  what counts is its lower 90 % bound. Verdicts of people and gold teach it, acceptance without a
  look does not; accepted after rework counts half, rework by itself nothing. What others say of
  the same items teaches half as much as a verdict, and only where gold and reviews are silent.
- 2026-11: evidence is one row for each source and submission, and saying another thing replaces it,
  so that an overturned verdict counts as it stands. A day's last figure becomes a point that never
  changes. What gold says is told to its author in sums, and once its day is over.
- 2026-11: a submission updates the posteriors of its task and its own author's counts, in its own
  transaction, by two statements; other authors of the task are set right by the fit that it asks
  for, so that nobody waits for other people's rows. Where one judgement a task is all there is,
  and no model spoke, nothing happens in the request. Gold is not read there either: a plain item
  and a gold one take the same statements.
- 2026-11: locks: the posteriors of a task under the task's own lock, then the author's rows by
  question, then a person's skill; the ledger's accounts come after. A fit takes none of them while
  it works out; it writes authors in one transaction and posteriors in chunks, in order, and only
  over rows whose `revision` stands as it read them.
- 2026-11: the fit runs two seconds after it is asked for, at most a twentieth of the time, and
  keeps agreement with its intervals: a page reads rows, and says when they were worked out.
- 2026-11: questions with more than forty labels are words and have no posterior; tasks with more
  than forty units wait for the fit. A review is an author who is right 19 times in 20.
- 2026-11: a judge is frozen by version: any change of what decides its answers makes another. Its
  answers are kept by version, content of the item and order, so nothing is asked twice; calls are
  counted before they are made, retries too, and none is made inside a transaction. Refusals and
  answers in another form are counted, never guessed. A preference that turned with the order is a
  tie where there are ties. Only types that never show pre-labels before an answer are judged.
- 2026-11: judge-expert agreement stands beside expert-expert agreement from the same draws of
  items, so the difference has an interval. The same people on all items: medians over people and
  pairs; people who took turns: all pairs of verdicts on an item, pooled. Quadratic weights go by
  the distance of values. A judge may stand alone where it is within the margin in nine draws of
  ten, and nowhere where experts agree no better than chance.
- 2026-11: reports, versions and checks only ever grow. A check asks the report's items anew past
  all kept answers; drift is a shift of verdicts that one permutation in a hundred shows over all
  dimensions, or an agreement whose interval lies below the report's.
- 2026-11: each answer to gold is scored in a transaction of its own, and a change of gold holds its
  task before the skills that it teaches anew: verdicts on the same task come before or after.
- 2026-11: answers to gold are scored by the numbered facts, in the background, some seconds after
  they came: the path of a submission reads nothing of gold, so neither shape nor time tells it
  (`tests/journeys/test_gold_wire.py`, `bench.gold_times`). Its author is told once that gives
  nothing away: when the job ends, the item is worn or withdrawn, or the answer was rejected.
- 2026-11: gold that as many people have taken as the job allows is worn: its open seats close and
  it teaches nothing. Nobody is scored twice by the same payload, nor by reworked answers, and what
  has gold is never asked as a repeat.
- 2026-11: gold is doubted by an author who was told, or by at least three strong authors who say
  the same other thing and are most of them (lower bound). Changing it keeps all versions and
  scores; `review.change_gold` carries it on to pay, posteriors and firings.
- 2026-11: a rule is a share of pieces of work with bounds of 90 % each way, a threshold and an
  action. What restricts must compare the bound that makes it sure. A firing is a row with its
  figures; `review` carries it out and writes to whom it restricts; after it was lifted only later
  work counts. In a replay "wrongly" are those whose later work gold and reviews found right, by
  the lower bound of 60 %.
- 2026-11: an attempt's score is the mean agreement with gold over all items of its form, cut after
  three decimals and never rounded up; an item that was left open has 0, which is said before the
  start. Each answer also teaches the person's skill.
- 2026-11: an item is flagged for retirement where it does not foretell later acceptance, goes
  against the rest, or tells nobody apart; only where the interval, not the estimate alone, says so.
  A person retires it; results that it was part of stand.
- 2026-11: statistics ask the task type for the scale of a unit and never know a type by name.
  Scores are the plain mean without gold, unless the authors' biases promise clearly smaller
  errors; with gold, what errs least on gold held out. Spans and regions are matched first; whether
  a unit is there is told from who marked it, what it is by the vote of those who did.
- 2026-11: signs of dishonest work are figures with what would be usual and the share of false ones
  to be expected; by labels alone a ring must be far less likely than with times and words.
- 2026-11: such a sign becomes an evidence pack, a frozen question to one person. A person of
  operations reads it first and sends it, so that chance alarms nobody; its person answers within
  seven days; a person closes it. Upheld only after the answer or its time, which the database asks
  for; no pay follows by itself (`review.reject_upheld`, one answer at a time). Who privately says
  they work by dictation and the like is left out of all that counts speed and wording.
- 2026-11: a hybrid pipeline (`rules.pipeline`, `rules.rounds`) draws its audit at random in each
  slice with a known chance, and estimates stand on the chances (`rules.ppi`): items that were
  chosen because they looked doubtful are no sample. Right is what specialists say. What models say
  alone is foretold without the folds of the very item, or the order in which more is sent would
  know the answers; simulated with rounds that hang on the audit, 90 % intervals cover 88 to 93 %.
- 2026-11: specialists are learnt on top of the models' calibrated word, not beside it: models err
  together, and their agreement would else speak against a specialist who is right.
- 2026-11: routes are written in one transaction, seats open in chunks, a round is sent once, while
  the pipeline still stands at the round before. Tables pipeline, pipeline_item, pipeline_label,
  pipeline_round; the report is computed in the background, never on a page view.
- 2026-11: categorical labels are read by a pool of models (`rules.categorical`), since none wins on
  every crowd and labels cannot say which one will. Strengths of shrinkage are read from the labels;
  subtypes start from how clear each vote was, never from chance, so names and order change nothing.
  Gold is certain, weighs the pool and tunes the calibration, each truth foretold without itself.
- 2026-11: calibrated posteriors decide; without gold the calibration is that of public crowds.
  Reliabilities are told with an interval that also holds how little is known of the whole crowd;
  how strongly they lean on the population is averaged over, not picked (`bench.quality_skill`).
- 2026-11: another label is bought by its expected gain for a price (`rules.overlap`), looked ahead
  over several labels, since one alone often turns nothing.
- 2026-11: units that are numbers are estimated (`rules.estimates`, `ordinal`): value, 90 %
  interval, bias and noise of each author. The label beside it stays a legal value, the nearest
  one; where any number is allowed, one that was given of that unit. A submission sets the mean at
  once; the fit takes biases off where that is better, and agrees with `ordinal.estimate`. An
  author unheard of is taken to have noise of a quarter of the scale, so one score is never sure.
  Reviews say nothing of numbers: two answers that differ may both be accepted.
- 2026-11: what items compare by name (`metadata.models`, `model_a`, replies of conversations) has
  strengths for the job as a whole (`rules.strengths`), worked out by the fit; else nothing.
"""
